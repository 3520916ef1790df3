/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weight files for tests: a variant's tensors with formula values, changed at will. */
#ifndef VIGIL_TESTS_CORE_WRITE_MODEL_H
#define VIGIL_TESTS_CORE_WRITE_MODEL_H

#include "core/dtype.h"

#include <stdbool.h>

#define WRITE_GAIN 1.25

typedef struct WriteModel {
    const char *variant; /* "EMO_1M" */
    int classes;
    VigilDtype dtype;      /* VIGIL_BOOL, the zero value, stands for F32 */
    VigilDtype rounded_to; /* F16, BF16: values are rounded so first; else not */
    const char *prefix;    /* before every name; NULL: none */
    const char *metadata;  /* a JSON object; NULL: none */
    /* Names without prefix, NULL: none. */
    const char *omit;     /* a tensor that is left out */
    const char *halve;    /* a tensor whose first dimension is halved */
    const char *integers; /* a tensor that is written as I32 zeros */
    const char *spoil;    /* a tensor whose last value is ... */
    float spoilt;         /* ... this one */
    /* Gives a tensor its values, [shape], instead of the formula; NULL: the formula. */
    void (*fill)(const char *name, int rank, const uint64_t *shape, float *value);
    /* Complete names of further tensors. */
    const char *extra;   /* two values of F32 */
    const char *counter; /* one I64 */
} WriteModel;

/* The bytes of the file, for free().  Ends the program when there is no memory. */
unsigned char *write_model(const WriteModel *model, size_t *size);

/* The same in a new file; the name, for unlink() and free(). */
char *write_model_file(const WriteModel *model);

/* F16, BF16: the nearest value of that kind, ties to even. */
float write_rounded(VigilDtype dtype, float value);

/* Calls visit for each tensor of the variant, in the order that it binds them. */
void write_tensors(const char *variant, int classes,
                   void (*visit)(void *context, const char *name, int rank,
                                 const uint64_t *shape),
                   void *context);

#endif
