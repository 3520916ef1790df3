/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rating networks: what the files of the subcommand share. */
#ifndef VIGIL_MODEL_EVAL_H
#define VIGIL_MODEL_EVAL_H

#include "vigil-model-eval-ap.h"
#include "vigil-model.h"

#include <glib.h>

/* ---- vigil-model-eval.c -----------------------------------------------------------
 */

/* What is known of the pictures decides; each has a function that runs all of it. */
int eval_boxes(const Options *options);
int eval_classes(const Options *options);
int eval_masks(const Options *options);

/* ---- vigil-model-eval-map.c -------------------------------------------------------
 */

/* --class-map: {"gt": {category: class or null}, "det": {label: class}}.  Without "det"
 * the former is used for labels too. */
typedef struct ClassMap {
    json_t *root;     /* owned */
    json_t *gt, *det; /* objects of strings and nulls; NULL: names stay */
} ClassMap;

/* A file, or FILE.json:NAME, one entry of an object of maps. */
int class_map_load(const char *option, ClassMap *map);
void class_map_clear(ClassMap *map);

/* ---- vigil-model-eval-coco.c ------------------------------------------------------
 */

typedef struct CocoImage {
    json_int_t id;
    const char *file;
    int width, height; /* 0: not told */
    bool counts;       /* has the split and source, and is not beyond the limit */
} CocoImage;

typedef struct CocoCategory {
    json_int_t id;
    const char *name;
    int class_index; /* CATEGORY_LEFT_OUT, AP_EVERY_CLASS: a region to ignore */
} CocoCategory;

enum { CATEGORY_LEFT_OUT = -2 };

/* Strings belong to the JSON values. */
typedef struct Coco {
    const char *path;
    json_t *root;
    ClassMap map;
    CocoImage *images; /* [n_images] by rising id */
    size_t n_images, n_counting;
    CocoCategory *categories; /* [n_categories] by rising id */
    size_t n_categories;
    GPtrArray *classes;        /* of const char * */
    GHashTable *class_indices; /* from name to index + 1 */
    GArray *truths;            /* of ApTruth; image: index in images */
} Coco;

/* Ends with coco_clear() whatever it returned. */
int coco_load(const Options *options, Coco *coco);
void coco_clear(Coco *coco);

/* The class of what a detector calls `label`; -1 for none. */
int coco_class(const Coco *coco, const char *label);

/* Drops the boxes of pictures that no longer count. */
void coco_drop_boxes(Coco *coco);

/* Appends the detections of a file in the form of COCO results to found, of ApFound;
 * *dropped counts those of no class. */
int coco_read_found(const Coco *coco, const char *path, GArray *found, size_t *dropped);

/* ---- vigil-model-eval-entry.c -----------------------------------------------------
 */

/* An object in a list of a JSON file. */
typedef struct JsonEntry {
    const char *path, *list; /* for messages: FILE: LIST[INDEX] */
    size_t index;
    json_t *value;
} JsonEntry;

int fail_entry(const JsonEntry *entry, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Calls `read` with each element of an array, which must be objects. */
int entries_read(const char *path, const char *list, json_t *array,
                 int (*read)(const JsonEntry *entry, void *data), void *data);

/* Members that must be there. */
int entry_integer(const JsonEntry *entry, const char *key, json_int_t *value);
int entry_text(const JsonEntry *entry, const char *key, const char **value);
int entry_box(const JsonEntry *entry, ApBox *box); /* "bbox" */
/* Members that may be missing: *value stays, a flag is false. */
int entry_number(const JsonEntry *entry, const char *key, double *value);
int entry_flag(const JsonEntry *entry, const char *key, bool *value);

/* ---- vigil-model-eval-csv.c -------------------------------------------------------
 */

typedef struct LabelRow {
    char *file; /* with the folder of the list; owned */
    char *label;
    int line;
    bool has_crop;
    double x0, y0, x1, y1; /* pixels */
} LabelRow;

/* Rows of a list of labels that have the split and source, up to the limit.  An array
 * of LabelRow that frees its strings; *rows is NULL after an error. */
int label_rows_load(const Options *options, const char *path, GArray **rows);

/* ---- vigil-model-eval-mask.c ------------------------------------------------------
 */

typedef struct KnownMask {
    unsigned char *classes; /* [height][width] */
    int width, height;
} KnownMask;

/* Ends with known_mask_clear() whatever it returned. */
int known_mask_load(const char *path, KnownMask *mask);
void known_mask_clear(KnownMask *mask);

/* ---- vigil-model-eval-network.c ---------------------------------------------------
 */

/* A network and the picture that it is shown. */
typedef struct EvalNetwork {
    const Options *options;
    VigilModel *model;
    const VigilModelInfo *info;
    VigilSession *session;
    VigilPreprocess *preprocess;
    char *path; /* of the picture */
    Picture picture;
    VigilPlacement placed;
} EvalNetwork;

/* Ends with eval_network_close() whatever it returned. */
int eval_network_open(const Options *options, VigilTask task, EvalNetwork *network);
/* The same with a network for any task, whose values are counted in each run. */
int eval_network_open_to_calibrate(const Options *options, EvalNetwork *network);
void eval_network_close(EvalNetwork *network);

/* Reads a picture, unless it is the one that was read last. */
int eval_network_load(EvalNetwork *network, const char *path);
/* Shows the network the picture, or a part of it (NULL: all). */
int eval_network_run(EvalNetwork *network, const VigilRegion *region);
/* The label of a class, its index where there are no labels, in `text`, of at least 16
 * bytes. */
const char *eval_network_label(const EvalNetwork *network, int class_index, char *text);

/* ---- vigil-model-eval-progress.c --------------------------------------------------
 */

typedef struct Progress {
    bool shown, terminal;
    size_t total;
    uint64_t begun, due; /* ns */
} Progress;

void progress_begin(Progress *progress, const Options *options, size_t total);
void progress_step(Progress *progress, size_t done);
void progress_end(Progress *progress);

/* ---- vigil-model-eval-print.c -----------------------------------------------------
 */

typedef struct BoxReport {
    const Options *options;
    const char *file; /* of the network; NULL: none ran */
    const Coco *coco;
    const ApResult *result; /* [classes] */
    ApResult all;
    size_t skipped, dropped;
} BoxReport;

int print_boxes(const BoxReport *report);

/* Names of classes in tables and JSON, and numbers from 0 to 1 that may be NaN. */
void print_label(const char *label);
void print_share(double share);

#endif
