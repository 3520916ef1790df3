#include "core/quantise.h"
#include "core/histogram.h"
#include "core/ops/conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER 24 /* characters of one */

static bool is_output(const VigilNet *net, const VigilNode *n)
{
    for (size_t i = 0; i < net->n_outputs; i++)
        if (vigil_net_output_at(net, i, NULL) == n->out)
            return true;
    return false;
}

static bool may_be_bytes(const VigilNet *net, const VigilNode *n)
{
    return !n->dead && vigil_conv_is_matrix(n) && !is_output(net, n) &&
           (size_t)n->in_shape.c <= VIGIL_BYTES_MAX_DEPTH;
}

void vigil_net_quantise(VigilNet *net, const VigilRanges *ranges, bool everywhere)
{
    char key[VIGIL_CONV_KEY];
    for (size_t i = 0; i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        if (!may_be_bytes(net, n))
            continue;
        vigil_conv_key(n, key);
        const VigilRange *range = vigil_ranges_find(ranges, key);
        size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
        if (!range || !(everywhere || vigil_kernels()->bytes_pay(out, in)))
            continue;
        ((VigilConvNode *)n->data)->range = *range;
        n->op = &vigil_op_conv_bytes;
    }
}

int vigil_net_quantised(const VigilNet *net)
{
    int n = 0;
    for (size_t i = 0; i < net->n_nodes; i++)
        n += !net->node[i].dead && net->node[i].op == &vigil_op_conv_bytes;
    return n;
}

/* ---- Looking at inputs ------------------------------------------------------------
 */

static void observed_kind(const VigilNode *n, char *out, size_t size)
{
    vigil_op_conv.kind(n, out, size);
}

static void observed_bind(VigilNode *n, VigilBinder *b)
{
    vigil_op_conv.bind(n, b);
}

static uint64_t observed_macs(const VigilNode *n)
{
    return vigil_op_conv.macs(n);
}

static void observed_run(const VigilNode *n, VigilNet *net)
{
    vigil_histogram_add(((VigilConvNode *)n->data)->seen, n->x[0],
                        vigil_shape_size(n->in_shape));
    vigil_op_conv.run(n, net);
}

static const VigilOp op_observed = { .kind = observed_kind,
                                     .bind = observed_bind,
                                     .macs = observed_macs,
                                     .run = observed_run };

void vigil_net_observe(VigilNet *net)
{
    for (size_t i = 0; i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        if (!may_be_bytes(net, n))
            continue;
        VigilHistogram *seen = vigil_net_alloc(net, sizeof *seen);
        if (!seen)
            return;
        ((VigilConvNode *)n->data)->seen = seen;
        n->op = &op_observed;
    }
}

/* A decimal number with a point whatever the locale. */
static void number_text(char out[NUMBER], float value)
{
    snprintf(out, NUMBER, "%.9g", (double)value);
    for (char *c = out; *c; c++)
        if (!strchr("0123456789+-e", *c))
            *c = '.';
}

/* Appends what was counted of a node; the names of weights need no escapes. */
static char *put_range(char *at, const VigilNode *n, VigilRange r, bool first)
{
    char key[VIGIL_CONV_KEY], low[NUMBER], high[NUMBER];
    vigil_conv_key(n, key);
    number_text(low, r.low);
    number_text(high, r.high);
    return at + sprintf(at, "%s\"%s\":[%s,%s]", first ? "{" : ",", key, low, high);
}

VigilStatus vigil_net_observed(const VigilNet *net, char **json, VigilError *error)
{
    size_t n = 0, bytes = net->n_nodes * (VIGIL_CONV_KEY + 2 * NUMBER + 8) + 2;
    char *at = *json = malloc(bytes);
    if (!at)
        return vigil_fail_memory(error, bytes, "calibrated ranges");
    for (size_t i = 0; i < net->n_nodes; i++) {
        const VigilNode *node = &net->node[i];
        if (node->dead || node->op != &op_observed)
            continue;
        VigilRange r = vigil_histogram_range(((VigilConvNode *)node->data)->seen);
        if (r.high - r.low >= VIGIL_RANGES_LEAST)
            at = put_range(at, node, r, !n++);
    }
    if (n) {
        strcpy(at, "}");
        return VIGIL_OK;
    }
    free(*json);
    *json = NULL;
    return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                      "no input of a multiplication had values other than 0");
}
