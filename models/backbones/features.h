/* Backbones as heads see them. */
#ifndef VIGIL_FEATURES_H
#define VIGIL_FEATURES_H

#include "core/net.h"

/* Maps of a backbone, shallow ones first: stage[0] is at stride 2, stage[4] at stride
 * 32 unless the head asked for less. */
typedef struct VigilFeatures {
    VigilValue stage[5];
} VigilFeatures;

/* The backbone of an EMO variant ("EMO_1M"): stages 0 (the stem) to 4, without the last
 * norm.  window: side of the attention windows where the file names none; 0: as the
 * classifier's.  A name that does not exist is an error of the net. */
void vigil_emo_features(VigilNet *net, const char *variant, int window,
                        VigilFeatures *features);

/* The backbone of a MobileViT variant of any version ("mobilevitv2_050"): stages 0 to 4
 * are its layers 1 to 5, without the classifier's last convolution.  naming: the scheme
 * of its tensors, "ml-cvnets", "timm" or "transformers"; names are relative to the
 * scope in force.  output_stride: 32, or 16 or 8 to have layer 5, or layers 4 and 5,
 * dilated instead of strided.  A variant that does not exist, or not under that naming,
 * and another stride are errors of the net. */
void vigil_mobilevit_features(VigilNet *net, const char *variant, const char *naming,
                              int output_stride, VigilFeatures *features);

/* The backbone of a Mobile-Former variant ("mobile_former_26m"): stage 0 is the stem,
 * the others are what the last block at each stride gives; the tokens go through all of
 * them.  spatial: dynamic ReLUs with slopes of each pixel, vigil_hyper_of_all().  A
 * name that does not exist is an error of the net. */
void vigil_mobile_former_features(VigilNet *net, const char *variant, bool spatial,
                                  VigilFeatures *features);

#endif
