/* What dense and depth-wise convolutions share. */
#ifndef VIGIL_CORE_OPS_CONV_H
#define VIGIL_CORE_OPS_CONV_H

#include "core/chain.h"

/* Rows of zeros around the map. */
static inline int vigil_conv_pad(const VigilConv *c)
{
    return (c->kernel - 1) / 2 * c->dilation;
}

static inline VigilEpilogue vigil_conv_epilogue(const VigilNode *n, const float *bias,
                                                const float *residual)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return (VigilEpilogue) { .bias = bias,
                             .residual = residual,
                             .residual_stride = (size_t)c->out,
                             .activation = c->activation };
}

/* Whether a dynamic ReLU was merged into it (fuse.c), the slopes being in[1]. */
static inline bool vigil_conv_has_slopes(const VigilNode *n)
{
    return n->n_in == 2;
}

/* That ReLU, in place, of pixels that have just been computed. */
static inline void vigil_conv_bend(const VigilNode *n, float *y, size_t pixels)
{
    if (vigil_conv_has_slopes(n))
        vigil_kernels()->dynamic_relu(y, pixels, (size_t)n->out_shape.c, n->x[1], y);
}

/* All rows of the maps of a node that the plan has placed. */
static inline VigilRows vigil_all_rows(const VigilNode *n, int worker)
{
    return (VigilRows) { .x = n->x[0],
                         .r = n->r,
                         .y = n->y,
                         .scratch = n->scratch + (size_t)worker * n->scratch_stride };
}

/* Of [h][w][c] rows from `first` on that begin at `at` (NULL stays), row `row`. */
static inline const float *vigil_row(const float *at, int first, int row,
                                     VigilShape shape)
{
    ptrdiff_t size = (ptrdiff_t)shape.w * shape.c;
    return at ? at + (row - first) * size : NULL;
}

/* Whether a depth-wise convolution over `in` channels is one that there is; else the
 * net fails. */
void vigil_depthwise_check(VigilNet *net, const VigilConv *c, int in);

/* Whether winograd.c computes this convolution. */
bool vigil_winograd_fits(const VigilConv *c, int in);

/* Whether it multiplies each pixel by one matrix, its own: 1 x 1 with stride 1,
 * channels neither in groups nor shuffled. */
bool vigil_conv_is_matrix(const VigilNode *n);

/* The tensors of a convolution as the file has them, valid until vigil_bind_end(). */
typedef struct VigilConvWeights {
    const float *w, *bias;   /* w [out][in][k * k] */
    double *scale, *shift;   /* batch norm after, or NULL */
    double *pre, *pre_shift; /* batch norm before, or NULL */
} VigilConvWeights;

/* False in CHECK mode and after a failure. */
bool vigil_conv_read(const VigilNode *n, VigilBinder *b, VigilConvWeights *raw);

/* Row o of the folded matrix, [ky][kx][in]; returns the folded bias. */
double vigil_conv_fold_row(const VigilConvWeights *raw, size_t o, size_t in,
                           size_t taps, float *row);

/* The folded matrix [out][ky][kx][in] and bias [out] of a dense convolution, with the
 * one merged into it; working memory.  False in CHECK mode and after a failure. */
bool vigil_conv_folded(const VigilNode *n, VigilBinder *b, float **rows, float **bias);

/* Packs the matrices of all groups from their rows [out][k]: the first is w->matrix,
 * the others follow in w->further. */
VigilStatus vigil_conv_pack(VigilWeights *w, const float *rows, size_t out, size_t k,
                            size_t groups, VigilSlabs *slabs, VigilError *error);

/* Running a dense convolution with a kernel larger than 1 x 1: whole, or rows
 * row0..row1-1 alone on one thread; floats of scratch that each thread needs. */
void vigil_conv_spatial_run(const VigilNode *n, VigilNet *net, uint64_t macs);
void vigil_conv_spatial_rows(const VigilNode *n, const VigilRows *r, int row0,
                             int row1);
size_t vigil_conv_spatial_scratch(const VigilNode *n);

#define VIGIL_CONV_KEY (4 * VIGIL_MAX_NAME)

/* Of the packed weights in the store. */
void vigil_conv_key(const VigilNode *n, char key[VIGIL_CONV_KEY]);

#endif
