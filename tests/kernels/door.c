/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door to matrix products, on either side of the choice between our kernel and
 * OpenBLAS, and with VIGIL_ISA forced, which leaves OpenBLAS out. */
#include "kernels/gemm.h"
#include "../tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef VIGIL_HAVE_OPENBLAS
static const bool have_blas = true;
#else
static const bool have_blas = false;
#endif

typedef struct Case {
    size_t m, n, k;
    bool large; /* weights of a size that OpenBLAS is given, where it is built in */
    VigilActivation activation;
    enum { NONE, APART, IN_PLACE } residual;
    double tolerance; /* about five standard deviations of k roundings */
} Case;

static const Case cases[] = {
    { 1, 1, 1, false, VIGIL_LINEAR, NONE, 1e-6 },
    { 49, 168, 588, false, VIGIL_GELU, APART, 1e-5 },
    { 7, 33, 24, false, VIGIL_SILU, IN_PLACE, 4e-6 },
    { 1, 1025, 2049, true, VIGIL_LINEAR, NONE, 3e-5 },
    { 3, 1025, 2049, true, VIGIL_RELU, APART, 3e-5 },
    { 3, 1025, 2049, true, VIGIL_LINEAR, IN_PLACE, 3e-5 },
    { 9, 1025, 2049, true, VIGIL_LINEAR, IN_PLACE, 3e-5 },
    { 65, 1025, 2049, true, VIGIL_HSWISH, IN_PLACE, 3e-5 },
};

static float *numbers(size_t n, double scale)
{
    static uint32_t state = 1;
    float *p = malloc(n * sizeof *p);
    if (!p)
        abort();
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        p[i] = (float)(((double)state * 0x1p-31 - 1.0) * scale);
    }
    return p;
}

static double activated(double x, VigilActivation activation)
{
    switch (activation) {
    case VIGIL_RELU:
        return x < 0 ? 0 : x;
    case VIGIL_SILU:
        return x / (1 + exp(-x));
    case VIGIL_GELU:
        return 0.5 * x * erfc(-x / sqrt(2));
    case VIGIL_HSWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    default:
        return x;
    }
}

/* Greatest error of c [m][ldc] against the product in double. */
static double error_of(const Case *s, const float *a, const float *b, const float *bias,
                       const float *residual, const float *c)
{
    double worst = 0.0;
    for (size_t r = 0; r < s->m; r++)
        for (size_t j = 0; j < s->n; j++) {
            double want = bias[j];
            for (size_t p = 0; p < s->k; p++)
                want += (double)a[r * s->k + p] * b[j * s->k + p];
            want = activated(want, s->activation);
            if (s->residual)
                want += residual[r * s->n + j];
            worst = fmax(worst, fabs(want - c[r * s->n + j]));
        }
    return worst;
}

static void check(const Case *s, bool forced)
{
    float *a = numbers(s->m * s->k, 1.0),
          *b = numbers(s->n * s->k, 2 / sqrt((double)s->k));
    float *bias = numbers(s->n, 1.0), *residual = numbers(s->m * s->n, 1.0);
    float *c = malloc(s->m * s->n * sizeof *c);
    VigilPacked packed;
    VigilEpilogue e = { .bias = bias,
                        .activation = s->activation,
                        .residual = s->residual == NONE    ? NULL
                                    : s->residual == APART ? residual
                                                           : c,
                        .residual_stride = s->n };
    if (!c || vigil_packed_init(&packed, b, s->n, s->k, s->k, 1, NULL) != VIGIL_OK)
        abort();
    memcpy(c, residual, s->m * s->n * sizeof *c);
    vigil_gemm(&packed, a, s->k, s->m, c, s->n, &e);
    double error = error_of(s, a, b, bias, residual, c);
    tap_ok(
        error <= s->tolerance && packed.blas == (have_blas && s->large && !forced),
        "%zu x %zu x %zu, activation %d, residual %d by %s: error %.2g of %.2g allowed",
        s->m, s->n, s->k, (int)s->activation, (int)s->residual,
        packed.blas ? "OpenBLAS" : vigil_kernels()->name, error, s->tolerance);
    vigil_packed_clear(&packed);
    free(a);
    free(b);
    free(bias);
    free(residual);
    free(c);
}

static void check_all(bool forced)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], forced);
}

/* Sizes whose product does not fit are refused, not truncated. */
static void check_too_large(void)
{
    VigilPacked packed;
    VigilError error;
    float one = 1.0f;
    VigilStatus status =
        vigil_packed_init(&packed, &one, SIZE_MAX / 8, 16, 1, 1, &error);
    tap_ok(status == VIGIL_ERROR_NO_MEMORY && !packed.data, "%zu x 16 is refused: %s",
           SIZE_MAX / 8, status == VIGIL_OK ? "no error" : error.message);
    vigil_packed_clear(&packed);
    vigil_packed_clear(NULL);
}

int main(void)
{
    if (getenv("VIGIL_ISA")) {
        check_all(true);
        return tap_done();
    }
    check_all(false);
    check_too_large();
    return tap_done();
}
