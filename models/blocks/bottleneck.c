/* The bottlenecks of Mobile-Former: the stream of maps between its attentions. */
#include "blocks/blocks.h"

#define EPS 1e-5f

/* Layer `conv` of a scope: convolution and batch norm; the channels shuffled by
 * `shuffle` groups where there are groups at all. */
typedef struct Layer {
    const char *conv, *norm;
    int out;       /* channels, or of a depth-wise one: */
    int expansion; /* its multiplier; 0: a 1 x 1 convolution */
    int stride, shuffle;
    VigilActivation activation;
} Layer;

static VigilValue layer(VigilNet *net, VigilValue x, const VigilBottleneck *b, Layer l)
{
    return vigil_net_conv(net, x,
                          &(VigilConv) { .name = l.conv,
                                         .norm = l.norm,
                                         .eps = EPS,
                                         .out = l.out,
                                         .kernel = l.expansion ? 3 : 1,
                                         .stride = l.stride,
                                         .depthwise = l.expansion != 0,
                                         .multiplier = l.expansion,
                                         .groups = l.expansion ? 1 : b->groups,
                                         .shuffle = b->groups > 1 ? l.shuffle : 0,
                                         .activation = l.activation });
}

VigilValue vigil_bottleneck_lite(VigilNet *net, VigilValue x, const VigilBottleneck *b)
{
    int in = vigil_net_shape(net, x).c;
    VigilValue u = layer(net, x, b,
                         (Layer) { "conv.0", "conv.1", .expansion = b->expanded / in,
                                   .stride = b->stride, .shuffle = in,
                                   .activation = VIGIL_RELU6 });
    u = layer(net, u, b, (Layer) { "conv.4", "conv.5", .out = b->out });
    return b->stride == 1 && in == b->out ? vigil_net_add(net, u, x) : u;
}

/* The first layer of `same`, and the other two. */
static VigilValue expanded(VigilNet *net, VigilValue x, VigilHyper hyper,
                           const VigilBottleneck *b)
{
    x = layer(
        net, x, b,
        (Layer) { "conv1.0", "conv1.1", .out = b->expanded, .shuffle = b->groups });
    return vigil_hyper_relu(net, x, hyper, "hyper1");
}

static VigilValue reduced(VigilNet *net, VigilValue u, VigilHyper hyper,
                          const VigilBottleneck *b)
{
    u = layer(net, u, b, (Layer) { "conv2.0", "conv2.1", .expansion = 1 });
    u = vigil_hyper_relu(net, u, hyper, "hyper2");
    return layer(net, u, b,
                 (Layer) { "conv3.0", "conv3.1", .out = b->out, .shuffle = b->groups });
}

VigilValue vigil_bottleneck_same(VigilNet *net, VigilValue x, VigilHyper hyper,
                                 const VigilBottleneck *b)
{
    VigilValue u = reduced(net, expanded(net, x, hyper, b), hyper, b);
    return vigil_net_shape(net, x).c == b->out ? vigil_net_add(net, u, x) : u;
}

VigilValue vigil_bottleneck_up(VigilNet *net, VigilValue x, VigilHyper hyper,
                               VigilValue finer, const VigilBottleneck *b)
{
    VigilShape s = vigil_net_shape(net, finer);
    VigilValue u = expanded(net, x, hyper, b);
    u = reduced(net, vigil_net_resize(net, u, s.h, s.w, false), hyper, b);
    finer = layer(net, finer, b, (Layer) { "lateral.0", "lateral.1", .out = b->out });
    return vigil_net_add(net, finer, u); /* pixels lie where those of finer do */
}

VigilValue vigil_bottleneck_down(VigilNet *net, VigilValue x, VigilHyper hyper,
                                 const VigilBottleneck *b)
{
    int in = vigil_net_shape(net, x).c;
    VigilValue u = layer(net, x, b,
                         (Layer) { "conv1.0", "conv1.1", .expansion = b->expanded / in,
                                   .stride = b->stride, .shuffle = in });
    u = vigil_hyper_relu(net, u, hyper, "hyper1");
    VigilValue r = layer(net, u, b, (Layer) { "conv2.0", "conv2.1", .out = b->out });
    u = layer(net, r, b,
              (Layer) { "conv3.0", "conv3.1", .expansion = b->expanded_again / b->out,
                        .shuffle = b->out });
    u = vigil_hyper_relu(net, u, hyper, "hyper3");
    u = layer(net, u, b, (Layer) { "conv4.0", "conv4.1", .out = b->out });
    return vigil_net_add(net, u, r);
}
