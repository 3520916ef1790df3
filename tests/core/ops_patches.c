/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of MobileViT, each against its definition in double. */
#include "op_case.h"

static double *copied(const float *x, size_t n)
{
    double *r = doubles(n);
    for (size_t i = 0; i < n; i++)
        r[i] = x[i];
    return r;
}

/* ---- Group norm -------------------------------------------------------------------
 */

static void check_group_norm(int h, int w, int c)
{
    VigilShape out;
    char what[96];
    size_t n = (size_t)h * w * c;
    Case t = begin(h, w, c);
    const float *x = finish(&t, vigil_net_group_norm(t.net, t.x, "op", EPS), &out);
    double *r = copied(x, n), mean = 0, variance = 0;
    float *weight = vector("op", "weight", c), *bias = vector("op", "bias", c);
    for (size_t i = 0; i < n; i++)
        mean += r[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (r[i] - mean) * (r[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        r[i] = (r[i] - mean) / sqrt(variance + (double)EPS) * weight[i % (size_t)c] +
               bias[i % (size_t)c];
    free(weight);
    free(bias);
    snprintf(what, sizeof what, "group norm of %d x %d x %d", h, w, c);
    end(&t, r, what);
}

/* ---- Patches ----------------------------------------------------------------------
 */

static void check_patches(int h, int w, int c)
{
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    const float *x = finish(&t, vigil_net_unfold(t.net, t.x), &out);
    double *r = doubles((size_t)h * w * c);
    for (int p = 0; p < 4; p++)
        for (int i = 0; i < h / 2 * (w / 2); i++)
            for (int k = 0; k < c; k++) {
                int y = i / (w / 2) * 2 + p / 2, z = i % (w / 2) * 2 + p % 2;
                r[(p * (h / 2 * (w / 2)) + i) * c + k] = x[(y * w + z) * c + k];
            }
    tap_ok(out.h == 4 && out.w == h * w / 4 && out.c == c,
           "%d x %d pixels are 4 runs of %d tokens", h, w, out.w);
    snprintf(what, sizeof what, "unfold of %d x %d x %d", h, w, c);
    end(&t, r, what);

    t = begin(h, w, c);
    x = finish(&t, vigil_net_fold(t.net, vigil_net_unfold(t.net, t.x), h, w), &out);
    snprintf(what, sizeof what, "fold gives %d x %d back", out.h, out.w);
    end(&t, copied(x, (size_t)h * w * c), what);
}

/* ---- Resize -----------------------------------------------------------------------
 */

/* Position of output index o of m on an axis of n. */
static double position(int o, int n, int m, bool align_corners)
{
    if (align_corners)
        return m == 1 ? 0 : (double)o * (n - 1) / (m - 1);
    return fmax(0, (o + 0.5) * n / m - 0.5);
}

/* Share of input i in what lies at `at`. */
static double share(double at, int i, int n)
{
    double clamped = fmin(at, n - 1);
    return fmax(0, 1 - fabs(clamped - i));
}

static void check_resize(int h, int w, int c, int height, int width, bool corners)
{
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    const float *x =
        finish(&t, vigil_net_resize(t.net, t.x, height, width, corners), &out);
    double *r = doubles((size_t)height * width * c);
    for (int y = 0; y < height; y++)
        for (int z = 0; z < width; z++)
            for (int i = 0; i < h * w; i++) {
                double part = share(position(y, h, height, corners), i / w, h) *
                              share(position(z, w, width, corners), i % w, w);
                for (int k = 0; k < c; k++)
                    r[(y * width + z) * c + k] += part * x[i * c + k];
            }
    snprintf(what, sizeof what, "resize of %d x %d x %d to %d x %d, %s", h, w, c,
             height, width, corners ? "corners" : "half pixels");
    end(&t, r, what);
}

/* ---- Separable attention ----------------------------------------------------------
 */

static void check_separable(int runs, int tokens, int c)
{
    VigilShape out, all = { runs, tokens, 1 + 2 * c };
    char what[96];
    Case t = begin(runs, tokens, all.c);
    const float *x =
        finish(&t, vigil_net_separable_attention(t.net, t.x, 2, 2 * tokens), &out);
    double *r = doubles((size_t)runs * tokens * c);
    for (int run = 0; run < runs; run++) {
        const float *from = x + (size_t)run * tokens * all.c;
        double total = 0, *to = r + (size_t)run * tokens * c;
        for (int i = 0; i < tokens; i++)
            total += exp(from[i * all.c]);
        for (int k = 0; k < c; k++) {
            double pooled = 0;
            for (int i = 0; i < tokens; i++)
                pooled += exp(from[i * all.c]) / total * from[i * all.c + 1 + k];
            for (int i = 0; i < tokens; i++)
                to[i * c + k] = pooled * fmax(from[i * all.c + 1 + c + k], 0);
        }
    }
    snprintf(what, sizeof what, "separable attention, %d runs of %d x %d", runs, tokens,
             c);
    end(&t, r, what);
}

/* The tap: scores of each run, which sum to 1. */
static void check_scores(void)
{
    enum { RUNS = 4, TOKENS = 9, C = 5 };
    static const char *const keep[] = { "x", "attention" };
    VigilNetConfig config = { RUNS, TOKENS, 1, 0 };
    Case t = { .net = vigil_net_new(&config), .store = vigil_store_new() };
    VigilValue x = vigil_net_conv(t.net, vigil_net_input(t.net),
                                  &(VigilConv) { .name = "start", .out = 1 + 2 * C });
    vigil_net_name(t.net, x, "x");
    vigil_net_output(t.net, vigil_net_separable_attention(t.net, x, 6, 6), "y");
    build_net(t.net, t.store, keep, 2, NULL, 0, 2);
    vigil_net_run(t.net);
    const float *q = vigil_net_data(t.net, vigil_net_find(t.net, "x"));
    VigilValue tap = vigil_net_find(t.net, "attention");
    const float *score = vigil_net_data(t.net, tap);
    int dims[4], rank = vigil_shape_dims(vigil_net_shape(t.net, tap), dims);
    double worst = 0;
    for (int run = 0; run < RUNS; run++) {
        double total = 0;
        for (int i = 0; i < TOKENS; i++)
            total += exp(q[(run * TOKENS + i) * (1 + 2 * C)]);
        for (int i = 0; i < TOKENS; i++)
            worst = fmax(worst, fabs(score[run * TOKENS + i] -
                                     exp(q[(run * TOKENS + i) * (1 + 2 * C)]) / total));
    }
    tap_ok(rank == 4 && dims[0] == RUNS && dims[1] == 1 && dims[2] == 1 &&
               dims[3] == TOKENS && worst < 1e-7,
           "scores [%d][%d][%d][%d] off by %.2g", dims[0], dims[1], dims[2], dims[3],
           worst);
    vigil_net_free(&t.net);
    vigil_store_free(&t.store);
}

/* ---- Concatenation, weights in parts ------------------------------------------------
 */

static void check_concat(void)
{
    enum { H = 3, W = 5, A = 7, B = 2 };
    VigilShape out;
    Case t = begin(H, W, A);
    VigilValue b = vigil_net_conv(
        t.net, t.x, &(VigilConv) { .name = "op", .out = B, .bias = true });
    const float *x = finish(&t, vigil_net_concat(t.net, t.x, b), &out);
    uint64_t shape[] = { B, A, 1, 1 };
    float *w = weights("op.weight", 4, shape), *bias = vector("op", "bias", B);
    double *r = doubles(H * W * (A + B));
    for (int p = 0; p < H * W; p++) {
        for (int i = 0; i < A; i++)
            r[p * (A + B) + i] = x[p * A + i];
        for (int o = 0; o < B; o++) {
            double sum = bias[o];
            for (int i = 0; i < A; i++)
                sum += (double)w[o * A + i] * x[p * A + i];
            r[p * (A + B) + A + o] = sum;
        }
    }
    free(w);
    free(bias);
    end(&t, r, "concatenation");
}

/* Rows of three tensors follow each other. */
static void check_parts(void)
{
    enum { TOKENS = 6, C = 5, OUT = 4 };
    static const char *const parts[] = { "query", "key", "value", NULL };
    VigilShape out;
    Case t = begin(1, TOKENS, C);
    const float *x = finish(&t,
                            vigil_net_conv(t.net, t.x,
                                           &(VigilConv) { .name = "op",
                                                          .parts = parts,
                                                          .out = 3 * OUT,
                                                          .bias = true,
                                                          .linear = true }),
                            &out);
    double *r = doubles((size_t)TOKENS * 3 * OUT);
    for (int part = 0; part < 3; part++) {
        char name[32];
        uint64_t shape[] = { OUT, C };
        snprintf(name, sizeof name, "%s.weight", parts[part]);
        float *w = weights(name, 2, shape), *bias = vector(parts[part], "bias", OUT);
        for (int i = 0; i < TOKENS * OUT; i++) {
            double sum = bias[i % OUT];
            for (int k = 0; k < C; k++)
                sum += (double)w[i % OUT * C + k] * x[i / OUT * C + k];
            r[i / OUT * 3 * OUT + part * OUT + i % OUT] = sum;
        }
        free(w);
        free(bias);
    }
    end(&t, r, "a linear layer in three parts");
}

/* ---- What is refused --------------------------------------------------------------
 */

static void check_refused(void)
{
    static const char *const parts[] = { "a", "b", NULL };
    static const char *const messages[] = {
        "patches of 2 x 2 in a map of 5 x 8",
        "4 runs of 6 tokens are no patches of a map of 4 x 8",
        "8 channels are no query, keys and values",
        "a resize of 5 x 8 pixels to 0 x 3",
        "concatenation of maps 5 x 8 x 8 and 3 x 4 x 8",
        "c: 5 rows in 2 parts",
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        VigilNetConfig config = { 5, 8, 1, 0 };
        VigilNet *net = vigil_net_new(&config);
        VigilError e = { 0 };
        VigilValue x = vigil_net_conv(net, vigil_net_input(net),
                                      &(VigilConv) { .name = "s", .out = 8 });
        if (i == 0)
            vigil_net_unfold(net, x);
        else if (i == 1)
            vigil_net_fold(
                net, vigil_net_unfold(net, vigil_net_resize(net, x, 4, 6, 0)), 4, 8);
        else if (i == 2)
            vigil_net_separable_attention(net, x, 1, 1);
        else if (i == 3)
            vigil_net_resize(net, x, 0, 3, true);
        else if (i == 4)
            vigil_net_concat(net, x, vigil_net_resize(net, x, 3, 4, true));
        else
            vigil_net_conv(net, x,
                           &(VigilConv) { .name = "c", .out = 5, .parts = parts });
        VigilStatus status = vigil_net_status(net, &e);
        tap_ok(status != VIGIL_OK && !strcmp(e.message, messages[i]), "'%s'",
               e.message);
        vigil_net_free(&net);
    }
}

int main(void)
{
    check_group_norm(3, 5, 21);
    check_group_norm(1, 1, 2);
    check_group_norm(40, 37, 29); /* more than is added up at a time */
    check_patches(2, 2, 3);
    check_patches(6, 10, 5);
    check_resize(7, 5, 6, 8, 6, false);
    check_resize(8, 6, 6, 7, 5, false);
    check_resize(7, 5, 17, 8, 6, true);
    check_resize(3, 4, 2, 9, 2, true);
    check_resize(4, 3, 5, 1, 1, true);
    check_resize(1, 1, 5, 4, 2, false);
    check_separable(4, 16, 8);
    check_separable(4, 1, 3);
    check_separable(4, 35, 67);
    check_scores();
    check_concat();
    check_parts();
    check_refused();
    return tap_done();
}
