#include "heads/heads.h"
#include "vision/detect.h"

#define EPS 1e-5f
#define BOX 4 /* values of a box */

static const VigilConvNormNames conv_norm = { "block.conv", "block.norm" };

/* Of each level: channels that its predictions are made from. */
static const int width[] = { 512, 256, 256, 128, 128, 64 };

enum {
    GIVEN = 2,
    STRIDED = 5,
    LEVELS = VIGIL_SSD_LEVELS
}; /* the first of each kind after them */

/* 3 x 3 over each channel, then 1 x 1. */
static VigilValue separable(VigilNet *net, VigilValue x, int stride,
                            const VigilConv *pointwise)
{
    x = vigil_conv_norm(
        net, x, "dw_conv", &conv_norm,
        &(VigilConv) { .kernel = 3, .stride = stride, .depthwise = true, .eps = EPS });
    vigil_net_push(net, "pw_conv");
    x = vigil_net_conv(net, x, pointwise);
    vigil_net_pop(net);
    return x;
}

/* Levels below the backbone: of half the size each, then one pixel. */
static void extra_levels(VigilNet *net, VigilValue *level)
{
    static const char *const names[] = { "os_64", "os_128", "os_256" };
    vigil_net_push(net, "extra_layers");
    for (int i = GIVEN; i < STRIDED; i++) {
        vigil_net_push(net, "%s", names[i - GIVEN]);
        level[i] = separable(net, level[i - 1], 2,
                             &(VigilConv) { .name = conv_norm.conv,
                                            .norm = conv_norm.norm,
                                            .eps = EPS,
                                            .out = width[i],
                                            .activation = VIGIL_RELU });
        level[i] = vigil_net_name(net, level[i], "");
        vigil_net_pop(net);
    }
    vigil_net_push(net, "os_-1");
    level[STRIDED] = vigil_net_conv(net, vigil_net_mean(net, level[STRIDED - 1]),
                                    &(VigilConv) { .name = "1.block.conv",
                                                   .out = width[STRIDED],
                                                   .activation = VIGIL_RELU });
    vigil_net_name(net, level[STRIDED], "");
    vigil_net_pop(net);
    vigil_net_pop(net);
}

static VigilValue predict(VigilNet *net, VigilValue x, int level)
{
    int anchors = vigil_anchors_per_cell(&vigil_anchors_cvnets_ssd, level);
    VigilConv prediction = { .name = conv_norm.conv,
                             .out =
                                 anchors * (BOX + 1 + vigil_net_config(net)->classes),
                             .bias = true };
    vigil_net_push(net, "ssd_heads.%d", level);
    if (vigil_net_shape(net, x).c != width[level])
        x = vigil_conv_norm(
            net, x, "proj_layer", &conv_norm,
            &(VigilConv) { .out = width[level], .eps = EPS, .activation = VIGIL_RELU });
    vigil_net_push(net, "loc_cls_layer");
    x = level < STRIDED ? separable(net, x, 1, &prediction)
                        : vigil_net_conv(net, x, &prediction);
    vigil_net_pop(net);
    x = vigil_net_name(net, x, "");
    vigil_net_pop(net);
    return x;
}

void vigil_head_ssd_cvnets(VigilNet *net, VigilValue stride16, VigilValue stride32)
{
    static const char *const names[] = { "level_0", "level_1", "level_2",
                                         "level_3", "level_4", "level_5" };
    VigilValue level[LEVELS] = { stride16, stride32 };
    extra_levels(net, level);
    for (int i = 0; i < LEVELS; i++)
        vigil_net_output(net, predict(net, level[i], i), names[i]);
}
