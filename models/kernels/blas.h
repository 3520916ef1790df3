/* Matrix products by OpenBLAS, for gemm.c alone; a build may be without it. */
#ifndef VIGIL_KERNELS_BLAS_H
#define VIGIL_KERNELS_BLAS_H

#include "kernels/kernels.h"

#ifdef VIGIL_HAVE_OPENBLAS
#define VIGIL_BLAS 1

/* g->c = epilogue(g->a * b), where g->b are the rows [n][k] of b; on this thread. */
void vigil_blas_gemm(const VigilGemm *g);

#else
#define VIGIL_BLAS 0

/* Never called. */
static inline void vigil_blas_gemm(const VigilGemm *g)
{
}
#endif

#endif
