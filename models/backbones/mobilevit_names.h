/* What the tensors of MobileViT v1 to v3 are called by those who publish them. */
#ifndef VIGIL_MOBILEVIT_NAMES_H
#define VIGIL_MOBILEVIT_NAMES_H

#include "blocks/blocks.h"

typedef struct MobileVitNames {
    VigilConvNormNames conv_norm; /* below the name of each convolution with its norm */
    const char *stem;
    const char *layer; /* what comes before the number of a layer, ... */
    int first_layer;   /* ... which begins here */

    /* In a layer. */
    const char *residual; /* before the number of an inverted residual of layers 1, 2 */
    const char *down;     /* the one of layers 3 to 5 */
    const char *unit;     /* the MobileViT block; "": the layer itself */

    /* In an inverted residual. */
    const char *expand, *depthwise, *reduce;

    /* In a MobileViT block. */
    const char *local_spatial, *local_pointwise;
    const char *transformer; /* before the number of a layer of the transformer */
    const char *final_norm;  /* NULL: as if it were a further layer */
    const char *projection;
    const char *fusion; /* v1 and what is based on it */
    VigilTransformerNames in_transformer;

    const char *final_conv; /* v1 and what is based on it */
    const char *classifier;
} MobileVitNames;

/* Of the authors' library, v3 included; of timm; of Hugging Face's transformers. */
extern const MobileVitNames mobilevit_names_cvnets, mobilevit_names_timm,
    mobilevit_names_transformers;
extern const MobileVitNames mobilevitv2_names_cvnets, mobilevitv2_names_timm,
    mobilevitv2_names_transformers;

#endif
