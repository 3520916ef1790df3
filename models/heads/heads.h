/* What turns features into answers. */
#ifndef VIGIL_HEADS_H
#define VIGIL_HEADS_H

#include "blocks/blocks.h"
#include "core/net.h"

/* Mean over pixels, then one linear layer `name` [classes, c]: the output "logits". */
void vigil_head_classifier(VigilNet *net, VigilValue features, const char *name);

/* ---- Detectors -------------------------------------------------------------------
 *
 * For each level l the outputs "cls_l" [h][w][anchors * (classes, background)] and
 * "reg_l" [h][w][anchors * 4], each anchor's values side by side. */

#define VIGIL_SSD_LEVELS 6
#define VIGIL_RETINANET_LEVELS 5

/* SSDLite (Liu et al., "SSD", ECCV 2016, section 2; Sandler et al., "MobileNetV2", CVPR
 * 2018, section 6.2) as mmdetection has it, over maps of strides 16 and 32: four
 * further levels "neck.extra_layers.i", then "bbox_head.{cls,reg}_convs.l" with 6
 * anchors and a background. */
void vigil_head_ssdlite(VigilNet *net, VigilValue stride16, VigilValue stride32);

/* RetinaNet (Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 4)
 * as mmdetection has it: a pyramid over maps of strides 8, 16 and 32 with two further
 * levels from the last of these ("neck"), and one head that all levels share
 * ("bbox_head"), 9 anchors, no background. */
void vigil_head_retinanet(VigilNet *net, const VigilValue map[3]);

/* SSDLite as ml-cvnets has it, over maps of strides 16 and 32: four further levels
 * "extra_layers", the last of one pixel, then "ssd_heads.l" with the anchors of
 * vigil_anchors_cvnets_ssd (vision/anchors.h).  Unlike the two above its outputs are
 * "level_l" [h][w][anchors * (4, background, classes)], as `joined` rules read them. */
void vigil_head_ssd_cvnets(VigilNet *net, VigilValue stride16, VigilValue stride32);

/* The head of E2E-MF (Chen et al., "Mobile-Former", CVPR 2022, section 4.2): object
 * queries in the place of tokens, in blocks of Mobile-Former that begin at stride 32
 * and go on at 16 and 8.  networks/mobile_former_detectors.md tells its parts. */
typedef struct VigilE2EHead {
    int width;     /* channels of its maps */
    int blocks[3]; /* at strides 32, 16 and 8; 0: the head ends before */
} VigilE2EHead;

/* Over maps of strides 8, 16 and 32, under "head".  Each of 100 queries predicts one
 * object or none: "cls_0" [1][100][classes, no object] and "reg_0" [1][100][4], centre
 * x, y, width and height in fractions of the input. */
void vigil_head_e2e_mobile_former(VigilNet *net, const VigilValue map[3],
                                  const VigilE2EHead *head);

/* ---- Segmenters ------------------------------------------------------------------ */

/* Atrous spatial pyramid pooling (Chen et al., "Rethinking Atrous Convolution for
 * Semantic Image Segmentation", 2017, section 3.3): side by side
 *     ReLU(BN(conv 1 x 1)), three ReLU(BN(conv 3 x 3 at rate r)),
 *     ReLU(BN(conv 1 x 1 of the mean over pixels)), spread over the map
 * then ReLU(BN(conv)), `project`. */
typedef struct VigilAspp {
    int channels; /* of each of the five and of the result */
    int rate[3];
    bool pool_first;         /* of the five the pooled one comes first, else last */
    int project_kernel;      /* 1 or 3 */
    float eps;               /* of the batch norms */
    const char *convolution; /* names: `convolution`0 to 3, */
    const char *pool, *project;
    const char *spread; /* of the pooled one when it is spread, for taps; NULL: none */
    const VigilConvNormNames *names; /* below each */
} VigilAspp;

VigilValue vigil_aspp(VigilNet *net, VigilValue x, const VigilAspp *aspp);

/* Pyramid pooling (Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, section
 * 3.2): x beside four branches, ReLU(BN(conv 1 x 1)) of x pooled to 1, 2, 3 and 6 cells
 * a side and resized to x, then ReLU(BN(conv 3 x 3)), `fusion`. */
typedef struct VigilPsp {
    int branch_channels, channels; /* of a branch, of the result */
    bool align_corners;            /* of the resize */
    float eps;
    const char *branch, *inner; /* names: `branch`0.`inner` to 3 */
    const char *fusion;
    const VigilConvNormNames *names;
} VigilPsp;

VigilValue vigil_psp(VigilNet *net, VigilValue x, const VigilPsp *psp);

/* A 1 x 1 convolution with bias, `name`: the output "low" [h][w][classes].  On demand
 * the tap "seg", the same resized bilinearly to the size of the input. */
void vigil_head_segmenter(VigilNet *net, VigilValue x, const char *name,
                          bool align_corners);

#endif
