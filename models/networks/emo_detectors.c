/*
 * Detectors over EMO: Zhang et al., "Rethinking Mobile Block for Efficient
 * Attention-based Models", ICCV 2023 (arXiv 2301.01146), section 4.2, as published with
 * mmdetection; trained on COCO.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "heads/heads.h"
#include "vision/detect.h"

typedef struct EmoDetector {
    VigilVariantRow row;
    const char *backbone;
    int window; /* of its attention */
} EmoDetector;

static void backbone(VigilNet *net, const EmoDetector *d, VigilFeatures *f)
{
    vigil_net_push(net, "backbone");
    vigil_emo_features(net, d->backbone, d->window, f);
    vigil_net_pop(net);
}

/* ---- SSDLite ----------------------------------------------------------------------
 */

static const EmoDetector ssdlite[] = {
    { { "ssdlite_emo_1M", 320 }, "EMO_1M", 7 },
    { { "ssdlite_emo_2M", 320 }, "EMO_2M", 7 },
    { { "ssdlite_emo_5M", 320 }, "EMO_5M", 10 },
};

static void describe_ssdlite(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    VigilFeatures f = { 0 };
    backbone(net, row, &f);
    vigil_head_ssdlite(net, f.stage[3], f.stage[4]);
}

static const VigilScheme ssdlite_scheme = {
    .name = "mmdetection",
    .classes_tensor = "bbox_head.cls_convs.0.1.weight",
    .cell_anchors = 6,
    .further_rows = 1,
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_STRETCH,
               .filter = VIGIL_FILTER_POINT_BILINEAR },
    .detect = &vigil_detect_mmdet_ssd,
};

const VigilFamily vigil_family_ssdlite_emo = {
    .name = "ssdlite-emo",
    .task = VIGIL_TASK_DETECTION,
    .variants = ssdlite,
    .n_variants = sizeof ssdlite / sizeof *ssdlite,
    .row_size = sizeof *ssdlite,
    .schemes = &ssdlite_scheme,
    .n_schemes = 1,
    .describe = describe_ssdlite,
    .label_set = "coco80",
    .label_count = 80,
};

/* ---- RetinaNet --------------------------------------------------------------------
 */

/* Published: the shorter side 800 unless the longer one would exceed 1333, padded on
 * the right and below to multiples of 32.  Here the size is fixed, and what is left of
 * it lies on both sides. */
static const EmoDetector retinanet[] = {
    { { "retinanet_emo_1M", 800, 1344 }, "EMO_1M", 7 },
    { { "retinanet_emo_2M", 800, 1344 }, "EMO_2M", 7 },
    { { "retinanet_emo_5M", 800, 1344 }, "EMO_5M", 10 },
};

static void describe_retinanet(VigilNet *net, const void *row,
                               const VigilScheme *scheme)
{
    VigilFeatures f = { 0 };
    backbone(net, row, &f);
    vigil_head_retinanet(net, f.stage + 2);
}

static const VigilScheme retinanet_scheme = {
    .name = "mmdetection",
    .classes_tensor = "bbox_head.retina_cls.weight",
    .cell_anchors = 9,
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_LETTERBOX,
               .filter = VIGIL_FILTER_POINT_BILINEAR },
    .detect = &vigil_detect_mmdet_retinanet,
};

const VigilFamily vigil_family_retinanet_emo = {
    .name = "retinanet-emo",
    .task = VIGIL_TASK_DETECTION,
    .variants = retinanet,
    .n_variants = sizeof retinanet / sizeof *retinanet,
    .row_size = sizeof *retinanet,
    .schemes = &retinanet_scheme,
    .n_schemes = 1,
    .describe = describe_retinanet,
    .label_set = "coco80",
    .label_count = 80,
};
