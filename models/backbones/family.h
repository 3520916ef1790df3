/* A family of networks: what the rest of the engine knows of one. */
#ifndef VIGIL_FAMILY_H
#define VIGIL_FAMILY_H

#include "core/net.h"

/* The first member of every family's variant row. */
typedef struct VigilVariantRow {
    const char *name; /* as published */
    int size;         /* native input: height, and width where that is 0 */
    int width;
} VigilVariantRow;

/* A naming scheme: whose code wrote the checkpoint.  It decides what tensors are called
 * and how pictures were shown to the network. */
typedef struct VigilScheme {
    const char *name;           /* "official", "timm", "ml-cvnets", "transformers" */
    const void *names;          /* what the family's describe() needs to know of it */
    const char *classes_tensor; /* [cell_anchors (classes + further_rows), ...] */
    int cell_anchors;           /* of a detector; 0: 1 */
    int further_rows;           /* background, box values; 0 for classifiers */
    VigilInput input;           /* published preprocessing; sizes are the row's */
    double crop_fraction;       /* CROP: min(height, width) / resize_shorter; 0: 1 */
    const struct VigilDetectRules *detect; /* of detectors: vision/detect.h */
    bool align_corners; /* of segmenters: how "low" becomes the size of the input */
    const char *const *ignored; /* prefixes of tensors that only training needs */
    size_t n_ignored;
} VigilScheme;

typedef struct VigilFamily {
    const char *name;
    VigilTask task;
    const void *variants; /* rows that begin with a VigilVariantRow */
    size_t n_variants, row_size;
    const VigilScheme *schemes; /* the first one is shown in listings */
    size_t n_schemes;
    /* Describes backbone and head; outputs, taps and tensors under the scheme's names.
     * Outputs of a detector: for each level its classes and its boxes, or one where
     * scheme->detect joins them; of a segmenter: logits at low resolution.  */
    void (*describe)(VigilNet *net, const void *row, const VigilScheme *scheme);
    const char *label_set; /* built-in set of the published checkpoints */
    int label_count;       /* used when the file has as many classes */
} VigilFamily;

/* One network: what a file is recognised as. */
typedef struct VigilArchitecture {
    const VigilFamily *family;
    const VigilScheme *scheme;
    const VigilVariantRow *row;
} VigilArchitecture;

static inline const VigilVariantRow *vigil_family_row(const VigilFamily *f, size_t i)
{
    return (const VigilVariantRow *)((const char *)f->variants + i * f->row_size);
}

static inline int vigil_native_width(const VigilVariantRow *row)
{
    return row->width ? row->width : row->size;
}

/* All families, NULL-terminated. */
extern const VigilFamily *const vigil_families[];

extern const VigilFamily vigil_family_emo, vigil_family_mobile_former,
    vigil_family_mobilevit, vigil_family_mobilevitv2, vigil_family_mobilevitv3_after_v1,
    vigil_family_mobilevitv3_after_v2;
extern const VigilFamily vigil_family_ssdlite_emo, vigil_family_retinanet_emo,
    vigil_family_deeplabv3_emo, vigil_family_pspnet_emo;
extern const VigilFamily vigil_family_retinanet_mobile_former,
    vigil_family_e2e_mobile_former;
extern const VigilFamily vigil_family_ssd_mobilevit, vigil_family_ssd_mobilevitv2;
extern const VigilFamily vigil_family_deeplabv3_mobilevit,
    vigil_family_deeplabv3_mobilevitv2_voc, vigil_family_deeplabv3_mobilevitv2_ade20k,
    vigil_family_deeplabv3_mobilevitv3_after_v1,
    vigil_family_deeplabv3_mobilevitv3_after_v2_voc,
    vigil_family_deeplabv3_mobilevitv3_after_v2_ade20k,
    vigil_family_pspnet_mobilevit_voc, vigil_family_pspnet_mobilevit_ade20k;

#endif
