/*
 * MobileViT v1: Mehta and Rastegari, "MobileViT: Light-weight, General-purpose, and
 * Mobile-friendly Vision Transformer", ICLR 2022 (arXiv 2110.02178), figure 1 and table
 * 4; v2: the same, "Separable Self-attention for Mobile Vision Transformers", 2022
 * (arXiv 2206.02680); v3: Wadekar and Chaurasia, "MobileViTv3", 2022 (arXiv
 * 2209.15159).
 *
 * All are one skeleton: stem, two layers of inverted residuals, three layers of one
 * inverted residual and one MobileViT block.  That block is what the versions differ
 * in.
 */
#include "backbones/family.h"
#include "backbones/features.h"
#include "backbones/mobilevit_block.h"
#include "heads/heads.h"

#include <stdio.h>
#include <string.h>

#define SIZE 256
#define EPS MOBILEVIT_EPS

typedef struct MobileVit {
    VigilVariantRow row;
    int stem, layer1, layer2; /* channels */
    int layer2_blocks;
    int expansion;         /* of inverted residuals */
    MobileVitUnit unit[3]; /* of layers 3 to 5 */
    int last;              /* channels of the last convolution; 0: there is none */
} MobileVit;

/* ---- Variants ----------------------------------------------------------------------
 */

static const MobileVit v1[] = {
    { { "mobilevit_xxs", SIZE },
      16,
      16,
      24,
      3,
      2,
      { { 48, 64, 2 }, { 64, 80, 4 }, { 80, 96, 3 } },
      320 },
    { { "mobilevit_xs", SIZE },
      16,
      32,
      48,
      3,
      4,
      { { 64, 96, 2 }, { 80, 120, 4 }, { 96, 144, 3 } },
      384 },
    { { "mobilevit_s", SIZE },
      16,
      32,
      64,
      3,
      4,
      { { 96, 144, 2 }, { 128, 192, 4 }, { 160, 240, 3 } },
      640 },
};

/* Of the width multiplier k / 4. */
#define V2(name, k)                                                                    \
    { { name, SIZE },                                                                  \
      8 * k,                                                                           \
      16 * k,                                                                          \
      32 * k,                                                                          \
      2,                                                                               \
      2,                                                                               \
      { { 64 * k, 32 * k, 2 }, { 96 * k, 48 * k, 4 }, { 128 * k, 64 * k, 3 } },        \
      0 }

static const MobileVit v2[] = {
    V2("mobilevitv2_050", 2), V2("mobilevitv2_075", 3), V2("mobilevitv2_100", 4),
    V2("mobilevitv2_125", 5), V2("mobilevitv2_150", 6), V2("mobilevitv2_175", 7),
    V2("mobilevitv2_200", 8),
};

/* Those that descend from v1; the last number is the depth of layer 4. */
#define V3_XXS(name, depth)                                                            \
    { { name, SIZE },                                                                  \
      16,                                                                              \
      16,                                                                              \
      24,                                                                              \
      3,                                                                               \
      2,                                                                               \
      { { 64, 64, 2 }, { 80, 80, depth }, { 128, 96, 3 } },                            \
      512 }
#define V3_XS(name, depth)                                                             \
    { { name, SIZE },                                                                  \
      16,                                                                              \
      32,                                                                              \
      48,                                                                              \
      3,                                                                               \
      4,                                                                               \
      { { 96, 96, 2 }, { 160, 120, depth }, { 160, 144, 3 } },                         \
      640 }
#define V3_S(name, depth)                                                              \
    { { name, SIZE },                                                                  \
      16,                                                                              \
      32,                                                                              \
      64,                                                                              \
      3,                                                                               \
      4,                                                                               \
      { { 128, 144, 2 }, { 256, 192, depth }, { 320, 240, 3 } },                       \
      960 }

static const MobileVit v3_after_v1[] = {
    V3_XXS("mobilevitv3_xxs", 4), V3_XXS("mobilevitv3_xxs_l2", 2),
    V3_XS("mobilevitv3_xs", 4),   V3_XS("mobilevitv3_xs_l2", 2),
    V3_S("mobilevitv3_s", 4),     V3_S("mobilevitv3_s_l2", 2),
};

static const MobileVit v3_after_v2[] = {
    V2("mobilevitv3_050", 2),
    V2("mobilevitv3_075", 3),
    V2("mobilevitv3_100", 4),
};

/* ---- The skeleton ------------------------------------------------------------------
 */

typedef VigilValue BlockFunction(VigilNet *net, VigilValue x, const MobileVitBlock *b);

/* A network to be described. */
typedef struct Skeleton {
    const MobileVit *variant;
    const MobileVitNames *names;
    BlockFunction *block;
    int output_stride; /* of layer 5 */
} Skeleton;

/* How a layer steps over its input. */
typedef struct Pace {
    int stride, dilation; /* of its inverted residual */
    int block_dilation;   /* of what comes after it */
} Pace;

static VigilValue residual(VigilNet *net, VigilValue x, int out, const Pace *pace,
                           const Skeleton *s)
{
    x = vigil_inverted_residual(
        net, x,
        &(VigilInvertedResidual) { .out = out,
                                   .expanded = vigil_net_shape(net, x).c *
                                               s->variant->expansion,
                                   .stride = pace->stride,
                                   .dilation = pace->dilation,
                                   .eps = EPS,
                                   .expand = s->names->expand,
                                   .depthwise = s->names->depthwise,
                                   .reduce = s->names->reduce,
                                   .names = &s->names->conv_norm });
    return vigil_net_name(net, x, "");
}

/* Layers 1 and 2. */
static VigilValue residual_layer(VigilNet *net, VigilValue x, int blocks, int out,
                                 int stride, const Skeleton *s)
{
    for (int j = 0; j < blocks; j++) {
        vigil_net_push(net, "%s%d", s->names->residual, j);
        x = residual(net, x, out, &(Pace) { j ? 1 : stride, 1, 1 }, s);
        vigil_net_pop(net);
    }
    return x;
}

/* Layers 3 to 5. */
static VigilValue block_layer(VigilNet *net, VigilValue x, const MobileVitUnit *unit,
                              const Pace *pace, const Skeleton *s)
{
    MobileVitBlock block = { unit, s->names, pace->block_dilation };
    vigil_net_push(net, "%s", s->names->down);
    x = residual(net, x, unit->channels, pace, s);
    vigil_net_pop(net);
    vigil_net_push(net, "%s", s->names->unit);
    x = vigil_net_name(net, s->block(net, x, &block), "");
    vigil_net_pop(net);
    return x;
}

/* Of layer 3 + i.  A layer at the stride that is asked for steps no further: what comes
 * after the place where it would have is dilated instead, so that each pixel keeps
 * seeing neighbours as far apart as it was trained with (Chen et al., "Rethinking
 * Atrous Convolution", arXiv 1706.05587, section 3.1). */
static Pace pace_of(int i, int output_stride)
{
    Pace p = { .stride = 2, .dilation = 1, .block_dilation = 1 };
    for (int stride = 4; i >= 0; i--, stride *= p.stride) {
        p.stride = stride < output_stride ? 2 : 1;
        p.dilation = p.block_dilation;
        p.block_dilation *= 2 / p.stride;
    }
    return p;
}

/* What taps of a layer can be asked for by whatever the file calls it. */
static void alias_layer(VigilNet *net, VigilValue x, int layer)
{
    char name[24];
    snprintf(name, sizeof name, "layer_%d", layer);
    vigil_net_alias(net, x, name);
}

/* Stem and layers. */
static void backbone(VigilNet *net, const Skeleton *s, VigilFeatures *features)
{
    const MobileVit *v = s->variant;
    VigilValue x =
        vigil_conv_norm(net, vigil_net_input(net), s->names->stem, &s->names->conv_norm,
                        &(VigilConv) { .out = v->stem,
                                       .kernel = 3,
                                       .stride = 2,
                                       .eps = EPS,
                                       .activation = VIGIL_SILU });
    vigil_net_alias(net, x, "conv_1");
    for (int i = 0; i < 5; i++) {
        Pace pace = pace_of(i - 2, s->output_stride);
        vigil_net_push(net, "%s%d", s->names->layer, s->names->first_layer + i);
        if (i == 0)
            x = residual_layer(net, x, 1, v->layer1, 1, s);
        else if (i == 1)
            x = residual_layer(net, x, v->layer2_blocks, v->layer2, 2, s);
        else
            x = block_layer(net, x, &v->unit[i - 2], &pace, s);
        vigil_net_alias(net, x, "");
        vigil_net_pop(net);
        alias_layer(net, x, i + 1);
        features->stage[i] = x;
    }
}

static void classify(VigilNet *net, const MobileVit *v, const MobileVitNames *names,
                     BlockFunction *block)
{
    VigilFeatures features;
    backbone(net, &(Skeleton) { v, names, block, 32 }, &features);
    VigilValue x = features.stage[4];
    if (v->last)
        x = vigil_conv_norm(
            net, x, names->final_conv, &names->conv_norm,
            &(VigilConv) { .out = v->last, .eps = EPS, .activation = VIGIL_SILU });
    vigil_net_alias(net, x, "conv_1x1_exp");
    vigil_head_classifier(net, x, names->classifier);
}

static void describe_v1(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    classify(net, row, scheme->names, mobilevit_block_v1);
}

static void describe_v2(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    classify(net, row, scheme->names, mobilevit_block_v2);
}

static void describe_v3_after_v1(VigilNet *net, const void *row,
                                 const VigilScheme *scheme)
{
    classify(net, row, scheme->names, mobilevit_block_v3_after_v1);
}

static void describe_v3_after_v2(VigilNet *net, const void *row,
                                 const VigilScheme *scheme)
{
    classify(net, row, scheme->names, mobilevit_block_v3_after_v2);
}

/* ---- Schemes -----------------------------------------------------------------------
 */

#define INPUT(order, how)                                                              \
    .input = { .channel_order = (order),                                               \
               .std = { 1, 1, 1 },                                                     \
               .resize = VIGIL_RESIZE_CROP,                                            \
               .filter = (how) }

/* The shorter side is brought to SIZE + 32 first. */
#define WIDER .crop_fraction = SIZE / (SIZE + 32.0)

static const VigilScheme v1_schemes[] = {
    { .name = "timm",
      .names = &mobilevit_names_timm,
      .classes_tensor = "head.fc.weight",
      INPUT(VIGIL_RGB, VIGIL_FILTER_BICUBIC),
      .crop_fraction = 0.9 },
    { .name = "ml-cvnets",
      .names = &mobilevit_names_cvnets,
      .classes_tensor = "classifier.fc.weight",
      INPUT(VIGIL_BGR, VIGIL_FILTER_POINT_BILINEAR),
      WIDER },
    { .name = "transformers",
      .names = &mobilevit_names_transformers,
      .classes_tensor = "classifier.weight",
      INPUT(VIGIL_BGR, VIGIL_FILTER_BILINEAR),
      WIDER },
};

static const VigilScheme v2_schemes[] = {
    { .name = "timm",
      .names = &mobilevitv2_names_timm,
      .classes_tensor = "head.fc.weight",
      INPUT(VIGIL_RGB, VIGIL_FILTER_BICUBIC),
      .crop_fraction = 0.888 },
    { .name = "ml-cvnets",
      .names = &mobilevitv2_names_cvnets,
      .classes_tensor = "classifier.1.weight",
      INPUT(VIGIL_RGB, VIGIL_FILTER_BICUBIC),
      WIDER },
    { .name = "transformers",
      .names = &mobilevitv2_names_transformers,
      .classes_tensor = "classifier.weight",
      INPUT(VIGIL_BGR, VIGIL_FILTER_BILINEAR),
      WIDER },
};

static const VigilScheme v3_after_v1_scheme = {
    .name = "ml-cvnets",
    .names = &mobilevit_names_cvnets,
    .classes_tensor = "classifier.fc.weight",
    INPUT(VIGIL_BGR, VIGIL_FILTER_POINT_BILINEAR),
    WIDER,
};

static const VigilScheme v3_after_v2_scheme = {
    .name = "ml-cvnets",
    .names = &mobilevitv2_names_cvnets,
    .classes_tensor = "classifier.1.weight",
    INPUT(VIGIL_RGB, VIGIL_FILTER_BICUBIC),
    WIDER,
};

#define ROWS(list)                                                                     \
    .variants = list, .n_variants = sizeof(list) / sizeof *(list),                     \
    .row_size = sizeof *(list)
#define IMAGENET .label_set = "imagenet1k", .label_count = 1000

const VigilFamily vigil_family_mobilevit = {
    .name = "mobilevit",
    ROWS(v1),
    .schemes = v1_schemes,
    .n_schemes = sizeof v1_schemes / sizeof *v1_schemes,
    .describe = describe_v1,
    IMAGENET,
};

const VigilFamily vigil_family_mobilevitv2 = {
    .name = "mobilevitv2",
    ROWS(v2),
    .schemes = v2_schemes,
    .n_schemes = sizeof v2_schemes / sizeof *v2_schemes,
    .describe = describe_v2,
    IMAGENET,
};

const VigilFamily vigil_family_mobilevitv3_after_v1 = {
    .name = "mobilevitv3",
    ROWS(v3_after_v1),
    .schemes = &v3_after_v1_scheme,
    .n_schemes = 1,
    .describe = describe_v3_after_v1,
    IMAGENET,
};

const VigilFamily vigil_family_mobilevitv3_after_v2 = {
    .name = "mobilevitv3",
    ROWS(v3_after_v2),
    .schemes = &v3_after_v2_scheme,
    .n_schemes = 1,
    .describe = describe_v3_after_v2,
    IMAGENET,
};

/* ---- As heads see it ---------------------------------------------------------------
 */

static const struct {
    const VigilFamily *family;
    BlockFunction *block;
} lines[] = {
    { &vigil_family_mobilevit, mobilevit_block_v1 },
    { &vigil_family_mobilevitv2, mobilevit_block_v2 },
    { &vigil_family_mobilevitv3_after_v1, mobilevit_block_v3_after_v1 },
    { &vigil_family_mobilevitv3_after_v2, mobilevit_block_v3_after_v2 },
};

static const MobileVit *row_named(const VigilFamily *f, const char *variant)
{
    for (size_t i = 0; i < f->n_variants; i++)
        if (!strcmp(vigil_family_row(f, i)->name, variant))
            return (const MobileVit *)vigil_family_row(f, i);
    return NULL;
}

static const MobileVitNames *names_of(const VigilFamily *f, const char *naming)
{
    for (size_t i = 0; i < f->n_schemes; i++)
        if (!strcmp(f->schemes[i].name, naming))
            return f->schemes[i].names;
    return NULL;
}

void vigil_mobilevit_features(VigilNet *net, const char *variant, const char *naming,
                              int output_stride, VigilFeatures *features)
{
    *features = (VigilFeatures) { { VIGIL_NONE, VIGIL_NONE, VIGIL_NONE, VIGIL_NONE,
                                    VIGIL_NONE } };
    if (output_stride != 32 && output_stride != 16 && output_stride != 8)
        vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "%s at stride %d; may be 32, 16 or 8",
                       variant, output_stride);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        Skeleton s = { row_named(lines[i].family, variant),
                       names_of(lines[i].family, naming), lines[i].block,
                       output_stride };
        if (!s.variant || !s.names)
            continue;
        backbone(net, &s, features);
        return;
    }
    vigil_net_fail(net, VIGIL_ERROR_NOT_FOUND,
                   "no MobileViT '%s' under the names of %s", variant, naming);
}
