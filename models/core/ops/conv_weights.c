/* The weights of a convolution with the batch norms around it folded in. */
#include "core/ops/conv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool vigil_bind_batch_norm(VigilBinder *b, const char *name, size_t c, float eps,
                           double **scale, double **shift)
{
    char full[VIGIL_MAX_NAME];
    uint64_t shape[] = { c };
    const float *gamma =
        vigil_bind_tensor(b, vigil_join(full, name, "weight"), 1, shape);
    const float *beta = vigil_bind_tensor(b, vigil_join(full, name, "bias"), 1, shape);
    const float *mean =
        vigil_bind_tensor(b, vigil_join(full, name, "running_mean"), 1, shape);
    const float *var =
        vigil_bind_tensor(b, vigil_join(full, name, "running_var"), 1, shape);
    double *s =
        gamma && beta && mean && var ? (double *)vigil_bind_alloc(b, 4 * c) : NULL;
    if (!s)
        return false;
    for (size_t i = 0; i < c; i++) {
        s[i] = gamma[i] / sqrt((double)var[i] + (double)eps);
        s[c + i] = beta[i] - s[i] * mean[i];
    }
    *scale = s;
    *shift = s + c;
    return true;
}

/* The tensor `last` of the convolution, put together if it is stored in parts; NULL in
 * CHECK mode and after a failure. */
static const float *read_rows(const VigilNode *n, VigilBinder *b, const char *last,
                              int rank, const uint64_t *shape)
{
    const VigilConvNode *d = n->data;
    char full[VIGIL_MAX_NAME];
    if (!d->n_parts)
        return vigil_bind_tensor(b, vigil_join(full, n->name, last), rank, shape);
    const float *part[VIGIL_MAX_PARTS];
    uint64_t own[4];
    size_t size = 1;
    bool complete = true;
    memcpy(own, shape, (size_t)rank * sizeof *own);
    own[0] /= (uint64_t)d->n_parts;
    for (int i = 0; i < rank; i++)
        size *= (size_t)own[i];
    for (int i = 0; i < d->n_parts; i++) {
        part[i] = vigil_bind_tensor(b, vigil_join(full, d->part[i], last), rank, own);
        complete = complete && part[i];
    }
    float *rows = complete ? vigil_bind_alloc(b, size * (size_t)d->n_parts) : NULL;
    for (int i = 0; rows && i < d->n_parts; i++)
        memcpy(rows + (size_t)i * size, part[i], size * sizeof *rows);
    return rows;
}

/* Of the convolution itself, without what is merged into it. */
static int channels_in(const VigilNode *n)
{
    const VigilNode *first = ((VigilConvNode *)n->data)->first;
    return first ? first->out_shape.c : n->in_shape.c;
}

bool vigil_conv_read(const VigilNode *n, VigilBinder *b, VigilConvWeights *raw)
{
    const VigilConvNode *d = n->data;
    const VigilConv *c = &d->conv;
    uint64_t in = c->depthwise ? 1 : (uint64_t)(channels_in(n) / c->groups);
    uint64_t k = (uint64_t)c->kernel;
    uint64_t shape[] = { (uint64_t)c->out, in, k, k }, out[] = { (uint64_t)c->out };
    bool ok = true;
    memset(raw, 0, sizeof *raw);
    raw->w = read_rows(n, b, "weight", c->linear ? 2 : 4, shape);
    if (c->bias)
        raw->bias = read_rows(n, b, "bias", 1, out);
    if (d->norm)
        ok = vigil_bind_batch_norm(b, d->norm, (size_t)c->out, c->eps, &raw->scale,
                                   &raw->shift);
    if (d->pre_norm)
        ok = vigil_bind_batch_norm(b, d->pre_norm, (size_t)in, d->pre_eps, &raw->pre,
                                   &raw->pre_shift) &&
             ok;
    return ok && raw->w && (raw->bias || !c->bias);
}

double vigil_conv_fold_row(const VigilConvWeights *raw, size_t o, size_t in,
                           size_t taps, float *row)
{
    double a = raw->scale ? raw->scale[o] : 1, sum = raw->bias ? raw->bias[o] : 0;
    const float *from = raw->w + o * in * taps; /* [in][taps] */
    for (size_t t = 0; t < taps; t++) {
        for (size_t i = 0; i < in && !raw->pre; i++)
            row[t * in + i] = (float)(a * from[i * taps + t]);
        for (size_t i = 0; i < in && raw->pre; i++) {
            double w = from[i * taps + t];
            sum += w * raw->pre_shift[i];
            row[t * in + i] = (float)(a * (w * raw->pre[i]));
        }
    }
    return a * sum + (raw->shift ? raw->shift[o] : 0);
}

/* The same of the convolution itself. */
static bool folded_alone(const VigilNode *n, VigilBinder *b, float **rows, float **bias)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t in = (size_t)(channels_in(n) / c->groups), out = (size_t)c->out;
    size_t taps = (size_t)(c->kernel * c->kernel);
    VigilConvWeights raw;
    if (!vigil_conv_read(n, b, &raw))
        return false;
    *rows = vigil_bind_alloc(b, out * taps * in);
    *bias = vigil_bind_alloc(b, out);
    if (!*rows || !*bias)
        return false;
    for (size_t o = 0; o < out; o++)
        (*bias)[o] =
            (float)vigil_conv_fold_row(&raw, o, in, taps, *rows + o * taps * in);
    return true;
}

bool vigil_conv_folded(const VigilNode *n, VigilBinder *b, float **rows, float **bias)
{
    const VigilNode *first = ((VigilConvNode *)n->data)->first;
    float *second_rows, *second_bias, *first_rows, *first_bias;
    if (!first)
        return folded_alone(n, b, rows, bias);
    bool ok = folded_alone(first, b, &first_rows, &first_bias);
    if (!folded_alone(n, b, &second_rows, &second_bias) || !ok)
        return false;
    size_t out = (size_t)n->out_shape.c, mid = (size_t)first->out_shape.c;
    size_t in = (size_t)n->in_shape.c;
    double *factors = (double *)vigil_bind_alloc(b, 2 * (mid + in)), *sums;
    *rows = vigil_bind_alloc(b, out * in);
    *bias = second_bias;
    if (!factors || !*rows)
        return false;
    sums = factors + mid;
    for (size_t o = 0; o < out; o++) {
        double shift = second_bias[o];
        for (size_t m = 0; m < mid; m++) {
            factors[m] = second_rows[o * mid + m];
            shift += factors[m] * first_bias[m];
        }
        (*bias)[o] = (float)shift;
        vigil_kernels()->weigh_rows(first_rows, in, mid, in, factors, sums);
        for (size_t i = 0; i < in; i++)
            (*rows)[o * in + i] = (float)sums[i];
    }
    return true;
}

void vigil_conv_key(const VigilNode *n, char key[VIGIL_CONV_KEY])
{
    const VigilConvNode *d = n->data, *first = d->first ? d->first->data : NULL;
    snprintf(key, VIGIL_CONV_KEY, "%s|%s|%s|%s",
             first && first->pre_norm ? first->pre_norm : "",
             first ? d->first->name : "", d->pre_norm ? d->pre_norm : "", n->name);
}
