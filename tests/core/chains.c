/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which operations are computed together in strips, by sizes of maps and weights, and
 * that this changes no bit. */
#include "build.h"
#include "core/chain.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

#define CACHE (64 << 10) /* for strips */

/* An inverted residual: `wide` channels between the two pointwise convolutions. */
typedef struct Block {
    int wide, stride, out;
} Block;

typedef struct Row {
    const char *what, *chains; /* those expected: members are joined by + */
    int side;
    Block block[2];
} Row;

static const Row rows[] = {
    { "large maps and few weights", "e0+d0+p0", 96, { { 8, 1, 4 } } },
    { "maps that stay", "e0 d0 p0", 24, { { 8, 1, 4 } } },
    { "more weights than maps", "e0+d0 p0", 12, { { 256, 1, 256 } } },
    { "weights that stay beside strips", "e0+d0+p0", 12, { { 256, 1, 8 } } },
    { "all but the last, whose weights are many",
      "e0+d0+p0+e1+d1 p1",
      96,
      { { 8, 2, 16 }, { 512, 2, 128 } } },
    { "apart where a map stays",
      "e0+d0+p0 e1+d1+p1",
      96,
      { { 8, 2, 4 }, { 12, 1, 4 } } },
    { "two in a row", "e0+d0+p0+e1+d1+p1", 96, { { 12, 1, 12 }, { 12, 2, 8 } } },
};

static VigilValue block(VigilNet *net, VigilValue x, const Block *b, int i)
{
    vigil_net_push(net, "%d", i);
    x = vigil_net_conv(net, x, &(VigilConv) { .name = "e", .out = b->wide });
    x = vigil_net_conv(
        net, x,
        &(VigilConv) {
            .name = "d", .kernel = 3, .stride = b->stride, .depthwise = true });
    x = vigil_net_conv(net, x, &(VigilConv) { .name = "p", .out = b->out });
    vigil_net_pop(net);
    return x;
}

static VigilNet *build(const Row *r, VigilStore *store, size_t strip_bytes, int threads)
{
    VigilNetConfig config = { r->side, r->side, 1, .strip_bytes = strip_bytes };
    VigilNet *net = vigil_net_new(&config);
    VigilValue x = vigil_net_input(net);
    for (int i = 0; i < 2 && r->block[i].wide; i++)
        x = block(net, x, &r->block[i], i);
    /* What cannot be a member. */
    vigil_net_output(net, vigil_net_softmax(net, x), "out");
    build_unmerged(net, store, threads);
    vigil_net_run(net);
    return net;
}

/* The chains as in Row. */
static void describe(const VigilNet *net, char out[64])
{
    size_t at = 0;
    for (size_t i = 0; i + 1 < net->n_nodes; i++) {
        const VigilNode *n = &net->node[i], *before = i ? n - 1 : NULL;
        const char *join = !before                                 ? ""
                           : n->chain && n->chain == before->chain ? "+"
                                                                   : " ";
        at +=
            (size_t)snprintf(out + at, 64 - at, "%s%c%c", join, n->name[2], n->name[0]);
    }
}

static bool strips_fit(const VigilNet *net)
{
    for (size_t i = 0; i < net->n_nodes; i++) {
        const VigilChain *c = net->node[i].chain;
        if (c && c->strip > 1 && c->floats * sizeof(float) > CACHE)
            return false;
    }
    return true;
}

static bool same(VigilNet *a, VigilNet *b)
{
    VigilValue v = vigil_net_output_at(a, 0, NULL), w = vigil_net_output_at(b, 0, NULL);
    return !memcmp(vigil_net_data(a, v), vigil_net_data(b, w),
                   vigil_shape_size(vigil_net_shape(a, v)) * sizeof(float));
}

static void check(const Row *r)
{
    char found[64];
    VigilStore *store = vigil_store_new();
    VigilNet *whole = build(r, store, (size_t)1 << 30, 1),
             *one = build(r, store, CACHE, 1), *two = build(r, store, CACHE, 2);
    describe(one, found);
    tap_ok(!strcmp(found, r->chains), "%s: %s (is %s)", r->what, r->chains, found);
    tap_ok(strips_fit(one), "%s: strips fit %d bytes", r->what, CACHE);
    tap_ok(same(whole, one) && same(whole, two), "%s: the same bits", r->what);
    vigil_net_free(&whole);
    vigil_net_free(&one);
    vigil_net_free(&two);
    vigil_store_free(&store);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(&rows[i]);
    return tap_done();
}
