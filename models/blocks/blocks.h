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

/* Squeeze-excite (Hu et al., CVPR 2018) at full width: x scaled by
 * sigmoid(W_e SiLU(W_r mean(x))), weights `name`.conv_reduce and `name`.conv_expand. */
VigilValue vigil_squeeze_excite(VigilNet *net, VigilValue x, const char *name);

#endif
