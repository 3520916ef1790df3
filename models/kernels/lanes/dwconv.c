/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Depth-wise convolution, one vector of channels at a time: a run of output pixels of
 * one row is summed in registers.  For each kernel row its weights are held in
 * registers too, and every input pixel, loaded once, goes to all the sums that it
 * belongs to.
 */
#include "activations.h"

#define RUN_MAX 8

/* Which outputs a run computes: pixels (row, col..col + count - 1), channels channel..
 * channel + lanes - 1. */
typedef struct Run {
    int row, col, count;
    size_t channel, lanes;
} Run;

static __attribute__((noinline)) void finish(const VigilDwconv *d, const Run *run,
                                             vf *acc)
{
    const VigilEpilogue *e = &d->epilogue;
    size_t pixel = (size_t)run->row * (size_t)d->out_w + (size_t)run->col;
    V(activate_tile)(acc, (size_t)run->count, e->activation);
    for (int t = 0; t < run->count; t++, pixel++) {
        if (e->residual)
            acc[t] += v_load_n(e->residual + pixel * e->residual_stride + run->channel,
                               run->lanes);
        v_store_n(d->y + pixel * (size_t)d->c + run->channel, acc[t], run->lanes);
    }
}

/* The sums of up to `length` pixels.  edge: some of the input columns may not exist, or
 * fewer pixels are wanted.  partial: fewer than LANES channels. */
INLINE void run_pixels(const VigilDwconv *d, const Run *run, const int kernel,
                       const int stride, const int length, const bool edge,
                       const bool partial)
{
    const size_t c = (size_t)d->c;
    const int first_y = run->row * stride - d->pad,
              first_x = run->col * stride - d->pad;
    const float *bias = d->epilogue.bias;
    vf acc[RUN_MAX];
    vf start = !bias     ? v_zero()
               : partial ? v_load_part(bias + run->channel, run->lanes)
                         : v_load(bias + run->channel);
    UNROLL
    for (int t = 0; t < length; t++)
        acc[t] = start;
    for (int ky = 0; ky < kernel; ky++) {
        int y = first_y + ky;
        if (y < 0 || y >= d->h)
            continue;
        const float *x = d->x + (size_t)y * (size_t)d->w * c + run->channel;
        const float *weight = d->weight + (size_t)(ky * kernel) * c + run->channel;
        vf tap[7];
        UNROLL
        for (int kx = 0; kx < kernel; kx++)
            tap[kx] = partial ? v_load_part(weight + (size_t)kx * c, run->lanes)
                              : v_load(weight + (size_t)kx * c);
        UNROLL
        for (int j = 0; j < (length - 1) * stride + kernel; j++) {
            if (edge && (first_x + j < 0 || first_x + j >= d->w))
                continue;
            const float *p = x + (size_t)(first_x + j) * c;
            vf value = partial ? v_load_part(p, run->lanes) : v_load(p);
            UNROLL
            for (int t = 0; t < length; t++)
                if (j - t * stride >= 0 && j - t * stride < kernel)
                    acc[t] = v_fma(value, tap[j - t * stride], acc[t]);
        }
    }
    vf spilled[RUN_MAX];
    UNROLL
    for (int t = 0; t < length; t++)
        spilled[t] = acc[t];
    finish(d, run, spilled);
}

/* Any kernel, stride and dilation; one pixel at a time. */
static void run_any(const VigilDwconv *d, const Run *run)
{
    const size_t c = (size_t)d->c;
    for (int t = 0; t < run->count; t++) {
        Run one = { run->row, run->col + t, 1, run->channel, run->lanes };
        vf acc = d->epilogue.bias
                     ? v_load_n(d->epilogue.bias + run->channel, run->lanes)
                     : v_zero();
        for (int tap = 0; tap < d->kernel * d->kernel; tap++) {
            int y = one.row * d->stride - d->pad + tap / d->kernel * d->dilation;
            int x = one.col * d->stride - d->pad + tap % d->kernel * d->dilation;
            if (y < 0 || y >= d->h || x < 0 || x >= d->w)
                continue;
            size_t pixel = (size_t)y * (size_t)d->w + (size_t)x;
            acc = v_fma(
                v_load_n(d->x + pixel * c + run->channel, run->lanes),
                v_load_n(d->weight + (size_t)tap * c + run->channel, run->lanes), acc);
        }
        finish(d, &one, &acc);
    }
}

typedef void (*RunFunction)(const VigilDwconv *d, const Run *run);

/* run_3_1_8: kernel 3, stride 1, 8 pixels; _edge and _part as in run_pixels. */
#define RUN_FUNCTIONS(kernel, stride, length)                                          \
    static void run_##kernel##_##stride##_##length(const VigilDwconv *d,               \
                                                   const Run *run)                     \
    {                                                                                  \
        run_pixels(d, run, kernel, stride, length, false, false);                      \
    }                                                                                  \
    static void run_##kernel##_##stride##_##length##_edge(const VigilDwconv *d,        \
                                                          const Run *run)              \
    {                                                                                  \
        run_pixels(d, run, kernel, stride, length, true, false);                       \
    }                                                                                  \
    static void run_##kernel##_##stride##_##length##_part(const VigilDwconv *d,        \
                                                          const Run *run)              \
    {                                                                                  \
        run_pixels(d, run, kernel, stride, length, true, true);                        \
    }
#define RUN_KERNELS(X) X(3) X(5) X(7)
#define RUN_LENGTHS(kernel)                                                            \
    RUN_FUNCTIONS(kernel, 1, 8)                                                        \
    RUN_FUNCTIONS(kernel, 1, 7)                                                        \
    RUN_FUNCTIONS(kernel, 1, 4)                                                        \
    RUN_FUNCTIONS(kernel, 2, 4)
RUN_KERNELS(RUN_LENGTHS)

typedef struct Variant {
    int kernel, stride, length;
    RunFunction whole, edge, part;
} Variant;

static const Variant variants[] = {
#define RUN_ROW(kernel, stride, length)                                                \
    { kernel,                                                                          \
      stride,                                                                          \
      length,                                                                          \
      run_##kernel##_##stride##_##length,                                              \
      run_##kernel##_##stride##_##length##_edge,                                       \
      run_##kernel##_##stride##_##length##_part },
#define RUN_ROWS(kernel)                                                               \
    RUN_ROW(kernel, 1, 8)                                                              \
    RUN_ROW(kernel, 1, 7) RUN_ROW(kernel, 1, 4) RUN_ROW(kernel, 2, 4)
    RUN_KERNELS(RUN_ROWS)
};

/* The variant whose runs fill a row of out_w pixels with the least waste. */
static const Variant *choose(const VigilDwconv *d)
{
    const Variant *best = NULL;
    int best_cost = 0;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const Variant *v = &variants[i];
        if (d->dilation != 1 || v->kernel != d->kernel || v->stride != d->stride)
            continue;
        int runs = (d->out_w + v->length - 1) / v->length;
        int cost = runs * (v->length * v->kernel + v->kernel + 4);
        if (!best || cost < best_cost) {
            best = v;
            best_cost = cost;
        }
    }
    return best;
}

void V(dwconv)(const VigilDwconv *d, int row0, int row1)
{
    const Variant *v = choose(d);
    const size_t c = (size_t)d->c;
    const int length = v ? v->length : RUN_MAX;
    for (int row = row0; row < row1; row++)
        for (int col = 0; col < d->out_w; col += length) {
            int count = d->out_w - col < length ? d->out_w - col : length;
            int first = col * d->stride - d->pad;
            bool inside = v && count == length && first >= 0 &&
                          first + (length - 1) * d->stride + d->kernel <= d->w;
            RunFunction whole = !v ? run_any : inside ? v->whole : v->edge;
            Run run = { row, col, count, 0, LANES };
            for (; run.channel + LANES <= c; run.channel += LANES)
                whole(d, &run);
            run.lanes = c - run.channel;
            if (run.lanes)
                (v ? v->part : run_any)(d, &run);
        }
}
