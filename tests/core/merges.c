/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is merged, and that the merged network computes the same. */
#include "build.h"
#include "core/op.h"
#include "tap.h"

#include <math.h>
#include <string.h>

#define HEIGHT 6
#define WIDTH 8
#define TOLERANCE 5e-6 /* of the rms, as each operation has against its definition */

static VigilValue conv(VigilNet *net, VigilValue x, VigilConv c)
{
    return vigil_net_conv(net, x, &c);
}

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
    VigilValue n = vigil_net_batch_norm(net, x, "n", 0), mean = vigil_net_mean(net, n);
    return vigil_net_add(net, vigil_net_mean(net, pointwise(net, n, "c")), mean);
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
    VigilValue a = pointwise(net, x, "a");
    return vigil_net_add(net, a, pointwise(net, x, "b"));
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

/* ---- Products ---------------------------------------------------------------------
 */

static VigilValue two_matrices(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "a", .out = 7, .bias = true });
    return conv(net, x, (VigilConv) { "b", .out = 5, .bias = true });
}

/* 3 x 2 and 2 x 5 are 16 to multiply, 3 x 5 is 15: but one of 1 x 2 and 2 x 8 is not.
 */
static VigilValue bottleneck(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "a", .out = 1 });
    return conv(net, x, (VigilConv) { "b", .out = 8 });
}

static VigilValue norms_around(VigilNet *net, VigilValue x)
{
    x = vigil_net_batch_norm(net, x, "n0", 0);
    x = conv(net, x, (VigilConv) { "a", .norm = "n1", .out = 7, .bias = true });
    x = vigil_net_batch_norm(net, x, "n2", 0);
    return conv(net, x,
                (VigilConv) { "b", .norm = "n3", .out = 5, .activation = VIGIL_SILU });
}

static VigilValue active_first(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "a", .out = 7, .activation = VIGIL_RELU });
    return conv(net, x, (VigilConv) { "b", .out = 5 });
}

static VigilValue three_matrices(VigilNet *net, VigilValue x)
{
    return conv(net, two_matrices(net, x), (VigilConv) { "c", .out = 4 });
}

static VigilValue matrices_with_skip(VigilNet *net, VigilValue x)
{
    VigilValue y = conv(net, x, (VigilConv) { "a", .out = 7 });
    return vigil_net_add(net, x, conv(net, y, (VigilConv) { "b", .out = 3 }));
}

static VigilValue first_has_skip(VigilNet *net, VigilValue x)
{
    VigilValue y = vigil_net_add(net, x, pointwise(net, x, "a"));
    return conv(net, y, (VigilConv) { "b", .out = 4 });
}

static VigilValue first_kept(VigilNet *net, VigilValue x)
{
    x = vigil_net_name(net, conv(net, x, (VigilConv) { "a", .out = 7 }), "kept");
    return conv(net, x, (VigilConv) { "b", .out = 5 });
}

static VigilValue in_groups(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "a", .out = 6, .groups = 3 });
    return conv(net, x, (VigilConv) { "b", .out = 5 });
}

static VigilValue same_weights(VigilNet *net, VigilValue x)
{
    x = pointwise(net, x, "a");
    return conv(net, x, (VigilConv) { "a", .out = 3, .shared = true });
}

/* ---- Means ------------------------------------------------------------------------
 */

static VigilValue mean_of_matrix(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "a", .norm = "n", .out = 7, .bias = true });
    return vigil_net_mean(net, x);
}

static VigilValue classifier(VigilNet *net, VigilValue x)
{
    return conv(net, mean_of_matrix(net, x),
                (VigilConv) { "b", .out = 5, .bias = true, .linear = true });
}

static VigilValue mean_of_spatial(VigilNet *net, VigilValue x)
{
    return vigil_net_mean(net,
                          conv(net, x, (VigilConv) { "a", .out = 4, .kernel = 3 }));
}

static VigilValue mean_of_active(VigilNet *net, VigilValue x)
{
    return vigil_net_mean(
        net, conv(net, x, (VigilConv) { "a", .out = 4, .activation = VIGIL_RELU }));
}

/* ---- Projections of separable attention --------------------------------------------
 */

static VigilValue attend(VigilNet *net, VigilValue x, const char *name)
{
    x = conv(net, x, (VigilConv) { "wide", .out = 19, .activation = VIGIL_SILU });
    x = vigil_net_unfold(net, x);
    x = conv(net, x, (VigilConv) { "qkv", .out = 2 * 19 + 1, .bias = true });
    x = name ? vigil_net_name(net, x, name) : x;
    return vigil_net_separable_attention(net, x, HEIGHT, WIDTH);
}

static VigilValue projected(VigilNet *net, VigilValue x)
{
    return attend(net, x, NULL);
}

static VigilValue projection_kept(VigilNet *net, VigilValue x)
{
    return attend(net, x, "kept");
}

static VigilValue projection_normed(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "wide", .out = 35, .activation = VIGIL_SILU });
    x = vigil_net_unfold(net, x);
    x = vigil_net_batch_norm(net, x, "n", 0);
    x = conv(net, x, (VigilConv) { "qkv", .norm = "m", .out = 2 * 35 + 1 });
    return vigil_net_separable_attention(net, x, HEIGHT, WIDTH);
}

/* y bent with slopes that are computed after it. */
static VigilValue bent(VigilNet *net, VigilValue x, VigilValue y)
{
    const int slopes = 2 * vigil_net_shape(net, y).c;
    VigilValue t = conv(
        net, vigil_net_mean(net, x),
        (VigilConv) { "t", .out = slopes, .bias = true, .activation = VIGIL_HSIGMOID });
    return vigil_net_dynamic_relu(net, y, t);
}

static VigilValue bent_matrix(VigilNet *net, VigilValue x)
{
    return bent(net, x, conv(net, x, (VigilConv) { "c", .out = 21, .bias = true }));
}

static VigilValue bent_spatial(VigilNet *net, VigilValue x)
{
    return bent(net, x,
                conv(net, x, (VigilConv) { "c", .out = 21, .kernel = 3, .stride = 2 }));
}

static VigilValue bent_depthwise(VigilNet *net, VigilValue x)
{
    return bent(net, x,
                conv(net, x, (VigilConv) { "c", .kernel = 3, .depthwise = true }));
}

static VigilValue bent_twice(VigilNet *net, VigilValue x)
{
    VigilValue y = bent_matrix(net, x);
    y = conv(net, y, (VigilConv) { "d", .kernel = 3, .stride = 2, .depthwise = true });
    y = bent(net, x, y);
    return conv(net, y, (VigilConv) { "e", .out = 5 });
}

static VigilValue bent_multiplied(VigilNet *net, VigilValue x)
{
    return bent(
        net, x,
        conv(net, x,
             (VigilConv) { "c", .kernel = 3, .depthwise = true, .multiplier = 4 }));
}

static VigilValue bent_shuffled(VigilNet *net, VigilValue x)
{
    return bent(net, x,
                conv(net, x,
                     (VigilConv) { "c", .kernel = 3, .stride = 2, .depthwise = true,
                                   .multiplier = 4, .shuffle = 3 }));
}

static VigilValue bent_groups(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "w", .out = 60, .activation = VIGIL_SILU });
    return bent(net, x, conv(net, x, (VigilConv) { "c", .out = 60, .groups = 2 }));
}

static VigilValue bent_shuffled_groups(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "w", .out = 60, .activation = VIGIL_SILU });
    return bent(
        net, x,
        conv(net, x, (VigilConv) { "c", .out = 60, .groups = 2, .shuffle = 4 }));
}

static VigilValue bent_winograd(VigilNet *net, VigilValue x)
{
    x = conv(net, x, (VigilConv) { "w", .out = 16, .activation = VIGIL_SILU });
    return bent(net, x, conv(net, x, (VigilConv) { "c", .out = 16, .kernel = 3 }));
}

static VigilValue bent_active(VigilNet *net, VigilValue x)
{
    return bent(net, x,
                conv(net, x, (VigilConv) { "c", .out = 4, .activation = VIGIL_SILU }));
}

static VigilValue bent_sum(VigilNet *net, VigilValue x)
{
    return bent(net, x, skip(net, x));
}

static VigilValue sum_of_bent(VigilNet *net, VigilValue x)
{
    return vigil_net_add(net, x, bent(net, x, pointwise(net, x, "c")));
}

static VigilValue bent_and_read(VigilNet *net, VigilValue x)
{
    VigilValue y = pointwise(net, x, "c");
    return vigil_net_concat(net, y, bent(net, x, y));
}

static const struct {
    const char *what;
    VigilValue (*describe)(VigilNet *net, VigilValue x);
    int described, left;
} merges[] = {
    { "norm, pointwise", norm_before_pointwise, 2, 1 },
    { "norm, 3 x 3: zeros around it are not normalised", norm_before_spatial, 2, 2 },
    { "norm read twice", norm_read_twice, 5, 4 },
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
    { "a matrix, a matrix", two_matrices, 2, 1 },
    { "few channels between two matrices", bottleneck, 2, 2 },
    { "norms around two matrices", norms_around, 4, 1 },
    { "a matrix, ReLU, a matrix", active_first, 2, 2 },
    { "of three matrices two", three_matrices, 3, 2 },
    { "x + matrix(matrix(x))", matrices_with_skip, 3, 1 },
    { "matrix(x + matrix(x))", first_has_skip, 3, 2 },
    { "matrix that is kept", first_kept, 2, 2 },
    { "matrices in groups, a matrix", in_groups, 2, 2 },
    { "a matrix twice", same_weights, 2, 2 },
    { "mean of a matrix", mean_of_matrix, 2, 2 },
    { "mean of a matrix, a matrix", classifier, 3, 2 },
    { "mean of a 3 x 3", mean_of_spatial, 2, 2 },
    { "mean of a ReLU", mean_of_active, 2, 2 },
    { "projection, separable attention", projected, 4, 3 },
    { "projection that is kept", projection_kept, 4, 4 },
    { "norms around a projection", projection_normed, 5, 3 },
    { "matrix, dynamic ReLU", bent_matrix, 4, 3 },
    { "3 x 3, dynamic ReLU", bent_spatial, 4, 3 },
    { "depth-wise, dynamic ReLU", bent_depthwise, 4, 3 },
    { "three layers, two dynamic ReLUs", bent_twice, 9, 7 },
    { "depth-wise with several filters, dynamic ReLU", bent_multiplied, 4, 3 },
    { "several filters, shuffled, dynamic ReLU", bent_shuffled, 4, 3 },
    { "matrices in groups, dynamic ReLU", bent_groups, 5, 4 },
    { "matrices in groups, shuffled, dynamic ReLU", bent_shuffled_groups, 5, 4 },
    { "3 x 3 by Winograd, dynamic ReLU", bent_winograd, 5, 5 },
    { "SiLU, dynamic ReLU", bent_active, 4, 4 },
    { "x + matrix(x), dynamic ReLU", bent_sum, 5, 4 },
    { "x + dynamic ReLU of a matrix", sum_of_bent, 5, 4 },
    { "matrix read twice, dynamic ReLU", bent_and_read, 5, 5 },
};

static int count_layers(const VigilNet *net)
{
    VigilLayer layer;
    int n = 0;
    while (vigil_net_layer(net, (size_t)n, &layer))
        n++;
    return n;
}

static VigilNet *described(size_t i)
{
    VigilNetConfig config = { HEIGHT, WIDTH, 5, 0 };
    VigilNet *net = vigil_net_new(&config);
    if (!net)
        exit(2);
    VigilValue y = merges[i].describe(net, vigil_net_input(net));
    vigil_net_output(net, vigil_net_name(net, y, "last"), "y");
    return net;
}

static const char *const keep[] = { "kept" };

static void check_merges(void)
{
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        VigilNet *net = described(i);
        VigilError e;
        int before = count_layers(net);
        vigil_net_fuse(net, keep, 1, &e);
        int left = count_layers(net);
        VigilValue last = vigil_net_find(net, "last");
        tap_ok(before == merges[i].described && left == merges[i].left &&
                   last == vigil_net_output_at(net, 0, NULL) &&
                   !strcmp(vigil_net_value_name(net, last), "last"),
               "%s: %d operations, %d after merging", merges[i].what, before, left);
        vigil_net_free(&net);
    }
}

/* Each operation by itself. */
static void check_values(void)
{
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        VigilNet *merged = described(i), *plain = described(i);
        VigilStore *store = vigil_store_new();
        build_net(merged, store, keep, 1, NULL, 0, 2);
        build_unmerged(plain, store, 2);
        vigil_net_run(merged);
        vigil_net_run(plain);
        VigilValue v = vigil_net_output_at(plain, 0, NULL);
        size_t n = vigil_shape_size(vigil_net_shape(plain, v));
        const float *want = vigil_net_data(plain, v);
        const float *got = vigil_net_data(merged, vigil_net_output_at(merged, 0, NULL));
        double worst = 0, sum = 0;
        for (size_t k = 0; k < n; k++) {
            worst = fmax(worst, isfinite(got[k]) ? fabs(got[k] - want[k]) : INFINITY);
            sum += (double)want[k] * want[k];
        }
        worst /= sqrt(sum / (double)n);
        tap_ok(sum > 0 && worst <= TOLERANCE, "%s: off by %.2g rms (may be %.2g)",
               merges[i].what, worst, TOLERANCE);
        vigil_net_free(&merged);
        vigil_net_free(&plain);
        vigil_store_free(&store);
    }
}

int main(void)
{
    check_merges();
    check_values();
    return tap_done();
}
