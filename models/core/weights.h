/*
 * From named tensors to packed weights.
 *
 * A source gives tensors by name and shape: a file, or a formula.  A store keeps what
 * was packed from them, by key, so that every session of a model shares one copy.  A
 * binder walks a network with the two, in one of three modes.
 */
#ifndef VIGIL_CORE_WEIGHTS_H
#define VIGIL_CORE_WEIGHTS_H

#include "core/safetensors.h"
#include "core/status.h"
#include "kernels/gemm.h"

#define VIGIL_MAX_NAME 256

/* ---- Sources --------------------------------------------------------------------- */

typedef struct VigilSource VigilSource;

/* Tensors of a file, each name preceded by `prefix` ("" or "module.").  Borrows the
 * file, which outlives the source. */
VigilSource *vigil_source_file(const VigilSafetensors *file, const char *prefix);

/* Any tensor of any name and shape, by the formulas of formula.h. */
VigilSource *vigil_source_formula(uint64_t seed, double gain);

void vigil_source_free(VigilSource **source);

/* ---- The store ------------------------------------------------------------------- */

/* Packed weights of one operation. */
typedef struct VigilWeights {
    VigilPacked matrix;   /* dense operations */
    VigilPacked *further; /* those after the first where there are several; owned */
    size_t n_further;
    int8_t *bytes; /* packed by bytes_pack, where multiplications are in bytes */
    size_t n_bytes;
    float *vector;      /* bias, scales, depth-wise taps: as the operation laid out */
    size_t vector_size; /* floats */
} VigilWeights;

typedef struct VigilStore VigilStore;

VigilStore *vigil_store_new(void);
void vigil_store_free(VigilStore **store);
size_t vigil_store_bytes(VigilStore *store);

/* ---- Binding --------------------------------------------------------------------- */

typedef enum VigilBindMode {
    VIGIL_BIND_CHECK, /* names and shapes only; goes on after failures and counts them
                       */
    VIGIL_BIND_LOAD,  /* reads and packs; stops at the first failure */
} VigilBindMode;

/* Told of a tensor that a network asks for. */
typedef void (*VigilBindVisit)(void *context, const char *name, int rank,
                               const uint64_t *shape);

typedef struct VigilBinder {
    VigilBindMode mode;
    VigilSource *source;
    VigilStore *store;    /* LOAD */
    const char *what;     /* name of the network, for messages */
    VigilBindVisit visit; /* called for every tensor, fitting or not; NULL: nothing */
    void *visit_context;
    VigilStatus status;
    VigilError error; /* the first failure */
    size_t fitted;    /* tensors found with their shape */
    size_t missed;    /* not there, or of another shape */
    uint64_t
        parameters; /* elements of the fitted tensors, running statistics left out */
    struct VigilScratch *scratch; /* tensors read for the operation at hand */
    struct VigilScratch *spare;   /* memory of earlier operations, for the next */
    VigilSlabs slabs;             /* for what is packed */
} VigilBinder;

/* For LOAD: the weights packed before under this key, or NULL: then read the tensors
 * and call vigil_bind_keep(). */
const VigilWeights *vigil_bind_find(VigilBinder *binder, const char *key);

/* The tensor `name` of the shape given as float32, valid until vigil_bind_next(); NULL
 * in CHECK mode and after a failure.  Values that are not finite and
 * variances below 0 are a failure. */
const float *vigil_bind_tensor(VigilBinder *binder, const char *name, int rank,
                               const uint64_t *shape);

/* Working memory of n floats, of any values, with the same lifetime. */
float *vigil_bind_alloc(VigilBinder *binder, size_t n);

/* Frees what weights hold that are not handed over after all. */
void vigil_weights_clear(VigilWeights *weights);

/* Hands weights over to the store under `key` and returns where they stay.  Another
 * thread may have been first: then the other's are returned and these are freed. */
const VigilWeights *vigil_bind_keep(VigilBinder *binder, const char *key,
                                    VigilWeights *weights);

/* Ends the lifetime of what the operation read; its memory is used again. */
void vigil_bind_next(VigilBinder *binder);

/* Frees that memory, after the last operation, and ends the slabs. */
void vigil_bind_end(VigilBinder *binder);

/* After CHECK: the first tensor of the file that nothing asked for, training leftovers
 * aside; NULL if there is none.  Only for file sources. */
const VigilStored *vigil_source_leftover(const VigilSource *source,
                                         const char *const *ignored, size_t n_ignored);

#endif
