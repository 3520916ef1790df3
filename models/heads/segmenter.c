#include "heads/heads.h"

void vigil_head_segmenter(VigilNet *net, VigilValue x, const char *name,
                          bool align_corners)
{
    const VigilNetConfig *config = vigil_net_config(net);
    VigilValue low = vigil_net_conv(
        net, x, &(VigilConv) { .name = name, .out = config->classes, .bias = true });
    vigil_net_output(net, low, "low");
    VigilValue seg =
        vigil_net_resize(net, low, config->height, config->width, align_corners);
    vigil_net_optional(net, vigil_net_name(net, seg, "seg"));
}
