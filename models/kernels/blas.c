/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/blas.h"

#include <cblas.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;

/* Our own pool hands out the rows; OpenBLAS has no setting per calling thread. */
static void one_blas_thread(void)
{
    openblas_set_num_threads(1);
}

/* c = beta c + a * b by OpenBLAS; one row at a time for a few rows, for which sgemm is
 * slow.  b: rows [n][k]. */
static void product(const VigilGemm *g, float beta)
{
    if (g->m > 4) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)g->m,
                    (blasint)g->n, (blasint)g->k, 1.0f, g->a, (blasint)g->lda, g->b,
                    (blasint)g->k, beta, g->c, (blasint)g->ldc);
        return;
    }
    for (size_t row = 0; row < g->m; row++)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (blasint)g->n, (blasint)g->k, 1.0f,
                    g->b, (blasint)g->k, g->a + row * g->lda, 1, beta,
                    g->c + row * g->ldc, 1);
}

/* The residual is c itself and comes after an activation: by pieces that fit a buffer.
 */
static void in_pieces(const VigilGemm *g)
{
    enum { SIDE = 64 };
    float buffer[SIDE * SIDE];
    for (size_t row = 0; row < g->m; row += SIDE)
        for (size_t col = 0; col < g->n; col += SIDE) {
            VigilGemm piece = *g;
            float *c = g->c + row * g->ldc + col;
            piece.m = g->m - row < SIDE ? g->m - row : SIDE;
            piece.n = g->n - col < SIDE ? g->n - col : SIDE;
            piece.a = g->a + row * g->lda;
            piece.b = g->b + col * g->k;
            piece.c = buffer;
            piece.ldc = SIDE;
            piece.epilogue.residual = c;
            if (piece.epilogue.bias)
                piece.epilogue.bias += col;
            product(&piece, 0.0f);
            vigil_kernels()->epilogue(buffer, SIDE, piece.m, piece.n, &piece.epilogue);
            for (size_t r = 0; r < piece.m; r++)
                memcpy(c + r * g->ldc, buffer + r * SIDE, piece.n * sizeof *c);
        }
}

void vigil_blas_gemm(const VigilGemm *g)
{
    VigilEpilogue epilogue = g->epilogue;
    const bool in_place = epilogue.residual == g->c;
    pthread_once(&blas_once, one_blas_thread);
    if (in_place && epilogue.activation != VIGIL_LINEAR) {
        in_pieces(g);
        return;
    }
    product(g, in_place ? 1.0f : 0.0f);
    if (in_place)
        epilogue.residual = NULL;
    vigil_kernels()->epilogue(g->c, g->ldc, g->m, g->n, &epilogue);
}
