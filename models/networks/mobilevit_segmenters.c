/*
 * DeepLabv3 and PSPNet on MobileViT, versions 1 to 3, as their authors trained them on
 * Pascal VOC and ADE20K: the experiments of arXiv 2110.02178, 2206.02680 and
 * 2209.15159.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "heads/heads.h"

#define SIZE 512
#define EPS 1e-5f

typedef struct Names {
    const char *encoder; /* scope of the backbone */
    const char *head;    /* scope of the pyramid */
    VigilConvNormNames conv_norm;
    /* As in VigilAspp and VigilPsp. */
    const char *convolution, *pool, *spread, *project;
    const char *branch, *inner, *fusion;
    const char *classifier;
} Names;

/* What is put on a backbone. */
typedef struct Head Head;
struct Head {
    VigilValue (*pyramid)(VigilNet *net, VigilValue x, const Head *h, const Names *n);
    int output_stride, channels;
    int rate[3]; /* of DeepLabv3 */
};

typedef struct Segmenter {
    VigilVariantRow row;
    const char *backbone;
    const Head *head;
} Segmenter;

/* ---- Pyramids ----------------------------------------------------------------------
 */

static VigilValue deeplabv3(VigilNet *net, VigilValue x, const Head *h, const Names *n)
{
    VigilAspp aspp = { .channels = h->channels,
                       .rate = { h->rate[0], h->rate[1], h->rate[2] },
                       .project_kernel = 1,
                       .eps = EPS,
                       .convolution = n->convolution,
                       .pool = n->pool,
                       .spread = n->spread,
                       .project = n->project,
                       .names = &n->conv_norm };
    x = vigil_aspp(net, x, &aspp);
    vigil_net_alias(net, x, "aspp");
    return x;
}

static VigilValue pspnet(VigilNet *net, VigilValue x, const Head *h, const Names *n)
{
    VigilPsp psp = { .branch_channels = vigil_net_shape(net, x).c / 4 / 16 * 16,
                     .channels = h->channels,
                     .align_corners = true,
                     .eps = EPS,
                     .branch = n->branch,
                     .inner = n->inner,
                     .fusion = n->fusion,
                     .names = &n->conv_norm };
    x = vigil_psp(net, x, &psp);
    vigil_net_alias(net, x, "psp_layer");
    return x;
}

/* ---- Variants ----------------------------------------------------------------------
 */

static const Head v1_head = { deeplabv3, 16, 256, { 6, 12, 18 } };
static const Head deeplabv3_voc = { deeplabv3, 16, 512, { 6, 12, 18 } };
static const Head deeplabv3_ade20k = { deeplabv3, 8, 512, { 12, 24, 36 } };
static const Head pspnet_voc = { pspnet, 16, 512, { 0 } };
static const Head pspnet_ade20k = { pspnet, 8, 512, { 0 } };

#define V1(backbone) { { "deeplabv3_" backbone, SIZE }, backbone, &v1_head }
#define ON(head, backbone, data)                                                       \
    { { #head "_" backbone "_" #data, SIZE }, backbone, &head##_##data }
#define ON_V2(head, data)                                                              \
    ON(head, "mobilevitv2_050", data), ON(head, "mobilevitv2_075", data),              \
        ON(head, "mobilevitv2_100", data), ON(head, "mobilevitv2_125", data),          \
        ON(head, "mobilevitv2_150", data), ON(head, "mobilevitv2_175", data),          \
        ON(head, "mobilevitv2_200", data)
#define ON_V3(head, data)                                                              \
    ON(head, "mobilevitv3_050", data), ON(head, "mobilevitv3_075", data),              \
        ON(head, "mobilevitv3_100", data)

static const Segmenter v1[] = { V1("mobilevit_xxs"), V1("mobilevit_xs"),
                                V1("mobilevit_s") };
static const Segmenter v3_after_v1[] = { V1("mobilevitv3_xxs"), V1("mobilevitv3_xs"),
                                         V1("mobilevitv3_s") };
static const Segmenter v2_voc[] = { ON_V2(deeplabv3, voc) };
static const Segmenter v2_ade20k[] = { ON_V2(deeplabv3, ade20k) };
static const Segmenter v3_after_v2_voc[] = { ON_V3(deeplabv3, voc) };
static const Segmenter v3_after_v2_ade20k[] = { ON_V3(deeplabv3, ade20k) };
static const Segmenter psp_voc[] = { ON_V2(pspnet, voc), ON_V3(pspnet, voc) };
static const Segmenter psp_ade20k[] = { ON_V2(pspnet, ade20k), ON_V3(pspnet, ade20k) };

static void describe(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    const Segmenter *s = row;
    const Names *n = scheme->names;
    VigilFeatures f;
    vigil_net_push(net, "%s", n->encoder);
    vigil_mobilevit_features(net, s->backbone, scheme->name, s->head->output_stride,
                             &f);
    vigil_net_pop(net);
    vigil_net_push(net, "%s", n->head);
    VigilValue x = s->head->pyramid(net, f.stage[4], s->head, n);
    vigil_net_pop(net);
    vigil_head_segmenter(net, x, n->classifier, scheme->align_corners);
}

/* ---- Schemes -----------------------------------------------------------------------
 */

#define CVNETS                                                                         \
    .encoder = "encoder", .head = "seg_head",                                          \
    .conv_norm = { "block.conv", "block.norm" },                                       \
    .convolution = "aspp.aspp_layer.convs.",                                           \
    .pool = "aspp.aspp_layer.convs.4.aspp_pool.conv_1x1",                              \
    .spread = "aspp.aspp_layer.convs.4", .project = "aspp.aspp_layer.project",         \
    .branch = "psp_layer.psp_branches.", .inner = "1", .fusion = "psp_layer.fusion.0"

static const Names cvnets_v1 = { CVNETS,
                                 .classifier =
                                     "seg_head.classifier.classifier.block.conv" };
static const Names cvnets_v2 = { CVNETS,
                                 .classifier = "seg_head.classifier.block.conv" };
static const Names transformers = {
    .encoder = "",
    .head = "segmentation_head",
    .conv_norm = { "convolution", "normalization" },
    .convolution = "aspp.convs.",
    .pool = "aspp.convs.4.conv_1x1",
    .spread = "aspp.convs.4",
    .project = "aspp.project",
    .classifier = "segmentation_head.classifier.convolution",
};

#define INPUT(order, rule, how)                                                        \
    .input = { .channel_order = (order),                                               \
               .std = { 1, 1, 1 },                                                     \
               .resize = (rule),                                                       \
               .filter = (how) }

/* The heads that only training looks at. */
static const char *const auxiliary[] = { "seg_head.aux_head." };

#define TRANSFORMERS(corners)                                                          \
    { .name = "transformers",                                                          \
      .names = &transformers,                                                          \
      .classes_tensor = "segmentation_head.classifier.convolution.weight",             \
      INPUT(VIGIL_BGR, VIGIL_RESIZE_CROP, VIGIL_FILTER_BILINEAR),                      \
      .crop_fraction = SIZE / (SIZE + 32.0),                                           \
      .align_corners = (corners) }

static const VigilScheme v1_schemes[] = {
    { .name = "ml-cvnets",
      .names = &cvnets_v1,
      .classes_tensor = "seg_head.classifier.classifier.block.conv.weight",
      INPUT(VIGIL_BGR, VIGIL_RESIZE_STRETCH, VIGIL_FILTER_POINT_BILINEAR),
      .ignored = auxiliary,
      .n_ignored = 1 },
    TRANSFORMERS(false),
};

static const VigilScheme v2_schemes[] = {
    { .name = "ml-cvnets",
      .names = &cvnets_v2,
      .classes_tensor = "seg_head.classifier.block.conv.weight",
      INPUT(VIGIL_RGB, VIGIL_RESIZE_STRETCH, VIGIL_FILTER_BILINEAR),
      .align_corners = true,
      .ignored = auxiliary,
      .n_ignored = 1 },
    TRANSFORMERS(true),
};

/* The first `count` of the schemes; v3 and PSPNet have no names of transformers. */
#define FAMILY(its_name, list, its_schemes, count)                                     \
    .name = (its_name), .task = VIGIL_TASK_SEGMENTATION, .variants = list,             \
    .n_variants = sizeof(list) / sizeof *(list), .row_size = sizeof *(list),           \
    .schemes = its_schemes, .n_schemes = (count), .describe = describe
#define DEEPLABV3(list, its_schemes, count)                                            \
    FAMILY("deeplabv3-mobilevit", list, its_schemes, count)
#define PSPNET(list) FAMILY("pspnet-mobilevit", list, v2_schemes, 1)
#define VOC .label_set = "voc21", .label_count = 21
#define ADE20K .label_set = "ade20k150", .label_count = 150

const VigilFamily vigil_family_deeplabv3_mobilevit = { DEEPLABV3(v1, v1_schemes, 2),
                                                       VOC };
const VigilFamily vigil_family_deeplabv3_mobilevitv3_after_v1 = {
    DEEPLABV3(v3_after_v1, v1_schemes, 1), VOC
};
const VigilFamily vigil_family_deeplabv3_mobilevitv2_voc = {
    DEEPLABV3(v2_voc, v2_schemes, 2), VOC
};
const VigilFamily vigil_family_deeplabv3_mobilevitv2_ade20k = {
    DEEPLABV3(v2_ade20k, v2_schemes, 2), ADE20K
};
const VigilFamily vigil_family_deeplabv3_mobilevitv3_after_v2_voc = {
    DEEPLABV3(v3_after_v2_voc, v2_schemes, 1), VOC
};
const VigilFamily vigil_family_deeplabv3_mobilevitv3_after_v2_ade20k = {
    DEEPLABV3(v3_after_v2_ade20k, v2_schemes, 1), ADE20K
};
const VigilFamily vigil_family_pspnet_mobilevit_voc = { PSPNET(psp_voc), VOC };
const VigilFamily vigil_family_pspnet_mobilevit_ade20k = { PSPNET(psp_ade20k), ADE20K };
