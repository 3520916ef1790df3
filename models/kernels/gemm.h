/* The one door to matrix products: our packed kernel or OpenBLAS, by shape. */
#ifndef VIGIL_KERNELS_GEMM_H
#define VIGIL_KERNELS_GEMM_H

#include "core/slab.h"
#include "core/status.h"
#include "kernels/kernels.h"

/* Weights of a product x [m][k] * b [k][n], packed for the way that is fastest for
 * their shape (measured; the rule is in gemm.c alone). */
typedef struct VigilPacked {
    size_t n, k;
    bool blas; /* rows of [n][k] for OpenBLAS, else panels of the level in use */
    size_t bytes;
    float *data;    /* owned, or NULL: */
    uint16_t *half; /* owned; panels of numbers of 16 bits */
} VigilPacked;

/* b[k * sk + n * sn]; the packed weights lie in `slabs`.  NULL-safe end:
 * vigil_packed_clear. */
VigilStatus vigil_packed_init(VigilPacked *packed, const float *b, size_t n, size_t k,
                              size_t sn, size_t sk, VigilSlabs *slabs,
                              VigilError *error);
void vigil_packed_clear(VigilPacked *packed);

/* Weights whose every value is a number of 16 bits take half the memory from now on,
 * with the same products.  Where few rows are multiplied, and reading the weights is
 * all that takes time, that is faster; with many it is slower.  Other weights, and
 * those for OpenBLAS, stay as they are.  In the thread that has their slabs. */
void vigil_packed_narrow(VigilPacked *packed);

/* c [m][ldc] = epilogue(a [m][lda] * packed).  One thread; called for ranges of rows by
 * several threads at once. */
void vigil_gemm(const VigilPacked *packed, const float *a, size_t lda, size_t m,
                float *c, size_t ldc, const VigilEpilogue *epilogue);

/* Parts that a product of n columns can be cut into, by columns, and its columns of
 * parts begin..end-1 alone: c, bias and residual are those of the whole, and so is each
 * bit of the result.  Not for weights for OpenBLAS, of which there is one part. */
size_t vigil_gemm_parts(const VigilPacked *packed);
void vigil_gemm_of_parts(const VigilPacked *packed, const float *a, size_t lda,
                         size_t m, size_t begin, size_t end, float *c, size_t ldc,
                         const VigilEpilogue *epilogue);

/* vigil_gemm() where a row of a is `runs` runs of k / runs numbers, run_stride floats
 * apart; not for weights for OpenBLAS. */
void vigil_gemm_of_runs(const VigilPacked *packed, const float *a, size_t lda,
                        size_t runs, size_t run_stride, size_t m, float *c, size_t ldc,
                        const VigilEpilogue *epilogue);

#endif
