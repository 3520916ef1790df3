#include "backbones/mobilevit_block.h"

#define EPS MOBILEVIT_EPS
#define HEADS 4
#define HIDDEN 2 /* channels of an MLP for one of the transformer */

/* 3 x 3, then to the width of the transformer. */
static VigilValue local(VigilNet *net, VigilValue x, const MobileVitBlock *b,
                        bool depthwise, int dilation)
{
    x = vigil_conv_norm(net, x, b->names->local_spatial, &b->names->conv_norm,
                        &(VigilConv) { .out = b->unit->channels,
                                       .kernel = 3,
                                       .dilation = dilation,
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
static VigilValue global(VigilNet *net, VigilValue x, const MobileVitBlock *b,
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
static VigilValue global_restored(VigilNet *net, VigilValue x, const MobileVitBlock *b)
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
                       const MobileVitBlock *b)
{
    return vigil_conv_norm(net, vigil_net_concat(net, first, second), b->names->fusion,
                           &b->names->conv_norm,
                           &(VigilConv) { .out = b->unit->channels,
                                          .kernel = kernel,
                                          .eps = EPS,
                                          .activation = VIGIL_SILU });
}

VigilValue mobilevit_block_v1(VigilNet *net, VigilValue x, const MobileVitBlock *b)
{
    VigilValue l = local(net, x, b, false, 1);
    return fuse(net, x, global_restored(net, l, b), 3, b);
}

VigilValue mobilevit_block_v3_after_v1(VigilNet *net, VigilValue x,
                                       const MobileVitBlock *b)
{
    VigilValue l = local(net, x, b, true, 1);
    return vigil_net_add(net, fuse(net, l, global_restored(net, l, b), 1, b), x);
}

/* v2 and its descendants: maps of odd sides are enlarged and stay so. */
static VigilValue enlarged(VigilNet *net, VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    return resized(net, x, even(s.h), even(s.w), true);
}

static VigilValue project(VigilNet *net, VigilValue x, const MobileVitBlock *b)
{
    return vigil_conv_norm(net, x, b->names->projection, &b->names->conv_norm,
                           &(VigilConv) { .out = b->unit->channels, .eps = EPS });
}

VigilValue mobilevit_block_v2(VigilNet *net, VigilValue x, const MobileVitBlock *b)
{
    VigilValue l = local(net, enlarged(net, x), b, true, b->dilation);
    return project(net, global(net, l, b, &separable), b);
}

VigilValue mobilevit_block_v3_after_v2(VigilNet *net, VigilValue x,
                                       const MobileVitBlock *b)
{
    x = enlarged(net, x);
    VigilValue l = local(net, x, b, true, b->dilation);
    VigilValue g = global(net, l, b, &separable);
    return vigil_net_add(net, project(net, vigil_net_concat(net, g, l), b), x);
}
