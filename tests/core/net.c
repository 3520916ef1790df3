/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptions: shapes, errors that stick, names. */
#include "build.h"
#include "core/op.h"
#include "tap.h"

#include <string.h>

static VigilNet *new_net(int h, int w)
{
    VigilNetConfig config = { h, w, 5, 0 };
    VigilNet *net = vigil_net_new(&config);
    if (!net)
        exit(2);
    return net;
}

/* ---- Shapes -----------------------------------------------------------------------
 */

static void check_shapes(void)
{
    static const struct {
        int h, w, kernel, stride, dilation, out_h, out_w;
    } rows[] = {
        { 224, 224, 3, 2, 0, 112, 112 }, { 225, 223, 3, 2, 0, 113, 112 },
        { 47, 33, 3, 2, 0, 24, 17 },     { 1, 2, 3, 2, 0, 1, 1 },
        { 3, 4, 5, 2, 0, 2, 2 },         { 9, 8, 7, 2, 0, 5, 4 },
        { 5, 1, 5, 0, 0, 5, 1 },         { 10, 7, 3, 0, 2, 10, 7 },
        { 10, 7, 3, 2, 4, 5, 4 },        { 8, 9, 1, 2, 0, 4, 5 },
        { 8, 9, 1, 3, 0, 3, 3 },         { 8, 9, 2, 0, 0, 7, 8 },
        { 8, 9, 0, 0, 0, 8, 9 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilNet *net = new_net(rows[i].h, rows[i].w);
        VigilValue y = vigil_net_conv(net, vigil_net_input(net),
                                      &(VigilConv) { .name = "c",
                                                     .out = 4,
                                                     .kernel = rows[i].kernel,
                                                     .stride = rows[i].stride,
                                                     .dilation = rows[i].dilation });
        VigilShape s = vigil_net_shape(net, y);
        tap_ok(!vigil_net_status(net, NULL) && s.h == rows[i].out_h &&
                   s.w == rows[i].out_w && s.c == 4 && !s.vector,
               "%d x %d, kernel %d, stride %d, dilation %d: %d x %d", rows[i].h,
               rows[i].w, rows[i].kernel, rows[i].stride, rows[i].dilation, s.h, s.w);
        vigil_net_free(&net);
    }
}

/* ---- Errors -----------------------------------------------------------------------
 */

static VigilValue conv(VigilNet *net, VigilValue x, VigilConv c)
{
    return vigil_net_conv(net, x, &c);
}

static VigilValue bad_sum(VigilNet *net, VigilValue x)
{
    return vigil_net_add(net, x,
                         conv(net, x, (VigilConv) { "c", .out = 3, .stride = 2 }));
}

static VigilValue bad_scale(VigilNet *net, VigilValue x)
{
    VigilValue v = vigil_net_mean(net, conv(net, x, (VigilConv) { "c", .out = 4 }));
    return vigil_net_scale(net, x, v);
}

static VigilValue bad_heads(VigilNet *net, VigilValue x)
{
    return vigil_net_window_attention(net, x, "qk", 2, 7);
}

static VigilValue no_heads(VigilNet *net, VigilValue x)
{
    return vigil_net_window_attention(net, x, "qk", 0, 7);
}

static VigilValue no_window(VigilNet *net, VigilValue x)
{
    return vigil_net_window_attention(net, x, "qk", 1, 0);
}

static VigilValue no_room(VigilNet *net, VigilValue x)
{
    return conv(net, x, (VigilConv) { "c", .out = 3, .kernel = 2, .dilation = 8 });
}

static VigilValue no_channels(VigilNet *net, VigilValue x)
{
    return conv(net, x, (VigilConv) { "c", .out = 0 });
}

static VigilValue bad_depthwise(VigilNet *net, VigilValue x)
{
    return conv(net, x, (VigilConv) { "c", .depthwise = true, .kernel = 4 });
}

static VigilValue bad_stride(VigilNet *net, VigilValue x)
{
    return conv(net, x,
                (VigilConv) { "c", .depthwise = true, .kernel = 3, .stride = 3 });
}

static VigilValue too_deep(VigilNet *net, VigilValue x)
{
    for (int i = 0; i < 20; i++)
        vigil_net_push(net, "s%d", i);
    for (int i = 0; i < 20; i++)
        vigil_net_pop(net);
    return x;
}

static VigilValue too_many_outputs(VigilNet *net, VigilValue x)
{
    for (int i = 0; i < 17; i++)
        vigil_net_output(net, x, "y");
    return x;
}

static const struct {
    VigilValue (*describe)(VigilNet *net, VigilValue x);
    VigilStatus status;
    const char *message;
} errors[] = {
    { bad_sum, VIGIL_ERROR_SHAPE, "sum of maps 8 x 9 x 3 and 4 x 5 x 3" },
    { bad_scale, VIGIL_ERROR_SHAPE, "4 scales for 3 channels" },
    { bad_heads, VIGIL_ERROR_SHAPE, "3 channels in 2 heads" },
    { no_heads, VIGIL_ERROR_SHAPE, "3 channels in 0 heads" },
    { no_window, VIGIL_ERROR_SHAPE, "windows of 0 x 0 pixels" },
    { no_room, VIGIL_ERROR_SHAPE, "kernel 2 over 8 x 9 x 3 gives 0 x 1 x 3" },
    { no_channels, VIGIL_ERROR_SHAPE, "kernel 1 over 8 x 9 x 3 gives 8 x 9 x 0" },
    { bad_depthwise, VIGIL_ERROR_UNSUPPORTED, "c: depth-wise kernel 4, stride 1" },
    { bad_stride, VIGIL_ERROR_UNSUPPORTED, "c: depth-wise kernel 3, stride 3" },
    { too_deep, VIGIL_ERROR_ARGUMENT, "more than 8 scopes" },
    { too_many_outputs, VIGIL_ERROR_ARGUMENT, "more than 16 outputs" },
};

/* After an error every call does nothing, and the first message stays. */
static void go_on(VigilNet *net, VigilValue y)
{
    VigilValue x = vigil_net_input(net);
    vigil_net_push(net, "more");
    x = vigil_net_add(net, vigil_net_scale(net, x, vigil_net_mean(net, y)), y);
    x = vigil_net_layer_norm(net, vigil_net_batch_norm(net, x, "b", 0), "l", 0);
    x = vigil_net_window_attention(net, x, "w", 0, 0);
    x = conv(net, x, (VigilConv) { "c", .out = -1 });
    vigil_net_name(net, x, "name");
    vigil_net_output(net, x, "output");
    vigil_net_pop(net);
    vigil_net_fail(net, VIGIL_ERROR_IO, "another error");
}

static void check_errors(void)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        VigilNet *net = new_net(8, 9);
        VigilError first = { 0 }, e = { 0 }, fused = { 0 };
        VigilValue y = errors[i].describe(net, vigil_net_input(net));
        VigilStatus s = vigil_net_status(net, &first);
        go_on(net, y);
        VigilStatus later = vigil_net_status(net, &e);
        tap_ok(s == errors[i].status && first.status == s && later == s &&
                   strstr(first.message, errors[i].message) &&
                   !strcmp(first.message, e.message),
               "status %d, '%s'", s, e.message);
        tap_ok(vigil_net_fuse(net, NULL, 0, &fused) == s &&
                   !strcmp(fused.message, first.message) &&
                   vigil_net_status(net, NULL) == s,
               "and it is not merged");
        vigil_net_free(&net);
    }
    VigilNet *none = NULL;
    vigil_net_free(&none);
}

/* ---- Names ------------------------------------------------------------------------
 */

static VigilValue pointwise(VigilNet *net, VigilValue x, const char *name)
{
    return conv(net, x, (VigilConv) { name, .out = 3 });
}

static void check_names(void)
{
    VigilNet *net = new_net(8, 8);
    VigilValue x = vigil_net_input(net);
    vigil_net_push(net, "stage%d", 1);
    vigil_net_push(net, "%d", 0);
    VigilValue y = pointwise(net, x, "proj.conv");
    tap_ok(!strcmp(vigil_net_value_name(net, y), "stage1.0.proj.conv") &&
               vigil_net_find(net, "stage1.0.proj.conv") == y,
           "a value has the name of its operation: %s", vigil_net_value_name(net, y));
    vigil_net_name(net, y, "");
    tap_ok(!strcmp(vigil_net_value_name(net, y), "stage1.0"),
           "an empty name is the scope's: %s", vigil_net_value_name(net, y));
    vigil_net_pop(net);
    vigil_net_name(net, y, "out");
    tap_ok(!strcmp(vigil_net_value_name(net, y), "stage1.out"),
           "a value can be named again: %s", vigil_net_value_name(net, y));
    vigil_net_pop(net);
    vigil_net_name(net, y, "top");
    tap_ok(!strcmp(vigil_net_value_name(net, y), "top") &&
               vigil_net_find(net, "input") == x &&
               vigil_net_find(net, "stage1.0") == VIGIL_NONE,
           "outside of scopes: %s", vigil_net_value_name(net, y));
    vigil_net_push(net, "stage2");
    vigil_net_push(net, "%s", "");
    vigil_net_alias(net, y, "again");
    tap_ok(vigil_net_find(net, "stage2.again") == y &&
               !strcmp(vigil_net_value_name(net, y), "top") &&
               !strcmp(vigil_net_own_name(net, "stage2.again"), "stage2.again") &&
               !vigil_net_own_name(net, "again"),
           "a further name, under an empty scope that adds nothing");
    vigil_net_pop(net);
    vigil_net_pop(net);
    vigil_net_free(&net);
}

int main(void)
{
    check_shapes();
    check_errors();
    check_names();
    return tap_done();
}
