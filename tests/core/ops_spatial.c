/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that tell pixels apart by their tokens and by their places, against their
 * definitions in double. */
#include "op_case.h"

/* ---- Pixels and tokens ------------------------------------------------------------
 */

static void check_relate(int h, int w, int c, int tokens)
{
    VigilShape out;
    char what[96];
    const uint64_t shape[] = { (uint64_t)tokens, (uint64_t)c };
    Case t = begin(h, w, c);
    VigilValue z = vigil_net_tokens(t.net, "z", tokens, c);
    const float *x = finish(&t, vigil_net_relate(t.net, t.x, z, 0.37f), &out);
    float *weight = weights("z.weight", 2, shape);
    double *r = doubles((size_t)(h * w * tokens));
    for (int i = 0; i < h * w * tokens; i++)
        for (int k = 0; k < c; k++)
            r[i] += (double)0.37f * x[i / tokens * c + k] * weight[i % tokens * c + k];
    free(weight);
    snprintf(what, sizeof what, "%d x %d pixels times %d tokens of %d channels", h, w,
             tokens, c);
    tap_ok(out.h == h && out.w == w && out.c == tokens && !out.vector,
           "%s: %d x %d x %d", what, out.h, out.w, out.c);
    end(&t, r, what);
}

/* As large as `scale` makes the logits. */
static void check_softmax(int h, int w, int c, float scale)
{
    VigilShape out;
    char what[96];
    Case t = begin(h, w, c);
    VigilValue large = vigil_net_multiply(t.net, t.x, t.x, scale);
    const float *x = finish(&t, vigil_net_softmax(t.net, large), &out);
    double *r = doubles((size_t)(h * w * c));
    for (int p = 0; p < h * w; p++) {
        double sum = 0, largest = -INFINITY;
        for (int k = 0; k < c; k++) {
            float logit = scale * (x[p * c + k] * x[p * c + k]); /* as the net has it */
            r[p * c + k] = logit;
            largest = fmax(largest, logit);
        }
        for (int k = 0; k < c; k++)
            sum += r[p * c + k] = exp(r[p * c + k] - largest);
        for (int k = 0; k < c; k++)
            r[p * c + k] /= sum;
    }
    snprintf(what, sizeof what, "softmax over %d channels, logits %g", c,
             (double)scale);
    end(&t, r, what);
}

/* Shares are the softmax of some channels, slopes are constant tokens. */
static void check_spatial(int h, int w, int c, int tokens)
{
    static const char *const keep[] = { "x", "shares" };
    char what[96];
    const uint64_t shape[] = { (uint64_t)tokens, 2 * (uint64_t)c };
    Case t = begin(h, w, c);
    VigilConv mix = { .name = "mix", .out = tokens, .bias = true };
    VigilValue shares = vigil_net_softmax(t.net, vigil_net_conv(t.net, t.x, &mix));
    VigilValue slopes = vigil_net_tokens(t.net, "z", tokens, 2 * c);
    vigil_net_name(t.net, shares, "shares");
    VigilValue y = vigil_net_spatial_dynamic_relu(t.net, t.x, slopes, shares);
    vigil_net_output(t.net, y, "y");
    build_net(t.net, t.store, keep, 2, NULL, 0, 2);
    vigil_net_run(t.net);
    const float *x = vigil_net_data(t.net, vigil_net_find(t.net, "x"));
    const float *s = vigil_net_data(t.net, vigil_net_find(t.net, "shares"));
    float *hyper = weights("z.weight", 2, shape);
    double *r = doubles((size_t)(h * w * c));
    for (int i = 0; i < h * w * c; i++) {
        double first = 0, second = 0;
        for (int k = 0; k < tokens; k++) {
            double share = s[i / c * tokens + k];
            first += share * hyper[k * 2 * c + i % c];
            second += share * hyper[k * 2 * c + c + i % c];
        }
        r[i] = fmax(2 * first * x[i], (2 * second - 1) * x[i]);
    }
    free(hyper);
    snprintf(what, sizeof what, "spatial dynamic ReLU of %d x %d x %d, %d tokens", h, w,
             c, tokens);
    end(&t, r, what);
}

/* ---- Positions --------------------------------------------------------------------
 */

static double position(int channel, int y, int h, int x, int w, int of_head)
{
    int half = of_head / 2, i = channel % of_head;
    double place = i < half ? (y + 0.5) / h : (x + 0.5) / w;
    int j = i % half / 2;
    double angle = 2 * acos(-1) * place / pow(10000, 2.0 * j / half);
    return i % 2 ? cos(angle) : sin(angle);
}

/* Twice; resized in between, so that the second has positions of its own. */
static void check_positions(int h, int w, int c, int heads, bool resized)
{
    VigilShape out;
    char what[96];
    int to_h = resized ? h + 3 : h, to_w = resized ? w - 1 : w;
    Case t = begin(h, w, c);
    VigilValue y = vigil_net_add_positions(t.net, t.x, heads);
    y = vigil_net_resize_nearest(t.net, y, to_h, to_w);
    y = vigil_net_add_positions(t.net, y, heads);
    const float *x = finish(&t, y, &out);
    double *r = doubles((size_t)(to_h * to_w * c));
    for (int i = 0; i < to_h * to_w * c; i++) {
        int row = i / c / to_w, column = i / c % to_w, k = i % c;
        int from_y = row * h / to_h, from_x = column * w / to_w;
        r[i] = x[(from_y * w + from_x) * c + k] +
               position(k, from_y, h, from_x, w, c / heads) +
               position(k, row, to_h, column, to_w, c / heads);
    }
    snprintf(what, sizeof what, "positions of %d x %d x %d in %d heads%s", h, w, c,
             heads, resized ? ", resized" : "");
    end(&t, r, what);
}

/* ---- Errors -----------------------------------------------------------------------
 */

static VigilValue bad(int i, VigilNet *net, VigilValue x)
{
    VigilValue tokens = vigil_net_tokens(net, "z", 3, 24);
    VigilValue half = vigil_net_pool(net, x, 2, 3);
    switch (i) {
    case 0:
        return vigil_net_relate(net, x, tokens, 1);
    case 1:
        return vigil_net_add_positions(net, x, 5);
    case 2:
        return vigil_net_spatial_dynamic_relu(net, x, x, half);
    case 3:
        return vigil_net_spatial_dynamic_relu(net, x, tokens, half);
    default:
        return vigil_net_spatial_dynamic_relu(net, x, tokens, x);
    }
}

static void check_errors(void)
{
    static const char *const messages[] = {
        "pixels of 12 channels and tokens of 24 are compared",
        "positions in 12 channels of 5 heads",
        "12 slopes for a dynamic ReLU of 12 channels, which needs 24",
        "shares 2 x 3 x 12 of the slopes of 3 tokens for a map of 5 x 7 pixels",
        "shares 5 x 7 x 12 of the slopes of 3 tokens for a map of 5 x 7 pixels",
    };
    for (int i = 0; i < (int)(sizeof messages / sizeof *messages); i++) {
        VigilError e = { 0 };
        Case t = begin(5, 7, 12);
        bad(i, t.net, t.x);
        VigilStatus status = vigil_net_status(t.net, &e);
        tap_ok(status == VIGIL_ERROR_SHAPE &&
                   !strncmp(e.message, messages[i], strlen(messages[i])),
               "status %d, '%s'", status, e.message);
        vigil_net_free(&t.net);
        vigil_store_free(&t.store);
    }
}

int main(void)
{
    check_relate(1, 1, 1, 1);
    check_relate(5, 7, 12, 3);
    check_relate(40, 33, 24, 6);
    check_relate(9, 8, 130, 100);
    check_softmax(1, 1, 1, 1);
    check_softmax(5, 7, 6, 3);
    check_softmax(64, 61, 6, 200);
    check_spatial(1, 1, 1, 1);
    check_spatial(5, 7, 12, 3);
    check_spatial(61, 67, 37, 6);
    check_spatial(3, 3, 300, 5);
    check_positions(1, 1, 4, 1, false);
    check_positions(5, 7, 24, 2, false);
    check_positions(13, 6, 48, 3, true);
    check_positions(33, 34, 160, 2, true);
    check_errors();
    return tap_done();
}
