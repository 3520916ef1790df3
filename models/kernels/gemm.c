/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;

/* Our own pool hands out the rows; OpenBLAS has no setting per calling thread. */
static void one_blas_thread(void)
{
    openblas_set_num_threads(1);
}

/*
 * Which way is faster for weights [k][n].  Measured on one core (Sapphire Rapids class)
 * against OpenBLAS 0.3.21 held to its kernels for AVX2 and for AVX-512, bias and
 * activation included: for the shapes of the light backbones, down to n, k = 24, ours
 * takes 0.4 to 0.95 of its time (0.13 for a single row); at 1024 x 1024 the two are
 * equal; from 8 MB of weights on OpenBLAS, which cuts k into pieces as well, takes 0.91
 * to 0.99 of ours.
 */
static bool prefer_blas(size_t n, size_t k)
{
    return !vigil_isa_forced() && k > 1024 && n >= 256 && n * k >= (size_t)2 << 20;
}

VigilStatus vigil_packed_init(VigilPacked *packed, const float *b, size_t n, size_t k,
                              size_t sn, size_t sk, VigilError *error)
{
    const VigilKernels *kernels = vigil_kernels();
    size_t floats = 0, bytes = SIZE_MAX;
    *packed = (VigilPacked) { .n = n, .k = k };
    /* Panels round n up by less than a vector of 16. */
    if (!vigil_size_add(n, 15, &floats) || !vigil_size_mul(floats, k, &floats) ||
        !vigil_size_mul(floats, sizeof(float), &bytes))
        return vigil_fail_memory(error, bytes, "packed weights");
    packed->blas = prefer_blas(n, k);
    packed->bytes =
        sizeof(float) * (packed->blas ? n * k : kernels->gemm_pack_size(n, k));
    packed->data = vigil_alloc_aligned(packed->bytes);
    if (!packed->data)
        return vigil_fail_memory(error, packed->bytes, "packed weights");
    if (!packed->blas) {
        kernels->gemm_pack(b, n, k, sn, sk, packed->data);
        return VIGIL_OK;
    }
    for (size_t column = 0; column < n; column++)
        for (size_t p = 0; p < k; p++)
            packed->data[column * k + p] = b[p * sk + column * sn];
    return VIGIL_OK;
}

void vigil_packed_clear(VigilPacked *packed)
{
    if (!packed)
        return;
    free(packed->data);
    *packed = (VigilPacked) { 0 };
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

static void blas_gemm(const VigilGemm *g)
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

void vigil_gemm(const VigilPacked *packed, const float *a, size_t lda, size_t m,
                float *c, size_t ldc, const VigilEpilogue *epilogue)
{
    const VigilGemm g = { .m = m,
                          .n = packed->n,
                          .k = packed->k,
                          .a = a,
                          .lda = lda,
                          .b = packed->data,
                          .c = c,
                          .ldc = ldc,
                          .epilogue = *epilogue };
    if (packed->blas)
        blas_gemm(&g);
    else
        vigil_kernels()->gemm(&g);
}
