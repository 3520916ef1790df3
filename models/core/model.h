/* The inside of an opened model, for sessions. */
#ifndef VIGIL_CORE_MODEL_H
#define VIGIL_CORE_MODEL_H

#include "backbones/family.h"
#include "core/ranges.h"
#include "core/weights.h"
#include "vision/detect.h"

#include <pthread.h>
#include <stdatomic.h>

#define VIGIL_MAX_CLASSES 65536

struct VigilModel {
    atomic_int references;
    VigilArchitecture arch;
    VigilModelInfo info;
    char *path;
    char shown[112];          /* path, fit for a message */
    char **labels;            /* of __metadata__, owned */
    int window;               /* of __metadata__, 0: the variant's */
    VigilDetectRules detect;  /* the scheme's with `anchors`, or all 0 */
    VigilAnchorRules anchors; /* of __metadata__ */
    VigilSafetensors *file;
    VigilRanges *ranges; /* calibrated; NULL: none */
    VigilSource *source;
    pthread_mutex_t lock; /* of source, while a session binds */
    VigilStore *store;
    VigilModel *next_opened; /* in opened.c, of models of files */
};

/* In what an operation that can do either multiplies. */
typedef enum VigilArithmetic {
    VIGIL_IN_FLOATS,
    VIGIL_IN_BYTES,
    VIGIL_OBSERVED, /* floats, and the values of its input are counted */
} VigilArithmetic;

/* Describes and merges the model's network at an input size, and binds its weights
 * (reading those that no session asked for before).  `keep`: values that must survive.
 */
VigilStatus vigil_model_build(VigilModel *model, int height, int width,
                              VigilArithmetic arithmetic, const char *const *keep,
                              size_t n_keep, VigilNet **net, VigilError *error);

/* How a detector's outputs become boxes; NULL for other tasks. */
const VigilDetectRules *vigil_model_detect_rules(const VigilModel *model);

/* vigil_model_open() over memory that outlives the model: for tests and fuzzing. `name`
 * stands for the path. */
VigilStatus vigil_model_open_memory(const void *data, size_t bytes, const char *name,
                                    VigilModel **model, VigilError *error);

/* The file of a shipped model in the folders of VIGIL_MODEL_PATH or where models are
 * installed; a name with a slash or of an existing file stands for itself.  *path is
 * the caller's. */
VigilStatus vigil_model_locate(const char *name, char **path, VigilError *error);

#endif
