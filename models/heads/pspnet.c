#include "heads/heads.h"

static VigilValue branch(VigilNet *net, VigilValue x, const VigilPsp *p, int i)
{
    static const int cells[] = { 1, 2, 3, 6 };
    VigilShape s = vigil_net_shape(net, x);
    VigilConv c = { .out = p->branch_channels,
                    .eps = p->eps,
                    .activation = VIGIL_RELU };
    x = vigil_net_pool(net, x, cells[i], cells[i]);
    vigil_net_push(net, "%s%d", p->branch, i);
    x = vigil_conv_norm(net, x, p->inner, p->names, &c);
    vigil_net_alias(net, x, "");
    vigil_net_pop(net);
    return vigil_net_resize(net, x, s.h, s.w, p->align_corners);
}

VigilValue vigil_psp(VigilNet *net, VigilValue x, const VigilPsp *p)
{
    VigilValue part[5] = { x };
    for (int i = 0; i < 4; i++)
        part[i + 1] = branch(net, x, p, i);
    VigilConv fusion = {
        .out = p->channels, .kernel = 3, .eps = p->eps, .activation = VIGIL_RELU
    };
    return vigil_conv_norm(net, vigil_net_concat_all(net, part, 5), p->fusion, p->names,
                           &fusion);
}
