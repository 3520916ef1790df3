/*
 * EMO: Zhang et al., "Rethinking Mobile Block for Efficient Attention-based Models",
 * ICCV 2023 (arXiv 2301.01146), section 3.3 and table 2; tensors under the names of the
 * published checkpoints.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "blocks/blocks.h"
#include "heads/heads.h"

#include <string.h>

#define STEM_CHANNELS 24
#define WINDOW 7
#define EPS 1e-6f

typedef struct EmoStage {
    int blocks, channels;
    float expansion; /* of all blocks but the first, which expands twice as much */
    int head_width;  /* channels of an attention head; 0: no attention */
} EmoStage;

typedef struct EmoVariant {
    VigilVariantRow row;
    EmoStage stage[4];
} EmoVariant;

static const EmoVariant variants[] = {
    { { "EMO_1M", 224 },
      { { 2, 32, 2, 0 }, { 2, 48, 2.5f, 0 }, { 8, 80, 3, 20 }, { 3, 168, 3.5f, 21 } } },
    { { "EMO_2M", 224 },
      { { 3, 32, 2, 0 },
        { 3, 48, 2.5f, 0 },
        { 9, 120, 3, 20 },
        { 3, 200, 3.5f, 20 } } },
    { { "EMO_5M", 224 },
      { { 3, 48, 2, 0 }, { 3, 72, 3, 0 }, { 9, 160, 4, 32 }, { 3, 288, 4, 32 } } },
    { { "EMO_6M", 224 },
      { { 3, 48, 2, 0 }, { 3, 72, 3, 0 }, { 9, 160, 4, 20 }, { 3, 320, 5, 32 } } },
};

static VigilValue stem(VigilNet *net)
{
    VigilValue x = vigil_net_input(net);
    vigil_net_push(net, "stage0.0");
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "convs.0.0",
                                      .norm = "convs.0.1",
                                      .eps = EPS,
                                      .out = STEM_CHANNELS,
                                      .kernel = 3,
                                      .stride = 2,
                                      .bias = true });
    vigil_net_name(net, x, "");
    vigil_net_pop(net);

    vigil_net_push(net, "stage0.1");
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "conv_local.conv",
                                      .norm = "conv_local.norm",
                                      .eps = EPS,
                                      .kernel = 3,
                                      .depthwise = true,
                                      .activation = VIGIL_SILU });
    x = vigil_squeeze_excite(net, x, "se");
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "proj.conv", .out = STEM_CHANNELS });
    vigil_net_name(net, x, "");
    vigil_net_pop(net);
    return x;
}

static VigilValue block(VigilNet *net, VigilValue x, const EmoStage *s, bool first,
                        int window)
{
    int in = vigil_net_shape(net, x).c;
    bool late = s->head_width != 0;
    return vigil_irmb(
        net, x,
        &(VigilIrmb) { .out = s->channels,
                       .expanded = (int)((float)in * s->expansion * (first ? 2 : 1)),
                       .kernel = late ? 5 : 3,
                       .stride = first ? 2 : 1,
                       .late = late,
                       .heads = late && !first ? s->channels / s->head_width : 0,
                       .window = window });
}

static void backbone(VigilNet *net, const EmoVariant *v, int window, VigilFeatures *f)
{
    if (vigil_net_config(net)->window)
        window = vigil_net_config(net)->window;
    VigilValue x = f->stage[0] = stem(net);
    for (int s = 0; s < 4; s++) {
        for (int j = 0; j < v->stage[s].blocks; j++) {
            vigil_net_push(net, "stage%d.%d", s + 1, j);
            x = block(net, x, &v->stage[s], j == 0, window);
            vigil_net_name(net, x, "");
            vigil_net_pop(net);
        }
        f->stage[s + 1] = x;
    }
}

void vigil_emo_features(VigilNet *net, const char *variant, int window,
                        VigilFeatures *features)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (!strcmp(variants[i].row.name, variant)) {
            backbone(net, &variants[i], window ? window : WINDOW, features);
            return;
        }
    vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "no backbone '%s'", variant);
}

static void describe(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    VigilFeatures f;
    backbone(net, row, WINDOW, &f);
    VigilValue x = vigil_net_layer_norm(net, f.stage[4], "norm.norm", EPS);
    vigil_head_classifier(net, vigil_net_name(net, x, "norm"), "head");
}

static const VigilScheme scheme = {
    .name = "official",
    .classes_tensor = "head.weight",
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_CROP,
               .filter = VIGIL_FILTER_BICUBIC },
    .crop_fraction = 0.875,
};

const VigilFamily vigil_family_emo = {
    .name = "emo",
    .variants = variants,
    .n_variants = sizeof variants / sizeof *variants,
    .row_size = sizeof *variants,
    .schemes = &scheme,
    .n_schemes = 1,
    .describe = describe,
    .label_set = "imagenet1k",
    .label_count = 1000,
};
