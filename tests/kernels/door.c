/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door to matrix products, on either side of the choice between our kernel and
 * OpenBLAS, and with VIGIL_ISA forced, which leaves OpenBLAS out. */
#include "kernels/gemm.h"
#include "kernels/half.h"
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
    VigilSlabs slabs = { NULL };
    VigilPacked packed;
    VigilEpilogue e = { .bias = bias,
                        .activation = s->activation,
                        .residual = s->residual == NONE    ? NULL
                                    : s->residual == APART ? residual
                                                           : c,
                        .residual_stride = s->n };
    if (!c ||
        vigil_packed_init(&packed, b, s->n, s->k, s->k, 1, &slabs, NULL) != VIGIL_OK)
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
    vigil_slabs_end(&slabs);
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

/* A product by parts of its columns, weights as they are or narrowed, has the bits of
 * the whole. */
static void check_parts(size_t m, size_t n, size_t k, size_t step, bool half)
{
    float *a = numbers(m * k, 1.0), *b = numbers(n * k, 1.0), *bias = numbers(n, 1.0);
    float *whole = numbers(m * n, 1.0), *parts = malloc(m * n * sizeof *parts);
    VigilEpilogue e = { .bias = bias, .activation = VIGIL_SILU, .residual_stride = n };
    VigilSlabs slabs = { NULL };
    VigilPacked packed;
    for (size_t i = 0; half && i < n * k; i++)
        b[i] = roundf(b[i] * 1024) / 1024;
    if (!parts || vigil_packed_init(&packed, b, n, k, k, 1, &slabs, NULL) != VIGIL_OK)
        abort();
    if (half)
        vigil_packed_narrow(&packed);
    memcpy(parts, whole, m * n * sizeof *parts);
    e.residual = whole;
    vigil_gemm(&packed, a, k, m, whole, n, &e);
    e.residual = parts;
    const size_t count = vigil_gemm_parts(&packed);
    for (size_t i = 0; i < count; i += step)
        vigil_gemm_of_parts(&packed, a, k, m, i, count - i < step ? count : i + step,
                            parts, n, &e);
    tap_ok(count > 1 && !packed.half == !half &&
               !memcmp(whole, parts, m * n * sizeof *parts),
           "%zu x %zu x %zu in %zu parts, %zu at a time%s, by %s", m, n, k, count, step,
           half ? ", 16 bits" : "", vigil_kernels()->name);
    vigil_packed_clear(&packed);
    vigil_slabs_end(&slabs);
    free(a);
    free(b);
    free(bias);
    free(whole);
    free(parts);
}

static void check_all_parts(void)
{
    for (int half = 0; half < 2; half++) {
        check_parts(1, 1000, 168, 1, half);
        check_parts(6, 192, 128, 2, half);
        check_parts(23, 241, 33, 3, half);
        check_parts(3, 143, 5, 4, half);
    }
}

/* Sizes whose product does not fit are refused, not truncated. */
static void check_too_large(void)
{
    VigilSlabs slabs = { NULL };
    VigilPacked packed;
    VigilError error;
    float one = 1.0f;
    VigilStatus status =
        vigil_packed_init(&packed, &one, SIZE_MAX / 8, 16, 1, 1, &slabs, &error);
    tap_ok(status == VIGIL_ERROR_NO_MEMORY && !packed.data, "%zu x 16 is refused: %s",
           SIZE_MAX / 8, status == VIGIL_OK ? "no error" : error.message);
    vigil_packed_clear(&packed);
    vigil_slabs_end(&slabs);
    vigil_packed_clear(NULL);
}

/* ---- Weights of 16 bits ------------------------------------------------------------
 */

/* Every finite half comes back from its float; the floats beside it are none. */
static void check_halves(void)
{
    uint16_t back;
    size_t wrong = 0;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float value = vigil_float_of_half((uint16_t)h);
        if ((h & 0x7fff) >= 0x7c00)
            continue;
        wrong += !vigil_half_of_float(value, &back) || back != h;
        wrong += vigil_half_of_float(nextafterf(value, 1e30f), &back);
        wrong += vigil_half_of_float(nextafterf(value, -1e30f), &back);
    }
    wrong += vigil_half_of_float(0x1p16f, &back) + vigil_half_of_float(-1e38f, &back);
    tap_ok(!wrong, "%zu halves are wrong", wrong);
}

/* A product by weights that are halves, but for the last where `spoilt`, before and
 * after they are narrowed. */
static void check_narrowed(size_t m, size_t n, size_t k, bool spoilt)
{
    float *a = numbers(m * k, 1.0), *b = numbers(n * k, 1.0);
    float *wide = numbers(m * n, 1.0), *narrow = numbers(m * n, 1.0);
    VigilEpilogue e = { .activation = VIGIL_GELU };
    VigilSlabs slabs = { NULL };
    VigilPacked packed;
    for (size_t i = 0; i < n * k; i++)
        b[i] = roundf(b[i] * 1024) / 1024;
    if (spoilt)
        b[n * k - 1] = 1.0f + 0x1p-11f;
    if (vigil_packed_init(&packed, b, n, k, k, 1, &slabs, NULL) != VIGIL_OK)
        abort();
    vigil_gemm(&packed, a, k, m, wide, n, &e);
    size_t before = packed.bytes;
    bool moves = !spoilt && !packed.blas;
    vigil_packed_narrow(&packed);
    vigil_gemm(&packed, a, k, m, narrow, n, &e);
    tap_ok(packed.bytes == (moves ? before / 2 : before) && !packed.half == !moves &&
               !packed.data == moves && !memcmp(wide, narrow, m * n * sizeof *wide),
           "%zu x %zu x %zu by %s%s: %zu bytes of weights become %zu", m, n, k,
           packed.blas ? "OpenBLAS" : vigil_kernels()->name,
           spoilt ? ", one no half" : "", before, packed.bytes);
    vigil_packed_clear(&packed);
    vigil_slabs_end(&slabs);
    free(a);
    free(b);
    free(wide);
    free(narrow);
}

static void check_all_narrowed(void)
{
    for (int spoilt = 0; spoilt < 2; spoilt++) {
        check_narrowed(1, 512, 192, spoilt);
        check_narrowed(6, 385, 192, spoilt);
        check_narrowed(3, 1025, 2049, spoilt);
    }
}

int main(void)
{
    if (getenv("VIGIL_ISA")) {
        check_all(true);
        check_all_narrowed();
        check_all_parts();
        return tap_done();
    }
    check_all(false);
    check_all_narrowed();
    check_all_parts();
    check_too_large();
    check_halves();
    return tap_done();
}
