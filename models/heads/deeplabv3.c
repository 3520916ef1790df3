#include "heads/heads.h"

static VigilValue convolution(VigilNet *net, VigilValue x, const VigilAspp *a, int i)
{
    VigilConv c = { .out = a->channels,
                    .kernel = i ? 3 : 1,
                    .dilation = i ? a->rate[i - 1] : 1,
                    .eps = a->eps,
                    .activation = VIGIL_RELU };
    vigil_net_push(net, "%s%d", a->convolution, i);
    x = vigil_conv_norm(net, x, "", a->names, &c);
    vigil_net_pop(net);
    return x;
}

static VigilValue pooled(VigilNet *net, VigilValue x, const VigilAspp *a)
{
    VigilShape s = vigil_net_shape(net, x);
    VigilConv c = { .out = a->channels, .eps = a->eps, .activation = VIGIL_RELU };
    x = vigil_conv_norm(net, vigil_net_mean(net, x), a->pool, a->names, &c);
    x = vigil_net_resize(net, x, s.h, s.w, false);
    return a->spread ? vigil_net_name(net, x, a->spread) : x;
}

VigilValue vigil_aspp(VigilNet *net, VigilValue x, const VigilAspp *a)
{
    VigilValue part[5];
    int first = a->pool_first;
    part[first ? 0 : 4] = pooled(net, x, a);
    for (int i = 0; i < 4; i++)
        part[first + i] = convolution(net, x, a, i);
    VigilConv project = { .out = a->channels,
                          .kernel = a->project_kernel,
                          .eps = a->eps,
                          .activation = VIGIL_RELU };
    return vigil_conv_norm(net, vigil_net_concat_all(net, part, 5), a->project,
                           a->names, &project);
}
