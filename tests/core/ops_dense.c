/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operations of detectors and segmenters, each against its definition in double. */
#include "op_case.h"

/* ---- Pooling ----------------------------------------------------------------------
 */

static void check_pool(int h, int w, int c, int to_h, int to_w)
{
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    const float *x = finish(&t, vigil_net_pool(t.net, t.x, to_h, to_w), &out);
    double *r = doubles((size_t)to_h * to_w * c);
    for (int i = 0; i < to_h * to_w * c; i++) {
        int row = i / c / to_w, column = i / c % to_w, n = 0;
        for (int y = 0; y < h; y++)
            for (int z = 0; z < w; z++)
                /* overlaps the cell [row h / to_h, (row + 1) h / to_h) */
                if ((y + 1) * to_h > row * h && y * to_h < (row + 1) * h &&
                    (z + 1) * to_w > column * w && z * to_w < (column + 1) * w) {
                    r[i] += x[(y * w + z) * c + i % c];
                    n++;
                }
        r[i] /= n;
    }
    snprintf(what, sizeof what, "pooling of %d x %d x %d to %d x %d", h, w, c, to_h,
             to_w);
    tap_ok(out.h == to_h && out.w == to_w && out.c == c && !out.vector,
           "%s has its shape", what);
    end(&t, r, what);
}

/* ---- Nearest ----------------------------------------------------------------------
 */

static void check_nearest(int h, int w, int c, int to_h, int to_w)
{
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    const float *x = finish(&t, vigil_net_resize_nearest(t.net, t.x, to_h, to_w), &out);
    double *r = doubles((size_t)to_h * to_w * c);
    for (int i = 0; i < to_h * to_w * c; i++) {
        int y = (int)floor((double)(i / c / to_w) * h / to_h);
        int z = (int)floor((double)(i / c % to_w) * w / to_w);
        r[i] = x[(y * w + z) * c + i % c];
    }
    snprintf(what, sizeof what, "nearest resize of %d x %d x %d to %d x %d", h, w, c,
             to_h, to_w);
    end(&t, r, what);
}

/* A vector spread over a map, as pyramids of pooled features have it. */
static void check_spread(int h, int w, int c)
{
    VigilShape out;
    Case t = begin(h, w, c);
    VigilValue y = vigil_net_resize(t.net, vigil_net_mean(t.net, t.x), h, w, false);
    const float *x = finish(&t, y, &out);
    double *r = doubles((size_t)h * w * c);
    for (int i = 0; i < h * w * c; i++)
        for (int p = 0; p < h * w; p++)
            r[i] += (double)x[p * c + i % c] / (h * w);
    tap_ok(out.h == h && out.w == w && !out.vector, "a vector becomes a map");
    end(&t, r, "a vector spread over a map");
}

/* ---- Concatenation ----------------------------------------------------------------
 */

static void check_concat(int h, int w, int c)
{
    VigilShape out;
    Case t = begin(h, w, c);
    VigilValue pair = vigil_net_concat(t.net, t.x, t.x);
    VigilValue all[] = { t.x, pair, t.x, vigil_net_add(t.net, t.x, t.x), t.x };
    const float *x = finish(&t, vigil_net_concat_all(t.net, all, 5), &out);
    double *r = doubles((size_t)h * w * c * 6);
    for (int i = 0; i < h * w * c * 6; i++)
        r[i] = x[i / (6 * c) * c + i % c] * (i % (6 * c) / c == 4 ? 2.0 : 1.0);
    tap_ok(out.c == 6 * c, "five maps side by side have %d channels", out.c);
    end(&t, r, "concatenation of five maps");
}

/* ---- Convolutions -----------------------------------------------------------------
 */

/* Of the taps only those inside the map count: with a dilation as large as the map the
 * middle one alone. */
static void check_conv(int h, int w, int c, int to_c, int kernel, int stride,
                       int dilation)
{
    const int taps = kernel * kernel, pad = (kernel - 1) / 2 * dilation;
    const int reach = dilation * (kernel - 1) + 1;
    const int to_h = (h + 2 * pad - reach) / stride + 1;
    const int to_w = (w + 2 * pad - reach) / stride + 1;
    VigilShape out;
    char what[96];
    uint64_t shape[] = { (uint64_t)to_c, (uint64_t)c, (uint64_t)kernel,
                         (uint64_t)kernel };
    Case t = begin(h, w, c);
    VigilConv conv = { .name = "op",
                       .out = to_c,
                       .kernel = kernel,
                       .stride = stride,
                       .dilation = dilation };
    const float *x = finish(&t, vigil_net_conv(t.net, t.x, &conv), &out);
    float *weight = weights("op.weight", 4, shape);
    double *r = doubles((size_t)to_h * to_w * to_c);
    for (int i = 0; i < to_h * to_w * to_c; i++)
        for (int k = 0; k < taps * c; k++) {
            int y = i / to_c / to_w * stride - pad + k / kernel % kernel * dilation;
            int z = i / to_c % to_w * stride - pad + k % kernel * dilation;
            if (y >= 0 && y < h && z >= 0 && z < w)
                r[i] += (double)x[(y * w + z) * c + k / taps] *
                        weight[i % to_c * taps * c + k];
        }
    free(weight);
    snprintf(what, sizeof what,
             "%d x %d over %d x %d x %d to %d, stride %d, dilation %d", kernel, kernel,
             h, w, c, to_c, stride, dilation);
    tap_ok(out.h == to_h && out.w == to_w, "%s has %d x %d pixels", what, to_h, to_w);
    end(&t, r, what);
}

/* ---- What nobody asks for ---------------------------------------------------------
 */

static VigilNet *with_optional(VigilStore *store, const char *const *plan, size_t n)
{
    static const char *const keep[] = { "large" };
    VigilNetConfig config = { 4, 4, 1, 0 };
    VigilNet *net = vigil_net_new(&config);
    VigilValue x = vigil_net_conv(net, vigil_net_input(net),
                                  &(VigilConv) { .name = "start", .out = 2 });
    vigil_net_output(net, x, "small");
    x = vigil_net_resize(net, x, 40, 40, false);
    vigil_net_optional(net, vigil_net_name(net, x, "large"));
    build_net(net, store, keep, 1, plan, n, 1);
    return net;
}

static void check_optional(void)
{
    static const char *const keep[] = { "large" }, *const none[] = { "nothing" };
    VigilStore *store = vigil_store_new();
    VigilNet *with = with_optional(store, keep, 1),
             *without = with_optional(store, none, 1);
    size_t large = 40 * 40 * 2 * sizeof(float);
    VigilLayer layer;
    vigil_net_run(with);
    vigil_net_run(without);
    const float *y = vigil_net_data(with, vigil_net_find(with, "large"));
    const float *x = vigil_net_data(with, vigil_net_output_at(with, 0, NULL));
    tap_ok(y[0] == x[0] && y[2 * (40 * 40 - 1)] == x[2 * (4 * 4 - 1)],
           "an optional map that is asked for is computed");
    tap_ok(vigil_net_layer(with, 1, &layer) && !vigil_net_layer(without, 1, &layer),
           "one that is not is no layer");
    tap_ok(vigil_net_arena_bytes(with) >= large &&
               vigil_net_arena_bytes(without) < large,
           "and takes no memory: %zu bytes, with it %zu",
           vigil_net_arena_bytes(without), vigil_net_arena_bytes(with));
    vigil_net_free(&with);
    vigil_net_free(&without);
    vigil_store_free(&store);
}

/* ---- Errors -----------------------------------------------------------------------
 */

static void check_refused(void)
{
    VigilNetConfig config = { 4, 4, 1, 0 };
    for (int i = 0; i < 4; i++) {
        VigilError e = { 0 };
        VigilNet *net = vigil_net_new(&config);
        VigilValue x = vigil_net_input(net);
        VigilValue maps[] = { x, x, x, x, x, x };
        if (i == 0)
            vigil_net_pool(net, x, 0, 3);
        else if (i == 1)
            vigil_net_resize_nearest(net, x, 3, 0);
        else if (i == 2)
            vigil_net_concat_all(net, maps, 6);
        else
            vigil_net_concat(net, x, vigil_net_pool(net, x, 2, 2));
        tap_ok(vigil_net_status(net, &e) != VIGIL_OK, "refused: %s", e.message);
        vigil_net_free(&net);
    }
}

int main(void)
{
    check_pool(16, 16, 7, 6, 6);
    check_pool(7, 10, 5, 3, 2);
    check_pool(7, 10, 5, 1, 1);
    check_pool(2, 3, 9, 6, 6);
    check_nearest(4, 5, 3, 8, 10);
    check_nearest(4, 5, 3, 7, 9);
    check_nearest(9, 7, 4, 4, 20);
    check_spread(5, 6, 4);
    check_concat(5, 3, 4);
    check_conv(7, 10, 6, 3, 3, 1, 12);
    check_conv(7, 10, 6, 3, 3, 1, 6);
    check_conv(16, 16, 4, 3, 3, 1, 36);
    static const int sizes[][2] = { { 1, 1 }, { 2, 3 }, { 5, 2 },   { 1, 9 },
                                    { 7, 4 }, { 8, 8 }, { 80, 11 }, { 9, 70 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kernel = 3; kernel <= 6; kernel++)
            for (int stride = 1; stride <= 2; stride++) {
                const int least = kernel - (kernel - 1) / 2 * 2;
                if (sizes[i][0] >= least && sizes[i][1] >= least)
                    check_conv(sizes[i][0], sizes[i][1], 1 + kernel % 3 * 2, 3, kernel,
                               stride, 1);
            }
    /* Few pixels by many weights, whose columns the threads share. */
    check_conv(1, 1, 300, 1001, 1, 1, 1);
    check_conv(2, 3, 200, 301, 1, 1, 1);
    check_conv(23, 1, 128, 259, 1, 1, 1);
    check_optional();
    check_refused();
    return tap_done();
}
