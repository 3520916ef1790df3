/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vigil-model, the command line tool: what its files share.
 *
 * A subcommand is one row of the table in vigil-model.c and one file.  Results go to
 * standard output, errors to standard error in one line; functions that can fail return
 * an exit status and have printed that line.
 */
#ifndef VIGIL_MODEL_H
#define VIGIL_MODEL_H

#include "vigil.h"

#include <jansson.h>
#include <stdio.h>

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* a file, a model or the system is at fault */
    STATUS_USAGE = 2,  /* the command line is at fault */
};

/* --attention NAME[:HEAD[:TOKEN]]=FILE */
typedef struct AttentionOption {
    char *name;
    int head, token; /* -1: the mean over heads, all tokens */
    const char *path;
} AttentionOption;

/* What the command line says. */
typedef struct Options {
    bool json, layers, raw, list_attention;
    VigilInputOptions input;
    int threads;       /* 0: not given */
    int top;           /* 0: not given */
    int runs;          /* >= 1 */
    const char **taps; /* [n_taps], owned; the strings are argv's */
    size_t n_taps;
    AttentionOption *attention; /* [n_attention], owned with their names */
    size_t n_attention;
    VigilDetectOptions detect;
    const char **classes; /* [n_classes] of --class, owned as taps */
    size_t n_classes;
    const char *mask; /* file; NULL: none */
    const char *coco, *images, *detections, *classification, *masks; /* of eval */
    const char *class_map, *split, *source;
    int limit;        /* 0: all */
    int ignore_index; /* -1: not given */
    bool skip_broken, progress;
    VigilPrecision precision;
    const char *out;       /* of calibrate; NULL: not given */
    const char **excluded; /* [n_excluded] of --exclude, owned as taps */
    size_t n_excluded;
    char given[64];         /* letters of the options that were given */
    const char *operand[2]; /* as many as the subcommand takes */
} Options;

typedef struct Command {
    const char *name;
    const char *operands[3]; /* NULL-terminated; one in [] may be missing */
    const char *options;     /* letters of option_specs[] in vigil-model-options.c */
    const char *summary;     /* one sentence */
    int (*run)(const Options *options);
} Command;

int command_list(const Options *options);
int command_info(const Options *options);
int command_infer(const Options *options);
int command_bench(const Options *options);
int command_eval(const Options *options);
int command_calibrate(const Options *options);

/* ---- vigil-model-options.c ------------------------------------------------------- */

/* Reads argv[1..] of a subcommand.  *done is set when --help was asked for and printed.
 * Ends with options_clear() whatever it returned. */
int options_parse(const Command *command, int argc, char **argv, Options *options,
                  bool *done);
void options_clear(Options *options);

/* The name of the option with this letter. */
const char *option_name(char letter);

/* ---- vigil-model-names.c --------------------------------------------------------- */

const char *resize_name(VigilResize resize);
const char *channel_order_name(VigilChannelOrder order);
const char *filter_name(VigilFilter filter);
const char *origin_name(VigilOrigin origin);
const char *task_name(VigilTask task);
const char *precision_name(VigilPrecision precision);

/* The value of that name, -1 for none. */
int resize_find(const char *text);
int channel_order_find(const char *text);
int precision_find(const char *text);

/* ---- vigil-model-text.c ---------------------------------------------------------- */

/* Prints "vigil-model: MESSAGE" in one line; returns STATUS_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a faulty command line; returns STATUS_USAGE. */
int fail_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy of text that came from a file, safe for a terminal and for JSON: valid UTF-8,
 * control characters replaced by '?'.  The caller g_free()s it. */
char *clean_text(const char *text);

/* "1x24x112x112" in the order that --tap uses; `text` of at least 64 bytes. */
const char *shape_text(int rank, const int *shape, char *text);

/* The shape as --tap gives it: maps [h][w][c] become {1, c, h, w}, vectors {1, c},
 * others stay.  Returns the number of dimensions, at most 4. */
int tap_shape(int rank, const int *shape, int out[4]);

/* The bytes of a whole file, with a NUL behind them, for free(). */
int text_read(const char *path, char **text, size_t *bytes);

/* The origin of a session's precision. */
VigilOrigin precision_origin(const VigilModelInfo *info, const Options *options);
/* The same as json_precision() as one line, without its origin, in `text` of at least
 * 64 bytes. */
const char *precision_text(const VigilModelInfo *info, const VigilSession *session,
                           char *text);

/* Columns that hold the longest entry of a table of layers, heads included. */
typedef struct LayerWidths {
    int name, kind, shape;
} LayerWidths;

LayerWidths layer_widths(const VigilSession *session);

/* ---- vigil-model-json.c ---------------------------------------------------------- */

/* All of these return NULL when memory runs out, and take NULL for a part that failed
 * so that only json_print() has to look. */
json_t *json_text(const char *text); /* cleaned; NULL gives null */
json_t *json_number(double value);   /* null where not finite */
json_t *json_setting(float value);   /* the shortest decimal of the float */
json_t *json_floats(const float *values, size_t n);
json_t *json_ints(const int *values, int n);
json_t *json_input(const VigilInput *input);
/* What a session multiplies in: name, origin, number of layers in bytes, and whether
 * the file is calibrated. */
json_t *json_precision(const VigilModelInfo *info, const VigilSession *session,
                       const Options *options);
/* Appends value, or frees *array and sets it to NULL. */
void json_add(json_t **array, json_t *value);
/* Sets a member, or frees *object and sets it to NULL. */
void json_set(json_t **object, const char *key, json_t *value);
/* Prints the value, indented or in one line, and frees it. */
int json_print(json_t *root, bool indented);
/* Writes the value to a file, in one line, and frees it. */
int json_save(json_t *root, const char *path);
/* Reads a file, which is not trusted, of one object or array. */
int json_load_path(const char *path, json_t **root);

/* ---- vigil-model-picture.c ------------------------------------------------------- */

#define PICTURE_MAX_SIDE 32768
#define PICTURE_MAX_PIXELS ((int64_t)1 << 28)

/* A PNG or JPEG file as 8-bit RGB.  The orientation stored in a JPEG is applied; alpha
 * is dropped and the colours under it are kept, as training pipelines do. */
typedef struct Picture {
    void *pixbuf; /* GdkPixbuf that holds the pixels */
    VigilImage image;
} Picture;

int picture_load(const char *path, Picture *picture);
void picture_clear(Picture *picture);

/* The same pixels without alpha, [height][width][3], for g_free(); NULL when there is
 * no memory. */
unsigned char *picture_pixels(const Picture *picture);
/* Writes pixels [height][width][3] as a PNG file. */
int picture_save(const char *path, const unsigned char *pixels, int width, int height);

/* ---- vigil-model-infer.c, vigil-model-detections.c ------------------------------- */

/* Runs the session and checks that its outputs are finite. */
int run_network(const VigilModelInfo *info, VigilSession *session);

/* Index of the class that a label or a number names; -1 for none. */
int class_index(const VigilModelInfo *info, const char *text);

/* Carries n detections from the input to the picture that was placed there, in pixels;
 * out [n].  Returns how many of them are in the picture. */
int detections_in_picture(const VigilSession *session, const VigilImage *image,
                          const VigilPlacement *placed, const VigilDetection *found,
                          int n, VigilDetection *out);

/* ---- vigil-model-attention.c ----------------------------------------------------- */

/* The attentions of a network, as a table or an array. */
void print_attentions(const VigilSession *session);
json_t *attentions_json(const VigilSession *session);

/* Writes the map that the option asks for, after a run: over the picture where its file
 * ends in .png, as numbers where it ends in .json. */
int attention_write(const AttentionOption *option, const VigilSession *session,
                    const Picture *picture, const VigilPlacement *placed);

/* ---- vigil-model-peak.c ---------------------------------------------------------- */

/* What the arithmetic units can do at most: billions of float operations a second over
 * `threads` threads, measured (in about 0.1 s) with independent multiply-adds in
 * registers at the level `isa`.  0 when a thread could not be started. */
double peak_gflops(const char *isa, int threads);

/* Monotonic clock in nanoseconds. */
uint64_t now_ns(void);

#endif
