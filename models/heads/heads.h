/* What turns features into answers. */
#ifndef VIGIL_HEADS_H
#define VIGIL_HEADS_H

#include "core/net.h"

/* Mean over pixels, then one linear layer `name` [classes, c]: the output "logits". */
void vigil_head_classifier(VigilNet *net, VigilValue features, const char *name);

/* SSDLite of ml-cvnets (Liu et al., "SSD", ECCV 2016, with the separable convolutions
 * of Sandler et al., "MobileNetV2", section 6.2) on maps at strides 16 and 32 of the
 * input: the outputs "level0" to "level5", at strides 16, 32, 64, 128 and 256 and of
 * one pixel. Each is [h][w][anchors of a cell][4 + 1 + classes]: box, background,
 * classes; with all anchors of vigil_anchors_cvnets_ssd in their order, as
 * vigil_detect_cvnets_v1 and _v2 read them (vision/detect.h). */
void vigil_head_ssd_cvnets(VigilNet *net, VigilValue stride16, VigilValue stride32);

#endif
