#include "blocks/blocks.h"

#include <math.h>

#define EPS 1e-5f
#define TOKEN_HEADS 4

/* A linear layer over tokens or vectors, with bias. */
static VigilValue linear(VigilNet *net, VigilValue x, const char *name, int out,
                         VigilActivation activation)
{
    return vigil_net_conv(net, x,
                          &(VigilConv) { .name = name,
                                         .out = out,
                                         .bias = true,
                                         .linear = true,
                                         .activation = activation });
}

VigilValue vigil_mobile_to_former(VigilNet *net, VigilPlaced x, VigilPlaced z,
                                  VigilValue *q)
{
    int c = vigil_net_shape(net, x.value).c, d = vigil_net_shape(net, z.value).c;
    vigil_net_push(net, "local_global");
    VigilValue queries = linear(net, z.at, "q", c, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = queries,
                                                  .k = x.at,
                                                  .v = x.value,
                                                  .width = c,
                                                  .heads = VIGIL_CROSS_HEADS,
                                                  .kind = VIGIL_ATTENTION_TO_PIXELS });
    VigilValue gate = linear(net, z.value, "alpha.0", c, VIGIL_HSIGMOID);
    o = vigil_net_multiply(net, o, gate, 2);
    o = linear(net, o, "proj", d, VIGIL_LINEAR);
    o = vigil_net_add(net, z.value, o);
    o = vigil_net_layer_norm(net, o, "layer_norm", EPS);
    vigil_net_pop(net);
    if (q)
        *q = queries;
    return o;
}

VigilValue vigil_former(VigilNet *net, VigilValue z, VigilValue place)
{
    int d = vigil_net_shape(net, z).c;
    vigil_net_push(net, "global_block");
    VigilValue at = place == VIGIL_NONE ? z : vigil_net_add(net, z, place);
    VigilValue q = linear(net, at, "q", d, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = q,
                                                  .k = at,
                                                  .v = z,
                                                  .width = d,
                                                  .heads = TOKEN_HEADS,
                                                  .kind = VIGIL_ATTENTION_TOKENS });
    o = linear(net, o, "channel_mlp", d, VIGIL_LINEAR);
    z = vigil_net_layer_norm(net, vigil_net_add(net, z, o), "layer_norm", EPS);
    o = linear(net, z, "ffn.0", 2 * d, VIGIL_GELU);
    o = linear(net, o, "ffn.2", d, VIGIL_LINEAR);
    z = vigil_net_layer_norm(net, vigil_net_add(net, z, o), "ffn_norm", EPS);
    vigil_net_pop(net);
    return z;
}

VigilValue vigil_former_to_mobile(VigilNet *net, VigilPlaced u, VigilPlaced z)
{
    int c = vigil_net_shape(net, u.value).c;
    vigil_net_push(net, "global_local");
    VigilValue k = linear(net, z.at, "k", c, VIGIL_LINEAR);
    VigilValue v = linear(net, z.value, "proj", c, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = u.at,
                                                  .k = k,
                                                  .v = v,
                                                  .width = c,
                                                  .heads = VIGIL_CROSS_HEADS,
                                                  .kind = VIGIL_ATTENTION_TO_TOKENS });
    vigil_net_pop(net);
    return vigil_net_add(net, u.value, o);
}

VigilHyper vigil_hyper_of_first(VigilNet *net, VigilValue z)
{
    return (VigilHyper) { vigil_net_token(net, z, 0), VIGIL_NONE };
}

/* The heads lie side by side: the sum of their products is the product of all channels.
 */
VigilHyper vigil_hyper_of_all(VigilNet *net, VigilValue x, VigilValue q, VigilValue z,
                              int stride)
{
    VigilShape s = vigil_net_shape(net, x);
    float scale = 1 / sqrtf((float)s.c / VIGIL_CROSS_HEADS);
    VigilValue shares = vigil_net_relate(net, x, q, scale / VIGIL_CROSS_HEADS);
    if (stride > 1)
        shares = vigil_net_pool(net, shares, (s.h + stride - 1) / stride,
                                (s.w + stride - 1) / stride);
    shares = vigil_net_name(net, vigil_net_softmax(net, shares), "shares");
    return (VigilHyper) { z, shares };
}

VigilValue vigil_hyper_relu(VigilNet *net, VigilValue x, VigilHyper hyper,
                            const char *name)
{
    int c = vigil_net_shape(net, x).c, d = vigil_net_shape(net, hyper.tokens).c;
    vigil_net_push(net, "%s.hyper", name);
    VigilValue t = linear(net, hyper.tokens, "0", d / 4, VIGIL_RELU);
    t = linear(net, t, "2", 2 * c, VIGIL_HSIGMOID);
    vigil_net_pop(net);
    return hyper.shares == VIGIL_NONE
               ? vigil_net_dynamic_relu(net, x, t)
               : vigil_net_spatial_dynamic_relu(net, x, t, hyper.shares);
}
