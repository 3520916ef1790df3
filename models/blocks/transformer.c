#include "blocks/blocks.h"

/* x + W_r SiLU(W_e n + b_e) + b_r */
static VigilValue add_mlp(VigilNet *net, VigilValue x, VigilValue n,
                          const VigilTransformer *l, bool linear)
{
    VigilValue y = vigil_net_conv(net, n,
                                  &(VigilConv) { .name = l->names->expand,
                                                 .out = l->hidden,
                                                 .bias = true,
                                                 .linear = linear,
                                                 .activation = VIGIL_SILU });
    y = vigil_net_conv(net, y,
                       &(VigilConv) { .name = l->names->reduce,
                                      .out = vigil_net_shape(net, x).c,
                                      .bias = true,
                                      .linear = linear });
    return vigil_net_add(net, x, y);
}

VigilValue vigil_transformer_layer(VigilNet *net, VigilValue x,
                                   const VigilTransformer *l)
{
    const VigilTransformerNames *names = l->names;
    VigilShape s = vigil_net_shape(net, x);
    VigilValue n = vigil_net_layer_norm(net, x, names->norm1, l->eps);
    vigil_net_push(net, "%s", names->attention);
    VigilValue qkv = vigil_net_conv(net, n,
                                    &(VigilConv) { .name = names->qkv,
                                                   .parts = names->qkv_parts,
                                                   .out = 3 * s.c,
                                                   .bias = true,
                                                   .linear = true });
    VigilValue y =
        vigil_net_attention(net, &(VigilAttend) { .q = qkv,
                                                  .k = qkv,
                                                  .v = qkv,
                                                  .k_at = s.c,
                                                  .v_at = 2 * s.c,
                                                  .width = s.c,
                                                  .heads = l->heads,
                                                  .sequences = s.h,
                                                  .kind = VIGIL_ATTENTION_PATCHES,
                                                  .map_height = l->map_height,
                                                  .map_width = l->map_width });
    y = vigil_net_conv(
        net, y,
        &(VigilConv) { .name = names->out, .out = s.c, .bias = true, .linear = true });
    vigil_net_pop(net);
    x = vigil_net_add(net, x, y);
    n = vigil_net_layer_norm(net, x, names->norm2, l->eps);
    return add_mlp(net, x, n, l, true);
}

VigilValue vigil_separable_layer(VigilNet *net, VigilValue x, const VigilTransformer *l)
{
    const VigilTransformerNames *names = l->names;
    int c = vigil_net_shape(net, x).c;
    VigilValue n = vigil_net_group_norm(net, x, names->norm1, l->eps);
    vigil_net_push(net, "%s", names->attention);
    VigilValue y = vigil_net_conv(
        net, n, &(VigilConv) { .name = names->qkv, .out = 1 + 2 * c, .bias = true });
    y = vigil_net_separable_attention(net, y, l->map_height, l->map_width);
    y = vigil_net_conv(net, y,
                       &(VigilConv) { .name = names->out, .out = c, .bias = true });
    vigil_net_pop(net);
    x = vigil_net_add(net, x, y);
    n = vigil_net_group_norm(net, x, names->norm2, l->eps);
    return add_mlp(net, x, n, l, false);
}
