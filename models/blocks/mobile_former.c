#include "blocks/blocks.h"

#define EPS 1e-5f
#define CROSS_HEADS 2 /* between map and tokens */
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

VigilValue vigil_mobile_to_former(VigilNet *net, VigilValue x, VigilValue z)
{
    int c = vigil_net_shape(net, x).c, d = vigil_net_shape(net, z).c;
    vigil_net_push(net, "local_global");
    VigilValue q = linear(net, z, "q", c, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = q,
                                                  .k = x,
                                                  .v = x,
                                                  .width = c,
                                                  .heads = CROSS_HEADS,
                                                  .kind = VIGIL_ATTENTION_TO_PIXELS });
    VigilValue gate = linear(net, z, "alpha.0", c, VIGIL_HSIGMOID);
    o = vigil_net_multiply(net, o, gate, 2);
    o = linear(net, o, "proj", d, VIGIL_LINEAR);
    z = vigil_net_layer_norm(net, vigil_net_add(net, z, o), "layer_norm", EPS);
    vigil_net_pop(net);
    return z;
}

VigilValue vigil_former(VigilNet *net, VigilValue z)
{
    int d = vigil_net_shape(net, z).c;
    vigil_net_push(net, "global_block");
    VigilValue q = linear(net, z, "q", d, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = q,
                                                  .k = z,
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

VigilValue vigil_former_to_mobile(VigilNet *net, VigilValue u, VigilValue z)
{
    int c = vigil_net_shape(net, u).c;
    vigil_net_push(net, "global_local");
    VigilValue k = linear(net, z, "k", c, VIGIL_LINEAR);
    VigilValue v = linear(net, z, "proj", c, VIGIL_LINEAR);
    VigilValue o =
        vigil_net_attention(net, &(VigilAttend) { .q = u,
                                                  .k = k,
                                                  .v = v,
                                                  .width = c,
                                                  .heads = CROSS_HEADS,
                                                  .kind = VIGIL_ATTENTION_TO_TOKENS });
    vigil_net_pop(net);
    return vigil_net_add(net, u, o);
}

VigilValue vigil_hyper_relu(VigilNet *net, VigilValue x, VigilValue token,
                            const char *name)
{
    int c = vigil_net_shape(net, x).c, d = vigil_net_shape(net, token).c;
    vigil_net_push(net, "%s.hyper", name);
    VigilValue t = linear(net, token, "0", d / 4, VIGIL_RELU);
    t = linear(net, t, "2", 2 * c, VIGIL_HSIGMOID);
    vigil_net_pop(net);
    return vigil_net_dynamic_relu(net, x, t);
}
