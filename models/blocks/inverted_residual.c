#include "blocks/blocks.h"

VigilValue vigil_inverted_residual(VigilNet *net, VigilValue x,
                                   const VigilInvertedResidual *b)
{
    bool skip = b->stride == 1 && vigil_net_shape(net, x).c == b->out;
    VigilValue y = vigil_conv_norm(
        net, x, b->expand, b->names,
        &(VigilConv) { .out = b->expanded, .eps = b->eps, .activation = VIGIL_SILU });
    y = vigil_conv_norm(net, y, b->depthwise, b->names,
                        &(VigilConv) { .kernel = 3,
                                       .stride = b->stride,
                                       .dilation = b->dilation,
                                       .depthwise = true,
                                       .eps = b->eps,
                                       .activation = VIGIL_SILU });
    y = vigil_conv_norm(net, y, b->reduce, b->names,
                        &(VigilConv) { .out = b->out, .eps = b->eps });
    return skip ? vigil_net_add(net, x, y) : y;
}
