/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matrix product by register tiles: ROWS x 1..3 vectors of sums stay in registers while
 * the loop over k reads one row of a panel of b and one value of a per row.
 *
 * Packed b: the columns are cut into panels of 3, 2 or 1 vectors; a panel is
 * [k][width], the last one filled up with zeros.  A panel is reused from the
 * first-level cache for a block of rows whose part of `a` stays in the second.
 */
#include "activations.h"

/* Rows of a tile of 1, 2, 3 vectors: as many as the registers of the level hold. */
#if VIGIL_LANES == 16
#define ROWS_1 12
#define ROWS_2 12
#define ROWS_3 8
#elif VIGIL_LANES == 8
#define ROWS_1 6
#define ROWS_2 6
#define ROWS_3 4
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_neon
#define ROWS_1 8
#define ROWS_2 8
#define ROWS_3 8
#else
#define ROWS_1 4
#define ROWS_2 4
#define ROWS_3 3
#endif
#define ROWS_MAX 12

#define BLOCK_BYTES ((size_t)128 << 10) /* of `a`, to stay in the second-level cache   \
                                         */

/* Vectors in the next panel when `left` remain: threes and twos, one only for a single.
 */
static size_t panel_vectors(size_t left)
{
    return left == 4 ? 2 : left < 3 ? left : 3;
}

size_t V(gemm_pack_size)(size_t n, size_t k)
{
    return (n + LANES - 1) / LANES * LANES * k;
}

void V(gemm_pack)(const float *b, size_t n, size_t k, size_t sn, size_t sk,
                  float *packed)
{
    for (size_t col = 0; col < n;) {
        size_t width = LANES * panel_vectors((n - col + LANES - 1) / LANES);
        for (size_t p = 0; p < k; p++)
            for (size_t j = 0; j < width; j++)
                *packed++ = col + j < n ? b[p * sk + (col + j) * sn] : 0.0f;
        col += width;
    }
}

/* Where a tile lies. */
typedef struct Tile {
    size_t row, col, cols; /* cols: how many of its columns exist */
} Tile;

/* Stores a tile that needs an activation, a residual or part of a vector. */
static __attribute__((noinline)) void finish(const VigilGemm *g, const Tile *t, vf *acc,
                                             size_t rows, size_t vectors)
{
    const VigilEpilogue *e = &g->epilogue;
    V(activate_tile)(acc, rows * vectors, e->activation);
    for (size_t r = 0; r < rows; r++) {
        float *c = g->c + (t->row + r) * g->ldc + t->col;
        const float *residual =
            e->residual ? e->residual + (t->row + r) * e->residual_stride + t->col
                        : NULL;
        for (size_t i = 0; i < t->cols; i += LANES) {
            size_t lanes = t->cols - i < LANES ? t->cols - i : LANES;
            vf v = *acc++;
            if (residual)
                v += v_load_n(residual + i, lanes);
            v_store_n(c + i, v, lanes);
        }
    }
}

INLINE void tile(const VigilGemm *g, const float *b, const Tile *t, const size_t rows,
                 const size_t vectors)
{
    const size_t lda = g->lda, k = g->k;
    const float *a = g->a + t->row * lda;
    vf acc[ROWS_MAX][3];
    UNROLL
    for (size_t i = 0; i < vectors; i++) {
        size_t left = t->cols - i * LANES;
        vf bias = !g->epilogue.bias ? v_zero()
                                    : v_load_n(g->epilogue.bias + t->col + i * LANES,
                                               left < LANES ? left : LANES);
        UNROLL
        for (size_t r = 0; r < rows; r++)
            acc[r][i] = bias;
    }
    for (size_t p = 0; p < k; p++, a++, b += vectors * LANES) {
        vf column[3];
        UNROLL
        for (size_t i = 0; i < vectors; i++)
            column[i] = v_load(b + i * LANES);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            vf value = v_set(a[r * lda]);
            UNROLL
            for (size_t i = 0; i < vectors; i++)
                acc[r][i] = v_fma(value, column[i], acc[r][i]);
        }
    }
    if (g->epilogue.activation == VIGIL_LINEAR && !g->epilogue.residual &&
        t->cols == vectors * LANES) {
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            UNROLL
            for (size_t i = 0; i < vectors; i++)
                v_store(g->c + (t->row + r) * g->ldc + t->col + i * LANES, acc[r][i]);
        }
        return;
    }
    vf spilled[ROWS_MAX * 3];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t i = 0; i < vectors; i++)
            spilled[r * vectors + i] = acc[r][i];
    }
    finish(g, t, spilled, rows, vectors);
}

#define TILE_CASE(rows, vectors)                                                       \
    case (vectors) * 16 + (rows):                                                      \
        tile(g, b, t, rows, vectors);                                                  \
        break;

static void any_tile(const VigilGemm *g, const float *b, const Tile *t, size_t rows,
                     size_t vectors)
{
    switch (vectors * 16 + rows) {
#define TILE_CASES(vectors)                                                            \
    TILE_CASE(1, vectors) TILE_CASE(2, vectors) TILE_CASE(3, vectors)
        TILE_CASES(1)
        TILE_CASES(2)
        TILE_CASES(3)
        TILE_CASE(4, 1)
        TILE_CASE(4, 2)
#if ROWS_3 >= 4
        TILE_CASE(4, 3)
#endif
#if ROWS_2 >= 6
        TILE_CASE(5, 1)
        TILE_CASE(5, 2)
        TILE_CASE(6, 1)
        TILE_CASE(6, 2)
#endif
#if ROWS_3 >= 8
        TILE_CASE(5, 3)
        TILE_CASE(6, 3)
        TILE_CASE(7, 3)
        TILE_CASE(8, 3)
#endif
#if ROWS_2 >= 8
        TILE_CASE(7, 1)
        TILE_CASE(7, 2)
        TILE_CASE(8, 1)
        TILE_CASE(8, 2)
#endif
#if ROWS_2 >= 12
        TILE_CASE(9, 1)
        TILE_CASE(9, 2)
        TILE_CASE(10, 1)
        TILE_CASE(10, 2)
        TILE_CASE(11, 1)
        TILE_CASE(11, 2)
        TILE_CASE(12, 1)
        TILE_CASE(12, 2)
#endif
    }
}

/* One panel of b against rows row0..row1-1, in tiles of nearly equal height. */
static void panel(const VigilGemm *g, const float *b, size_t col, size_t vectors,
                  size_t row0, size_t row1)
{
    static const size_t heights[4] = { 0, ROWS_1, ROWS_2, ROWS_3 };
    size_t left = g->n - col,
           tiles = (row1 - row0 + heights[vectors] - 1) / heights[vectors];
    Tile t = { .row = row0,
               .col = col,
               .cols = left < vectors * LANES ? left : vectors * LANES };
    for (; tiles; tiles--) {
        size_t rows = (row1 - t.row) / tiles;
        any_tile(g, b, &t, rows, vectors);
        t.row += rows;
    }
}

void V(gemm)(const VigilGemm *g)
{
    size_t block = BLOCK_BYTES / sizeof(float) / g->k / 24 * 24;
    if (block < 24)
        block = 24;
    for (size_t row = 0; row < g->m; row += block) {
        size_t end = g->m - row < block ? g->m : row + block;
        for (size_t col = 0; col < g->n;) {
            size_t vectors = panel_vectors((g->n - col + LANES - 1) / LANES);
            panel(g, g->b + col * g->k, col, vectors, row, end);
            col += vectors * LANES;
        }
    }
}
