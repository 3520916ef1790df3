/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/gemm.h"
#include "kernels/blas.h"
#include "kernels/half.h"

#include <string.h>

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
    return VIGIL_BLAS && !vigil_isa_forced() && k > 1024 && n >= 256 &&
           n * k >= (size_t)2 << 20;
}

VigilStatus vigil_packed_init(VigilPacked *packed, const float *b, size_t n, size_t k,
                              size_t sn, size_t sk, VigilSlabs *slabs,
                              VigilError *error)
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
    packed->data = vigil_slab_alloc(slabs, packed->bytes);
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

static bool all_halves(const float *values, size_t n)
{
    uint16_t half;
    size_t i = 0;
    while (i < n && vigil_half_of_float(values[i], &half))
        i++;
    return i == n;
}

/* In its place. */
void vigil_packed_narrow(VigilPacked *packed)
{
    size_t n = packed->bytes / sizeof *packed->data;
    char *to = (char *)packed->data;
    if (!packed->data || packed->blas || !all_halves(packed->data, n))
        return;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        float value;
        memcpy(&value, to + i * sizeof value, sizeof value);
        vigil_half_of_float(value, &half);
        memcpy(to + i * sizeof half, &half, sizeof half);
    }
    packed->half = (uint16_t *)packed->data;
    packed->data = NULL;
    packed->bytes = n * sizeof *packed->half;
    vigil_slab_shrink(packed->half, packed->bytes);
}

void vigil_packed_clear(VigilPacked *packed)
{
    if (!packed)
        return;
    vigil_slab_free(packed->data);
    vigil_slab_free(packed->half);
    *packed = (VigilPacked) { 0 };
}

static VigilGemm product_of(const VigilPacked *packed, const float *a, size_t lda,
                            size_t m, float *c, size_t ldc,
                            const VigilEpilogue *epilogue)
{
    return (VigilGemm) { .m = m,
                         .n = packed->n,
                         .k = packed->k,
                         .a = a,
                         .lda = lda,
                         .b = packed->data,
                         .half = packed->half,
                         .c = c,
                         .ldc = ldc,
                         .epilogue = *epilogue };
}

size_t vigil_gemm_parts(const VigilPacked *packed)
{
    const size_t parts = packed->n / vigil_kernels()->gemm_columns();
    return packed->blas || !parts ? 1 : parts;
}

void vigil_gemm_of_parts(const VigilPacked *packed, const float *a, size_t lda,
                         size_t m, size_t begin, size_t end, float *c, size_t ldc,
                         const VigilEpilogue *epilogue)
{
    const size_t width = vigil_kernels()->gemm_columns(), first = begin * width;
    VigilGemm g = product_of(packed, a, lda, m, c + first, ldc, epilogue);
    g.n = (end < vigil_gemm_parts(packed) ? end * width : packed->n) - first;
    if (g.half)
        g.half += first * g.k;
    else
        g.b += first * g.k;
    if (g.epilogue.bias)
        g.epilogue.bias += first;
    if (g.epilogue.residual)
        g.epilogue.residual += first;
    vigil_kernels()->gemm(&g);
}

void vigil_gemm_of_runs(const VigilPacked *packed, const float *a, size_t lda,
                        size_t runs, size_t run_stride, size_t m, float *c, size_t ldc,
                        const VigilEpilogue *epilogue)
{
    VigilGemm g = product_of(packed, a, lda, m, c, ldc, epilogue);
    g.runs = runs;
    g.run_stride = run_stride;
    vigil_kernels()->gemm(&g);
}

void vigil_gemm(const VigilPacked *packed, const float *a, size_t lda, size_t m,
                float *c, size_t ldc, const VigilEpilogue *epilogue)
{
    const VigilGemm g = product_of(packed, a, lda, m, c, ldc, epilogue);
    if (packed->blas)
        vigil_blas_gemm(&g);
    else
        vigil_kernels()->gemm(&g);
}
