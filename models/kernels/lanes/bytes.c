/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matrix products of bytes.  Packed b: panels of columns as of gemm.c, a panel is
 * [k / 4][width][4]: the four values that meet four neighbours of a row of a in one
 * 32-bit lane.  What is missing of the last four, and of the last panel, is 0.
 */
#include "bytes.h"
#include "tiles.h"

#define TILES_4(X, n) X(1, n) X(2, n) X(3, n) X(4, n)
#define TILES_8(X, n) TILES_4(X, n) X(5, n) X(6, n) X(7, n) X(8, n)
#define TILES_12(X, n) TILES_8(X, n) X(9, n) X(10, n) X(11, n) X(12, n)
#if ROWS_2 > 8
#define ROWS_MAX 12
#define TILES(X) TILES_12(X, 1) TILES_12(X, 2) TILES_8(X, 3)
#else
#define ROWS_MAX 8
#define TILES(X) TILES_8(X, 1) TILES_8(X, 2) TILES_8(X, 3)
#endif

/* Rows of a block: its part of c stays in the first-level cache. */
#define BLOCK_ROWS ((size_t)24)

size_t V(bytes_pack_size)(size_t n, size_t k)
{
    return (n + LANES - 1) / LANES * LANES * vigil_bytes_depth(k);
}

void V(bytes_pack)(const int8_t *b, size_t n, size_t k, int8_t *packed)
{
    for (size_t col = 0; col < n;) {
        size_t width = LANES * v_panel((n - col + LANES - 1) / LANES);
        for (size_t p = 0; p < k; p += 4)
            for (size_t j = 0; j < width; j++)
                for (size_t i = 0; i < 4; i++)
                    *packed++ = col + j < n && p + i < k ? b[(col + j) * k + p + i] : 0;
        col += width;
    }
}

/* Rows of a block against one panel. */
typedef struct Strip {
    const VigilBytesGemm *g;
    const int8_t *b;       /* panel */
    size_t row, col, cols; /* cols: how many columns of the panel exist */
} Strip;

INLINE void tile(const Strip *s, size_t row, const size_t rows, const size_t vectors)
{
    const VigilBytesGemm *g = s->g;
    const size_t depth = vigil_bytes_depth(g->k);
    const uint8_t *a = g->a + row * g->lda;
    const int8_t *b = s->b;
    vi sum[ROWS_MAX][VECTORS_MAX];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t i = 0; i < vectors; i++)
            sum[r][i] = (vi) { 0 };
    }
    for (size_t p = 0; p < depth; p += 4, a += 4, b += 4 * vectors * LANES) {
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            vi four = v_set_four(a + r * g->lda);
            UNROLL
            for (size_t i = 0; i < vectors; i++)
                sum[r][i] = v_dot(sum[r][i], four, b + 4 * i * LANES);
        }
    }
    const float *bias = g->epilogue.bias ? g->epilogue.bias + s->col : NULL;
    float *c = g->c + row * g->ldc + s->col;
    UNROLL
    for (size_t i = 0; i < vectors; i++) {
        size_t left = s->cols - i * LANES, lanes = left < LANES ? left : LANES;
        vf scale = v_load_n(g->scale + s->col + i * LANES, lanes);
        vf shift = bias ? v_load_n(bias + i * LANES, lanes) : v_zero();
        UNROLL
        for (size_t r = 0; r < rows; r++)
            v_store_n(c + r * g->ldc + i * LANES,
                      v_fma(v_float(sum[r][i]), scale, shift), lanes);
    }
}

#define TILE_FUNCTION(rows, vectors)                                                   \
    static void tile_##rows##x##vectors(const Strip *s, size_t row)                    \
    {                                                                                  \
        tile(s, row, rows, vectors);                                                   \
    }
TILES(TILE_FUNCTION)

static void (*const tiles[VECTORS_MAX + 1][ROWS_MAX + 1])(const Strip *s,
                                                          size_t row) = {
#define TILE_ENTRY(rows, vectors) [vectors][rows] = tile_##rows##x##vectors,
    TILES(TILE_ENTRY)
};

static void panel(const Strip *s, size_t vectors, size_t rows)
{
    const size_t highest = vectors == 3 ? ROWS_3 : ROWS_2;
    const size_t count = (rows + highest - 1) / highest, height = rows / count;
    size_t higher = rows - height * count, row = s->row;
    for (size_t t = 0; t < count; t++) {
        size_t own = height + (t < higher);
        tiles[vectors][own](s, row);
        row += own;
    }
    VigilEpilogue e = s->g->epilogue;
    if (e.activation == VIGIL_LINEAR && !e.residual)
        return;
    e.bias = NULL;
    e.residual = e.residual ? e.residual + s->row * e.residual_stride + s->col : NULL;
    V_FLOATS(epilogue)(s->g->c + s->row * s->g->ldc + s->col, s->g->ldc, rows, s->cols,
                       &e);
}

void V(bytes_gemm)(const VigilBytesGemm *g)
{
    const size_t depth = vigil_bytes_depth(g->k);
    for (size_t row = 0; row < g->m; row += BLOCK_ROWS) {
        size_t rows = g->m - row < BLOCK_ROWS ? g->m - row : BLOCK_ROWS;
        for (size_t col = 0; col < g->n;) {
            size_t left = g->n - col, vectors = v_panel((left + LANES - 1) / LANES);
            size_t width = vectors * LANES;
            Strip s = { g, g->b + col * depth, row, col, left < width ? left : width };
            panel(&s, vectors, rows);
            col += width;
        }
    }
}

/* What a level needs to make bytes of x. */
typedef struct Scale {
    vf factor, high;
    vi zero;
} Scale;

INLINE vi quantise(const float *x, const Scale *s)
{
    return v_round(v_min(v_load(x) * s->factor, s->high)) + s->zero;
}

INLINE void quantise_four(const float *x, const Scale *s, uint8_t *y)
{
    v_put_bytes(y, quantise(x, s), quantise(x + LANES, s), quantise(x + 2 * LANES, s),
                quantise(x + 3 * LANES, s));
}

/* n < 4 LANES of them. */
static void quantise_few(const float *x, size_t n, const Scale *s, uint8_t *y)
{
    float all[4 * VIGIL_LANES] = { 0 };
    uint8_t made[4 * VIGIL_LANES];
    memcpy(all, x, n * sizeof *all);
    quantise_four(all, s, made);
    memcpy(y, made, n);
}

void V(quantise_rows)(const float *x, size_t ldx, size_t rows, size_t c, float factor,
                      int zero, uint8_t *y, size_t ldy)
{
    const Scale s = { v_set(factor), v_set((float)(255 - zero)), v_set_whole(zero) };
    const size_t width = 4 * LANES, depth = vigil_bytes_depth(c);
    for (size_t r = 0; r < rows; r++, x += ldx, y += ldy) {
        if (c < width) {
            quantise_few(x, c, &s, y);
        } else {
            size_t i = 0;
            for (; i + width <= c; i += width)
                quantise_four(x + i, &s, y + i);
            /* The last ones, some of them once more. */
            if (i < c)
                quantise_four(x + c - width, &s, y + c - width);
        }
        for (size_t i = c; i < depth; i++)
            y[i] = 0;
    }
}

/*
 * Measured on one core (Cascade Lake) for k and n of 16 to 192 over 784 rows, without
 * an activation and with SiLU, as speed of gemm: avx2 and vnni from 64 x 32 on 1.03
 * to 1.7 and 1.3 to 3.1; avx512, where two instructions more make up for what a
 * register holds more, from 128 x 48 on 1.07 to 1.5.  Below, and with fewer columns,
 * rows are made bytes for too little.  The others have no instruction for it.
 */
int V(bytes_pay)(size_t n, size_t k)
{
#if VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_avx2 ||                                       \
    VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_vnni
    return n >= 32 && k >= 64;
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_avx512
    return n >= 48 && k >= 128;
#else
    return 0;
#endif
}
