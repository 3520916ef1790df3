/*
 * Segmenters over EMO: Zhang et al., "Rethinking Mobile Block for Efficient
 * Attention-based Models", ICCV 2023 (arXiv 2301.01146), section 4.2, as published with
 * mmsegmentation; trained on ADE20K.
 *
 * Published: the shorter side 512, the size follows the picture.  Here the size is
 * fixed and what is left of it is padding.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "heads/heads.h"

#define CHANNELS 256
#define EPS 1e-5f

typedef struct EmoSegmenter {
    VigilVariantRow row;
    const char *backbone;
    int window; /* of its attention */
} EmoSegmenter;

static const VigilConvNormNames conv_norm = { "conv", "bn" };

static const char *const training_only[] = { "auxiliary_head." };

static VigilValue backbone(VigilNet *net, const EmoSegmenter *s)
{
    VigilFeatures f = { 0 };
    vigil_net_push(net, "backbone");
    vigil_emo_features(net, s->backbone, s->window, &f);
    vigil_net_pop(net);
    return f.stage[4];
}

static const VigilScheme scheme = {
    .name = "mmsegmentation",
    .classes_tensor = "decode_head.conv_seg.weight",
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_LETTERBOX,
               .filter = VIGIL_FILTER_POINT_BILINEAR },
    .ignored = training_only,
    .n_ignored = 1,
};

/* ---- DeepLabv3 --------------------------------------------------------------------
 */

static const EmoSegmenter deeplabv3[] = {
    { { "deeplabv3_emo_1M", 512 }, "EMO_1M", 7 },
    { { "deeplabv3_emo_2M", 512 }, "EMO_2M", 7 },
    { { "deeplabv3_emo_5M", 512 }, "EMO_5M", 16 },
};

static void describe_deeplabv3(VigilNet *net, const void *row,
                               const VigilScheme *published)
{
    static const VigilAspp aspp = { .channels = CHANNELS,
                                    .rate = { 12, 24, 36 },
                                    .pool_first = true,
                                    .project_kernel = 3,
                                    .eps = EPS,
                                    .convolution = "aspp_modules.",
                                    .pool = "image_pool.1",
                                    .project = "bottleneck",
                                    .names = &conv_norm };
    VigilValue x = backbone(net, row);
    vigil_net_push(net, "decode_head");
    x = vigil_aspp(net, x, &aspp);
    vigil_net_pop(net);
    vigil_head_segmenter(net, x, "decode_head.conv_seg", published->align_corners);
}

const VigilFamily vigil_family_deeplabv3_emo = {
    .name = "deeplabv3-emo",
    .task = VIGIL_TASK_SEGMENTATION,
    .variants = deeplabv3,
    .n_variants = sizeof deeplabv3 / sizeof *deeplabv3,
    .row_size = sizeof *deeplabv3,
    .schemes = &scheme,
    .n_schemes = 1,
    .describe = describe_deeplabv3,
    .label_set = "ade20k150",
    .label_count = 150,
};

/* ---- PSPNet -----------------------------------------------------------------------
 */

static const EmoSegmenter pspnet[] = {
    { { "pspnet_emo_1M", 512 }, "EMO_1M", 7 },
    { { "pspnet_emo_2M", 512 }, "EMO_2M", 7 },
    { { "pspnet_emo_5M", 512 }, "EMO_5M", 16 },
};

static void describe_pspnet(VigilNet *net, const void *row,
                            const VigilScheme *published)
{
    static const VigilPsp psp = { .branch_channels = CHANNELS,
                                  .channels = CHANNELS,
                                  .eps = EPS,
                                  .branch = "psp_modules.",
                                  .inner = "1",
                                  .fusion = "bottleneck",
                                  .names = &conv_norm };
    VigilValue x = backbone(net, row);
    vigil_net_push(net, "decode_head");
    x = vigil_psp(net, x, &psp);
    vigil_net_pop(net);
    vigil_head_segmenter(net, x, "decode_head.conv_seg", published->align_corners);
}

const VigilFamily vigil_family_pspnet_emo = {
    .name = "pspnet-emo",
    .task = VIGIL_TASK_SEGMENTATION,
    .variants = pspnet,
    .n_variants = sizeof pspnet / sizeof *pspnet,
    .row_size = sizeof *pspnet,
    .schemes = &scheme,
    .n_schemes = 1,
    .describe = describe_pspnet,
    .label_set = "ade20k150",
    .label_count = 150,
};
