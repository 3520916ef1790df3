/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random networks: what shares memory never lives at the same time, and neither sharing
 * nor merging changes results.
 *
 *     core-plan [SEED [COUNT]]
 */
#include "build.h"
#include "core/chain.h"
#include "tap.h"

#include <math.h>
#include <string.h>

#define MOST_VALUES 64
#define NOISE 1e-6f /* relative, of the input */

/* ---- A random description ----------------------------------------------------------
 */

typedef struct Random {
    uint32_t state;
} Random;

static int draw(Random *r, int n)
{
    r->state = r->state * 1664525u + 1013904223u;
    return (int)((uint64_t)(r->state >> 8) * (unsigned)n >> 24);
}

typedef struct Maps {
    VigilValue map[MOST_VALUES]; /* those that are no vectors */
    int count;
} Maps;

/* Mostly one of the last four, sometimes a much older one. */
static VigilValue pick(Random *r, const Maps *m)
{
    int recent = m->count < 4 || draw(r, 4) == 0 ? m->count : 4;
    return m->map[m->count - 1 - draw(r, recent)];
}

static VigilValue pick_same_shape(Random *r, const Maps *m, const VigilNet *net,
                                  VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    for (int i = 0; i < 20; i++) {
        VigilValue y = pick(r, m);
        VigilShape t = vigil_net_shape(net, y);
        if (s.h == t.h && s.w == t.w && s.c == t.c)
            return y;
    }
    return x;
}

static VigilValue random_conv(Random *r, VigilNet *net, VigilValue x)
{
    static const int kernels[] = { 1, 1, 1, 3, 5 };
    VigilConv c = { .name = "c",
                    .norm = draw(r, 2) ? "n" : NULL,
                    .eps = 1e-5f,
                    .kernel = kernels[draw(r, 5)],
                    .bias = draw(r, 2),
                    .depthwise = draw(r, 3) == 0,
                    .stride = draw(r, 8) ? 1 : 2,
                    .activation = (VigilActivation)draw(r, VIGIL_ACTIVATIONS) };
    /* Often the width that is there, so that sums are possible. */
    c.out = draw(r, 3) ? vigil_net_shape(net, x).c : 4 + 4 * draw(r, 6);
    if (c.depthwise) {
        c.kernel = 3 + 2 * draw(r, 3);
        c.multiplier = vigil_net_shape(net, x).c > 16 ? 1 : 1 + draw(r, 3);
        c.shuffle = draw(r, 2) ? vigil_net_shape(net, x).c : 0;
    } else if (c.kernel == 1 && c.stride == 1 && draw(r, 2)) {
        c.groups = vigil_net_shape(net, x).c % 4 ? 1 : 1 << draw(r, 3);
        c.shuffle = c.out % 4 ? 0 : 4;
    }
    return vigil_net_conv(net, x, &c);
}

static VigilValue random_scale(VigilNet *net, VigilValue x)
{
    int c = vigil_net_shape(net, x).c;
    VigilValue s = vigil_net_conv(
        net, vigil_net_mean(net, x),
        &(VigilConv) {
            .name = "s", .out = c, .bias = true, .activation = VIGIL_SIGMOID });
    return vigil_net_scale(net, x, s);
}

/* Tokens that look at a map, and a map whose slopes one of them decides. */
static VigilValue random_tokens(Random *r, VigilNet *net, VigilValue x)
{
    int c = vigil_net_shape(net, x).c;
    VigilValue z = vigil_net_tokens(net, "t", 1 + draw(r, 4), c);
    z = vigil_net_add(
        net, z,
        vigil_net_attention(
            net, &(VigilAttend) { .q = z, .k = x, .v = x, .width = c, .heads = 1 }));
    z = vigil_net_multiply(net, z, z, 0.5f);
    VigilValue s = vigil_net_token(net, z, 0);
    s = vigil_net_concat(net, s, vigil_net_mean(net, x));
    return vigil_net_dynamic_relu(net, x, vigil_net_activate(net, s, VIGIL_HSIGMOID));
}

/* Attention between the patches of a map. */
static VigilValue random_patches(Random *r, VigilNet *net, VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    int h = s.h + s.h % 2, w = s.w + s.w % 2;
    x = vigil_net_unfold(net, vigil_net_resize(net, x, h, w, draw(r, 2)));
    VigilValue y = vigil_net_conv(
        net, x, &(VigilConv) { .name = "q", .out = 1 + 2 * s.c, .bias = true });
    y = vigil_net_separable_attention(net, y, h, w);
    return vigil_net_fold(net, vigil_net_add(net, x, y), h, w);
}

/* An inverted residual: what is computed in strips. */
static VigilValue random_bottleneck(Random *r, VigilNet *net, VigilValue x)
{
    VigilConv local = { .name = "local",
                        .kernel = 3 + 2 * draw(r, 3),
                        .stride = draw(r, 3) ? 1 : 2,
                        .dilation = 1 + draw(r, 2),
                        .depthwise = true,
                        .bias = true,
                        .activation = VIGIL_SILU };
    VigilValue y = x;
    if (draw(r, 2))
        y = vigil_net_conv(
            net, y,
            &(VigilConv) { .name = "dense", .out = 8, .kernel = 3, .bias = true });
    y = vigil_net_conv(net, y,
                       &(VigilConv) { .name = "wide", .out = 12, .bias = true });
    VigilValue z = vigil_net_conv(net, y, &local);
    if (local.stride == 1 && draw(r, 2))
        z = vigil_net_add(net, y, z);
    z = vigil_net_conv(
        net, z, &(VigilConv) { .name = "narrow", .out = vigil_net_shape(net, x).c });
    return local.stride == 1 && draw(r, 2) ? vigil_net_add(net, x, z) : z;
}

static VigilValue random_op(Random *r, VigilNet *net, const Maps *m)
{
    VigilValue x = pick(r, m);
    switch (draw(r, 16)) {
    case 0:
        return vigil_net_layer_norm(net, x, "l", 1e-5f);
    case 1:
        return vigil_net_window_attention(net, x, "a", 1, 2 + draw(r, 4));
    case 2:
        return random_scale(net, x);
    case 3: /* a norm, then what may take it in */
        x = vigil_net_batch_norm(net, x, "b", 1e-5f);
        return draw(r, 3) ? random_conv(r, net, x) : x;
    case 4:
    case 5:
        return vigil_net_add(net, x, pick_same_shape(r, m, net, x));
    case 6: { /* the usual skip */
        VigilValue y = vigil_net_conv(
            net, x, &(VigilConv) { .name = "p", .out = vigil_net_shape(net, x).c });
        return draw(r, 2) ? vigil_net_add(net, x, y) : vigil_net_add(net, y, x);
    }
    case 7:
        return random_tokens(r, net, x);
    case 8: /* an activation that a convolution may take in, and a shuffle */
        x = vigil_net_activate(net, random_conv(r, net, x), VIGIL_SILU);
        return draw(r, 2) ? x : vigil_net_shuffle(net, x, vigil_net_shape(net, x).c);
    case 9:
        return vigil_net_group_norm(net, x, "g", 1e-5f);
    case 10: {
        VigilShape s = vigil_net_shape(net, x);
        return vigil_net_concat(
            net, x, vigil_net_resize(net, pick(r, m), s.h, s.w, draw(r, 2)));
    }
    case 11:
        return random_patches(r, net, x);
    case 12:
    case 13:
        return random_bottleneck(r, net, x);
    default:
        return random_conv(r, net, x);
    }
}

static VigilNet *random_net(uint32_t seed)
{
    Random r = { seed * 2654435761u + 12345 };
    VigilNetConfig config = { 7 + draw(&r, 20), 5 + draw(&r, 30), 3, 0,
                              seed % 3 ? 1 : 4096 };
    VigilNet *net = vigil_net_new(&config);
    Maps m = { .count = 1 };
    int ops = 5 + draw(&r, 25);
    if (!net)
        exit(2);
    m.map[0] = vigil_net_input(net);
    for (int i = 0; i < ops; i++) {
        vigil_net_push(net, "op%d", i);
        VigilValue y = random_op(&r, net, &m);
        vigil_net_name(net, y, "");
        m.map[m.count++] = y;
        vigil_net_pop(net);
        if (draw(&r, 10) == 0) {
            vigil_net_push(net, "norm%d", i);
            m.map[m.count - 1] = vigil_net_layer_norm(net, y, "l", 1e-5f);
            vigil_net_pop(net);
        }
    }
    if (draw(&r, 2))
        vigil_net_output(net, pick(&r, &m), "map");
    VigilValue last = vigil_net_layer_norm(net, m.map[m.count - 1], "last", 1e-5f);
    last = vigil_net_conv(
        net, vigil_net_mean(net, last),
        &(VigilConv) { .name = "head", .out = 3, .linear = true, .bias = true });
    vigil_net_output(net, last, "logits");
    return net;
}

/* ---- Ways to make it ready ---------------------------------------------------------
 */

typedef struct Built {
    VigilNet *net;
    VigilStore *store;
    const char *name[4 * MOST_VALUES];
    size_t n_names;
} Built;

enum { MERGE_ALL = 1, KEEP_ALL = 2 };

/* MERGE_ALL: whatever can be merged is; else nothing is.  KEEP_ALL: no map gives its
 * memory away. */
static Built build(uint32_t seed, int how, int threads)
{
    static const char *none[1];
    Built b = { .net = random_net(seed), .store = vigil_store_new() };
    for (size_t i = 0; i < b.net->n_maps && i < 4 * MOST_VALUES; i++)
        if (!b.net->map[i].on_demand) /* asking for these changes what is computed */
            b.name[b.n_names++] = b.net->map[i].name;
    build_net(b.net, b.store, b.name, how & MERGE_ALL ? 0 : b.n_names,
              how & KEEP_ALL ? b.name : none, how & KEEP_ALL ? b.n_names : 0, threads);
    return b;
}

static void end(Built *b)
{
    vigil_net_free(&b->net);
    vigil_store_free(&b->store);
}

/* Every byte of the arena but the input is set before the run, so that a value read
 * before it is written shows. */
static void run_poisoned(Built *b)
{
    VigilNet *net = b->net;
    memset(net->arena, 0xff, vigil_net_arena_bytes(net));
    fill_values(vigil_net_input_data(net), vigil_shape_size(net->map[0].shape), 1);
    vigil_net_run(net);
}

/* ---- Properties --------------------------------------------------------------------
 */

typedef struct Span {
    int first, last; /* operations */
    const float *begin, *end;
} Span;

static void extend(Span *s, int at)
{
    s->first = at < s->first ? at : s->first;
    s->last = at > s->last ? at : s->last;
}

/* When each map and scratch is in use, from the operations alone. */
static size_t spans_of(const VigilNet *net, Span *span)
{
    size_t n = net->n_maps;
    for (size_t v = 0; v < n; v++) {
        const float *at = net->arena + net->map[v].offset;
        span[v] = (Span) { (int)net->n_nodes, -1, at,
                           at + vigil_shape_size(net->map[v].shape) };
    }
    extend(&span[0], 0); /* filled before the run */
    for (int i = 0; i < (int)net->n_nodes; i++) {
        const VigilNode *node = &net->node[i];
        int at = node->chain ? node->chain->last : i;
        if (node->dead)
            continue;
        for (int k = 0; k < node->n_in; k++)
            extend(&span[node->in[k]], at);
        if (node->residual != VIGIL_NONE)
            extend(&span[node->residual], at);
        extend(&span[node->out], at);
        if (node->scratch)
            span[n++] =
                (Span) { i, i, node->scratch,
                         node->scratch + node->scratch_stride * (size_t)net->threads };
    }
    for (size_t i = 0; i < net->n_outputs; i++)
        extend(&span[vigil_net_output_at(net, i, NULL)], (int)net->n_nodes);
    for (size_t i = 0; i < net->n_nodes; i++)
        if (vigil_inlined(&net->node[i]))
            span[net->node[i].out].last = -1; /* nowhere in the arena */
    return n;
}

static const char *check_layout(const VigilNet *net)
{
    static Span span[8 * MOST_VALUES];
    size_t n = spans_of(net, span);
    const float *end = net->arena + net->arena_floats;
    for (size_t i = 0; i < n; i++) {
        const Span *a = &span[i];
        if (a->last < 0)
            continue;
        if ((uintptr_t)a->begin % VIGIL_ALIGN)
            return "something is not aligned";
        if (a->begin < net->arena || a->end > end)
            return "something lies outside of the arena";
        for (size_t k = 0; k < i; k++) {
            const Span *b = &span[k];
            if (b->last >= a->first && a->last >= b->first && a->begin < b->end &&
                b->begin < a->end)
                return "two that live at the same time overlap";
        }
    }
    for (size_t i = 0; i < net->n_nodes; i++)
        if (net->node[i].scratch_stride * sizeof(float) % VIGIL_ALIGN)
            return "the scratch of a thread is not aligned";
    return NULL;
}

/* Outputs equal bit by bit. */
static bool same_outputs(const Built *a, const Built *b)
{
    for (size_t i = 0; i < a->net->n_outputs; i++) {
        VigilValue v = vigil_net_output_at(a->net, i, NULL),
                   w = vigil_net_output_at(b->net, i, NULL);
        size_t n = vigil_shape_size(vigil_net_shape(a->net, v));
        if (memcmp(vigil_net_data(a->net, v), vigil_net_data(b->net, w),
                   n * sizeof(float)))
            return false;
    }
    return true;
}

/* How far a map of b is from a's, in rms of the map; 0 where b has merged it away. */
static double distance(const Built *a, const Built *b, const char *name)
{
    VigilValue v = vigil_net_find(a->net, name), w = vigil_net_find(b->net, name);
    int from = w == VIGIL_NONE ? -1 : b->net->map[w].producer;
    if (w == VIGIL_NONE || (from >= 0 && b->net->node[from].dead))
        return 0;
    const float *x = vigil_net_data(a->net, v), *y = vigil_net_data(b->net, w);
    size_t n = vigil_shape_size(vigil_net_shape(a->net, v));
    double worst = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, isfinite(y[i]) ? fabs((double)x[i] - y[i]) : INFINITY);
        sum += (double)x[i] * x[i];
    }
    return worst / (sqrt(sum / (double)n) + 1e-30);
}

/* By how much merging changes the map it changes most, compared with what it may: some
 * of these networks enlarge rounding a thousandfold, and so they do noise. */
static double worst_change(uint32_t seed, const Built *plain, const Built *merged,
                           double *change)
{
    Built noisy = build(seed, KEEP_ALL, 1);
    double worst = 0;
    size_t n = vigil_shape_size(noisy.net->map[0].shape);
    float *x = vigil_net_input_data(noisy.net);
    for (size_t i = 0; i < n; i++)
        x[i] += NOISE * (i * 2654435761u >> 7 & 1 ? x[i] : -x[i]);
    vigil_net_run(noisy.net);
    for (size_t i = 0; i < plain->n_names; i++) {
        double d = distance(plain, merged, plain->name[i]);
        double allowed = 2e-6 + 4 * distance(plain, &noisy, plain->name[i]);
        if (d / allowed >= worst) {
            worst = d / allowed;
            *change = d;
        }
    }
    end(&noisy);
    return worst;
}

/* Chains of three and more operations, and those of several strips. */
static int long_chains, cut_chains;

static void count_chains(const VigilNet *net)
{
    for (size_t i = 0; i < net->n_nodes; i++) {
        const VigilNode *n = &net->node[i];
        if (!n->chain || vigil_inlined(n))
            continue;
        long_chains += n->chain->n > 2;
        cut_chains += n->chain->strip < n->out_shape.h;
    }
}

static void check(uint32_t seed)
{
    double change = 0;
    Built plain = build(seed, KEEP_ALL, 1),
          merged = build(seed, MERGE_ALL | KEEP_ALL, 1);
    Built shared = build(seed, MERGE_ALL, 1), threads = build(seed, MERGE_ALL, 2);
    run_poisoned(&plain);
    run_poisoned(&merged);
    run_poisoned(&shared);
    run_poisoned(&threads);
    double worst = worst_change(seed, &plain, &merged, &change);
    const char *problem = check_layout(shared.net);
    count_chains(shared.net);
    problem = problem ? problem : check_layout(threads.net);
    tap_ok(!problem, "seed %u: %zu maps in %zu KiB instead of %zu: %s", seed,
           plain.n_names, vigil_net_arena_bytes(shared.net) / 1024,
           vigil_net_arena_bytes(merged.net) / 1024,
           problem ? problem : "none overlap");
    tap_ok(worst <= 1, "merging changes a map by %.2g rms, %.2g of what it may", change,
           worst);
    tap_ok(same_outputs(&merged, &shared), "sharing memory changes nothing");
    tap_ok(same_outputs(&shared, &threads), "nor do two threads");
    run_poisoned(&shared);
    tap_ok(same_outputs(&merged, &shared), "nor does a run before it");
    end(&plain);
    end(&merged);
    end(&shared);
    end(&threads);
}

int main(int argc, char **argv)
{
    uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    int count = argc > 2 ? atoi(argv[2]) : 40;
    for (int i = 0; i < count; i++)
        check(seed + (uint32_t)i);
    if (count >= 40)
        tap_ok(long_chains >= 5 && cut_chains >= 20,
               "%d chains of three and more convolutions, %d cut into strips",
               long_chains, cut_chains);
    return tap_done();
}
