/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each operation of the net against its definition, written out in double. */
#include "op_case.h"

static double activate(double x, VigilActivation a)
{
    switch (a) {
    case VIGIL_RELU:
        return fmax(x, 0);
    case VIGIL_RELU6:
        return fmin(fmax(x, 0), 6);
    case VIGIL_SILU:
        return x / (1 + exp(-x));
    case VIGIL_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case VIGIL_SIGMOID:
        return 1 / (1 + exp(-x));
    case VIGIL_HSWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    case VIGIL_HSIGMOID:
        return fmin(fmax(x + 3, 0), 6) / 6;
    default:
        return x;
    }
}

/* In place: batch norm of maps [n][c]. */
static void reference_batch_norm(double *x, size_t n, int c, const char *name)
{
    float *w = vector(name, "weight", c), *b = vector(name, "bias", c);
    float *mean = vector(name, "running_mean", c),
          *var = vector(name, "running_var", c);
    for (size_t i = 0; i < n * (size_t)c; i++) {
        size_t k = i % (size_t)c;
        x[i] = (x[i] - mean[k]) / sqrt(var[k] + (double)EPS) * w[k] + b[k];
    }
    free(w);
    free(b);
    free(mean);
    free(var);
}

/* ---- Convolutions -----------------------------------------------------------------
 */

static double conv_at(const double *x, VigilShape in, const float *w,
                      const VigilConv *c, int oy, int ox, int o)
{
    int k = c->kernel, pad = (k - 1) / 2 * c->dilation, ins = c->depthwise ? 1 : in.c;
    double sum = 0;
    for (int i = 0; i < ins; i++)
        for (int t = 0; t < k * k; t++) {
            int y = oy * c->stride - pad + t / k * c->dilation;
            int z = ox * c->stride - pad + t % k * c->dilation;
            if (y >= 0 && y < in.h && z >= 0 && z < in.w)
                sum += x[((size_t)y * in.w + z) * in.c + (c->depthwise ? o : i)] *
                       w[((size_t)o * ins + i) * k * k + t];
        }
    return sum;
}

/* activation(norm(conv(x) + bias)) */
static double *reference_conv(const double *x, VigilShape in, const VigilConv *c,
                              VigilShape out)
{
    uint64_t k = (uint64_t)c->kernel;
    uint64_t shape[] = { (uint64_t)out.c, c->depthwise ? 1 : (uint64_t)in.c, k, k };
    float *w = weights("op.weight", c->linear ? 2 : 4, shape);
    float *bias = vector("op", "bias", out.c);
    double *y = doubles(vigil_shape_size(out));
    for (int oy = 0; oy < out.h; oy++)
        for (int ox = 0; ox < out.w; ox++)
            for (int o = 0; o < out.c; o++)
                y[((size_t)oy * out.w + ox) * out.c + o] =
                    conv_at(x, in, w, c, oy, ox, o) + (c->bias ? bias[o] : 0);
    if (c->norm)
        reference_batch_norm(y, (size_t)out.h * out.w, out.c, c->norm);
    for (size_t i = 0; i < vigil_shape_size(out); i++)
        y[i] = activate(y[i], c->activation);
    free(w);
    free(bias);
    return y;
}

static const struct {
    int h, w, c;
    VigilConv conv;
    bool pre_norm; /* a batch norm before it */
    bool sum;      /* plus x */
} convs[] = {
    { 7, 9, 5, { .out = 17, .kernel = 1 } },
    { 7, 9, 5, { .out = 8, .kernel = 1, .bias = true, .activation = VIGIL_SILU } },
    { 6, 5, 33, { .out = 33, .kernel = 1, .norm = "bn" }, .sum = true },
    { 6, 5, 8, { .out = 12, .kernel = 1, .bias = true }, .pre_norm = true },
    { 5,
      5,
      9,
      { .out = 9, .kernel = 1, .norm = "bn", .activation = VIGIL_GELU },
      .pre_norm = true,
      .sum = true },
    { 9, 7, 6, { .out = 5, .kernel = 1, .stride = 2, .bias = true } },
    { 9, 7, 6, { .out = 5, .kernel = 1, .stride = 2 }, .pre_norm = true },
    { 8, 11, 4, { .out = 6, .kernel = 3, .bias = true, .norm = "bn" } },
    { 8,
      11,
      4,
      { .out = 4, .kernel = 3, .bias = true },
      .pre_norm = true,
      .sum = true },
    { 33, 17, 3, { .out = 7, .kernel = 3, .stride = 2, .activation = VIGIL_RELU6 } },
    { 12, 10, 5, { .out = 3, .kernel = 3, .dilation = 2 } },
    { 12, 10, 5, { .out = 3, .kernel = 3, .dilation = 3, .stride = 2 } },
    { 10, 9, 2, { .out = 3, .kernel = 5, .stride = 3, .activation = VIGIL_RELU } },
    { 9, 9, 3, { .out = 2, .kernel = 2, .bias = true } },
    { 2, 2, 3, { .out = 4, .kernel = 7 } },
    { 1, 1, 3, { .out = 4, .kernel = 3, .activation = VIGIL_HSWISH } },
    { 1, 1, 3, { .out = 4, .kernel = 3, .activation = VIGIL_HSIGMOID } },
    { 9, 8, 19, { .kernel = 3, .depthwise = true, .bias = true } },
    { 9, 8, 16, { .kernel = 5, .depthwise = true, .norm = "bn" }, .sum = true },
    { 9,
      8,
      7,
      { .kernel = 7, .depthwise = true, .stride = 2, .activation = VIGIL_SIGMOID } },
    { 11, 13, 7, { .kernel = 3, .depthwise = true, .dilation = 2 }, .pre_norm = true },
    { 7, 12, 9, { .kernel = 3, .depthwise = true, .dilation = 4, .bias = true } },
    { 3, 5, 16, { .kernel = 3, .depthwise = true, .dilation = 4, .norm = "bn" } },
    { 1, 1, 4, { .kernel = 5, .depthwise = true, .bias = true } },
};

static void check_convs(void)
{
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        VigilConv c = convs[i].conv;
        VigilShape in = { convs[i].h, convs[i].w, convs[i].c }, out;
        Case t = begin(in.h, in.w, in.c);
        char what[96];
        c.name = "op";
        c.eps = EPS;
        VigilValue y =
            convs[i].pre_norm ? vigil_net_batch_norm(t.net, t.x, "pre", EPS) : t.x;
        y = vigil_net_conv(t.net, y, &c);
        if (convs[i].sum)
            y = i % 2 ? vigil_net_add(t.net, y, t.x) : vigil_net_add(t.net, t.x, y);
        const float *x = finish(&t, y, &out);
        c.stride += !c.stride;
        c.dilation += !c.dilation;
        double *from = doubles(vigil_shape_size(in));
        for (size_t k = 0; k < vigil_shape_size(in); k++)
            from[k] = x[k];
        if (convs[i].pre_norm)
            reference_batch_norm(from, (size_t)in.h * in.w, in.c, "pre");
        double *reference = reference_conv(from, in, &c, out);
        for (size_t k = 0; convs[i].sum && k < vigil_shape_size(in); k++)
            reference[k] += x[k];
        snprintf(what, sizeof what, "%s%d x %d x %d: %s %d x %d, stride %d%s",
                 convs[i].pre_norm ? "norm, " : "", in.h, in.w, in.c,
                 c.depthwise ? "depthwise" : "conv", c.kernel, c.kernel, c.stride,
                 convs[i].sum ? ", sum" : "");
        free(from);
        end(&t, reference, what);
    }
}

/* ---- Norms, sums, scales, means ----------------------------------------------------
 */

static void check_norms(void)
{
    enum { H = 3, W = 5, C = 21 };
    VigilShape out;
    for (int layer = 0; layer < 2; layer++) {
        Case t = begin(H, W, C);
        VigilValue y = layer ? vigil_net_layer_norm(t.net, t.x, "op", EPS)
                             : vigil_net_batch_norm(t.net, t.x, "op", EPS);
        const float *x = finish(&t, y, &out);
        double *r = doubles(H * W * C);
        float *w = vector("op", "weight", C), *b = vector("op", "bias", C);
        for (size_t i = 0; i < H * W * C; i++)
            r[i] = x[i];
        if (!layer)
            reference_batch_norm(r, H * W, C, "op");
        for (size_t p = 0; layer && p < H * W; p++) {
            double mean = 0, var = 0, *row = r + p * C;
            for (int c = 0; c < C; c++)
                mean += row[c] / C;
            for (int c = 0; c < C; c++)
                var += (row[c] - mean) * (row[c] - mean) / C;
            for (int c = 0; c < C; c++)
                row[c] = (row[c] - mean) / sqrt(var + (double)EPS) * w[c] + b[c];
        }
        free(w);
        free(b);
        end(&t, r, layer ? "layer norm" : "batch norm alone");
    }
}

/* linear(mean(x)) */
static void check_linear(void)
{
    enum { H = 13, W = 3, C = 37, OUT = 11 };
    VigilConv c = {
        .name = "op", .out = OUT, .linear = true, .bias = true, .kernel = 1, .stride = 1
    };
    Case t = begin(H, W, C);
    VigilShape out, vector_shape = { 1, 1, C };
    const float *x =
        finish(&t, vigil_net_conv(t.net, vigil_net_mean(t.net, t.x), &c), &out);
    double mean[C] = { 0 };
    for (size_t i = 0; i < H * W * C; i++)
        mean[i % C] += x[i] / (double)(H * W);
    tap_ok(out.vector && out.h == 1 && out.c == OUT, "a linear layer gives a vector");
    end(&t, reference_conv(mean, vector_shape, &c, out), "mean and linear layer");
}

static void check_elementwise(void)
{
    enum { H = 4, W = 7, C = 13 };
    VigilShape out;
    Case t = begin(H, W, C);
    const float *x = finish(&t, vigil_net_add(t.net, t.x, t.x), &out);
    double *r = doubles(H * W * C);
    for (size_t i = 0; i < H * W * C; i++)
        r[i] = 2.0 * x[i];
    end(&t, r, "a map plus itself");
    t = begin(H, W, C);
    x = finish(&t, vigil_net_scale(t.net, t.x, vigil_net_mean(t.net, t.x)), &out);
    double mean[C] = { 0 };
    for (size_t i = 0; i < H * W * C; i++)
        mean[i % C] += x[i] / (double)(H * W);
    r = doubles(H * W * C);
    for (size_t i = 0; i < H * W * C; i++)
        r[i] = x[i] * mean[i % C];
    end(&t, r, "a map scaled by its means");
}

/* ---- Window attention --------------------------------------------------------------
 */

/* As the original computes it: x padded with zeros, projected with its bias, windows of
 * win x win interleaved pixels, softmax over all of them. */
typedef struct Attention {
    int h, w, c, heads, win, n1, n2;
    double *x, *q, *k; /* [n1 win][n2 win][c] */
} Attention;

static void project(Attention *a, size_t pixels)
{
    uint64_t c = (uint64_t)a->c, shape[] = { 2 * c, c, 1, 1 };
    float *w = weights("op.weight", 4, shape), *b = vector("op", "bias", 2 * a->c);
    for (size_t p = 0; p < pixels; p++)
        for (size_t o = 0; o < 2 * c; o++) {
            double sum = b[o];
            for (size_t i = 0; i < c; i++)
                sum += w[o * c + i] * a->x[p * c + i];
            (o < c ? a->q : a->k)[p * c + o % c] = sum;
        }
    free(w);
    free(b);
}

/* Where pixel t of the window of (y, x) begins. */
static size_t window_pixel(const Attention *a, int y, int x, int t)
{
    int py = y % a->n1 + t / a->win * a->n1, px = x % a->n2 + t % a->win * a->n2;
    return ((size_t)py * (a->n2 * a->win) + px) * a->c;
}

/* The result of head `head` at pixel (y, x), d channels. */
static void attend(const Attention *a, int y, int x, int head, double *out)
{
    int d = a->c / a->heads, tokens = a->win * a->win;
    const double *q = a->q + ((size_t)y * (a->n2 * a->win) + x) * a->c + head * d;
    double total = 0;
    for (int t = 0; t < tokens; t++) {
        size_t at = window_pixel(a, y, x, t) + (size_t)(head * d);
        double logit = 0;
        for (int i = 0; i < d; i++)
            logit += q[i] * a->k[at + (size_t)i];
        double e = exp(logit / sqrt(d));
        total += e;
        for (int i = 0; i < d; i++)
            out[i] += e * a->x[at + (size_t)i];
    }
    for (int i = 0; i < d; i++)
        out[i] /= total;
}

static void check_window(int h, int w, int c, int heads, int win)
{
    Attention a = { h, w, c, heads, win, (h + win - 1) / win, (w + win - 1) / win };
    size_t pixels = (size_t)(a.n1 * win) * (size_t)(a.n2 * win);
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    const float *x =
        finish(&t, vigil_net_window_attention(t.net, t.x, "op", heads, win), &out);
    double *r = doubles(vigil_shape_size(out));
    a.x = doubles(pixels * (size_t)c);
    a.q = doubles(pixels * (size_t)c);
    a.k = doubles(pixels * (size_t)c);
    for (int y = 0; y < h; y++)
        for (int i = 0; i < w * c; i++)
            a.x[(size_t)y * (a.n2 * win * c) + i] = x[(size_t)y * w * c + i];
    project(&a, pixels);
    for (int p = 0; p < h * w * heads; p++)
        attend(&a, p / heads / w, p / heads % w, p % heads,
               r + (size_t)p * (c / heads));
    free(a.x);
    free(a.q);
    free(a.k);
    snprintf(what, sizeof what, "attention over %d x %d x %d, windows %d, %d heads", h,
             w, c, win, heads);
    end(&t, r, what);
}

int main(void)
{
    check_convs();
    check_norms();
    check_linear();
    check_elementwise();
    check_window(14, 14, 20, 1, 7);
    check_window(7, 14, 24, 3, 7);
    check_window(15, 9, 16, 2, 7);
    check_window(1, 1, 8, 1, 7);
    check_window(3, 13, 12, 4, 4);
    check_window(10, 10, 9, 1, 2);
    return tap_done();
}
