#include "heads/heads.h"

void vigil_head_classifier(VigilNet *net, VigilValue features, const char *name)
{
    VigilValue logits =
        vigil_net_conv(net, vigil_net_mean(net, features),
                       &(VigilConv) { .name = name,
                                      .out = vigil_net_config(net)->classes,
                                      .bias = true,
                                      .linear = true });
    vigil_net_output(net, logits, "logits");
}
