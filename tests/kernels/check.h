/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of the kernels.  Each kernel of VIGIL_KERNELS has one function here, called
 * for every level: the plain C level is held against formulae in double, the others
 * against the C twin.
 *
 * All buffers lie between pages that cannot be touched, at their beginning or at their
 * end by chance: a kernel that reads or writes outside its shape is stopped at once,
 * and the case that it was running is named.
 */
#ifndef VIGIL_TESTS_KERNELS_CHECK_H
#define VIGIL_TESTS_KERNELS_CHECK_H

#include "kernels/kernels.h"

#include <stdbool.h>

typedef struct Check {
    const VigilKernels *level;
    const VigilKernels *twin; /* plain C */
    bool is_twin;             /* level is plain C: compare with double */
    size_t cases;
    double worst;      /* greatest error so far as a share of its tolerance */
    char failure[256]; /* first failure, or "" */
} Check;

/* check_gemm(c) and so on: a kernel without a check does not link. */
#define DECLARE_CHECK(name, result, parameters) void check_##name(Check *c);
VIGIL_KERNELS(DECLARE_CHECK)
#undef DECLARE_CHECK

/* Names the case being run; counted. */
__attribute__((format(printf, 2, 3))) void begin_case(Check *c, const char *format,
                                                      ...);

/* Buffers by number; a second request for the same number ends the first.  `floats`
 * and `bytes` come filled with random values in [-1, 1] or 0..255. */
enum { BUFFERS = 10 };
float *floats(int buffer, size_t n);
uint8_t *bytes(int buffer, size_t n);

/* Numbers of the run's seed. */
double uniform(double low, double high);
int pick(int n); /* 0..n-1 */

/* Fails the case unless |got - want| <= tolerance for all n values (a value that is not
 * a number only equals another such). */
void near_floats(Check *c, const float *got, const float *want, size_t n,
                 double tolerance);
void near_doubles(Check *c, const float *got, const double *want, size_t n,
                  double tolerance);
void near_value(Check *c, double got, double want, double tolerance);

double *doubles(size_t n); /* working memory for a reference; one at a time */
double activation_exact(double x, VigilActivation activation);

#endif
