/* The MobileViT block: what versions 1 to 3 differ in. */
#ifndef VIGIL_MOBILEVIT_BLOCK_H
#define VIGIL_MOBILEVIT_BLOCK_H

#include "backbones/mobilevit_names.h"

#define MOBILEVIT_EPS 1e-5f /* of every norm */

typedef struct MobileVitUnit {
    int channels;
    int width; /* of the transformer */
    int depth; /* its layers */
} MobileVitUnit;

typedef struct MobileVitBlock {
    const MobileVitUnit *unit;
    const MobileVitNames *names;
    int dilation; /* of the depth-wise convolution of v2 and what is based on it; the
                     other two are not dilated where their layer is */
} MobileVitBlock;

/* Local 3 x 3 convolution, transformer over 2 x 2 patches, projection back to
 * unit->channels.  v1 (arXiv 2110.02178, section 3.1): a full convolution, and x is
 * fused with the result. */
VigilValue mobilevit_block_v1(VigilNet *net, VigilValue x, const MobileVitBlock *b);

/* Depth-wise convolution, separable attention, nothing fused (arXiv 2206.02680, section
 * 3.3).  Maps of odd sides are enlarged and stay so; likewise in v3 of it. */
VigilValue mobilevit_block_v2(VigilNet *net, VigilValue x, const MobileVitBlock *b);

/* v3 (arXiv 2209.15159, section 3.1) of either: depth-wise convolution, whose result is
 * fused with that of the transformer; x is added to the sum. */
VigilValue mobilevit_block_v3_after_v1(VigilNet *net, VigilValue x,
                                       const MobileVitBlock *b);
VigilValue mobilevit_block_v3_after_v2(VigilNet *net, VigilValue x,
                                       const MobileVitBlock *b);

#endif
