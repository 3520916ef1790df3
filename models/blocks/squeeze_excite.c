#include "blocks/blocks.h"

VigilValue vigil_squeeze_excite(VigilNet *net, VigilValue x, const char *name)
{
    int c = vigil_net_shape(net, x).c;
    vigil_net_push(net, "%s", name);
    VigilValue s = vigil_net_mean(net, x);
    s = vigil_net_conv(
        net, s,
        &(VigilConv) {
            .name = "conv_reduce", .out = c, .bias = true, .activation = VIGIL_SILU });
    s = vigil_net_conv(net, s,
                       &(VigilConv) { .name = "conv_expand",
                                      .out = c,
                                      .bias = true,
                                      .activation = VIGIL_SIGMOID });
    vigil_net_pop(net);
    return vigil_net_scale(net, x, s);
}
