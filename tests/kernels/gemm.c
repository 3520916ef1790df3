/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "kernels/half.h"

#include <math.h>
#include <string.h>

enum { A, B, C, EXPECTED, BIAS, RESIDUAL, PACKED, PACKED_TWIN };

/* One product; NULL-able parts as flags. */
typedef struct Product {
    size_t m, n, k, gap; /* gap: floats between rows that must stay as they are */
    VigilActivation activation;
    bool bias, residual, in_place;
    double tolerance;
} Product;

static const size_t widths[] = { 1,  3,  7,  8,  9,  15, 16, 17, 24,
                                 31, 33, 40, 48, 63, 65, 80, 100 };
static const size_t heights[] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 25, 33, 49
};
/* Rounding errors of sums of k products add up like a random walk: the tolerances are
 * about five standard deviations for sums of up to 4 in size. */
static const struct {
    size_t k;
    double tolerance;
} depths[] = { { 1, 1e-6 },  { 2, 1e-6 },  { 5, 2e-6 },
               { 24, 4e-6 }, { 33, 4e-6 }, { 168, 1e-5 } };

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void expect_exact(const Product *p, const VigilGemm *g, const float *b,
                         const float *residual, double *want)
{
    for (size_t r = 0; r < p->m; r++)
        for (size_t j = 0; j < p->n; j++) {
            double sum = g->epilogue.bias ? g->epilogue.bias[j] : 0.0;
            for (size_t i = 0; i < p->k; i++)
                sum += (double)g->a[r * g->lda + i] * b[i * p->n + j];
            sum = activation_exact(sum, p->activation);
            want[r * p->n + j] =
                sum + (residual ? residual[r * g->epilogue.residual_stride + j] : 0.0);
        }
}

static void check_product(Check *c, const Product *p)
{
    size_t lda = p->k + (size_t)pick(4), ldc = p->n + p->gap,
           out = (p->m - 1) * ldc + p->n;
    float *b = floats(B, p->k * p->n), *y = floats(C, out),
          *want = floats(EXPECTED, out);
    for (size_t i = 0; i < p->k * p->n; i++)
        b[i] /= sqrtf((float)p->k) / 2;
    float *packed = floats(PACKED, c->level->gemm_pack_size(p->n, p->k));
    float *residual = p->in_place ? y : floats(RESIDUAL, out);
    VigilGemm g = { .m = p->m,
                    .n = p->n,
                    .k = p->k,
                    .lda = lda,
                    .ldc = ldc,
                    .b = packed,
                    .a = floats(A, (p->m - 1) * lda + p->k),
                    .c = y,
                    .epilogue = { .activation = p->activation,
                                  .bias = p->bias ? floats(BIAS, p->n) : NULL,
                                  .residual = p->residual ? residual : NULL,
                                  .residual_stride = ldc } };
    begin_case(
        c, "gemm m %zu n %zu k %zu lda %zu ldc %zu activation %d bias %d residual %d%s",
        p->m, p->n, p->k, lda, ldc, (int)p->activation, p->bias, p->residual,
        p->in_place ? " in place" : "");
    c->level->gemm_pack(b, p->n, p->k, 1, p->n, packed);
    memcpy(want, y, out * sizeof *y);
    if (c->is_twin) {
        double *exact = doubles(p->m * p->n);
        expect_exact(p, &g, b, p->residual ? residual : NULL, exact);
        c->level->gemm(&g);
        for (size_t r = 0; r < p->m; r++) {
            near_doubles(c, y + r * ldc, exact + r * p->n, p->n, p->tolerance);
            if (r + 1 < p->m)
                near_floats(c, y + r * ldc + p->n, want + r * ldc + p->n, p->gap,
                            1e-30);
        }
        return;
    }
    VigilGemm twin = g;
    float *packed_twin = floats(PACKED_TWIN, c->twin->gemm_pack_size(p->n, p->k));
    c->twin->gemm_pack(b, p->n, p->k, 1, p->n, packed_twin);
    twin.b = packed_twin;
    twin.c = want;
    if (p->in_place && p->residual)
        twin.epilogue.residual = want;
    c->twin->gemm(&twin);
    c->level->gemm(&g);
    near_floats(c, y, want, out, p->tolerance);
}

/* Weights of 16 bits, any finite ones, give the same bits as in 32. */
static void check_half(Check *c, size_t m, size_t n, size_t k)
{
    size_t size = c->level->gemm_pack_size(n, k);
    float *b = floats(B, k * n), *packed = floats(PACKED, size);
    float *y = floats(C, m * n), *want = floats(EXPECTED, m * n);
    uint16_t *half = (uint16_t *)bytes(PACKED_TWIN, size * sizeof *half);
    size_t exact = 0;
    for (size_t i = 0; i < k * n; i++)
        b[i] = vigil_float_of_half((uint16_t)(pick(0x7c00) | pick(2) << 15));
    begin_case(c, "gemm of 16 bits, m %zu n %zu k %zu", m, n, k);
    c->level->gemm_pack(b, n, k, 1, n, packed);
    for (size_t i = 0; i < size; i++)
        exact += vigil_half_of_float(packed[i], &half[i]);
    near_value(c, (double)exact, (double)size, 1e-30);
    VigilGemm g = { .m = m,
                    .n = n,
                    .k = k,
                    .lda = k,
                    .ldc = n,
                    .b = packed,
                    .a = floats(A, m * k),
                    .c = want,
                    .epilogue = { .activation = VIGIL_RELU, .bias = floats(BIAS, n) } };
    c->level->gemm(&g);
    g.b = NULL;
    g.half = half;
    g.c = y;
    c->level->gemm(&g);
    near_floats(c, y, want, m * n, 1e-30);
}

/* Rows in runs, which may lie over each other, as those gathered one behind the other.
 */
static void check_runs(Check *c, size_t m, size_t n, size_t run, size_t runs)
{
    const size_t k = run * runs, lda = 1 + (size_t)pick(2 * (int)run);
    const size_t stride = m * lda + (size_t)pick(9);
    float *a = floats(A, stride * runs + run), *gathered = floats(RESIDUAL, m * k);
    float *b = floats(B, k * n);
    float *packed = floats(PACKED, c->level->gemm_pack_size(n, k));
    float *y = floats(C, m * n), *want = floats(EXPECTED, m * n);
    begin_case(c, "gemm of %zu runs of %zu, m %zu n %zu lda %zu", runs, run, m, n, lda);
    c->level->gemm_pack(b, n, k, 1, n, packed);
    for (size_t i = 0; i < m * k; i++)
        gathered[i] = a[i / k * lda + i % k / run * stride + i % run];
    VigilGemm g = { .m = m,
                    .n = n,
                    .k = k,
                    .lda = k,
                    .ldc = n,
                    .b = packed,
                    .a = gathered,
                    .c = want,
                    .epilogue = { .activation = VIGIL_RELU, .bias = floats(BIAS, n) } };
    c->level->gemm(&g);
    g.a = a;
    g.lda = lda;
    g.runs = runs;
    g.run_stride = stride;
    g.c = y;
    c->level->gemm(&g);
    near_floats(c, y, want, m * n, 1e-30);
}

void check_gemm(Check *c)
{
    int turn = 0;
    for (size_t m = 0; m < COUNT(heights); m++)
        for (size_t n = 0; n < COUNT(widths); n++)
            for (size_t k = 0; k < COUNT(depths); k++, turn++)
                check_product(c, &(Product) { .m = heights[m],
                                              .n = widths[n],
                                              .k = depths[k].k,
                                              .gap = (size_t)(turn % 5),
                                              .activation = turn % VIGIL_ACTIVATIONS,
                                              .bias = pick(2),
                                              .residual = pick(2),
                                              .in_place = pick(2),
                                              .tolerance = depths[k].tolerance });
    for (size_t m = 0; m < COUNT(heights); m++)
        for (size_t n = 0; n < COUNT(widths); n++)
            check_half(c, heights[m], widths[n], depths[(m + n) % COUNT(depths)].k);
    for (size_t m = 0; m < COUNT(heights); m++)
        for (size_t n = 0; n < COUNT(widths); n++)
            check_runs(c, heights[m], widths[n], 1 + (size_t)pick(24),
                       2 + (size_t)pick(3));
    /* Longer than one block of rows; a wide row; a deep sum. */
    check_product(
        c,
        &(Product) { .m = 517, .n = 19, .k = 300, .bias = true, .tolerance = 1.5e-5 });
    check_product(
        c, &(Product) { .m = 1, .n = 1000, .k = 168, .bias = true, .tolerance = 1e-5 });
    check_product(
        c, &(Product) { .m = 3, .n = 33, .k = 2001, .bias = true, .tolerance = 5e-5 });
}

/* Packing takes any strides: the product with b handed over transposed is the same. */
void check_gemm_pack(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], k = 1 + (size_t)pick(20),
               size = c->level->gemm_pack_size(n, k);
        float *b = floats(A, k * n), *turned = floats(B, k * n);
        float *one = floats(PACKED, size), *other = floats(PACKED_TWIN, size);
        begin_case(c, "gemm_pack n %zu k %zu", n, k);
        for (size_t p = 0; p < k; p++)
            for (size_t j = 0; j < n; j++)
                turned[j * k + p] = b[p * n + j];
        c->level->gemm_pack(b, n, k, 1, n, one);
        c->level->gemm_pack(turned, n, k, k, 1, other);
        near_floats(c, one, other, size, 1e-30);
    }
}

/* The product of columns `first`..n-1, packed apart, as those of the whole. */
static void check_cut(Check *c, size_t m, size_t n, size_t k, size_t first)
{
    float *b = floats(B, k * n), *a = floats(A, m * k);
    float *packed = floats(PACKED, c->level->gemm_pack_size(n, k));
    float *part = floats(PACKED_TWIN, c->level->gemm_pack_size(n - first, k));
    float *y = floats(C, m * n), *want = floats(EXPECTED, m * n);
    begin_case(c, "gemm_columns m %zu n %zu k %zu from %zu", m, n, k, first);
    c->level->gemm_pack(b, n, k, 1, n, packed);
    c->level->gemm_pack(b + first, n - first, k, 1, n, part);
    near_floats(c, packed + first * k, part, (n - first) * k, 1e-30);
    VigilGemm g = {
        .m = m, .n = n, .k = k, .a = a, .lda = k, .b = packed, .c = want, .ldc = n
    };
    c->level->gemm(&g);
    g.c = y;
    g.n = first;
    c->level->gemm(&g);
    g.c = y + first;
    g.n = n - first;
    g.b = packed + first * k;
    c->level->gemm(&g);
    near_floats(c, y, want, m * n, 1e-30);
}

void check_gemm_columns(Check *c)
{
    const size_t cut = c->level->gemm_columns();
    for (size_t n = 2 * cut; n < 5 * cut; n++)
        for (size_t first = cut; n - first >= cut; first += cut)
            check_cut(c, 1 + (size_t)pick(9), n, 1 + (size_t)pick(30), first);
}

void check_gemm_pack_size(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], k = 1 + (size_t)pick(300),
               size = c->level->gemm_pack_size(n, k);
        begin_case(c, "gemm_pack_size n %zu k %zu", n, k);
        near_value(c, size >= n * k && size <= (n + 15) * k, 1.0, 0.0 + 1e-30);
    }
}

void check_epilogue(Check *c)
{
    for (size_t i = 0; i < COUNT(widths) * VIGIL_ACTIVATIONS; i++) {
        size_t n = widths[i % COUNT(widths)], m = 1 + (size_t)pick(5),
               gap = (size_t)pick(3);
        size_t ldc = n + gap, out = (m - 1) * ldc + n;
        float *x = floats(A, out), *y = floats(C, out);
        VigilEpilogue e = { .activation = (VigilActivation)(i / COUNT(widths)),
                            .bias = pick(2) ? floats(BIAS, n) : NULL,
                            .residual = pick(2) ? floats(RESIDUAL, m * n) : NULL,
                            .residual_stride = n };
        memcpy(y, x, out * sizeof *x);
        begin_case(c, "epilogue m %zu n %zu ldc %zu activation %d", m, n, ldc,
                   (int)e.activation);
        c->level->epilogue(y, ldc, m, n, &e);
        for (size_t j = 0; j < out; j++) {
            size_t row = j / ldc, column = j % ldc;
            double want = x[j];
            if (column < n)
                want = activation_exact(want + (e.bias ? e.bias[column] : 0),
                                        e.activation) +
                       (e.residual ? e.residual[row * n + column] : 0);
            near_value(c, y[j], want, 6e-7);
        }
    }
}
