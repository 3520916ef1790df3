#include "heads/heads.h"

#include <stdio.h>

#define CHANNELS 256
#define CELL_ANCHORS 9
#define DEPTH 4 /* convolutions before a prediction */

/* ---- Pyramid -----------------------------------------------------------------------
 */

static VigilValue lateral(VigilNet *net, VigilValue x, int i)
{
    vigil_net_push(net, "neck.lateral_convs.%d", i);
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = "conv", .out = CHANNELS, .bias = true });
    vigil_net_pop(net);
    return x;
}

static VigilValue smoothed(VigilNet *net, VigilValue x, int i, int stride)
{
    VigilConv c = {
        .name = "conv", .out = CHANNELS, .kernel = 3, .stride = stride, .bias = true
    };
    vigil_net_push(net, "neck.fpn_convs.%d", i);
    x = vigil_net_name(net, vigil_net_conv(net, x, &c), "");
    vigil_net_pop(net);
    return x;
}

/* Each map and what is left of the deeper ones, resized (Lin et al., "Feature Pyramid
 * Networks", CVPR 2017, section 3). */
static void pyramid(VigilNet *net, const VigilValue map[3],
                    VigilValue level[VIGIL_RETINANET_LEVELS])
{
    VigilValue merged[3];
    for (int i = 2; i >= 0; i--) {
        VigilShape s = vigil_net_shape(net, map[i]);
        VigilValue deeper =
            i < 2 ? vigil_net_resize_nearest(net, merged[i + 1], s.h, s.w) : VIGIL_NONE;
        merged[i] = lateral(net, map[i], i);
        if (i < 2)
            merged[i] = vigil_net_add(net, merged[i], deeper);
    }
    for (int i = 0; i < 3; i++)
        level[i] = smoothed(net, merged[i], i, 1);
    level[3] = smoothed(net, map[2], 3, 2);
    level[4] = smoothed(net, level[3], 4, 2);
}

/* ---- Head --------------------------------------------------------------------------
 */

/* A convolution of the head at one level; the first level's stands for the weights. */
static VigilValue shared_conv(VigilNet *net, VigilValue x, const char *name, int out,
                              int level, VigilActivation activation)
{
    char here[64];
    x = vigil_net_conv(net, x,
                       &(VigilConv) { .name = name,
                                      .out = out,
                                      .kernel = 3,
                                      .bias = true,
                                      .shared = level > 0,
                                      .activation = activation });
    snprintf(here, sizeof here, "%s.level%d", name, level);
    return vigil_net_name(net, x, here);
}

static void predict(VigilNet *net, VigilValue x, const char *branch, const char *last,
                    int level, int out, const char *output)
{
    char name[32];
    vigil_net_push(net, "bbox_head");
    for (int i = 0; i < DEPTH; i++) {
        snprintf(name, sizeof name, "%s.%d.conv", branch, i);
        x = shared_conv(net, x, name, CHANNELS, level, VIGIL_RELU);
    }
    x = shared_conv(net, x, last, out, level, VIGIL_LINEAR);
    vigil_net_output(net, x, output);
    vigil_net_pop(net);
}

void vigil_head_retinanet(VigilNet *net, const VigilValue map[3])
{
    static const char *const cls[] = { "cls_0", "cls_1", "cls_2", "cls_3", "cls_4" };
    static const char *const reg[] = { "reg_0", "reg_1", "reg_2", "reg_3", "reg_4" };
    VigilValue level[VIGIL_RETINANET_LEVELS];
    int classes = vigil_net_config(net)->classes;
    pyramid(net, map, level);
    for (int i = 0; i < VIGIL_RETINANET_LEVELS; i++) {
        predict(net, level[i], "cls_convs", "retina_cls", i, CELL_ANCHORS * classes,
                cls[i]);
        predict(net, level[i], "reg_convs", "retina_reg", i, CELL_ANCHORS * 4, reg[i]);
    }
}
