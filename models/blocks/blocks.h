/* Building blocks of the networks: what family files are written in. */
#ifndef VIGIL_BLOCKS_H
#define VIGIL_BLOCKS_H

#include "core/net.h"

/* Inverted Residual Mobile Block (Zhang et al., "Rethinking Mobile Block for Efficient
 * Attention-based Models", ICCV 2023, section 3.2), the block of EMO:
 *
 *     n = norm(x);  a = attention(n) if heads;  v = act(W_v a + b);  l =
 * SiLU(BN(dw(v))) y = W_proj (v + l) + x   with a skip (stride 1, same width), else
 * W_proj l
 *
 * Early blocks normalise with batch norm and act with SiLU; late ones use channel layer
 * norm and GELU.  Tensor names are relative to the scope in force. */
typedef struct VigilIrmb {
    int out;      /* channels */
    int expanded; /* channels of v */
    int kernel;   /* of the depth-wise convolution */
    int stride;   /* 1 or 2 */
    bool late;
    int heads;  /* 0: no attention */
    int window; /* side of an attention window, pixels */
} VigilIrmb;

VigilValue vigil_irmb(VigilNet *net, VigilValue x, const VigilIrmb *block);

/* What files call a convolution without bias and the batch norm after it, relative to a
 * name for both: "conv" and "bn" where they are "stem.conv" and "stem.bn". */
typedef struct VigilConvNormNames {
    const char *conv, *norm;
} VigilConvNormNames;

/* The two under `name`, which is also the name of the result.  `conv` says the rest,
 * eps of the norm included; its names are not looked at. */
VigilValue vigil_conv_norm(VigilNet *net, VigilValue x, const char *name,
                           const VigilConvNormNames *names, const VigilConv *conv);

/* Inverted residual (Sandler et al., "MobileNetV2", CVPR 2018, section 3.3) with SiLU,
 * as MobileViT uses it:
 *
 *     y = BN(W_r SiLU(BN(dw(SiLU(BN(W_e x))))))    + x where stride 1 keeps the width
 */
typedef struct VigilInvertedResidual {
    int out;      /* channels */
    int expanded; /* channels in between */
    int stride;   /* 1 or 2 */
    int dilation; /* of the depth-wise convolution; 0: 1 */
    float eps;
    const char *expand, *depthwise, *reduce; /* names */
    const VigilConvNormNames *names;         /* below them */
} VigilInvertedResidual;

VigilValue vigil_inverted_residual(VigilNet *net, VigilValue x,
                                   const VigilInvertedResidual *block);

/* Tensor names of one transformer layer. */
typedef struct VigilTransformerNames {
    const char *norm1;     /* before the attention */
    const char *attention; /* scope of the next three and of the tap "attention" */
    const char *qkv;       /* queries, keys, values */
    const char *const *qkv_parts; /* as VigilConv.parts; NULL: one tensor */
    const char *out;
    const char *norm2;           /* before the MLP */
    const char *expand, *reduce; /* of the MLP */
} VigilTransformerNames;

/* One pre-norm layer over the patches of a map, x [4][tokens][c] as vigil_net_unfold()
 * gives them:
 *
 *     x = x + W_o attention(norm1(x));  y = x + W_r SiLU(W_e norm2(x))
 *
 * all four with bias. */
typedef struct VigilTransformer {
    int heads;
    int hidden; /* channels of the MLP */
    float eps;
    int map_height, map_width; /* of the unfolded map */
    const VigilTransformerNames *names;
} VigilTransformer;

/* Multi-head self-attention inside each row of x, layer norms, weights [out, in] (Mehta
 * and Rastegari, "MobileViT", ICLR 2022, section 3.1). */
VigilValue vigil_transformer_layer(VigilNet *net, VigilValue x,
                                   const VigilTransformer *layer);

/* Separable self-attention, group norms over all of x, weights [out, in, 1, 1] (the
 * same, "Separable Self-attention for Mobile Vision Transformers", 2022, section 3.2).
 * Has no heads. */
VigilValue vigil_separable_layer(VigilNet *net, VigilValue x,
                                 const VigilTransformer *layer);

/* Squeeze-excite (Hu et al., CVPR 2018) at full width: x scaled by
 * sigmoid(W_e SiLU(W_r mean(x))), weights `name`.conv_reduce and `name`.conv_expand. */
VigilValue vigil_squeeze_excite(VigilNet *net, VigilValue x, const char *name);

/* ---- Mobile-Former ---------------------------------------------------------------
 *
 * Chen et al., "Mobile-Former: Bridging MobileNet and Transformer", CVPR 2022.  A map
 * x, u [h][w][c] and a list of tokens z [1][tokens][d] go side by side; names are
 * relative to the scope in force. */

#define VIGIL_CROSS_HEADS 2 /* of the attentions between map and tokens */

/* A map or a list of tokens as attentions see it: `at` has positions added and is what
 * queries and keys are made of.  Without positions both are the same. */
typedef struct VigilPlaced {
    VigilValue value, at;
} VigilPlaced;

static inline VigilPlaced vigil_unplaced(VigilValue value)
{
    return (VigilPlaced) { value, value };
}

/* Mobile to Former (section 3.2), scope "local_global": tokens attend to the pixels,
 * which are keys and values as they are.  q: the queries W_q z, or NULL.
 *     o = attention(W_q z, x, x);  z = LN(z + W_proj (o * 2 hsigmoid(W_alpha z))) */
VigilValue vigil_mobile_to_former(VigilNet *net, VigilPlaced x, VigilPlaced z,
                                  VigilValue *q);

/* Former (section 3.2), scope "global_block": a transformer layer with norms after the
 * sums.  z = LN(z + W attention(W_q z, z, z));  z = LN(z + FFN(z)), 4 heads, GELU.
 * place: the positions of the tokens, which go into queries and keys, or VIGIL_NONE. */
VigilValue vigil_former(VigilNet *net, VigilValue z, VigilValue place);

/* Former to Mobile (section 3.2), scope "global_local": pixels attend to the tokens.
 *     u + attention(u, W_k z, W_proj z) */
VigilValue vigil_former_to_mobile(VigilNet *net, VigilPlaced u, VigilPlaced z);

/* What the slopes of dynamic ReLUs are made of: one token [d] for the whole map; or,
 * where there are shares [h][w][tokens], all of them in the shares of each pixel. */
typedef struct VigilHyper {
    VigilValue tokens, shares; /* shares: VIGIL_NONE for one token */
} VigilHyper;

/* The first token, for the whole map. */
VigilHyper vigil_hyper_of_first(VigilNet *net, VigilValue z);

/* All tokens z (section 4.2): their shares in a pixel are the softmax over them of what
 * Mobile to Former's queries q and the pixels of x give before its own softmax, the
 * mean of the heads, pooled to the size of x under `stride`.  The shares are the tap
 * "shares". */
VigilHyper vigil_hyper_of_all(VigilNet *net, VigilValue x, VigilValue q, VigilValue z,
                              int stride);

/* Dynamic ReLU whose slopes a network of two layers, `name`.hyper.0 and .2, makes of a
 * token (section 3.2). */
VigilValue vigil_hyper_relu(VigilNet *net, VigilValue x, VigilHyper hyper,
                            const char *name);

/* Mobile (section 3.2): bottlenecks of 1 x 1 and depth-wise 3 x 3 convolutions, each
 * with batch norm.  The 1 x 1 convolutions are in groups with shuffled channels where
 * groups > 1. */
typedef struct VigilBottleneck {
    int out;            /* channels */
    int stride;         /* 1 or 2 */
    int expanded;       /* channels between */
    int expanded_again; /* down only: channels in its second half */
    int groups;
} VigilBottleneck;

/* Depth-wise expansion, ReLU6, 1 x 1; without a token. */
VigilValue vigil_bottleneck_lite(VigilNet *net, VigilValue x, const VigilBottleneck *b);

/* 1 x 1 expansion, depth-wise, 1 x 1, with dynamic ReLUs between; stride 1. */
VigilValue vigil_bottleneck_same(VigilNet *net, VigilValue x, VigilHyper hyper,
                                 const VigilBottleneck *b);

/* The same, at the size of another map from before its depth-wise convolution on: to
 * there the map is resized bilinearly.  In the end that map is added through a 1 x 1
 * convolution, "lateral". */
VigilValue vigil_bottleneck_up(VigilNet *net, VigilValue x, VigilHyper hyper,
                               VigilValue finer, const VigilBottleneck *b);

/* Twice: depth-wise expansion, dynamic ReLU, 1 x 1; the second half with a skip. */
VigilValue vigil_bottleneck_down(VigilNet *net, VigilValue x, VigilHyper hyper,
                                 const VigilBottleneck *b);

#endif
