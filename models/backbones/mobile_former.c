/*
 * Mobile-Former: Chen et al., "Mobile-Former: Bridging MobileNet and Transformer", CVPR
 * 2022 (arXiv 2108.05895), section 3; tensors under the names of the published
 * checkpoints.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "blocks/blocks.h"

#include <stdio.h>
#include <string.h>

#define EPS 1e-5f
#define MOST_BLOCKS 12

typedef enum Kind { NONE, LITE, SAME, DOWN } Kind;

typedef struct Block {
    Kind kind;
    int out, stride, expanded, expanded_again; /* as in VigilBottleneck */
} Block;

typedef struct MobileFormerVariant {
    VigilVariantRow row;
    struct {
        int stem;          /* channels */
        int tokens, width; /* how many, and channels of each */
        int hidden;        /* channels before the last layer */
        int groups;        /* of all 1 x 1 convolutions */
    };
    Block block[MOST_BLOCKS];
} MobileFormerVariant;

static const MobileFormerVariant variants[] = {
    { { "mobile_former_26m", 224 },
      { 8, 3, 128, 1024, 4 },
      { { LITE, 12, 2, 24 },
        { SAME, 12, 1, 36 },
        { DOWN, 24, 2, 72, 96 },
        { SAME, 24, 1, 72 },
        { DOWN, 48, 2, 144, 192 },
        { SAME, 48, 1, 192 },
        { SAME, 64, 1, 288 },
        { DOWN, 96, 2, 384, 384 },
        { SAME, 96, 1, 576 } } },
    { { "mobile_former_52m", 224 },
      { 8, 3, 128, 1024, 1 },
      { { LITE, 12, 2, 24 },
        { SAME, 12, 1, 36 },
        { DOWN, 24, 2, 72, 96 },
        { SAME, 24, 1, 72 },
        { DOWN, 48, 2, 144, 192 },
        { SAME, 48, 1, 192 },
        { SAME, 64, 1, 288 },
        { DOWN, 96, 2, 384, 384 },
        { SAME, 96, 1, 576 } } },
    { { "mobile_former_96m", 224 },
      { 12, 4, 128, 1280, 1 },
      { { LITE, 12, 1, 24 },
        { DOWN, 16, 2, 72, 64 },
        { DOWN, 32, 2, 96, 128 },
        { SAME, 32, 1, 96 },
        { DOWN, 64, 2, 192, 256 },
        { SAME, 64, 1, 256 },
        { SAME, 88, 1, 384 },
        { DOWN, 128, 2, 528, 512 },
        { SAME, 128, 1, 768 } } },
    { { "mobile_former_151m", 224 },
      { 12, 6, 192, 1280, 1 },
      { { LITE, 12, 1, 24 },
        { DOWN, 16, 2, 72, 64 },
        { SAME, 16, 1, 48 },
        { DOWN, 32, 2, 96, 128 },
        { SAME, 32, 1, 96 },
        { DOWN, 64, 2, 192, 256 },
        { SAME, 64, 1, 256 },
        { SAME, 88, 1, 384 },
        { SAME, 88, 1, 528 },
        { DOWN, 128, 2, 528, 512 },
        { SAME, 128, 1, 768 },
        { SAME, 128, 1, 768 } } },
    { { "mobile_former_214m", 224 },
      { 12, 6, 192, 1600, 1 },
      { { LITE, 12, 1, 24 },
        { DOWN, 20, 2, 72, 80 },
        { SAME, 20, 1, 60 },
        { DOWN, 40, 2, 120, 160 },
        { SAME, 40, 1, 160 },
        { DOWN, 80, 2, 240, 320 },
        { SAME, 80, 1, 320 },
        { SAME, 112, 1, 480 },
        { SAME, 112, 1, 672 },
        { DOWN, 160, 2, 672, 640 },
        { SAME, 160, 1, 960 },
        { SAME, 160, 1, 960 } } },
    { { "mobile_former_294m", 224 },
      { 16, 6, 192, 1920, 1 },
      { { LITE, 16, 1, 32 },
        { DOWN, 24, 2, 96, 96 },
        { SAME, 24, 1, 96 },
        { DOWN, 48, 2, 144, 192 },
        { SAME, 48, 1, 192 },
        { DOWN, 96, 2, 288, 384 },
        { SAME, 96, 1, 384 },
        { SAME, 128, 1, 576 },
        { SAME, 128, 1, 768 },
        { DOWN, 192, 2, 768, 768 },
        { SAME, 192, 1, 1152 },
        { SAME, 192, 1, 1152 } } },
    { { "mobile_former_508m", 224 },
      { 24, 6, 192, 1920, 1 },
      { { LITE, 24, 1, 48 },
        { DOWN, 40, 2, 144, 160 },
        { SAME, 40, 1, 120 },
        { DOWN, 72, 2, 240, 288 },
        { SAME, 72, 1, 216 },
        { DOWN, 128, 2, 432, 512 },
        { SAME, 128, 1, 512 },
        { SAME, 176, 1, 768 },
        { SAME, 176, 1, 1056 },
        { DOWN, 240, 2, 1056, 960 },
        { SAME, 240, 1, 1440 },
        { SAME, 240, 1, 1440 } } },
};

static VigilValue stem(VigilNet *net, const MobileFormerVariant *v)
{
    VigilValue x = vigil_net_conv(net, vigil_net_input(net),
                                  &(VigilConv) { .name = "stem.0",
                                                 .norm = "stem.1",
                                                 .eps = EPS,
                                                 .out = v->stem,
                                                 .kernel = 3,
                                                 .stride = 2,
                                                 .activation = VIGIL_RELU6 });
    return vigil_net_name(net, x, "stem");
}

/* Both streams through one block.  spatial: slopes of each pixel come from all tokens.
 */
static void block(VigilNet *net, VigilValue *x, VigilValue *z, const Block *block,
                  int groups, bool spatial)
{
    VigilBottleneck b = { .out = block->out,
                          .stride = block->stride,
                          .expanded = block->expanded,
                          .expanded_again = block->expanded_again,
                          .groups = groups };
    if (block->kind == LITE) {
        *x = vigil_bottleneck_lite(net, *x, &b);
        return;
    }
    VigilValue q;
    *z = vigil_mobile_to_former(net, vigil_unplaced(*x), vigil_unplaced(*z), &q);
    *z = vigil_former(net, *z, VIGIL_NONE);
    VigilHyper hyper = spatial ? vigil_hyper_of_all(net, *x, q, *z, b.stride)
                               : vigil_hyper_of_first(net, *z);
    *x = block->kind == SAME ? vigil_bottleneck_same(net, *x, hyper, &b)
                             : vigil_bottleneck_down(net, *x, hyper, &b);
    *x = vigil_former_to_mobile(net, vigil_unplaced(*x), vigil_unplaced(*z));
}

/* The pooled map and the first token, then two layers. */
static void head(VigilNet *net, VigilValue x, VigilValue z,
                 const MobileFormerVariant *v)
{
    vigil_net_push(net, "classifier");
    if (v->groups > 1)
        x = vigil_net_shuffle(net, x, v->groups);
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "conv.1",
                                      .norm = "conv.2",
                                      .eps = EPS,
                                      .out = 6 * vigil_net_shape(net, x).c,
                                      .groups = v->groups });
    vigil_net_name(net, x, "conv");
    x = vigil_net_activate(net, x, VIGIL_RELU6);
    x = vigil_net_mean(net, vigil_net_name(net, x, "act"));
    x = vigil_net_activate(net, x, VIGIL_HSWISH);
    x = vigil_net_concat(net, vigil_net_name(net, x, "avgpool"),
                         vigil_net_token(net, z, 0));
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "fc.0",
                                      .norm = "fc.1",
                                      .eps = EPS,
                                      .out = v->hidden,
                                      .bias = true,
                                      .linear = true,
                                      .activation = VIGIL_HSWISH });
    x = vigil_net_conv(net, vigil_net_name(net, x, "fc"),
                       &(VigilConv) { .name = "classifier.1",
                                      .out = vigil_net_config(net)->classes,
                                      .bias = true,
                                      .linear = true });
    vigil_net_pop(net);
    vigil_net_output(net, x, "logits");
}

/* A block of the original gives a pair, which people index. */
static void alias_results(VigilNet *net, VigilValue x, VigilValue z, int block)
{
    char name[24];
    snprintf(name, sizeof name, "features.%d[0]", block);
    vigil_net_alias(net, x, name);
    snprintf(name, sizeof name, "features.%d[1]", block);
    vigil_net_alias(net, z, name);
}

/* Stem and blocks; returns the tokens after the last one. */
static VigilValue trunk(VigilNet *net, const MobileFormerVariant *v, bool spatial,
                        VigilFeatures *features)
{
    VigilValue x = stem(net, v);
    VigilValue z = vigil_net_tokens(net, "tokens", v->tokens, v->width);
    int stage = 0;
    for (int i = 0; i < MOST_BLOCKS && v->block[i].kind; i++) {
        features->stage[stage] = x;
        stage += v->block[i].stride == 2;
        vigil_net_push(net, "features.%d", i);
        block(net, &x, &z, &v->block[i], v->groups, spatial);
        vigil_net_name(net, x, "");
        vigil_net_name(net, z, "tokens");
        vigil_net_pop(net);
        alias_results(net, x, z, i);
    }
    features->stage[stage] = x;
    return z;
}

static void describe(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    VigilFeatures f = { 0 };
    VigilValue z = trunk(net, row, false, &f), x = f.stage[4];
    z = vigil_mobile_to_former(net, vigil_unplaced(x), vigil_unplaced(z), NULL);
    vigil_net_alias(net, z, "local_global[0]");
    head(net, x, vigil_net_name(net, z, "local_global.tokens"), row);
}

void vigil_mobile_former_features(VigilNet *net, const char *variant, bool spatial,
                                  VigilFeatures *features)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (!strcmp(variants[i].row.name, variant)) {
            trunk(net, &variants[i], spatial, features);
            return;
        }
    vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "no backbone '%s'", variant);
}

static const VigilScheme scheme = {
    .name = "official",
    .classes_tensor = "classifier.classifier.1.weight",
    .input = { .channel_order = VIGIL_RGB,
               .mean = { 0.485f, 0.456f, 0.406f },
               .std = { 0.229f, 0.224f, 0.225f },
               .resize = VIGIL_RESIZE_CROP,
               .filter = VIGIL_FILTER_BILINEAR },
    .crop_fraction = 0.875,
};

const VigilFamily vigil_family_mobile_former = {
    .name = "mobile_former",
    .variants = variants,
    .n_variants = sizeof variants / sizeof *variants,
    .row_size = sizeof *variants,
    .schemes = &scheme,
    .n_schemes = 1,
    .describe = describe,
    .label_set = "imagenet1k",
    .label_count = 1000,
};
