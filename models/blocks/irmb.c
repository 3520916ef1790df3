#include "blocks/blocks.h"

#define EPS 1e-6f

VigilValue vigil_irmb(VigilNet *net, VigilValue x, const VigilIrmb *b)
{
    bool skip = b->stride == 1 && vigil_net_shape(net, x).c == b->out;
    VigilValue y = b->late ? vigil_net_layer_norm(net, x, "norm.norm", EPS)
                           : vigil_net_batch_norm(net, x, "norm", EPS);
    if (b->heads)
        y = vigil_net_window_attention(net, y, "qk.conv", b->heads, b->window);
    VigilValue v = vigil_net_conv(
        net, y,
        &(VigilConv) { .name = "v.conv",
                       .out = b->expanded,
                       .bias = true,
                       .activation = b->late ? VIGIL_GELU : VIGIL_SILU });
    VigilValue l = vigil_net_conv(net, v,
                                  &(VigilConv) { .name = "conv_local.conv",
                                                 .norm = "conv_local.norm",
                                                 .eps = EPS,
                                                 .kernel = b->kernel,
                                                 .stride = b->stride,
                                                 .depthwise = true,
                                                 .activation = VIGIL_SILU });
    if (skip)
        l = vigil_net_add(net, v, l);
    y = vigil_net_conv(net, l, &(VigilConv) { .name = "proj.conv", .out = b->out });
    return skip ? vigil_net_add(net, x, y) : y;
}
