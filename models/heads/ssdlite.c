#include "heads/heads.h"

#define CELL_ANCHORS 6
#define EPS 1e-3f

static const VigilConvNormNames names = { "conv", "bn" };

/* 1 x 1 to half the width, depth-wise with stride 2, 1 x 1. */
static VigilValue extra_layer(VigilNet *net, VigilValue x, int out)
{
    VigilConv halve = { .out = out / 2, .eps = EPS, .activation = VIGIL_RELU6 };
    VigilConv shrink = { .kernel = 3,
                         .stride = 2,
                         .depthwise = true,
                         .eps = EPS,
                         .activation = VIGIL_RELU6 };
    VigilConv widen = { .out = out, .eps = EPS, .activation = VIGIL_RELU6 };
    x = vigil_conv_norm(net, x, "0", &names, &halve);
    x = vigil_conv_norm(net, x, "1.depthwise_conv", &names, &shrink);
    return vigil_conv_norm(net, x, "1.pointwise_conv", &names, &widen);
}

/* Depth-wise, then 1 x 1 to what is predicted. */
static void predict(VigilNet *net, VigilValue x, const char *branch, int level, int out,
                    const char *output)
{
    VigilConv local = {
        .kernel = 3, .depthwise = true, .eps = EPS, .activation = VIGIL_RELU6
    };
    vigil_net_push(net, "bbox_head.%s.%d", branch, level);
    x = vigil_conv_norm(net, x, "0", &names, &local);
    x = vigil_net_conv(net, x, &(VigilConv) { .name = "1", .out = out, .bias = true });
    vigil_net_output(net, x, output);
    vigil_net_pop(net);
}

void vigil_head_ssdlite(VigilNet *net, VigilValue stride16, VigilValue stride32)
{
    static const int extra[VIGIL_SSD_LEVELS - 2] = { 512, 256, 256, 128 };
    static const char *const cls[VIGIL_SSD_LEVELS] = { "cls_0", "cls_1", "cls_2",
                                                       "cls_3", "cls_4", "cls_5" };
    static const char *const reg[VIGIL_SSD_LEVELS] = { "reg_0", "reg_1", "reg_2",
                                                       "reg_3", "reg_4", "reg_5" };
    VigilValue level[VIGIL_SSD_LEVELS] = { stride16, stride32 };
    int scores = vigil_net_config(net)->classes + 1;
    for (int i = 0; i < VIGIL_SSD_LEVELS - 2; i++) {
        vigil_net_push(net, "neck.extra_layers.%d", i);
        level[i + 2] = extra_layer(net, level[i + 1], extra[i]);
        vigil_net_pop(net);
    }
    for (int i = 0; i < VIGIL_SSD_LEVELS; i++) {
        predict(net, level[i], "cls_convs", i, CELL_ANCHORS * scores, cls[i]);
        predict(net, level[i], "reg_convs", i, CELL_ANCHORS * 4, reg[i]);
    }
}
