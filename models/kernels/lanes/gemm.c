/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matrix product by register tiles: ROWS x 1..3 vectors of sums stay in registers while
 * the loop over k reads one row of a panel of b and one value of a per row.
 *
 * Packed b: the columns are cut into panels of 3, 2 or 1 vectors; a panel is
 * [k][width], the last one filled up with zeros.  A panel is used for a block of rows
 * before the next one is: few enough rows that their part of c stays in the first-level
 * cache until all panels have written to it.
 */
#include "activations.h"
#include "tiles.h"

#define ROWS_MAX ROWS_2
/* Rows that are finished together: many vectors hide the long chains of activations. */
#define BATCH 24

/* Rows of a block, a multiple of all heights: more when b comes from beyond the
 * second-level cache, so that it comes less often. */
static size_t block_rows(const VigilGemm *g)
{
    return g->n * g->k < (size_t)128 << 10 ? 24 : 96;
}

size_t V(gemm_pack_size)(size_t n, size_t k)
{
    return (n + LANES - 1) / LANES * LANES * k;
}

void V(gemm_pack)(const float *b, size_t n, size_t k, size_t sn, size_t sk,
                  float *packed)
{
    for (size_t col = 0; col < n;) {
        size_t width = LANES * v_panel((n - col + LANES - 1) / LANES);
        for (size_t p = 0; p < k; p++)
            for (size_t j = 0; j < width; j++)
                *packed++ = col + j < n ? b[p * sk + (col + j) * sn] : 0.0f;
        col += width;
    }
}

/* The widest panel: what is left is packed as if it were all. */
size_t V(gemm_columns)(void)
{
    return VECTORS_MAX * LANES;
}

/* Tiles of equal height below each other. */
typedef struct Strip {
    const VigilGemm *g;
    const void *b; /* panel */
    size_t row, tiles;
    size_t col, cols;    /* cols: how many columns of the panel exist */
    size_t runs, length; /* of a row of a */
} Strip;

/* Stores `rows` rows of sums, [rows][vectors], with all that may happen to them. */
INLINE void finish_rows(const Strip *s, size_t row, const vf *sum, size_t rows,
                        const size_t vectors)
{
    const VigilEpilogue *e = &s->g->epilogue;
    const size_t cols = s->cols, ldc = s->g->ldc, stride = e->residual_stride;
    const bool whole = cols == vectors * LANES;
    float *c = s->g->c + row * ldc + s->col;
    const float *residual = e->residual ? e->residual + row * stride + s->col : NULL;
#define ROWS(f, lanes)                                                                 \
    for (size_t r = 0; r < rows; r++, c += ldc, sum += vectors) {                      \
        vf v[VECTORS_MAX];                                                             \
        UNROLL                                                                         \
        for (size_t i = 0; i < vectors; i++)                                           \
            v[i] = sum[i];                                                             \
        f(v, vectors);                                                                 \
        UNROLL                                                                         \
        for (size_t i = 0; i < vectors; i++) {                                         \
            if (residual)                                                              \
                v[i] += v_load_n(residual + i * LANES, lanes);                         \
            v_store_n(c + i * LANES, v[i], lanes);                                     \
        }                                                                              \
        if (residual)                                                                  \
            residual += stride;                                                        \
    }
#define BODY(f)                                                                        \
    if (whole)                                                                         \
        ROWS(f, LANES)                                                                 \
    else                                                                               \
        ROWS(f, (cols - i * LANES < LANES ? cols - i * LANES : LANES))
    V_WITH_ACTIVATION(e->activation, BODY)
#undef BODY
#undef ROWS
}

static __attribute__((noinline)) void finish(const Strip *s, size_t row, const vf *sum,
                                             size_t rows, size_t vectors)
{
    if (vectors == 3)
        finish_rows(s, row, sum, rows, 3);
    else if (vectors == 2)
        finish_rows(s, row, sum, rows, 2);
    else
        finish_rows(s, row, sum, rows, 1);
}

/* Stores a tile that needs nothing more, straight from the registers. */
INLINE void store(const Strip *s, size_t row, vf (*sum)[VECTORS_MAX], const size_t rows,
                  const size_t vectors)
{
    float *c = s->g->c + row * s->g->ldc + s->col;
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t i = 0; i < vectors; i++)
            v_store(c + r * s->g->ldc + i * LANES, sum[r][i]);
    }
}

INLINE void strip(const Strip *s, const size_t rows, const size_t vectors,
                  const bool half)
{
    const VigilGemm *g = s->g;
    const float *start = g->epilogue.bias ? g->epilogue.bias + s->col : NULL;
    const bool plain = g->epilogue.activation == VIGIL_LINEAR &&
                       !g->epilogue.residual && s->cols == vectors * LANES;
    const size_t step = s->length * vectors * LANES; /* from run to run of the panel */
    vf bias[VECTORS_MAX], made[BATCH * VECTORS_MAX];
    size_t held = 0; /* rows of made */
    UNROLL
    for (size_t i = 0; i < vectors; i++) {
        size_t left = s->cols - i * LANES;
        bias[i] =
            start ? v_load_n(start + i * LANES, left < LANES ? left : LANES) : v_zero();
    }
    for (size_t t = 0, row = s->row; t < s->tiles; t++, row += rows) {
        vf sum[ROWS_MAX][VECTORS_MAX];
        UNROLL
        for (size_t i = 0; i < rows * vectors; i++)
            sum[i / vectors][i % vectors] = bias[i % vectors];
        for (size_t run = 0; run < s->runs; run++)
            v_multiply(sum, g->a + row * g->lda + run * g->run_stride, g->lda,
                       half ? (const void *)((const uint16_t *)s->b + run * step)
                            : (const void *)((const float *)s->b + run * step),
                       half, vectors * LANES, s->length, rows, vectors, 0);
        if (plain) {
            store(s, row, sum, rows, vectors);
            continue;
        }
        vf *to = made + held * vectors;
        UNROLL
        for (size_t i = 0; i < rows * vectors; i++)
            to[i] = sum[i / vectors][i % vectors];
        held += rows;
        if (held + rows > BATCH || t + 1 == s->tiles) {
            finish(s, row + rows - held, made, held, vectors);
            held = 0;
        }
    }
}

#if ROWS_3 == 3
#define STRIPS_3(X) X(1, 3) X(2, 3) X(3, 3)
#elif ROWS_3 == 4
#define STRIPS_3(X) X(1, 3) X(2, 3) X(3, 3) X(4, 3)
#else
#define STRIPS_3(X) X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(5, 3) X(6, 3) X(7, 3) X(8, 3)
#endif
#define STRIPS_OF_4(X, n) X(1, n) X(2, n) X(3, n) X(4, n)
#if ROWS_2 == 4
#define STRIPS_OF(X, n) STRIPS_OF_4(X, n)
#elif ROWS_2 == 6
#define STRIPS_OF(X, n) STRIPS_OF_4(X, n) X(5, n) X(6, n)
#elif ROWS_2 == 8
#define STRIPS_OF(X, n) STRIPS_OF_4(X, n) X(5, n) X(6, n) X(7, n) X(8, n)
#else
#define STRIPS_OF(X, n)                                                                \
    STRIPS_OF_4(X, n)                                                                  \
    X(5, n) X(6, n) X(7, n) X(8, n) X(9, n) X(10, n) X(11, n) X(12, n)
#endif
#define STRIPS(X) STRIPS_OF(X, 1) STRIPS_OF(X, 2) STRIPS_3(X)

#define STRIP_FUNCTION(rows, vectors)                                                  \
    static void strip_##rows##x##vectors(const Strip *s)                               \
    {                                                                                  \
        strip(s, rows, vectors, false);                                                \
    }
STRIPS(STRIP_FUNCTION)

static void (*const strips[VECTORS_MAX + 1][ROWS_MAX + 1])(const Strip *s) = {
#define STRIP_ENTRY(rows, vectors) [vectors][rows] = strip_##rows##x##vectors,
    STRIPS(STRIP_ENTRY)
};

/* For weights of 16 bits, which few rows have. */
#define HALF_ROWS 3
#define HALF_STRIPS_OF(X, n) X(1, n) X(2, n) X(3, n)
#define HALF_STRIPS(X) HALF_STRIPS_OF(X, 1) HALF_STRIPS_OF(X, 2) HALF_STRIPS_OF(X, 3)

#define HALF_STRIP_FUNCTION(rows, vectors)                                             \
    static void half_strip_##rows##x##vectors(const Strip *s)                          \
    {                                                                                  \
        strip(s, rows, vectors, true);                                                 \
    }
HALF_STRIPS(HALF_STRIP_FUNCTION)

static void (*const half_strips[VECTORS_MAX + 1][HALF_ROWS + 1])(const Strip *s) = {
#define HALF_STRIP_ENTRY(rows, vectors) [vectors][rows] = half_strip_##rows##x##vectors,
    HALF_STRIPS(HALF_STRIP_ENTRY)
};

static void run(const Strip *s, size_t height, size_t vectors)
{
    (s->g->half ? half_strips[vectors][height] : strips[vectors][height])(s);
}

/* One panel against rows row..end-1, in tiles that differ in height by at most one. */
static void panel(Strip *s, size_t vectors, size_t end)
{
    const size_t highest = s->g->half ? HALF_ROWS : vectors == 3 ? ROWS_3 : ROWS_2;
    const size_t rows = end - s->row;
    const size_t tiles = (rows + highest - 1) / highest, height = rows / tiles;
    const size_t higher = rows - height * tiles;
    if (higher) {
        s->tiles = higher;
        run(s, height + 1, vectors);
        s->row += higher * (height + 1);
    }
    s->tiles = tiles - higher;
    run(s, height, vectors);
}

void V(gemm)(const VigilGemm *g)
{
    const size_t block = block_rows(g), runs = g->runs ? g->runs : 1;
    for (size_t row = 0; row < g->m; row += block) {
        size_t end = g->m - row < block ? g->m : row + block;
        for (size_t col = 0; col < g->n;) {
            size_t left = g->n - col, vectors = v_panel((left + LANES - 1) / LANES);
            size_t width = vectors * LANES;
            Strip s = { .g = g,
                        .b = g->half ? (const void *)(g->half + col * g->k)
                                     : (const void *)(g->b + col * g->k),
                        .row = row,
                        .col = col,
                        .cols = left < width ? left : width,
                        .runs = runs,
                        .length = g->k / runs };
            panel(&s, vectors, end);
            col += width;
        }
    }
}
