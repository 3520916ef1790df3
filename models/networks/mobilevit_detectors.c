/*
 * SSDLite on MobileViT, versions 1 to 3, as their authors trained it on COCO: the
 * experiments of arXiv 2110.02178, 2206.02680 and 2209.15159.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "heads/heads.h"
#include "vision/detect.h"

#define SIZE 320

typedef struct Detector {
    VigilVariantRow row;
    const char *backbone;
} Detector;

#define DETECTOR(backbone) { { "ssd_" backbone, SIZE }, backbone }

static const Detector v1[] = {
    DETECTOR("mobilevit_xxs"),   DETECTOR("mobilevit_xs"),   DETECTOR("mobilevit_s"),
    DETECTOR("mobilevitv3_xxs"), DETECTOR("mobilevitv3_xs"), DETECTOR("mobilevitv3_s"),
};

static const Detector v2[] = {
    DETECTOR("mobilevitv2_050"), DETECTOR("mobilevitv2_075"),
    DETECTOR("mobilevitv2_100"), DETECTOR("mobilevitv2_125"),
    DETECTOR("mobilevitv2_150"), DETECTOR("mobilevitv2_175"),
    DETECTOR("mobilevitv2_200"), DETECTOR("mobilevitv3_050"),
    DETECTOR("mobilevitv3_075"), DETECTOR("mobilevitv3_100"),
};

static void describe(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    const Detector *d = row;
    VigilFeatures f;
    vigil_net_push(net, "encoder");
    vigil_mobilevit_features(net, d->backbone, scheme->name, 32, &f);
    vigil_net_pop(net);
    vigil_head_ssd_cvnets(net, f.stage[3], f.stage[4]);
}

/* An anchor has a box and a background beside its classes. */
#define SCHEME(order, how, rules)                                                      \
    .name = "ml-cvnets",                                                               \
    .classes_tensor = "ssd_heads.0.loc_cls_layer.pw_conv.block.conv.weight",           \
    .cell_anchors = 6, .further_rows = 4 + 1, .detect = &(rules),                      \
    .input = { .channel_order = (order),                                               \
               .std = { 1, 1, 1 },                                                     \
               .resize = VIGIL_RESIZE_STRETCH,                                         \
               .filter = (how) }

static const VigilScheme v1_scheme = { SCHEME(VIGIL_BGR, VIGIL_FILTER_POINT_BILINEAR,
                                              vigil_detect_cvnets_v1) };
static const VigilScheme v2_scheme = { SCHEME(VIGIL_RGB, VIGIL_FILTER_BILINEAR,
                                              vigil_detect_cvnets_v2) };

#define FAMILY(list, its_scheme)                                                       \
    .name = "ssd-mobilevit", .task = VIGIL_TASK_DETECTION, .variants = list,           \
    .n_variants = sizeof(list) / sizeof *(list), .row_size = sizeof *(list),           \
    .schemes = &(its_scheme), .n_schemes = 1, .describe = describe,                    \
    .label_set = "coco80", .label_count = 80

const VigilFamily vigil_family_ssd_mobilevit = { FAMILY(v1, v1_scheme) };
const VigilFamily vigil_family_ssd_mobilevitv2 = { FAMILY(v2, v2_scheme) };
