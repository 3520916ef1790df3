#include "blocks/blocks.h"

VigilValue vigil_conv_norm(VigilNet *net, VigilValue x, const char *name,
                           const VigilConvNormNames *names, const VigilConv *conv)
{
    VigilConv c = *conv;
    c.name = names->conv;
    c.norm = names->norm;
    vigil_net_push(net, "%s", name);
    x = vigil_net_name(net, vigil_net_conv(net, x, &c), "");
    vigil_net_pop(net);
    return x;
}
