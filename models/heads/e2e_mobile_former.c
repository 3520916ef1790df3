#include "heads/heads.h"

#define EPS 1e-5f
#define QUERIES 100
#define QUERY_WIDTH 256
#define EXPANSION 6

static VigilValue linear(VigilNet *net, VigilValue x, const char *name, int out,
                         VigilActivation activation)
{
    return vigil_net_conv(net, x,
                          &(VigilConv) { .name = name,
                                         .out = out,
                                         .bias = true,
                                         .linear = true,
                                         .activation = activation });
}

/* The map as attentions see it. */
static VigilPlaced placed(VigilNet *net, VigilValue x)
{
    return (VigilPlaced) { x, vigil_net_add_positions(net, x, VIGIL_CROSS_HEADS) };
}

/* The queries f with their positions p. */
static VigilPlaced at(VigilNet *net, VigilValue f, VigilValue p)
{
    return (VigilPlaced) { f, vigil_net_add(net, f, p) };
}

/* Positions in the next block: g(p) + h(f), two layers each. */
static VigilValue adapted(VigilNet *net, VigilValue p, VigilValue f)
{
    vigil_net_push(net, "position");
    p = linear(net, p, "g.0", QUERY_WIDTH, VIGIL_RELU);
    p = linear(net, p, "g.2", QUERY_WIDTH, VIGIL_LINEAR);
    f = linear(net, f, "h.0", QUERY_WIDTH, VIGIL_RELU);
    f = linear(net, f, "h.2", QUERY_WIDTH, VIGIL_LINEAR);
    p = vigil_net_add(net, p, f);
    vigil_net_pop(net);
    return p;
}

/* Map, queries and their positions. */
typedef struct Streams {
    VigilValue x, f, p;
} Streams;

/* Where there is a finer map the block goes on at its size. */
static void block(VigilNet *net, Streams *s, VigilValue finer, int width)
{
    VigilBottleneck b = {
        .out = width, .stride = 1, .expanded = EXPANSION * width, .groups = 1
    };
    VigilPlaced asking = at(net, s->f, s->p), seen = placed(net, s->x);
    VigilValue f = vigil_mobile_to_former(net, seen, asking, NULL);
    s->f = vigil_former(net, f, s->p);
    VigilHyper hyper = vigil_hyper_of_first(net, s->f);
    VigilValue x = finer == VIGIL_NONE
                       ? vigil_bottleneck_same(net, s->x, hyper, &b)
                       : vigil_bottleneck_up(net, s->x, hyper, finer, &b);
    VigilPlaced told = at(net, s->f, s->p);
    s->x = vigil_former_to_mobile(net, placed(net, x), told);
    s->p = adapted(net, s->p, s->f);
    vigil_net_name(net, s->x, "");
    vigil_net_name(net, s->f, "queries");
    vigil_net_name(net, s->p, "positions");
}

static void predict(VigilNet *net, VigilValue f)
{
    int classes = vigil_net_config(net)->classes;
    VigilValue logits = linear(net, f, "class_embed", classes + 1, VIGIL_LINEAR);
    vigil_net_output(net, logits, "cls_0");
    vigil_net_push(net, "box_embed");
    f = linear(net, f, "0", QUERY_WIDTH, VIGIL_RELU);
    f = linear(net, f, "2", QUERY_WIDTH, VIGIL_RELU);
    f = linear(net, f, "4", 4, VIGIL_SIGMOID);
    vigil_net_pop(net);
    vigil_net_output(net, f, "reg_0");
}

void vigil_head_e2e_mobile_former(VigilNet *net, const VigilValue map[3],
                                  const VigilE2EHead *head)
{
    vigil_net_push(net, "head");
    VigilConv projection = {
        .name = "projection.0", .norm = "projection.1", .eps = EPS, .out = head->width
    };
    Streams s = { .x = vigil_net_conv(net, map[2], &projection),
                  .f = vigil_net_tokens(net, "queries", QUERIES, QUERY_WIDTH),
                  .p = vigil_net_tokens(net, "positions", QUERIES, QUERY_WIDTH) };
    vigil_net_name(net, s.x, "projection");
    for (int scale = 0, number = 0; scale < 3; scale++)
        for (int i = 0; i < head->blocks[scale]; i++) {
            vigil_net_push(net, "features.%d", number++);
            block(net, &s, scale && !i ? map[2 - scale] : VIGIL_NONE, head->width);
            vigil_net_pop(net);
        }
    VigilPlaced asking = at(net, s.f, s.p);
    VigilValue f = vigil_mobile_to_former(net, placed(net, s.x), asking, NULL);
    predict(net, vigil_net_name(net, f, "local_global.queries"));
    vigil_net_pop(net);
}
