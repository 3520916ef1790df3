/* The one door to matrix products: our packed kernel or OpenBLAS, by shape. */
#ifndef VIGIL_KERNELS_GEMM_H
#define VIGIL_KERNELS_GEMM_H

#include "core/status.h"
#include "kernels/kernels.h"

/* Weights of a product x [m][k] * b [k][n], packed for the way that is fastest for
 * their shape (measured; the rule is in gemm.c alone). */
typedef struct VigilPacked {
    size_t n, k;
    bool blas; /* rows of [n][k] for OpenBLAS, else panels of the level in use */
    size_t bytes;
    float *data; /* owned */
} VigilPacked;

/* b[k * sk + n * sn].  NULL-safe end: vigil_packed_clear. */
VigilStatus vigil_packed_init(VigilPacked *packed, const float *b, size_t n, size_t k,
                              size_t sn, size_t sk, VigilError *error);
void vigil_packed_clear(VigilPacked *packed);

/* c [m][ldc] = epilogue(a [m][lda] * packed).  One thread; called for ranges of rows by
 * several threads at once. */
void vigil_gemm(const VigilPacked *packed, const float *a, size_t lda, size_t m,
                float *c, size_t ldc, const VigilEpilogue *epilogue);

#endif
