#include "core/attention.h"
#include "core/chain.h"
#include "core/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory of the description --------------------------------------------------- */

struct Chunk {
    struct Chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

void *vigil_net_alloc(VigilNet *net, size_t bytes)
{
    struct Chunk *c = net->chunks;
    bytes = (bytes + 15) & ~(size_t)15;
    if (!c || c->size - c->used < bytes) {
        size_t size = bytes > 8192 ? bytes : 8192;
        c = calloc(1, sizeof *c + size);
        if (!c) {
            vigil_net_fail(net, VIGIL_ERROR_NO_MEMORY,
                           "out of memory: %zu bytes for %s", size,
                           "a network description");
            return NULL;
        }
        c->size = size;
        c->next = net->chunks;
        net->chunks = c;
    }
    void *p = c->bytes + c->used;
    c->used += bytes;
    return p;
}

/* Doubles an array of the net; false sticks as an error. */
static bool grow(VigilNet *net, void **array, size_t *capacity, size_t count,
                 size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *p = realloc(*array, wanted * size);
    if (!p) {
        vigil_net_fail(net, VIGIL_ERROR_NO_MEMORY, "out of memory: %zu bytes for %s",
                       wanted * size, "a network description");
        return false;
    }
    *array = p;
    *capacity = wanted;
    return true;
}

/* ---- Life ------------------------------------------------------------------------ */

VigilNet *vigil_net_new(const VigilNetConfig *config)
{
    VigilNet *net = calloc(1, sizeof *net);
    if (net)
        net->config = *config;
    return net;
}

void vigil_net_free(VigilNet **net)
{
    if (!*net)
        return;
    for (struct Chunk *c = (*net)->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free((*net)->node);
    free((*net)->map);
    free((*net)->arena);
    free(*net);
    *net = NULL;
}

const VigilNetConfig *vigil_net_config(const VigilNet *net)
{
    return &net->config;
}

VigilStatus vigil_net_status(const VigilNet *net, VigilError *error)
{
    if (net->error.status != VIGIL_OK && error)
        *error = net->error;
    return net->error.status;
}

void vigil_net_fail(VigilNet *net, VigilStatus status, const char *format, ...)
{
    if (net->error.status != VIGIL_OK)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(net->error.message, sizeof net->error.message, format, args);
    va_end(args);
    net->error.status = status;
}

/* ---- Names ----------------------------------------------------------------------- */

void vigil_net_push(VigilNet *net, const char *format, ...)
{
    size_t at = strlen(net->scope), before = at;
    va_list args;
    if (net->depth < VIGIL_MAX_DEPTH)
        net->scope_length[net->depth] = at;
    else
        vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "%s: more than %d scopes in another",
                       net->scope, VIGIL_MAX_DEPTH);
    net->depth++;
    if (at && at + 1 < sizeof net->scope)
        net->scope[at++] = '.';
    va_start(args, format);
    if (!vsnprintf(net->scope + at, sizeof net->scope - at, format, args))
        net->scope[before] = '\0';
    va_end(args);
}

void vigil_net_pop(VigilNet *net)
{
    if (--net->depth < VIGIL_MAX_DEPTH)
        net->scope[net->scope_length[net->depth]] = '\0';
}

const char *vigil_join(char out[VIGIL_MAX_NAME], const char *prefix, const char *last)
{
    const char *parts[] = { prefix, *prefix && *last ? "." : "", last };
    size_t at = 0;
    for (int i = 0; i < 3; i++)
        for (const char *s = parts[i]; *s && at + 1 < VIGIL_MAX_NAME; s++)
            out[at++] = *s;
    out[at] = '\0';
    return out;
}

const char *vigil_net_absolute(VigilNet *net, const char *name)
{
    char full[VIGIL_MAX_NAME];
    vigil_join(full, net->scope, name);
    char *copy = vigil_net_alloc(net, strlen(full) + 1);
    return copy ? strcpy(copy, full) : "";
}

VigilValue vigil_net_name(VigilNet *net, VigilValue value, const char *name)
{
    if (net->error.status == VIGIL_OK)
        net->map[value].name = vigil_net_absolute(net, name);
    return value;
}

static bool is_alias(const VigilMap *m)
{
    return m->producer < 0 && m->moved != VIGIL_NONE;
}

/* A value's own name comes before another's further name. */
static const VigilMap *map_named(const VigilNet *net, const char *name)
{
    const VigilMap *alias = NULL;
    for (size_t i = 0; i < net->n_maps; i++)
        if (!strcmp(net->map[i].name, name)) {
            if (!is_alias(&net->map[i]))
                return &net->map[i];
            alias = alias ? alias : &net->map[i];
        }
    return alias;
}

const char *vigil_net_own_name(const VigilNet *net, const char *name)
{
    const VigilMap *m = map_named(net, name);
    return m ? m->name : NULL;
}

VigilValue vigil_net_find(const VigilNet *net, const char *name)
{
    const VigilMap *m = map_named(net, name);
    return m ? vigil_net_resolve(net, (VigilValue)(m - net->map)) : VIGIL_NONE;
}

/* ---- Building -------------------------------------------------------------------- */

static VigilValue append_map(VigilNet *net, const char *name, VigilShape shape)
{
    if (!grow(net, (void **)&net->map, &net->cap_maps, net->n_maps, sizeof *net->map))
        return VIGIL_NONE;
    net->map[net->n_maps] = (VigilMap) {
        .name = name, .shape = shape, .producer = -1, .moved = VIGIL_NONE
    };
    return (VigilValue)net->n_maps++;
}

VigilValue vigil_net_input(VigilNet *net)
{
    if (net->error.status != VIGIL_OK)
        return VIGIL_NONE;
    VigilValue x = append_map(
        net, "input", (VigilShape) { net->config.height, net->config.width, 3 });
    if (x != VIGIL_NONE)
        net->map[x].grid = (VigilGrid) { 0.5, 0.5, 1, 1 };
    return x;
}

VigilNode *vigil_net_append(VigilNet *net, const VigilOp *op, const char *name,
                            const VigilValue *in, int n_in, VigilShape out,
                            size_t data_size)
{
    if (net->error.status != VIGIL_OK)
        return NULL;
    const char *absolute = vigil_net_absolute(net, name);
    void *data = data_size ? vigil_net_alloc(net, data_size) : NULL;
    VigilValue y = append_map(net, absolute, out);
    if (!grow(net, (void **)&net->node, &net->cap_nodes, net->n_nodes,
              sizeof *net->node) ||
        net->error.status != VIGIL_OK)
        return NULL;
    VigilNode *n = &net->node[net->n_nodes];
    *n = (VigilNode) { .op = op,
                       .name = absolute,
                       .n_in = n_in,
                       .residual = VIGIL_NONE,
                       .out = y,
                       .side = VIGIL_NONE,
                       .in_shape = vigil_net_shape(net, in[0]),
                       .out_shape = out,
                       .data = data };
    for (int i = 0; i < n_in; i++)
        n->in[i] = in[i];
    net->map[y].producer = (int)net->n_nodes++;
    net->map[y].grid = vigil_net_grid(net, n_in ? in[0] : VIGIL_NONE);
    return n;
}

void vigil_net_regrid(VigilNet *net, VigilValue out, double first_y, double step_y,
                      double first_x, double step_x)
{
    VigilGrid *g = &net->map[out].grid;
    g->y += first_y * g->step_y;
    g->x += first_x * g->step_x;
    g->step_y *= step_y;
    g->step_x *= step_x;
}

void vigil_net_attention_tap(VigilNet *net, VigilNode *node, VigilShape shape,
                             VigilAttentionKind kind, int map_height, int map_width)
{
    VigilValue side = append_map(net, vigil_net_absolute(net, "attention"), shape);
    if (side == VIGIL_NONE)
        return;
    VigilMap *m = &net->map[side];
    m->producer = net->map[node->out].producer;
    m->on_demand = true;
    m->kind = kind;
    m->map_height = map_height;
    m->map_width = map_width;
    m->grid = vigil_net_grid(net, node->in[kind == VIGIL_ATTENTION_TO_PIXELS ? 1 : 0]);
    node->side = side;
    VigilAttentionInfo info = vigil_attention_info(m);
    VigilError error;
    if (vigil_attention_check(&info, &error) != VIGIL_OK)
        vigil_net_fail(net, error.status, "%s", error.message);
    vigil_net_alias(net, side, ""); /* the module that computes them */
}

void vigil_net_keep_attention(VigilNet *net)
{
    for (size_t v = 0; v < net->n_maps; v++)
        net->map[v].kept |= net->map[v].on_demand;
}

VigilValue vigil_net_optional(VigilNet *net, VigilValue value)
{
    if (net->error.status == VIGIL_OK)
        net->map[value].optional = true;
    return value;
}

int vigil_shape_dims(VigilShape s, int dims[4])
{
    if (s.vector)
        memcpy(dims, (int[4]) { s.c }, sizeof(int[4]));
    else if (s.windows)
        memcpy(dims, (int[4]) { s.windows, s.h, s.w, s.c }, sizeof(int[4]));
    else
        memcpy(dims, (int[4]) { s.h, s.w, s.c }, sizeof(int[4]));
    return s.vector ? 1 : s.windows ? 4 : 3;
}

void vigil_net_alias(VigilNet *net, VigilValue value, const char *name)
{
    if (net->error.status != VIGIL_OK)
        return;
    VigilValue alias =
        append_map(net, vigil_net_absolute(net, name), vigil_net_shape(net, value));
    if (alias != VIGIL_NONE)
        net->map[alias].moved = value;
}

VigilShape vigil_net_shape(const VigilNet *net, VigilValue value)
{
    return value == VIGIL_NONE ? (VigilShape) { 1, 1, 1 } : net->map[value].shape;
}

VigilGrid vigil_net_grid(const VigilNet *net, VigilValue value)
{
    return value == VIGIL_NONE ? (VigilGrid) { 0.5, 0.5, 1, 1 } : net->map[value].grid;
}

void vigil_net_output(VigilNet *net, VigilValue value, const char *name)
{
    if (net->error.status != VIGIL_OK)
        return;
    if (net->n_outputs == sizeof net->output / sizeof *net->output) {
        vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "more than %zu outputs",
                       net->n_outputs);
        return;
    }
    net->output[net->n_outputs].value = value;
    net->output[net->n_outputs++].name = name;
}

VigilValue vigil_net_resolve(const VigilNet *net, VigilValue value)
{
    while (net->map[value].moved != VIGIL_NONE)
        value = net->map[value].moved;
    return value;
}

/* ---- Binding and running --------------------------------------------------------- */

static void bind_node(VigilNode *n, VigilBinder *binder)
{
    uint64_t before = binder->parameters;
    n->op->bind(n, binder);
    if (binder->mode == VIGIL_BIND_CHECK)
        n->parameters = binder->parameters - before;
    vigil_bind_next(binder);
}

void vigil_net_bind(VigilNet *net, VigilBinder *binder)
{
    for (size_t i = 0; i < net->n_nodes; i++) {
        if (binder->mode == VIGIL_BIND_LOAD && binder->status != VIGIL_OK)
            break;
        if (!net->node[i].dead && net->node[i].op->bind)
            bind_node(&net->node[i], binder);
    }
    vigil_bind_end(binder);
}

void vigil_net_run(VigilNet *net)
{
    int most = vigil_share_begin(&net->pace, net->most_threads);
    for (size_t i = 0; i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        if (n->dead || vigil_inlined(n))
            continue;
        net->threads = vigil_share_threads(most);
        if (n->chain) {
            vigil_chain_run(n->chain, net);
            continue;
        }
        uint64_t start = net->timed ? vigil_now() : 0;
        n->op->run(n, net);
        if (net->timed)
            n->nanoseconds += vigil_now() - start;
    }
    vigil_share_end(&net->pace);
}

/* Less is sooner done than handed over. */
#define WORTH_HANDING UINT64_C(200000)

size_t vigil_grain(uint64_t macs_per_item)
{
    const uint64_t worth = WORTH_HANDING;
    return (size_t)(macs_per_item >= worth ? 1 : worth / (macs_per_item + 1) + 1);
}

void vigil_net_parallel(const VigilNet *net, uint64_t macs, size_t count, size_t least,
                        VigilTaskFunction task, const VigilNode *n)
{
    size_t grain = vigil_grain(count ? macs / count : 0);
    bool large = macs >= VIGIL_WORTH_WAKING * WORTH_HANDING;
    (large ? vigil_parallel_large : vigil_parallel)(
        net->threads, count, grain > least ? grain : least, task, (void *)n);
}

/* ---- Looking at it --------------------------------------------------------------- */

float *vigil_net_input_data(VigilNet *net)
{
    return net->arena + net->map[0].offset;
}

const float *vigil_net_data(const VigilNet *net, VigilValue value)
{
    return net->arena + net->map[value].offset;
}

const char *vigil_net_value_name(const VigilNet *net, VigilValue value)
{
    return net->map[value].name;
}

VigilValue vigil_net_output_at(const VigilNet *net, size_t i, const char **name)
{
    if (i >= net->n_outputs)
        return VIGIL_NONE;
    if (name)
        *name = net->output[i].name;
    return vigil_net_resolve(net, net->output[i].value);
}

size_t vigil_net_arena_bytes(const VigilNet *net)
{
    return net->arena_floats * sizeof(float);
}

uint64_t vigil_net_macs(const VigilNet *net)
{
    uint64_t sum = net->macs;
    if (sum)
        return sum;
    for (size_t i = 0; i < net->n_nodes; i++)
        if (!net->node[i].dead && net->node[i].op->macs)
            sum += net->node[i].op->macs(&net->node[i]);
    return sum;
}

static const VigilNode *living_node(const VigilNet *net, size_t i)
{
    for (size_t k = 0; k < net->n_nodes; k++)
        if (!net->node[k].dead && i-- == 0)
            return &net->node[k];
    return NULL;
}

bool vigil_net_layer(const VigilNet *net, size_t i, VigilLayer *layer)
{
    const VigilNode *n = living_node(net, i);
    if (!n)
        return false;
    *layer = (VigilLayer) { .name = net->map[n->out].name,
                            .kind = n->kind,
                            .macs = n->op->macs ? n->op->macs(n) : 0,
                            .parameters = n->parameters,
                            .nanoseconds = n->nanoseconds };
    layer->rank = vigil_shape_dims(n->out_shape, layer->shape);
    return true;
}

void vigil_net_time_layers(VigilNet *net, bool on)
{
    net->timed = on;
    for (size_t i = 0; i < net->n_nodes; i++)
        net->node[i].nanoseconds = 0;
}
