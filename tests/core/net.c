/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptions: shapes, errors that stick, what is merged, names. */
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

/* ---- What is merged ---------------------------------------------------------------
 */

static VigilValue pointwise(VigilNet *net, VigilValue x, const char *name)
{
    return conv(net, x, (VigilConv) { name, .out = 3 });
}

static VigilValue norm_before_pointwise(VigilNet *net, VigilValue x)
{
    return pointwise(net, vigil_net_batch_norm(net, x, "n", 0), "c");
}

static VigilValue norm_before_spatial(VigilNet *net, VigilValue x)
{
    x = vigil_net_batch_norm(net, x, "n", 0);
    return conv(net, x, (VigilConv) { "c", .out = 3, .kernel = 3 });
}

static VigilValue norm_read_twice(VigilNet *net, VigilValue x)
{
    VigilValue n = vigil_net_batch_norm(net, x, "n", 0);
    return vigil_net_add(net, vigil_net_mean(net, pointwise(net, n, "c")),
                         vigil_net_mean(net, n));
}

static VigilValue norm_kept(VigilNet *net, VigilValue x)
{
    x = vigil_net_name(net, vigil_net_batch_norm(net, x, "n", 0), "kept");
    return pointwise(net, x, "c");
}

static VigilValue layer_norm_before(VigilNet *net, VigilValue x)
{
    return pointwise(net, vigil_net_layer_norm(net, x, "n", 0), "c");
}

static VigilValue skip(VigilNet *net, VigilValue x)
{
    return vigil_net_add(net, x, pointwise(net, x, "c"));
}

static VigilValue skip_other_way(VigilNet *net, VigilValue x)
{
    return vigil_net_add(net, pointwise(net, x, "c"), x);
}

static VigilValue skip_depthwise(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "d", .depthwise = true, .kernel = 3 });
    return vigil_net_add(
        net, x, conv(net, x, (VigilConv) { "c", .depthwise = true, .kernel = 3 }));
}

static VigilValue two_branches(VigilNet *net, VigilValue x)
{
    return vigil_net_add(net, pointwise(net, x, "a"), pointwise(net, x, "b"));
}

static VigilValue two_sums(VigilNet *net, VigilValue x)
{
    VigilValue y = vigil_net_add(net, pointwise(net, x, "a"), x);
    return vigil_net_add(net, y, x);
}

static VigilValue chain(VigilNet *net, VigilValue x)
{
    x = skip(net, x);
    x = vigil_net_batch_norm(net, x, "n", 0);
    return vigil_net_add(net, pointwise(net, x, "b"), x);
}

static VigilValue norm_and_skip(VigilNet *net, VigilValue x)
{
    VigilValue n = vigil_net_batch_norm(net, x, "n", 0);
    return vigil_net_add(net, x, pointwise(net, n, "c"));
}

static VigilValue twice_itself(VigilNet *net, VigilValue x)
{
    x = pointwise(net, x, "c");
    return vigil_net_add(net, x, x);
}

static VigilValue summand_read_again(VigilNet *net, VigilValue x)
{
    VigilValue c = pointwise(net, x, "c");
    return vigil_net_scale(net, vigil_net_add(net, x, c), vigil_net_mean(net, c));
}

static VigilValue summand_kept(VigilNet *net, VigilValue x)
{
    VigilValue c = vigil_net_name(net, pointwise(net, x, "c"), "kept");
    return vigil_net_add(net, x, c);
}

static VigilValue early_summand(VigilNet *net, VigilValue x)
{
    VigilValue c = pointwise(net, x, "c");
    return vigil_net_add(net, c, vigil_net_scale(net, x, vigil_net_mean(net, x)));
}

static const struct {
    const char *what;
    VigilValue (*describe)(VigilNet *net, VigilValue x);
    int described, left;
} merges[] = {
    { "norm, pointwise", norm_before_pointwise, 2, 1 },
    { "norm, 3 x 3: zeros around it are not normalised", norm_before_spatial, 2, 2 },
    { "norm read twice", norm_read_twice, 5, 5 },
    { "norm that is kept", norm_kept, 2, 2 },
    { "layer norm, pointwise", layer_norm_before, 2, 2 },
    { "x + conv(x)", skip, 2, 1 },
    { "conv(x) + x", skip_other_way, 2, 1 },
    { "d + depthwise(d)", skip_depthwise, 3, 2 },
    { "conv(x) + conv(x)", two_branches, 3, 2 },
    { "a conv takes one summand only", two_sums, 3, 2 },
    { "skip, norm read twice, skip", chain, 5, 3 },
    { "norm and skip around it", norm_and_skip, 3, 1 },
    { "c + c", twice_itself, 2, 2 },
    { "summand read again", summand_read_again, 4, 4 },
    { "summand that is kept", summand_kept, 2, 2 },
    { "conv before its other summand", early_summand, 4, 4 },
};

static int count_layers(const VigilNet *net)
{
    VigilLayer layer;
    int n = 0;
    while (vigil_net_layer(net, (size_t)n, &layer))
        n++;
    return n;
}

static void check_merges(void)
{
    static const char *const keep[] = { "kept" };
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        VigilNet *net = new_net(6, 7);
        VigilError e;
        VigilValue y = merges[i].describe(net, vigil_net_input(net));
        vigil_net_output(net, vigil_net_name(net, y, "last"), "y");
        int described = count_layers(net);
        vigil_net_fuse(net, keep, 1, &e);
        int left = count_layers(net);
        VigilValue last = vigil_net_find(net, "last");
        tap_ok(described == merges[i].described && left == merges[i].left &&
                   last == vigil_net_output_at(net, 0, NULL) &&
                   !strcmp(vigil_net_value_name(net, last), "last"),
               "%s: %d operations, %d after merging", merges[i].what, described, left);
        vigil_net_free(&net);
    }
}

/* ---- Names ------------------------------------------------------------------------
 */

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
    check_merges();
    check_names();
    return tap_done();
}
