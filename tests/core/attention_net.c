/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention maps of networks: what there is, where pixels lie, what a tap costs. */
#include "attention_reference.h"
#include "build.h"
#include "tap.h"

#include <string.h>

#define CLASSES 5

/* ---- Small networks ---------------------------------------------------------------
 */

typedef struct Small {
    VigilNet *net;
    VigilStore *store;
} Small;

static Small small_net(int h, int w)
{
    VigilNetConfig config = { h, w, 1, 0 };
    Small s = { vigil_net_new(&config), vigil_store_new() };
    if (!s.net || !s.store)
        exit(2);
    return s;
}

static void small_free(Small *s)
{
    vigil_net_free(&s->net);
    vigil_store_free(&s->store);
}

static VigilValue conv(VigilNet *net, VigilValue x, const char *name, int kernel,
                       int stride)
{
    return vigil_net_conv(
        net, x,
        &(VigilConv) {
            .name = name, .out = 8, .kernel = kernel, .stride = stride, .bias = true });
}

static VigilValue attend(VigilNet *net, VigilValue q, VigilValue k, int sequences,
                         VigilAttentionKind kind, const char *scope)
{
    vigil_net_push(net, "%s", scope);
    VigilValue y = vigil_net_attention(net, &(VigilAttend) { .q = q,
                                                             .k = k,
                                                             .v = k,
                                                             .width = 8,
                                                             .heads = sequences ? 1 : 2,
                                                             .sequences = sequences,
                                                             .kind = kind,
                                                             .map_height = 8,
                                                             .map_width = 12 });
    vigil_net_pop(net);
    return y;
}

static const VigilAttentionInfo small_maps[] = {
    { "pixels.attention", VIGIL_ATTENTION_TO_PIXELS, 0, 1, 2, 2, 96, 2, 8, 12 },
    { "mixed.attention", VIGIL_ATTENTION_TOKENS, 0, 1, 2, 2, 2, 2, 0, 0 },
    { "tokens.attention", VIGIL_ATTENTION_TO_TOKENS, 0, 1, 2, 96, 2, 2, 8, 12 },
    { "patches.attention", VIGIL_ATTENTION_PATCHES, 0, 4, 1, 24, 24, 0, 8, 12 },
    { "scores.attention", VIGIL_ATTENTION_SCORES, 0, 4, 1, 1, 24, 0, 8, 12 },
    { "windows.attention", VIGIL_ATTENTION_WINDOWS, 0, 12, 2, 9, 9, 0, 8, 12 },
    { "again.attention", VIGIL_ATTENTION_TO_PIXELS, 1, 1, 2, 2, 96, 2, 8, 12 },
};
#define N_SMALL (sizeof small_maps / sizeof *small_maps)

/* Every kind in one network, over a map of 8 x 12 pixels at stride 2. */
static void describe_all(VigilNet *net)
{
    VigilValue x = conv(net, vigil_net_input(net), "x", 3, 2);
    VigilValue two = conv(net, x, "two", 1, 8), four = conv(net, x, "four", 1, 6);
    attend(net, two, x, 0, VIGIL_ATTENTION_TO_PIXELS, "pixels");
    attend(net, two, two, 0, VIGIL_ATTENTION_TOKENS, "mixed");
    attend(net, x, two, 0, VIGIL_ATTENTION_TO_TOKENS, "tokens");
    attend(net, x, x, 4, VIGIL_ATTENTION_PATCHES, "patches");
    attend(net, four, x, 4, VIGIL_ATTENTION_SCORES, "scores");
    vigil_net_push(net, "windows");
    vigil_net_window_attention(net, x, "qk", 2, 3);
    vigil_net_pop(net);
    vigil_net_output(net, attend(net, two, x, 0, VIGIL_ATTENTION_TO_PIXELS, "again"),
                     "y");
}

static bool same_info(const VigilAttentionInfo *a, const VigilAttentionInfo *b)
{
    return !strcmp(a->name, b->name) && a->kind == b->kind && a->block == b->block &&
           a->windows == b->windows && a->heads == b->heads &&
           a->queries == b->queries && a->keys == b->keys && a->tokens == b->tokens &&
           a->map_height == b->map_height && a->map_width == b->map_width &&
           a->tapped == b->tapped;
}

static void check_small(const Small *s, size_t i)
{
    VigilAttentionInfo info = { 0 }, wanted = small_maps[i];
    VigilValue v = vigil_attention_at(s->net, i, &info);
    const float *weights = vigil_net_data(s->net, v);
    float map[96];
    double worst = 0;
    wanted.tapped = true;
    tap_ok(same_info(&info, &wanted), "attention %zu is %s, kind %d, block %d", i,
           info.name, info.kind, info.block);
    if (info.kind == VIGIL_ATTENTION_TOKENS)
        return;
    for (int head = -1; head < info.heads; head++)
        for (int token = info.kind == VIGIL_ATTENTION_TO_TOKENS ? 0 : -1;
             token < (info.kind == VIGIL_ATTENTION_SCORES ? 0
                      : info.tokens                       ? info.tokens
                                                          : 96);
             token++)
            worst = fmax(worst, off_by(&info, weights, head, token, map));
    tap_ok(worst <= TOLERANCE, "%s: its maps are off by %.2g", info.name, worst);
    VigilMapPlace p = vigil_attention_place(vigil_net_grid(s->net, v), 8, 12, NULL);
    if (info.kind != VIGIL_ATTENTION_SCORES) /* its first input is no map here */
        tap_ok(p.x == -0.5 && p.y == -0.5 && p.width == 24 && p.height == 16,
               "%s: it covers %g, %g, %g x %g", info.name, p.x, p.y, p.width, p.height);
}

static void check_small_net(void)
{
    Small s = small_net(16, 24);
    VigilAttentionInfo info;
    describe_all(s.net);
    tap_ok(vigil_attention_count(s.net) == N_SMALL &&
               vigil_attention_at(s.net, N_SMALL, &info) == VIGIL_NONE &&
               vigil_attention_at(s.net, 0, &info) != VIGIL_NONE && !info.tapped,
           "%zu attentions, untapped", vigil_attention_count(s.net));
    vigil_net_keep_attention(s.net);
    build_net(s.net, s.store, NULL, 0, NULL, 0, 1);
    vigil_net_run(s.net);
    for (size_t i = 0; i < N_SMALL; i++)
        check_small(&s, i);
    small_free(&s);
}

static void check_description(void)
{
    Small s = small_net(16, 24);
    VigilError e = { 0 };
    VigilValue x = conv(s.net, vigil_net_input(s.net), "x", 3, 4);
    attend(s.net, x, x, 4, VIGIL_ATTENTION_PATCHES, "patches");
    tap_ok(vigil_net_status(s.net, &e) == VIGIL_ERROR_SHAPE &&
               strstr(e.message, "patches.attention: 4 windows, 1 heads, 6 queries and "
                                 "6 keys are not those of a map of 8 x 12 pixels"),
           "'%s'", e.message);
    small_free(&s);
}

/* Weights that nobody asks for take no room. */
static void check_cost(void)
{
    size_t bytes[2];
    for (int keep = 0; keep < 2; keep++) {
        Small s = small_net(64, 64);
        VigilValue x = conv(s.net, vigil_net_input(s.net), "x", 3, 2);
        vigil_net_push(s.net, "a");
        x = vigil_net_attention(
            s.net, &(VigilAttend) { .q = x, .k = x, .v = x, .width = 8, .heads = 1 });
        vigil_net_pop(s.net);
        vigil_net_output(s.net, x, "y");
        if (keep)
            vigil_net_keep_attention(s.net);
        build_net(s.net, s.store, NULL, 0, NULL, 0, 1);
        bytes[keep] = vigil_net_arena_bytes(s.net);
        small_free(&s);
    }
    size_t weights = (size_t)1024 * 1024 * sizeof(float);
    tap_ok(bytes[0] < weights / 8 && bytes[1] >= weights,
           "an arena of %zu bytes, %zu with %zu bytes of weights", bytes[0], bytes[1],
           weights);
}

/* ---- Where pixels lie -------------------------------------------------------------
 */

/* The middle of the columns of the input that pixel (0, `column`) of `y` depends on. */
static double field_middle(VigilNet *net, VigilValue y, int column)
{
    const VigilNetConfig *c = vigil_net_config(net);
    VigilShape s = vigil_net_shape(net, y);
    const float *at = vigil_net_data(net, y) + (size_t)column * s.c;
    float *in = vigil_net_input_data(net), before[8];
    int first = c->width, last = 0;
    vigil_net_run(net);
    memcpy(before, at, sizeof before);
    for (int x = 0; x < c->width; x++) {
        for (int row = 0; row < c->height; row++)
            in[((size_t)row * c->width + x) * 3] += 1;
        vigil_net_run(net);
        if (memcmp(before, at, sizeof before)) {
            first = x < first ? x : first;
            last = x;
        }
        for (int row = 0; row < c->height; row++)
            in[((size_t)row * c->width + x) * 3] -= 1;
    }
    return (first + last + 1) / 2.0;
}

/* A grid is the middle of what its pixels see. */
static void check_grid(const char *what, const int (*convs)[2], int n, double step)
{
    Small s = small_net(32, 64);
    VigilValue y = vigil_net_input(s.net);
    for (int i = 0; i < n; i++) {
        vigil_net_push(s.net, "c%d", i);
        y = conv(s.net, y, "c", convs[i][0], convs[i][1]);
        vigil_net_pop(s.net);
    }
    vigil_net_output(s.net, y, "y");
    build_net(s.net, s.store, NULL, 0, NULL, 0, 1);
    VigilGrid g = vigil_net_grid(s.net, y);
    int column = vigil_net_shape(s.net, y).w / 2;
    double middle = field_middle(s.net, y, column);
    tap_ok(middle == g.x + column * g.step_x && g.step_x == step && g.step_y == step &&
               g.x == g.y,
           "%s: column %d lies at %g, its field at %g, step %g", what, column,
           g.x + column * g.step_x, middle, g.step_x);
    small_free(&s);
}

static void check_grids(void)
{
    check_grid("3 x 3", (const int[][2]) { { 3, 1 } }, 1, 1);
    check_grid("stride 2", (const int[][2]) { { 3, 2 } }, 1, 2);
    check_grid("stride 2, three times",
               (const int[][2]) { { 3, 2 }, { 5, 2 }, { 3, 2 } }, 3, 8);
    check_grid("an even kernel", (const int[][2]) { { 2, 2 } }, 1, 2);
    check_grid("even kernels", (const int[][2]) { { 3, 2 }, { 4, 2 }, { 2, 1 } }, 3, 4);
}

/* The grids of resized maps, by the bilinear rules of MobileViT, which resizes odd
 * ones: 13 columns at stride 16 become 14. */
static void check_resized(void)
{
    Small s = small_net(240, 208);
    VigilValue x = conv(s.net, vigil_net_input(s.net), "x", 3, 16);
    VigilValue y = vigil_net_add(s.net, x, x), corners = vigil_net_add(s.net, x, x);
    double n = 13, m = 14;
    vigil_net_regrid(s.net, y, 0.5 * n / m - 0.5, n / m, 0.5 * n / m - 0.5, n / m);
    VigilMapPlace before =
        vigil_attention_place(vigil_net_grid(s.net, x), 15, 13, NULL);
    VigilMapPlace p = vigil_attention_place(vigil_net_grid(s.net, y), 14, 14, NULL);
    tap_ok(fabs(p.x - before.x) < 1e-9 && fabs(p.width - before.width) < 1e-9,
           "half-pixel: 14 cells cover what 13 did: %g, %g", p.x, p.width);
    VigilValue z = vigil_net_add(s.net, y, y);
    vigil_net_regrid(s.net, z, 0.5 * m / n - 0.5, m / n, 0.5 * m / n - 0.5, m / n);
    VigilGrid a = vigil_net_grid(s.net, x), b = vigil_net_grid(s.net, z);
    tap_ok(fabs(a.x - b.x) < 1e-9 && fabs(a.step_x - b.step_x) < 1e-9,
           "and back: %g every %g", b.x, b.step_x);
    vigil_net_regrid(s.net, corners, 0, (n - 1) / (m - 1), 0, (n - 1) / (m - 1));
    b = vigil_net_grid(s.net, corners);
    tap_ok(b.x == a.x && fabs(b.x + 13 * b.step_x - (a.x + 12 * a.step_x)) < 1e-9,
           "corner-aligned: first and last of 14 lie on those of 13");
    small_free(&s);
}

/* ---- Sessions ---------------------------------------------------------------------
 */

static VigilModel *model;

static VigilSession *open_emo(int height, int width, bool attention)
{
    VigilSessionOptions o = { .input = { .height = height, .width = width },
                              .attention = attention };
    VigilSession *s = open_filled(model, &o, 9);
    vigil_session_run(s);
    return s;
}

static void check_listing(void)
{
    VigilSession *s = open_emo(224, 224, false);
    VigilAttentionInfo a;
    size_t n = 0, good = 0;
    for (; vigil_session_attention(s, n, &a); n++) {
        char name[64];
        int side = n < 7 ? 14 : 7;
        snprintf(name, sizeof name, "stage%d.%zu.attention", n < 7 ? 3 : 4,
                 n < 7 ? n + 1 : n - 6);
        VigilAttentionInfo wanted = { name,
                                      VIGIL_ATTENTION_WINDOWS,
                                      (int)n,
                                      n < 7 ? 4 : 1,
                                      n < 7 ? 4 : 8,
                                      49,
                                      49,
                                      0,
                                      side,
                                      side,
                                      false };
        good += same_info(&a, &wanted);
    }
    tap_ok(n == 9 && good == n, "EMO_1M has %zu attentions, %zu as they should be", n,
           good);
    vigil_session_close(&s);
}

/* Every query of every head; what is missing to 1 is what padding got. */
static void check_queries(const VigilSession *s, size_t i, const char *what)
{
    VigilAttentionInfo a;
    VigilError e;
    vigil_session_attention(s, i, &a);
    int n = a.map_height * a.map_width, bad = 0;
    float *map = malloc((size_t)n * sizeof *map);
    const float *weights = vigil_session_tap(s, a.name)->data;
    double worst = 0, least = 1, overview, off = 0;
    for (int head = -1; map && head < a.heads; head++)
        for (int q = 0; q < n; q++) {
            bad += vigil_session_attention_map(s, i, head, q, NULL, map, NULL, &e) != 0;
            worst = fmax(worst, sum_of(map, n) - 1);
            least = fmin(least, sum_of(map, n));
        }
    bool padded = a.map_height % 7 || a.map_width % 7;
    tap_ok(!bad && worst < 1e-5 && (padded ? least < 0.999 : least > 1 - 1e-5) &&
               least > 0,
           "%s, %d x %d: queries sum to %.7g to %.7g", what, a.map_height, a.map_width,
           least, 1 + worst);
    for (int head = -1; head < a.heads; head++)
        off = fmax(off, off_by(&a, weights, head, head < 0 ? -1 : 3, map));
    vigil_session_attention_map(s, i, -1, -1, NULL, map, NULL, &e);
    overview = sum_of(map, n);
    tap_ok(off <= TOLERANCE && fabs(overview - 1) < 1e-5,
           "its overview sums to %.7g, maps are off by %.2g", overview, off);
    free(map);
}

/* The mean over heads is the mean of the heads' maps. */
static void check_heads(const VigilSession *s)
{
    float mean[196], one[196];
    double sum[196] = { 0 }, worst = 0;
    for (int head = 0; head < 4; head++) {
        vigil_session_attention_map(s, 2, head, 57, NULL, one, NULL, NULL);
        for (int i = 0; i < 196; i++)
            sum[i] += one[i] / 4.0;
    }
    vigil_session_attention_map(s, 2, -1, 57, NULL, mean, NULL, NULL);
    for (int i = 0; i < 196; i++)
        worst = fmax(worst, fabs(mean[i] - sum[i]));
    tap_ok(worst < 1e-7, "head -1 is the mean of the heads, off by %.2g", worst);
}

static void check_sessions(void)
{
    static const int sizes[][2] = { { 224, 224 }, { 240, 200 }, { 97, 250 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        VigilSession *s = open_emo(sizes[i][0], sizes[i][1], true);
        char what[32];
        snprintf(what, sizeof what, "%d x %d", sizes[i][0], sizes[i][1]);
        check_queries(s, 0, what);
        check_queries(s, 8, what);
        if (i == 0)
            check_heads(s);
        vigil_session_close(&s);
    }
}

static void check_places(void)
{
    static const struct {
        int height, width;
        size_t i;
        VigilMapPlace place;
    } rows[] = {
        { 224, 224, 0, { -7.5, -7.5, 224, 224 } },
        { 224, 224, 8, { -15.5, -15.5, 224, 224 } },
        { 225, 224, 0, { -7.5, -7.5, 224, 240 } }, /* -7.5 to 232.5: evenly */
        { 240, 200, 0, { -7.5, -7.5, 208, 240 } },
        { 240, 200, 8, { -15.5, -15.5, 224, 256 } },
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        VigilSession *s = open_emo(rows[k].height, rows[k].width, true);
        VigilMapPlace p = { 0 }, twice = { 0 };
        VigilPlacement placed = { 10, 20, 2.0 * rows[k].width, 2.0 * rows[k].height,
                                  0,  0,  rows[k].width,       rows[k].height };
        vigil_session_attention_map(s, rows[k].i, -1, -1, NULL, NULL, &p, NULL);
        vigil_session_attention_map(s, rows[k].i, -1, -1, &placed, NULL, &twice, NULL);
        tap_ok(!memcmp(&p, &rows[k].place, sizeof p),
               "%d x %d, attention %zu: %g, %g, %g x %g", rows[k].height, rows[k].width,
               rows[k].i, p.x, p.y, p.width, p.height);
        tap_ok(twice.x == 10 + 2 * p.x && twice.y == 20 + 2 * p.y &&
                   twice.width == 2 * p.width && twice.height == 2 * p.height,
               "the same in a frame");
        vigil_session_close(&s);
    }
}

static void check_taps(void)
{
    static const char *const names[] = { "stage4.1.attention", "stage3.2.attention" };
    VigilSessionOptions o = { .input = { .height = 64, .width = 80 },
                              .taps = names,
                              .n_taps = 2 };
    VigilSession *named = open_filled(model, &o, 9), *all, *none;
    o.attention = true;
    all = open_filled(model, &o, 9);
    none = open_emo(64, 80, false);
    vigil_session_run(named);
    vigil_session_run(all);
    VigilAttentionInfo a;
    size_t tapped[3] = { 0 }, found = 0;
    for (size_t i = 0; vigil_session_attention(all, i, &a); i++) {
        const VigilTensor *t = vigil_session_tap(all, a.name);
        found += t && t->rank == 4 && t->shape[0] == a.windows &&
                 t->shape[1] == a.heads && t->shape[2] == a.queries &&
                 t->shape[3] == a.keys;
        tapped[0] += a.tapped;
        tapped[1] += vigil_session_attention(named, i, &a) && a.tapped;
        tapped[2] += vigil_session_attention(none, i, &a) && a.tapped;
    }
    tap_ok(tapped[0] == 9 && tapped[1] == 2 && tapped[2] == 0 && found == 9,
           "tapped are all %zu, those named: %zu, none: %zu", tapped[0], tapped[1],
           tapped[2]);
    float x[20], y[20];
    double differ = 0;
    bool both = !vigil_session_attention_map(all, 1, 1, -1, NULL, x, NULL, NULL) &&
                !vigil_session_attention_map(named, 1, 1, -1, NULL, y, NULL, NULL);
    for (int i = 0; both && i < 20; i++)
        differ = fmax(differ, fabs((double)x[i] - y[i]));
    tap_ok(both && differ < 1e-6, "the same map however it was asked for, but %.2g",
           differ);
    const float *l[] = { vigil_session_output(none, 0)->data,
                         vigil_session_output(all, 0)->data };
    double worst = 0, size = 0;
    for (int i = 0; i < CLASSES; i++) {
        worst = fmax(worst, fabs((double)l[0][i] - l[1][i]));
        size += fabs((double)l[0][i]) / CLASSES;
    }
    tap_ok(worst <= 1e-5 * size, "taps change logits by %.2g of their size",
           worst / size);
    vigil_session_close(&named);
    vigil_session_close(&all);
    vigil_session_close(&none);
}

static void check_session_errors(void)
{
    VigilSession *s = open_emo(64, 64, false);
    VigilError e = { 0 };
    float map[16] = { 7 };
    VigilMapPlace p = { .x = 7 };
    tap_ok(vigil_session_attention_map(s, 9, -1, -1, NULL, map, &p, &e) ==
                   VIGIL_ERROR_ARGUMENT &&
               strstr(e.message, "attention 9 of EMO_1M, which has 9"),
           "'%s'", e.message);
    tap_ok(vigil_session_attention_map(s, 0, -1, -1, NULL, map, &p, &e) ==
                   VIGIL_ERROR_ARGUMENT &&
               strstr(e.message, "stage3.1.attention was not asked for"),
           "'%s'", e.message);
    vigil_session_close(&s);
    s = open_emo(64, 64, true);
    tap_ok(vigil_session_attention_map(s, 0, 4, -1, NULL, map, &p, &e) ==
                   VIGIL_ERROR_ARGUMENT &&
               strstr(e.message, "stage3.1.attention: head 4; may be -1 (the mean) to"),
           "'%s'", e.message);
    tap_ok(vigil_session_attention_map(s, 0, 0, 16, NULL, map, &p, &e) ==
                   VIGIL_ERROR_ARGUMENT &&
               strstr(e.message, "query pixel 16; may be -1 to 15") && map[0] == 7 &&
               p.x == 7,
           "'%s', and nothing is written", e.message);
    vigil_session_close(&s);
}

int main(void)
{
    VigilError e;
    if (vigil_model_open_formula("EMO_1M", 0, 1.25, CLASSES, &model, &e)) {
        printf("Bail out! %s\n", e.message);
        return 1;
    }
    check_small_net();
    check_description();
    check_cost();
    check_grids();
    check_resized();
    check_listing();
    check_sessions();
    check_places();
    check_taps();
    check_session_errors();
    vigil_model_close(&model);
    return tap_done();
}
