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
#include "backbones/mobilevit_names.h"
#include "heads/heads.h"

#include <stdio.h>

#define SIZE 256
#define EPS 1e-5f
#define HEADS 4
#define HIDDEN 2 /* channels of an MLP for one of the transformer */

typedef struct MobileVitUnit {
    int channels;
    int width; /* of the transformer */
    int depth; /* its layers */
} MobileVitUnit;

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

/* ---- The MobileViT block -----------------------------------------------------------
 */

typedef struct Block {
    const MobileVitUnit *unit;
    const MobileVitNames *names;
} Block;

/* 3 x 3, then to the width of the transformer. */
static VigilValue local(VigilNet *net, VigilValue x, const Block *b, bool depthwise)
{
    x = vigil_conv_norm(net, x, b->names->local_spatial, &b->names->conv_norm,
                        &(VigilConv) { .out = b->unit->channels,
                                       .kernel = 3,
                                       .depthwise = depthwise,
                                       .eps = EPS,
                                       .activation = VIGIL_SILU });
    return vigil_net_conv(
        net, x,
        &(VigilConv) { .name = b->names->local_pointwise, .out = b->unit->width });
}

/* A kind of transformer. */
typedef struct Transformer {
    VigilValue (*layer)(VigilNet *net, VigilValue x, const VigilTransformer *layer);
    VigilValue (*norm)(VigilNet *net, VigilValue x, const char *name, float eps);
} Transformer;

static const Transformer multi_head = { vigil_transformer_layer, vigil_net_layer_norm };
static const Transformer separable = { vigil_separable_layer, vigil_net_group_norm };

/* The transformer over the patches of a map of even sides. */
static VigilValue global(VigilNet *net, VigilValue x, const Block *b,
                         const Transformer *kind)
{
    VigilShape s = vigil_net_shape(net, x);
    VigilTransformer layer = { .heads = HEADS,
                               .hidden = HIDDEN * b->unit->width,
                               .eps = EPS,
                               .map_height = s.h,
                               .map_width = s.w,
                               .names = &b->names->in_transformer };
    x = vigil_net_unfold(net, x);
    for (int i = 0; i < b->unit->depth; i++) {
        vigil_net_push(net, "%s%d", b->names->transformer, i);
        x = vigil_net_name(net, kind->layer(net, x, &layer), "");
        vigil_net_pop(net);
    }
    if (b->names->final_norm)
        vigil_net_push(net, "%s", b->names->final_norm);
    else
        vigil_net_push(net, "%s%d", b->names->transformer, b->unit->depth);
    x = kind->norm(net, x, "", EPS);
    vigil_net_pop(net);
    return vigil_net_fold(net, x, s.h, s.w);
}

static VigilValue resized(VigilNet *net, VigilValue x, int height, int width,
                          bool align_corners)
{
    VigilShape s = vigil_net_shape(net, x);
    if (s.h == height && s.w == width)
        return x;
    return vigil_net_resize(net, x, height, width, align_corners);
}

static int even(int n)
{
    return n + n % 2;
}

/* v1 and its descendants: maps of odd sides are enlarged for the transformer alone. */
static VigilValue global_restored(VigilNet *net, VigilValue x, const Block *b)
{
    VigilShape s = vigil_net_shape(net, x);
    x = resized(net, x, even(s.h), even(s.w), false);
    x = resized(net, global(net, x, b, &multi_head), s.h, s.w, false);
    return vigil_conv_norm(net, x, b->names->projection, &b->names->conv_norm,
                           &(VigilConv) { .out = b->unit->channels,
                                          .eps = EPS,
                                          .activation = VIGIL_SILU });
}

static VigilValue fuse(VigilNet *net, VigilValue first, VigilValue second, int kernel,
                       const Block *b)
{
    return vigil_conv_norm(net, vigil_net_concat(net, first, second), b->names->fusion,
                           &b->names->conv_norm,
                           &(VigilConv) { .out = b->unit->channels,
                                          .kernel = kernel,
                                          .eps = EPS,
                                          .activation = VIGIL_SILU });
}

static VigilValue block_v1(VigilNet *net, VigilValue x, const Block *b)
{
    VigilValue l = local(net, x, b, false);
    return fuse(net, x, global_restored(net, l, b), 3, b);
}

static VigilValue block_v3_after_v1(VigilNet *net, VigilValue x, const Block *b)
{
    VigilValue l = local(net, x, b, true);
    return vigil_net_add(net, fuse(net, l, global_restored(net, l, b), 1, b), x);
}

/* v2 and its descendants: maps of odd sides are enlarged and stay so. */
static VigilValue enlarged(VigilNet *net, VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    return resized(net, x, even(s.h), even(s.w), true);
}

static VigilValue project(VigilNet *net, VigilValue x, const Block *b)
{
    return vigil_conv_norm(net, x, b->names->projection, &b->names->conv_norm,
                           &(VigilConv) { .out = b->unit->channels, .eps = EPS });
}

static VigilValue block_v2(VigilNet *net, VigilValue x, const Block *b)
{
    VigilValue l = local(net, enlarged(net, x), b, true);
    return project(net, global(net, l, b, &separable), b);
}

static VigilValue block_v3_after_v2(VigilNet *net, VigilValue x, const Block *b)
{
    x = enlarged(net, x);
    VigilValue l = local(net, x, b, true);
    VigilValue g = global(net, l, b, &separable);
    return vigil_net_add(net, project(net, vigil_net_concat(net, g, l), b), x);
}

/* ---- The skeleton ------------------------------------------------------------------
 */

typedef VigilValue BlockFunction(VigilNet *net, VigilValue x, const Block *b);

static VigilValue residual(VigilNet *net, VigilValue x, int out, int stride,
                           const MobileVit *v, const MobileVitNames *names)
{
    x = vigil_inverted_residual(
        net, x,
        &(VigilInvertedResidual) { .out = out,
                                   .expanded = vigil_net_shape(net, x).c * v->expansion,
                                   .stride = stride,
                                   .eps = EPS,
                                   .expand = names->expand,
                                   .depthwise = names->depthwise,
                                   .reduce = names->reduce,
                                   .names = &names->conv_norm });
    return vigil_net_name(net, x, "");
}

/* Layers 1 and 2. */
static VigilValue residual_layer(VigilNet *net, VigilValue x, int blocks, int out,
                                 int stride, const MobileVit *v,
                                 const MobileVitNames *names)
{
    for (int j = 0; j < blocks; j++) {
        vigil_net_push(net, "%s%d", names->residual, j);
        x = residual(net, x, out, j ? 1 : stride, v, names);
        vigil_net_pop(net);
    }
    return x;
}

/* Layers 3 to 5. */
static VigilValue block_layer(VigilNet *net, VigilValue x, const MobileVitUnit *unit,
                              const MobileVit *v, const MobileVitNames *names,
                              BlockFunction *block)
{
    vigil_net_push(net, "%s", names->down);
    x = residual(net, x, unit->channels, 2, v, names);
    vigil_net_pop(net);
    vigil_net_push(net, "%s", names->unit);
    x = vigil_net_name(net, block(net, x, &(Block) { unit, names }), "");
    vigil_net_pop(net);
    return x;
}

/* What taps of a layer can be asked for by whatever the file calls it. */
static void alias_layer(VigilNet *net, VigilValue x, int layer)
{
    char name[16];
    snprintf(name, sizeof name, "layer_%d", layer);
    vigil_net_alias(net, x, name);
}

static void describe(VigilNet *net, const MobileVit *v, const MobileVitNames *names,
                     BlockFunction *block)
{
    VigilValue x =
        vigil_conv_norm(net, vigil_net_input(net), names->stem, &names->conv_norm,
                        &(VigilConv) { .out = v->stem,
                                       .kernel = 3,
                                       .stride = 2,
                                       .eps = EPS,
                                       .activation = VIGIL_SILU });
    vigil_net_alias(net, x, "conv_1");
    for (int i = 0; i < 5; i++) {
        vigil_net_push(net, "%s%d", names->layer, names->first_layer + i);
        if (i == 0)
            x = residual_layer(net, x, 1, v->layer1, 1, v, names);
        else if (i == 1)
            x = residual_layer(net, x, v->layer2_blocks, v->layer2, 2, v, names);
        else
            x = block_layer(net, x, &v->unit[i - 2], v, names, block);
        vigil_net_alias(net, x, "");
        vigil_net_pop(net);
        alias_layer(net, x, i + 1);
    }
    if (v->last)
        x = vigil_conv_norm(
            net, x, names->final_conv, &names->conv_norm,
            &(VigilConv) { .out = v->last, .eps = EPS, .activation = VIGIL_SILU });
    vigil_net_alias(net, x, "conv_1x1_exp");
    vigil_head_classifier(net, x, names->classifier);
}

static void describe_v1(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    describe(net, row, scheme->names, block_v1);
}

static void describe_v2(VigilNet *net, const void *row, const VigilScheme *scheme)
{
    describe(net, row, scheme->names, block_v2);
}

static void describe_v3_after_v1(VigilNet *net, const void *row,
                                 const VigilScheme *scheme)
{
    describe(net, row, scheme->names, block_v3_after_v1);
}

static void describe_v3_after_v2(VigilNet *net, const void *row,
                                 const VigilScheme *scheme)
{
    describe(net, row, scheme->names, block_v3_after_v2);
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
