/*
 * The inner loops, once per instruction set level, behind one table of pointers.
 *
 * VIGIL_KERNELS is the only list: it declares the functions of every level, fills the
 * tables, and the checks and benches of tests/ loop over it.  Every kernel has a twin
 * in plain C (kernels/c/), written to be read; the other levels are compiled from one
 * source in vectors of 4, 8 or 16 lanes (kernels/lanes/).  Nothing here asks about the
 * CPU and nothing allocates.
 *
 * Maps are [h][w][c], c innermost.  Pointers to floats need no alignment except where
 * said; no kernel reads or writes outside the shape it is given.
 */
#ifndef VIGIL_KERNELS_H
#define VIGIL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum VigilActivation {
    VIGIL_LINEAR,
    VIGIL_RELU,
    VIGIL_RELU6,
    VIGIL_SILU,     /* x / (1 + exp(-x)) */
    VIGIL_GELU,     /* 0.5 x (1 + erf(x / sqrt 2)), the exact form */
    VIGIL_SIGMOID,  /* 1 / (1 + exp(-x)) */
    VIGIL_HSWISH,   /* x min(max(x + 3, 0), 6) / 6 */
    VIGIL_HSIGMOID, /* min(max(x + 3, 0), 6) / 6 */
    VIGIL_ACTIVATIONS
} VigilActivation;

/* What happens to each value before it is stored:
 *     y = activation(x + bias[column]) + residual[row][column]
 * bias and residual may be NULL.  residual may be the output itself. */
typedef struct VigilEpilogue {
    const float *bias;
    const float *residual;
    size_t residual_stride; /* floats between rows */
    VigilActivation activation;
} VigilEpilogue;

/* c [m][n] = epilogue(a [m][k] * b [k][n]); b packed by gemm_pack of the same level. */
typedef struct VigilGemm {
    size_t m, n, k;
    const float *a; /* [m][lda] */
    size_t lda;
    /* A row of a is so many runs of k / runs numbers each, run_stride floats apart, as
     * are the pixels under a kernel of several rows.  0: one. */
    size_t runs, run_stride;
    const float *b;       /* packed */
    const uint16_t *half; /* NULL, or packed b in numbers of 16 bits (half.h) instead */
    float *c;             /* [m][ldc], ldc >= n; not a */
    size_t ldc;
    VigilEpilogue epilogue;
} VigilGemm;

/* y [out_h][out_w][c] = epilogue(depth-wise convolution of x [h][w][c] with zero
 * padding) weight [kernel * kernel][c] (tap-major, row by row), kernel 3, 5 or 7 (odd),
 * stride 1 or 2, dilation >= 1, pad_y zeros above and pad_x on the left; pad_y may be
 * negative: rows of x above those that y [0] needs.  Pixels of y lie y_stride floats
 * apart, those of the residual residual_stride. */
typedef struct VigilDwconv {
    int h, w, c, kernel, stride, pad_y, pad_x, dilation, out_h, out_w;
    const float *x, *weight;
    float *y;
    size_t y_stride;
    VigilEpilogue epilogue;
} VigilDwconv;

/* Scaled dot-product attention of one head over gathered rows:
 *     o [tq] = softmax over keys(scale q k^T) v
 * q [tq][ldq], k [tk][ldk], both d wide; v [tk][ldv], o [tq][ldo], both dv wide.
 * extra_zero_keys: that many further keys with logit exactly 0 and value 0 take part in
 * the softmax (padding of windows).  map [tq][tk] gets the softmax where not NULL.
 * scratch: at least vigil_attention_scratch(tq, tk, d) floats, 64-byte aligned. */
typedef struct VigilAttention {
    size_t tq, tk, d, dv;
    const float *q, *k, *v;
    size_t ldq, ldk, ldv, ldo;
    float *o, *map, *scratch;
    float scale;
    size_t extra_zero_keys;
} VigilAttention;

/* Queries whose logits are in scratch together, beside all keys. */
#define VIGIL_ATTENTION_QUERIES 8

static inline size_t vigil_attention_scratch(size_t tq, size_t tk, size_t d)
{
    size_t padded = (tk + 15) & ~(size_t)15;
    return padded * (d + (tq < VIGIL_ATTENTION_QUERIES ? tq : VIGIL_ATTENTION_QUERIES));
}

/* What Winograd's F(2x2, 3x3) makes of the 16 products m [16][stride] of a tile (Lavin,
 * Gray: "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1):
 * its four pixels of c channels, row by row.  y: NULL for a pixel that the map does not
 * have; r: what is added to each after the activation, or NULL; bias may be NULL. */
typedef struct VigilWinogradOutput {
    const float *m;
    size_t stride, c;
    float *y[4];
    const float *r[4], *bias;
    VigilActivation activation;
} VigilWinogradOutput;

/* Rows of bytes in products are this long: a multiple of 4. */
static inline size_t vigil_bytes_depth(size_t k)
{
    return (k + 3) & ~(size_t)3;
}

/* Weights of such a product are -64..64: with values of 0..255 two products make no
 * more than 32640, which the 16-bit sums of AVX2 hold, and so many of them no more than
 * the 32 bits of all levels. */
#define VIGIL_BYTES_WEIGHT 64
#define VIGIL_BYTES_MAX_DEPTH ((size_t)1 << 16)

/* c [m][n] = epilogue(scale[column] * (a [m][k] * b [k][n])); the product is exact, k
 * up to VIGIL_BYTES_MAX_DEPTH; b packed by bytes_pack of the same level. */
typedef struct VigilBytesGemm {
    size_t m, n, k;
    const uint8_t *a; /* [m][lda]; what lies behind k of vigil_bytes_depth(k) does not
                         count */
    size_t lda;
    const int8_t *b;    /* packed */
    const float *scale; /* [n] */
    float *c;           /* [m][ldc], ldc >= n; not the residual */
    size_t ldc;
    VigilEpilogue epilogue;
} VigilBytesGemm;

/* X(name, return type, parameters) */
#define VIGIL_KERNELS_OF_FLOATS(X)                                                     \
    /* Floats that packed b takes for [k][n]. */                                       \
    X(gemm_pack_size, size_t, (size_t n, size_t k))                                    \
    /* b[k * sk + n * sn] for k < K, n < N, into this level's panels. */               \
    X(gemm_pack, void,                                                                 \
      (const float *b, size_t n, size_t k, size_t sn, size_t sk, float *packed))       \
    /* Packed b may be cut at a multiple of these columns that is at least so many     \
     * below n: what lies from column * k floats on are the columns from there on as   \
     * gemm_pack packs them alone.  Products of parts have the bits of the whole. */   \
    X(gemm_columns, size_t, (void))                                                    \
    X(gemm, void, (const VigilGemm *g))                                                \
    /* The epilogue alone, in place over c [m][ldc] of n columns. */                   \
    X(epilogue, void,                                                                  \
      (float *c, size_t ldc, size_t m, size_t n, const VigilEpilogue *e))              \
    /* Output rows row0..row1-1. */                                                    \
    X(dwconv, void, (const VigilDwconv *d, int row0, int row1))                        \
    /* The 4 x 4 pixels x, row by row, of c channels, as the factors v [16][stride] of \
     * Winograd's F(2x2, 3x3). */                                                      \
    X(winograd_input, void,                                                            \
      (const float *const x[16], size_t c, float *v, size_t stride))                   \
    X(winograd_output, void, (const VigilWinogradOutput *o))                           \
    /* y[r] = (x[r] - mean) / sqrt(var + eps) * gamma + beta over each row of c; two   \
     * passes, biased variance; gamma and beta may be NULL together; y may be x. */    \
    X(layer_norm, void,                                                                \
      (const float *x, size_t rows, size_t c, const float *gamma, const float *beta,   \
       float eps, float *y))                                                           \
    X(attention, void, (const VigilAttention *a))                                      \
    /* sum[c] = sum over rows of x [rows][c], each added up in double. */              \
    X(sum_rows, void, (const float *x, size_t rows, size_t c, double *sum))            \
    /* sum[c] = sum over rows of weight[row] x[row][c], x [rows][ld], in double. */    \
    X(weigh_rows, void,                                                                \
      (const float *x, size_t ld, size_t rows, size_t c, const double *weight,         \
       double *sum))                                                                   \
    /* y[r] = sum over i of x[r][i] w[i], x [rows][c], in double. */                   \
    X(dot_rows, void,                                                                  \
      (const float *x, size_t rows, size_t c, const float *w, double *y))              \
    /* y[r][c] = x[r][c] * scale[c]; y may be x. */                                    \
    X(scale_rows, void,                                                                \
      (const float *x, size_t rows, size_t c, const float *scale, float *y))           \
    /* y[r][c] = x[r][c] * scale[c] + shift[c]; y may be x. */                         \
    X(affine_rows, void,                                                               \
      (const float *x, size_t rows, size_t c, const float *scale, const float *shift,  \
       float *y))                                                                      \
    /* sums[0] = sum of x[i] - pivot, sums[1] = sum of its square, in double. */       \
    X(moments, void, (const float *x, size_t n, float pivot, double sums[2]))          \
    /* y[i] = sum over t < 4 of weight[t] * row[t][i]. */                              \
    X(mix, void,                                                                       \
      (const float *const row[4], const float weight[4], size_t n, float *y))          \
    /* y[i] = a[i] + b[i]; y may be either. */                                         \
    X(add, void, (const float *a, const float *b, size_t n, float *y))                 \
    /* y[i] = activation(x[i]); y may be x. */                                         \
    X(activate, void,                                                                  \
      (const float *x, size_t n, VigilActivation activation, float *y))                \
    /* y[r][i] = max(2 t[i] x[r][i], (2 t[c + i] - 1) x[r][i]) over rows of c, with    \
     * 2 c values t; y may be x. */                                                    \
    X(dynamic_relu, void,                                                              \
      (const float *x, size_t rows, size_t c, const float *t, float *y))               \
    /* y[j * m + i] = x[i * stride + j] for i < m, j < n: m runs of n values, one of   \
     * each in turn.  y is not x. */                                                   \
    X(interleave, void, (const float *x, size_t stride, size_t m, size_t n, float *y)) \
    /* Resampling of bytes, first pass: y[i] = sum over t of weight[t] * row[t][i] for \
     * n samples that lie `step` (1..4) bytes apart. */                                \
    X(resample_rows, void,                                                             \
      (const uint8_t *const *row, const float *weight, size_t taps, size_t n,          \
       size_t step, float *y))                                                         \
    /* The same of n words of 16 bits that follow each other, at any address, and only \
     * of the bits that are set in `mask`. */                                          \
    X(resample_words, void,                                                            \
      (const uint8_t *const *row, const float *weight, size_t taps, size_t n,          \
       uint16_t mask, bool big_endian, float *y))                                      \
    /* Second pass: y[i * step] = sum over t of weight[i * taps + t] * x[first[i] + t] \
     * for i < n.  x holds first[i] + taps samples for every i. */                     \
    X(resample_columns, void,                                                          \
      (const float *x, const int32_t *first, const float *weight, size_t taps,         \
       size_t n, size_t step, float *y))                                               \
    /* One of several interleaved components: y[i] = x[i * step] for i < n, step 2..4. \
     * Nothing is read behind the last of them. */                                     \
    X(resample_split, void, (const float *x, size_t n, size_t step, float *y))         \
    /* Three planes of n samples through a matrix, clipped, interleaved to [n][3]:     \
     * out[i][r] = clip(sum over p of matrix[r][p] * plane[p][i] + offset[r],          \
     * low[r], high[r]).  Planes may be one and the same. */                           \
    X(color, void,                                                                     \
      (const float *const plane[3], const float matrix[3][3], const float offset[3],   \
       const float low[3], const float high[3], size_t n, float *out))                 \
    /* Multiplies and adds in registers as fast as the level can, `rounds` times, and  \
     * returns how many floating-point operations that was: the yardstick of benches.  \
     */                                                                                \
    X(peak, double, (size_t rounds))

/* Those that a level may have instructions of its own for where the rest is another
 * level's. */
#define VIGIL_KERNELS_OF_BYTES(X)                                                      \
    /* Bytes that packed b takes for [k][n]. */                                        \
    X(bytes_pack_size, size_t, (size_t n, size_t k))                                   \
    /* b [n][k], each -64..64, into this level's panels. */                            \
    X(bytes_pack, void, (const int8_t *b, size_t n, size_t k, int8_t *packed))         \
    X(bytes_gemm, void, (const VigilBytesGemm *g))                                     \
    /* y[r][i] = x[r][i] * factor, rounded with ties to even, + zero, clipped to       \
     * 0..255, for i < c; 255 where x is not a number; 0 from there to                 \
     * vigil_bytes_depth(c).  x [rows][ldx], y [rows][ldy], zero 0..255. */            \
    X(quantise_rows, void,                                                             \
      (const float *x, size_t ldx, size_t rows, size_t c, float factor, int zero,      \
       uint8_t *y, size_t ldy))                                                        \
    /* Whether quantise_rows and bytes_gemm take less time than gemm. */               \
    X(bytes_pay, int, (size_t n, size_t k))

#define VIGIL_KERNELS(X) VIGIL_KERNELS_OF_FLOATS(X) VIGIL_KERNELS_OF_BYTES(X)

typedef struct VigilKernels {
    const char *name; /* "c", "sse2", "avx2", "avx512", "vnni", "neon" */
#define VIGIL_KERNEL_POINTER(name, result, parameters) result(*name) parameters;
    VIGIL_KERNELS(VIGIL_KERNEL_POINTER)
#undef VIGIL_KERNEL_POINTER
} VigilKernels;

/* The tables that this build has, lowest level first, NULL-terminated. */
extern const VigilKernels *const vigil_kernels_built[];

/* The table in use, chosen once: the highest level that the CPU has, or the one named
 * by the environment variable VIGIL_ISA where the CPU has it (else a warning on stderr
 * and the highest below it). */
const VigilKernels *vigil_kernels(void);

/* Whether this CPU can run the table. */
int vigil_kernels_usable(const VigilKernels *kernels);

/* Billions of floating-point operations per second that one core does at the level of
 * `kernels`, measured for about 20 ms: the most that any kernel of it could reach. */
double vigil_peak_gflops(const VigilKernels *kernels);

/* True when VIGIL_ISA forced a level: OpenBLAS, whose own dispatch cannot be masked, is
 * then left out. */
int vigil_isa_forced(void);

#endif
