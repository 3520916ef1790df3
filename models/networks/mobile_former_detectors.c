/*
 * Detectors over Mobile-Former: Chen et al., "Mobile-Former: Bridging MobileNet and
 * Transformer", CVPR 2022 (arXiv 2108.05895), section 4.2.  Nothing of them was
 * published but the paper: mobile_former_detectors.md tells what is from there and what
 * is chosen here.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "heads/heads.h"
#include "vision/detect.h"

static void backbone(VigilNet *net, const char *variant, bool spatial,
                     VigilFeatures *features)
{
    vigil_net_push(net, "backbone");
    vigil_mobile_former_features(net, variant, spatial, features);
    vigil_net_pop(net);
}

/* The shorter side 800 unless the longer one would exceed 1333, which is padded here to
 * what is left of a multiple of 32. */
#define SIZE 800, 1344

/* ---- RetinaNet --------------------------------------------------------------------
 */

typedef struct RetinaNet {
    VigilVariantRow row;
    const char *backbone;
} RetinaNet;

static const RetinaNet retinanet[] = {
    { { "retinanet_mobile_former_26m", SIZE }, "mobile_former_26m" },
    { { "retinanet_mobile_former_52m", SIZE }, "mobile_former_52m" },
    { { "retinanet_mobile_former_96m", SIZE }, "mobile_former_96m" },
    { { "retinanet_mobile_former_151m", SIZE }, "mobile_former_151m" },
    { { "retinanet_mobile_former_214m", SIZE }, "mobile_former_214m" },
    { { "retinanet_mobile_former_294m", SIZE }, "mobile_former_294m" },
    { { "retinanet_mobile_former_508m", SIZE }, "mobile_former_508m" },
};

static void describe_retinanet(VigilNet *net, const void *row,
                               const VigilScheme *scheme)
{
    const RetinaNet *d = row;
    VigilFeatures f = { 0 };
    backbone(net, d->backbone, false, &f);
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
               .filter = VIGIL_FILTER_BILINEAR },
    .detect = &vigil_detect_mmdet_retinanet,
};

const VigilFamily vigil_family_retinanet_mobile_former = {
    .name = "retinanet-mobile-former",
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

/* ---- E2E-MF -----------------------------------------------------------------------
 */

typedef struct E2E {
    VigilVariantRow row;
    const char *backbone;
    VigilE2EHead head;
} E2E;

static const E2E e2e[] = {
    { { "e2e_mobile_former_151m", SIZE }, "mobile_former_151m", { 128, { 5, 4 } } },
    { { "e2e_mobile_former_214m", SIZE }, "mobile_former_214m", { 160, { 5, 4 } } },
    { { "e2e_mobile_former_294m", SIZE }, "mobile_former_294m", { 160, { 5, 2, 2 } } },
    { { "e2e_mobile_former_508m", SIZE }, "mobile_former_508m", { 224, { 5, 2, 2 } } },
};

static void describe_e2e(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    const E2E *d = row;
    VigilFeatures f = { 0 };
    backbone(net, d->backbone, true, &f);
    vigil_head_e2e_mobile_former(net, f.stage + 2, &d->head);
}

static const VigilScheme e2e_scheme = {
    .name = "vigil",
    .classes_tensor = "head.class_embed.weight",
    .further_rows = 1,
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_LETTERBOX,
               .filter = VIGIL_FILTER_BILINEAR },
    .detect = &vigil_detect_set,
};

const VigilFamily vigil_family_e2e_mobile_former = {
    .name = "e2e-mobile-former",
    .task = VIGIL_TASK_DETECTION,
    .variants = e2e,
    .n_variants = sizeof e2e / sizeof *e2e,
    .row_size = sizeof *e2e,
    .schemes = &e2e_scheme,
    .n_schemes = 1,
    .describe = describe_e2e,
    .label_set = "coco80",
    .label_count = 80,
};
