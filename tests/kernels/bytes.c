/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of bytes: the whole numbers are the same at every level. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { A, B, C, EXPECTED, BIAS, RESIDUAL, PACKED, PACKED_TWIN, SCALE };

typedef struct Product {
    size_t m, n, k, gap; /* gap: floats between rows that must stay as they are */
    enum { ANY, GREATEST, LEAST } values;
    bool plain; /* scale 1 and no epilogue: c is the sums themselves */
    VigilActivation activation;
} Product;

static const size_t widths[] = { 1, 3, 7, 8, 9, 16, 17, 31, 33, 48, 63, 65, 100 };
static const size_t heights[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 25, 49 };
static const size_t depths[] = { 1, 2, 3, 4, 5, 24, 33, 64, 167 };

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void fill(const Product *p, uint8_t *a, size_t bytes_of_a, int8_t *b)
{
    for (size_t i = 0; i < p->n * p->k; i++)
        b[i] = (int8_t)(p->values == GREATEST ? VIGIL_BYTES_WEIGHT
                        : p->values == LEAST
                            ? -VIGIL_BYTES_WEIGHT
                            : pick(2 * VIGIL_BYTES_WEIGHT + 1) - VIGIL_BYTES_WEIGHT);
    if (p->values != ANY)
        memset(a, 255, bytes_of_a);
}

static double exact(const Product *p, const VigilBytesGemm *g, const int8_t *b,
                    size_t row, size_t column)
{
    const VigilEpilogue *e = &g->epilogue;
    int64_t sum = 0;
    for (size_t i = 0; i < p->k; i++)
        sum += (int64_t)g->a[row * g->lda + i] * b[column * p->k + i];
    double v = (double)sum * g->scale[column] + (e->bias ? e->bias[column] : 0);
    v = activation_exact(v, e->activation);
    return v + (e->residual ? e->residual[row * e->residual_stride + column] : 0);
}

static void compare(Check *c, const Product *p, const VigilBytesGemm *g,
                    const int8_t *b, const float *before)
{
    /* Of sums below 2^24 nothing is rounded; else values are about 1 in size. */
    double tolerance = p->plain ? 1e-30 : 4e-6;
    for (size_t r = 0; r < p->m; r++) {
        for (size_t j = 0; j < p->n; j++)
            near_value(c, g->c[r * g->ldc + j], exact(p, g, b, r, j), tolerance);
        if (r + 1 < p->m)
            near_floats(c, g->c + r * g->ldc + p->n, before + r * g->ldc + p->n, p->gap,
                        1e-30);
    }
}

static void check_product(Check *c, const Product *p)
{
    size_t lda = vigil_bytes_depth(p->k) + (size_t)pick(9), ldc = p->n + p->gap;
    size_t in = (p->m - 1) * lda + vigil_bytes_depth(p->k);
    size_t out = (p->m - 1) * ldc + p->n;
    uint8_t *a = bytes(A, in);
    int8_t *b = (int8_t *)bytes(B, p->n * p->k);
    int8_t *packed = (int8_t *)bytes(PACKED, c->level->bytes_pack_size(p->n, p->k));
    float *y = floats(C, out), *before = floats(EXPECTED, out);
    float *scale = floats(SCALE, p->n);
    for (size_t j = 0; j < p->n; j++)
        scale[j] = p->plain ? 1 : scale[j] / (5000 * sqrtf((float)p->k));
    fill(p, a, in, b);
    VigilBytesGemm g = { .m = p->m,
                         .n = p->n,
                         .k = p->k,
                         .a = a,
                         .lda = lda,
                         .b = packed,
                         .scale = scale,
                         .c = y,
                         .ldc = ldc };
    if (!p->plain)
        g.epilogue =
            (VigilEpilogue) { .activation = p->activation,
                              .bias = pick(2) ? floats(BIAS, p->n) : NULL,
                              .residual = pick(2) ? floats(RESIDUAL, out) : NULL,
                              .residual_stride = ldc };
    memcpy(before, y, out * sizeof *y);
    begin_case(c,
               "bytes_gemm m %zu n %zu k %zu lda %zu ldc %zu activation %d values %d",
               p->m, p->n, p->k, lda, ldc, (int)g.epilogue.activation, (int)p->values);
    c->level->bytes_pack(b, p->n, p->k, packed);
    c->level->bytes_gemm(&g);
    compare(c, p, &g, b, before);
    if (c->is_twin || !p->plain)
        return;
    float *twin = floats(RESIDUAL, out);
    int8_t *packed_twin =
        (int8_t *)bytes(PACKED_TWIN, c->twin->bytes_pack_size(p->n, p->k));
    c->twin->bytes_pack(b, p->n, p->k, packed_twin);
    memcpy(twin, before, out * sizeof *twin);
    g.b = packed_twin;
    g.c = twin;
    c->twin->bytes_gemm(&g);
    near_value(c, memcmp(twin, y, out * sizeof *y), 0, 1e-30);
}

void check_bytes_gemm(Check *c)
{
    int turn = 0;
    for (size_t m = 0; m < COUNT(heights); m++)
        for (size_t n = 0; n < COUNT(widths); n++)
            for (size_t k = 0; k < COUNT(depths); k++, turn++)
                check_product(c,
                              &(Product) { .m = heights[m],
                                           .n = widths[n],
                                           .k = depths[k],
                                           .gap = (size_t)(turn % 5),
                                           .values = turn % 3 ? ANY : 1 + turn / 3 % 2,
                                           .plain = turn % 3 == 0 || turn % 2,
                                           .activation = turn % VIGIL_ACTIVATIONS });
    /* The largest sums that a float holds exactly. */
    check_product(c, &(Product) { 3, 33, 1028, .values = GREATEST, .plain = true });
    check_product(c, &(Product) { 7, 17, 1028, .values = LEAST, .plain = true });
    check_product(c, &(Product) { 50, 100, 700, .plain = true });
}

void check_bytes_pack_size(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], k = 1 + (size_t)pick(300),
               size = c->level->bytes_pack_size(n, k);
        begin_case(c, "bytes_pack_size n %zu k %zu", n, k);
        near_value(c, size >= n * k && size <= (n + 15) * vigil_bytes_depth(k), 1,
                   1e-30);
    }
}

/* Every weight is there once, and nothing else but zeros. */
void check_bytes_pack(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], k = 1 + (size_t)pick(70), counts[256] = { 0 };
        size_t size = c->level->bytes_pack_size(n, k);
        uint8_t *b = bytes(A, n * k), *packed = bytes(PACKED, size);
        begin_case(c, "bytes_pack n %zu k %zu", n, k);
        c->level->bytes_pack((int8_t *)b, n, k, (int8_t *)packed);
        for (size_t j = 0; j < size; j++)
            counts[packed[j]]++;
        for (size_t j = 0; j < n * k; j++)
            counts[b[j]]--;
        counts[0] -= size - n * k;
        for (int v = 0; v < 256; v++)
            near_value(c, (double)counts[v], 0, 1e-30);
    }
}

/* Between steps, on them, half-way, far outside, and not a number. */
static float awkward(float x, int zero)
{
    static const float odd[] = { 0.5f,   -0.5f, 1.5f,  2.5f,     -2.5f,    1e30f,
                                 -1e30f, 3e9f,  -3e9f, INFINITY, -INFINITY };
    switch (pick(8)) {
    case 0:
        return odd[pick((int)COUNT(odd))];
    case 1:
        return (float)(pick(2) ? 255 - zero : -zero) + (float)pick(3) - 1;
    case 2:
        return pick(20) ? 0 : NAN;
    default:
        return 400 * x;
    }
}

void check_quantise_rows(Check *c)
{
    for (size_t turn = 0; turn < 12 * COUNT(depths); turn++) {
        size_t n = depths[turn % COUNT(depths)] + (size_t)pick(40);
        size_t rows = 1 + (size_t)pick(5), ldx = n + (size_t)pick(4);
        size_t depth = vigil_bytes_depth(n), ldy = depth + (size_t)pick(9);
        size_t size = (rows - 1) * ldy + depth;
        int zero = pick(3) ? pick(256) : 255 * pick(2);
        float factor = turn % 2 ? 1 : (float)uniform(0.01, 3);
        float *x = floats(A, (rows - 1) * ldx + n);
        uint8_t *y = bytes(C, size), *want = bytes(EXPECTED, size);
        begin_case(c, "quantise_rows %zu x %zu ldx %zu ldy %zu factor %g zero %d", rows,
                   n, ldx, ldy, (double)factor, zero);
        for (size_t i = 0; i < (rows - 1) * ldx + n; i++)
            x[i] = awkward(x[i], zero);
        memcpy(want, y, size);
        for (size_t r = 0; r < rows; r++) {
            memset(want + r * ldy, 0, depth);
            for (size_t i = 0; i < n; i++) {
                double v = rint((double)(x[r * ldx + i] * factor)) + zero;
                want[r * ldy + i] = (uint8_t)(v > 255 || isnan(v) ? 255
                                              : v < 0             ? 0
                                                                  : v);
            }
        }
        c->level->quantise_rows(x, ldx, rows, n, factor, zero, y, ldy);
        for (size_t i = 0; i < size; i++)
            near_value(c, y[i], want[i], 1e-30);
    }
}

/* Larger products never pay less. */
void check_bytes_pay(Check *c)
{
    for (size_t n = 1; n < 1024; n *= 2)
        for (size_t k = 1; k < 1024; k *= 2) {
            begin_case(c, "bytes_pay n %zu k %zu", n, k);
            near_value(c,
                       !c->level->bytes_pay(n, k) || (c->level->bytes_pay(2 * n, k) &&
                                                      c->level->bytes_pay(n, 2 * k)),
                       1, 1e-30);
        }
}
