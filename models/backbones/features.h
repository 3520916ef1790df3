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
 * norm.  window: side of the attention windows, 0: as the classifier's.  A name that
 * does not exist is an error of the net. */
void vigil_emo_features(VigilNet *net, const char *variant, int window,
                        VigilFeatures *features);

#endif
