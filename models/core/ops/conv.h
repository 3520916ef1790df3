/* What dense and depth-wise convolutions share. */
#ifndef VIGIL_CORE_OPS_CONV_H
#define VIGIL_CORE_OPS_CONV_H

#include "core/op.h"

/* Rows of zeros around the map. */
static inline int vigil_conv_pad(const VigilConv *c)
{
    return (c->kernel - 1) / 2 * c->dilation;
}

/* The epilogue from output pixel `pixel` on. */
static inline VigilEpilogue vigil_conv_epilogue(const VigilNode *n, const float *bias,
                                                size_t pixel)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out;
    return (VigilEpilogue) { .bias = bias,
                             .residual = n->r ? n->r + pixel * out : NULL,
                             .residual_stride = out,
                             .activation = c->activation };
}

/* Whether a depth-wise convolution over `in` channels is one that there is; else the
 * net fails. */
void vigil_depthwise_check(VigilNet *net, const VigilConv *c, int in);

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

/* Of the packed weights in the store. */
void vigil_conv_key(const VigilNode *n, char key[2 * VIGIL_MAX_NAME]);

#endif
