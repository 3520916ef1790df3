/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that Mobile-Former is made of against their definitions in double. */
#include "op_case.h"
#include "core/op.h"

/* ---- Tokens ------------------------------------------------------------------------
 */

static void check_tokens(void)
{
    enum { COUNT = 5, WIDTH = 13 };
    const uint64_t shape[] = { COUNT, WIDTH };
    VigilShape out;
    for (int index = -1; index < COUNT; index++) {
        Case t = begin(2, 2, 1);
        char what[48];
        VigilValue y = vigil_net_tokens(t.net, "op", COUNT, WIDTH);
        if (index >= 0)
            y = vigil_net_token(t.net, y, index);
        finish(&t, y, &out);
        float *w = weights("op.weight", 2, shape);
        double *r = doubles(COUNT * WIDTH);
        for (int i = 0; i < (index < 0 ? COUNT * WIDTH : WIDTH); i++)
            r[i] = w[(index < 0 ? 0 : index * WIDTH) + i];
        free(w);
        tap_ok(out.h == 1 && out.c == WIDTH && out.w == (index < 0 ? COUNT : 1) &&
                   out.vector == (index >= 0),
               "%d x %d x %d%s", out.h, out.w, out.c, out.vector ? ", a vector" : "");
        snprintf(what, sizeof what, index < 0 ? "constant tokens" : "token %d", index);
        end(&t, r, what);
    }
}

/* ---- Element by element ------------------------------------------------------------
 */

enum { H = 5, W = 7, C = 12, SIZE = H * W * C };

/* A second map of that size, called "z". */
static VigilValue other(Case *t, int c)
{
    VigilValue z = vigil_net_conv(
        t->net, t->x, &(VigilConv) { .name = "other", .out = c, .bias = true });
    return vigil_net_name(t->net, z, "z");
}

/* As finish(), with both maps kept. */
static const float *finish_two(Case *t, VigilValue y, VigilShape *out, const float **z)
{
    static const char *const keep[] = { "x", "z" };
    vigil_net_output(t->net, y, "y");
    build_net(t->net, t->store, keep, 2, NULL, 0, 2);
    vigil_net_run(t->net);
    *out = vigil_net_shape(t->net, y);
    *z = vigil_net_data(t->net, vigil_net_find(t->net, "z"));
    return vigil_net_data(t->net, vigil_net_find(t->net, "x"));
}

static void check_product(void)
{
    VigilShape out;
    Case t = begin(H, W, C);
    const float *z,
        *x = finish_two(&t, vigil_net_multiply(t.net, t.x, other(&t, C), 2), &out, &z);
    double *r = doubles(SIZE);
    for (int i = 0; i < SIZE; i++)
        r[i] = 2.0 * x[i] * z[i];
    end(&t, r, "twice the product of two maps");
}

static void check_concat(void)
{
    enum { D = 5 };
    VigilShape out;
    Case t = begin(H, W, C);
    const float *z,
        *x = finish_two(&t, vigil_net_concat(t.net, t.x, other(&t, D)), &out, &z);
    double *r = doubles(H * W * (C + D));
    for (int p = 0; p < H * W; p++)
        for (int i = 0; i < C + D; i++)
            r[p * (C + D) + i] = i < C ? x[p * C + i] : z[p * D + i - C];
    tap_ok(out.h == H && out.c == C + D && !out.vector, "%d x %d x %d", out.h, out.w,
           out.c);
    end(&t, r, "channels of two maps");
    t = begin(1, 3, C);
    VigilValue y = vigil_net_token(t.net, t.x, 2);
    y = vigil_net_concat(t.net, y, vigil_net_token(t.net, t.x, 0));
    x = finish(&t, y, &out);
    r = doubles(2 * C);
    for (int i = 0; i < 2 * C; i++)
        r[i] = x[i < C ? 2 * C + i : i - C];
    tap_ok(out.vector && out.c == 2 * C, "two vectors give a vector of %d", out.c);
    end(&t, r, "two vectors");
}

/* It goes into the convolution before it, unless somebody looks at that. */
static void check_activation(void)
{
    VigilShape out;
    for (int merged = 0; merged < 2; merged++) {
        Case t = begin(H, W, C);
        VigilValue z = other(&t, C);
        VigilValue y = vigil_net_activate(t.net, z, VIGIL_HSIGMOID);
        const float *pre, *x;
        x = merged ? finish(&t, y, &out) : finish_two(&t, y, &out, &pre);
        double *r = doubles(SIZE);
        const uint64_t shape[] = { C, C, 1, 1 };
        float *w = weights("other.weight", 4, shape), *b = vector("other", "bias", C);
        for (int i = 0; i < SIZE; i++) {
            r[i] = b[i % C];
            for (int k = 0; k < C; k++)
                r[i] += (double)w[i % C * C + k] * x[i / C * C + k];
            r[i] = fmin(fmax(r[i] + 3, 0), 6) / 6;
        }
        free(w);
        free(b);
        tap_ok((vigil_net_resolve(t.net, y) == z) == merged, "the activation is %s",
               merged ? "merged" : "alone");
        end(&t, r, merged ? "an activation in a convolution" : "an activation");
    }
}

static void check_shuffle(int groups)
{
    VigilShape out;
    char what[48];
    Case t = begin(H, W, C);
    const float *x = finish(&t, vigil_net_shuffle(t.net, t.x, groups), &out);
    double *r = doubles(SIZE);
    for (int i = 0; i < SIZE; i++) {
        int o = i % C;
        r[i] = x[i - o + o % groups * (C / groups) + o / groups];
    }
    snprintf(what, sizeof what, "%d channels shuffled in %d groups", C, groups);
    end(&t, r, what);
}

static void check_dynamic_relu(void)
{
    VigilShape out;
    Case t = begin(H, W, C);
    VigilValue s = vigil_net_conv(t.net, vigil_net_token(t.net, t.x, 3),
                                  &(VigilConv) { .name = "s",
                                                 .out = 2 * C,
                                                 .bias = true,
                                                 .linear = true,
                                                 .activation = VIGIL_HSIGMOID });
    vigil_net_name(t.net, s, "z");
    const float *slopes,
        *x = finish_two(&t, vigil_net_dynamic_relu(t.net, t.x, s), &out, &slopes);
    double *r = doubles(SIZE);
    for (int i = 0; i < SIZE; i++) {
        double a = 2.0 * ((double)slopes[i % C] - 0.5) + 1;
        double b = 2.0 * ((double)slopes[C + i % C] - 0.5);
        r[i] = fmax(a * x[i], b * x[i]);
    }
    end(&t, r, "dynamic ReLU");
}

/* ---- Convolutions ------------------------------------------------------------------
 */

static const struct {
    int h, w, c;
    VigilConv conv;
    bool sum; /* plus a map of the same shape */
} convs[] = {
    { 9, 8, 12, { .out = 20, .kernel = 1, .groups = 4 } },
    { 9, 8, 12, { .out = 12, .kernel = 1, .groups = 3, .norm = "bn" }, .sum = true },
    { 9,
      8,
      8,
      { .out = 36,
        .kernel = 1,
        .groups = 4,
        .shuffle = 4,
        .bias = true,
        .activation = VIGIL_RELU6 },
      .sum = true },
    { 3, 5, 6, { .out = 9, .kernel = 1, .shuffle = 3, .norm = "bn" } },
    /* Too wide to be computed as one. */
    { 9, 8, 48, { .out = 40, .kernel = 1, .groups = 4, .norm = "bn" }, .sum = true },
    { 9,
      8,
      32,
      { .out = 36,
        .kernel = 1,
        .groups = 4,
        .shuffle = 4,
        .bias = true,
        .activation = VIGIL_RELU6 },
      .sum = true },
    { 3, 5, 40, { .out = 36, .kernel = 1, .shuffle = 3, .norm = "bn" } },
    { 1, 1, 64, { .out = 24, .kernel = 1, .groups = 2, .shuffle = 4 }, .sum = true },
    { 1, 1, 16, { .out = 8, .kernel = 1, .groups = 2, .shuffle = 4 }, .sum = true },
    { 13, 7, 5, { .kernel = 3, .multiplier = 2, .depthwise = true, .norm = "bn" } },
    { 13,
      7,
      8,
      { .kernel = 3,
        .stride = 2,
        .multiplier = 3,
        .depthwise = true,
        .norm = "bn",
        .activation = VIGIL_RELU6 },
      .sum = true },
    { 8, 9, 3, { .kernel = 5, .multiplier = 4, .depthwise = true, .bias = true } },
    { 8, 9, 3, { .kernel = 7, .stride = 2, .multiplier = 5, .depthwise = true } },
    { 9, 6, 4, { .kernel = 3, .dilation = 2, .multiplier = 6, .depthwise = true } },
    { 9,
      6,
      4,
      { .kernel = 3, .stride = 2, .dilation = 3, .multiplier = 2, .depthwise = true } },
    { 12,
      10,
      8,
      { .kernel = 3,
        .stride = 2,
        .multiplier = 3,
        .depthwise = true,
        .shuffle = 8,
        .norm = "bn",
        .activation = VIGIL_SILU },
      .sum = true },
    { 1, 1, 4, { .kernel = 3, .multiplier = 4, .depthwise = true, .shuffle = 4 } },
};

/* Channel q of the result before the shuffle, without norm. */
static double conv_at(const float *x, VigilShape in, const float *w, const VigilConv *c,
                      int oy, int ox, int q)
{
    int k = c->kernel, pad = (k - 1) / 2 * c->dilation, m = c->multiplier;
    int ins = c->depthwise ? 1 : in.c / c->groups;
    int first = c->depthwise ? q / m : q / (c->out / c->groups) * ins;
    double sum = 0;
    for (int i = 0; i < ins; i++)
        for (int t = 0; t < k * k; t++) {
            int y = oy * c->stride - pad + t / k * c->dilation;
            int z = ox * c->stride - pad + t % k * c->dilation;
            if (y >= 0 && y < in.h && z >= 0 && z < in.w)
                sum += (double)x[(y * in.w + z) * in.c + first + i] *
                       w[(q * ins + i) * k * k + t];
        }
    return sum;
}

static double activated(double x, VigilActivation a)
{
    return a == VIGIL_RELU6  ? fmin(fmax(x, 0), 6)
           : a == VIGIL_SILU ? x / (1 + exp(-x))
                             : x;
}

static double *reference(const float *x, VigilShape in, VigilConv c, VigilShape out)
{
    uint64_t k = (uint64_t)(c.kernel), ins = 1;
    c.stride += !c.stride;
    c.dilation += !c.dilation;
    c.groups += !c.groups;
    c.multiplier += !c.multiplier;
    c.shuffle += !c.shuffle;
    c.out = out.c;
    if (!c.depthwise)
        ins = (uint64_t)(in.c / c.groups);
    uint64_t shape[] = { (uint64_t)out.c, ins, k, k };
    float *w = weights("op.weight", 4, shape), *bias = vector("op", "bias", out.c);
    float *scale = vector("bn", "weight", out.c), *shift = vector("bn", "bias", out.c);
    float *mean = vector("bn", "running_mean", out.c);
    float *var = vector("bn", "running_var", out.c);
    double *r = doubles(vigil_shape_size(out));
    for (int i = 0; i < (int)vigil_shape_size(out); i++) {
        int o = i % out.c, p = i / out.c;
        int q = o % c.shuffle * (out.c / c.shuffle) + o / c.shuffle;
        double v = conv_at(x, in, w, &c, p / out.w, p % out.w, q);
        v += c.bias ? bias[q] : 0;
        if (c.norm)
            v = (v - mean[q]) / sqrt(var[q] + (double)EPS) * scale[q] + shift[q];
        r[i] = activated(v, c.activation);
    }
    float *all[] = { w, bias, scale, shift, mean, var };
    for (int i = 0; i < 6; i++)
        free(all[i]);
    return r;
}

static void check_conv(size_t i)
{
    VigilConv c = convs[i].conv;
    VigilShape in = { convs[i].h, convs[i].w, convs[i].c }, out;
    Case t = begin(in.h, in.w, in.c);
    char what[112];
    const float *z = NULL, *x;
    c.name = "op";
    c.eps = EPS;
    VigilValue summand = VIGIL_NONE;
    if (convs[i].sum) { /* of the right shape: a plain convolution */
        VigilConv plain = { .name = "plain",
                            .out = c.depthwise ? in.c * c.multiplier : c.out,
                            .kernel = 3,
                            .stride = c.stride };
        summand = vigil_net_conv(t.net, t.x, &plain);
        vigil_net_name(t.net, summand, "z");
    }
    VigilValue y = vigil_net_conv(t.net, t.x, &c);
    if (convs[i].sum)
        y = vigil_net_add(t.net, summand, y);
    x = convs[i].sum ? finish_two(&t, y, &out, &z) : finish(&t, y, &out);
    double *r = reference(x, in, c, out);
    for (size_t k = 0; z && k < vigil_shape_size(out); k++)
        r[k] += z[k];
    snprintf(what, sizeof what,
             "%d x %d x %d: %s %d x %d, stride %d, groups %d, multiplier %d, shuffle "
             "%d%s",
             in.h, in.w, in.c, c.depthwise ? "depthwise" : "conv", c.kernel, c.kernel,
             c.stride, c.groups, c.multiplier, c.shuffle, z ? ", sum" : "");
    end(&t, r, what);
}

/* A norm cannot go into the grouped convolution after it: each group sees a part. */
static void check_norm_before_groups(void)
{
    Case t = begin(H, W, C);
    VigilShape out;
    VigilValue y = vigil_net_batch_norm(t.net, t.x, "pre", EPS);
    vigil_net_name(t.net, y, "z");
    const VigilConv c = { .name = "op", .out = 8, .kernel = 1, .groups = 2 };
    y = vigil_net_conv(t.net, y, &c);
    const float *x = finish(&t, y, &out);
    VigilShape in = { H, W, C };
    float *w = vector("pre", "weight", C), *b = vector("pre", "bias", C);
    float *mean = vector("pre", "running_mean", C);
    float *var = vector("pre", "running_var", C), *normed = malloc(SIZE * sizeof *w);
    for (int i = 0; i < SIZE; i++)
        normed[i] =
            (float)((x[i] - mean[i % C]) / sqrt(var[i % C] + (double)EPS) * w[i % C] +
                    b[i % C]);
    double *r = reference(normed, in, c, out);
    float *all[] = { w, b, mean, var, normed };
    for (int i = 0; i < 5; i++)
        free(all[i]);
    end(&t, r, "a norm before groups");
}

/* ---- Errors ------------------------------------------------------------------------
 */

static VigilValue bad(int i, VigilNet *net, VigilValue x)
{
    VigilValue narrow =
        vigil_net_conv(net, x, &(VigilConv) { .name = "narrow", .out = 4 });
    VigilValue half =
        vigil_net_conv(net, x, &(VigilConv) { .name = "half", .out = C, .stride = 2 });
    switch (i) {
    case 0:
        return vigil_net_multiply(net, x, narrow, 1);
    case 1:
        return vigil_net_concat(net, x, half);
    case 2:
        return vigil_net_shuffle(net, x, 5);
    case 3:
        return vigil_net_tokens(net, "tokens", 0, 8);
    case 4:
        return vigil_net_token(net, x, H * W);
    case 5:
        return vigil_net_dynamic_relu(net, x, vigil_net_mean(net, x));
    case 6:
        return vigil_net_conv(net, x,
                              &(VigilConv) { .name = "g", .out = 10, .groups = 4 });
    case 7:
        return vigil_net_conv(net, x,
                              &(VigilConv) { .name = "s", .out = 10, .shuffle = 4 });
    case 8:
        return vigil_net_conv(
            net, x, &(VigilConv) { .name = "k", .out = C, .kernel = 3, .groups = 4 });
    default:
        return vigil_net_conv(net, x,
                              &(VigilConv) { .name = "d",
                                             .kernel = 3,
                                             .depthwise = true,
                                             .multiplier = 2,
                                             .shuffle = 4 });
    }
}

static void check_errors(void)
{
    static const char *const messages[] = {
        "product of maps 5 x 7 x 12 and 5 x 7 x 4",
        "concatenation of maps 5 x 7 x 12 and 3 x 4 x 12",
        "shuffle of 12 channels in 5 groups",
        "tokens: 0 tokens of 8 channels",
        "token 35 of 35",
        "12 slopes for a dynamic ReLU of 12 channels, which needs 24",
        "g: 12 channels in and 10 out in 4 groups",
        "s: shuffle of 10 channels in 4 groups",
        "k: kernel 3, stride 1 in 4 groups; may be 1 and 1",
        "d: shuffle in 4 groups after a depth-wise convolution of 12 channels",
    };
    for (int i = 0; i < (int)(sizeof messages / sizeof *messages); i++) {
        VigilError e = { 0 };
        Case t = begin(H, W, C);
        bad(i, t.net, t.x);
        VigilStatus status = vigil_net_status(t.net, &e);
        tap_ok(status == (i < 8 ? VIGIL_ERROR_SHAPE : VIGIL_ERROR_UNSUPPORTED) &&
                   !strncmp(e.message, messages[i], strlen(messages[i])),
               "status %d, '%s'", status, e.message);
        vigil_net_free(&t.net);
        vigil_store_free(&t.store);
    }
}

int main(void)
{
    check_tokens();
    check_product();
    check_concat();
    check_activation();
    for (int groups = 1; groups <= C; groups++)
        if (C % groups == 0)
            check_shuffle(groups);
    check_dynamic_relu();
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
        check_conv(i);
    check_norm_before_groups();
    check_errors();
    return tap_done();
}
