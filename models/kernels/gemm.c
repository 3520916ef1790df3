/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;

/* Our own pool hands out the rows; OpenBLAS has no setting per calling thread. */
static void one_blas_thread(void)
{
    openblas_set_num_threads(1);
}

/* Which way is faster for weights [k][n]. */
static bool prefer_blas(size_t n, size_t k)
{
    return false && n && k;
}

VigilStatus vigil_packed_init(VigilPacked *packed, const float *b, size_t n, size_t k,
                              size_t sn, size_t sk, VigilError *error)
{
    const VigilKernels *kernels = vigil_kernels();
    bool blas = prefer_blas(n, k);
    size_t floats = blas ? n * k : kernels->gemm_pack_size(n, k);
    *packed =
        (VigilPacked) { .n = n, .k = k, .blas = blas, .bytes = floats * sizeof(float) };
    packed->data = vigil_alloc_aligned(packed->bytes);
    if (!packed->data)
        return vigil_fail_memory(error, packed->bytes, "packed weights");
    if (!blas) {
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
    if (!packed->blas) {
        vigil_kernels()->gemm(&g);
        return;
    }
    pthread_once(&blas_once, one_blas_thread);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)g.n,
                (blasint)g.k, 1.0f, a, (blasint)lda, g.b, (blasint)g.k, 0.0f, c,
                (blasint)ldc);
    vigil_kernels()->epilogue(c, ldc, m, g.n, epilogue);
}
