/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Depth-wise convolution.  A run of output pixels of one row is summed in registers,
 * one vector of channels at a time: for each kernel row its weights are held in
 * registers too, and every input pixel, loaded once, goes to all the sums that it
 * belongs to.
 *
 * Kernel, stride, length of the run and what lies beyond the border are constants of
 * each compiled variant, so that nothing is decided inside.
 *
 * A dilated convolution of stride 1 is as many plain ones, each over every dilation-th
 * column.
 */
#include "activations.h"

#define LENGTH_MAX 8
#define KERNEL_MAX 7
/* Vectors of channels that are finished together, as the rows of a product are. */
#define BATCH 4

/* The columns of a map that one plain convolution is about, all of them or every
 * dilation-th; rows keep the distance that they have in the map. */
typedef struct Columns {
    const VigilDwconv *d;
    const float *x, *residual; /* of the first column */
    float *y;
    int w, out_w, pad;
    /* Floats from one column to the next. */
    ptrdiff_t step, y_step, residual_step;
} Columns;

/* Output pixels (row, col..col + count - 1) from the channel `channel` on; kernel rows
 * top..bottom - 1 lie on the map. */
typedef struct Run {
    const Columns *columns;
    int row, col, count, top, bottom;
    size_t channel;
} Run;

/* What a variant takes for granted about its input columns. */
typedef enum Border {
    INSIDE,    /* all exist */
    LEFT = 1,  /* the first kernel / 2 do not */
    RIGHT = 2, /* the last (kernel - stride) / 2 do not: as with an even width */
    LEFT_RIGHT = 3,
    CHECKED, /* nothing: each is tested, and the run may be shorter */
    PARTIAL, /* nothing, and the channels left do not fill a vector */
    BORDERS
} Border;

static float *output(const Run *run)
{
    const VigilDwconv *d = run->columns->d;
    return run->columns->y + (ptrdiff_t)run->row * d->out_w * (ptrdiff_t)d->y_stride +
           run->col * run->columns->y_step;
}

static const float *residual_of(const Run *run)
{
    const VigilDwconv *d = run->columns->d;
    ptrdiff_t row = (ptrdiff_t)run->row * d->out_w;
    return run->columns->residual + row * (ptrdiff_t)d->epilogue.residual_stride +
           run->col * run->columns->residual_step;
}

/* Stores sums [vectors][count] of channels from `channel` on, all LANES wide unless
 * `lanes` of a single vector are fewer. */
static __attribute__((noinline)) void
finish(const Run *run, const vf *sum, size_t channel, size_t vectors, size_t lanes)
{
    const Columns *columns = run->columns;
    const ptrdiff_t step = columns->y_step, residual_step = columns->residual_step;
    const int count = run->count;
    float *y = output(run) + channel;
    const float *residual = columns->residual ? residual_of(run) + channel : NULL;
#define PIXELS(f, n)                                                                   \
    do {                                                                               \
        vf v[n];                                                                       \
        UNROLL                                                                         \
        for (int j = 0; j < n; j++)                                                    \
            v[j] = *sum++;                                                             \
        f(v, n);                                                                       \
        UNROLL                                                                         \
        for (int j = 0; j < n; j++, to += step, from += residual_step) {               \
            if (residual)                                                              \
                v[j] += v_load_n(residual + from, lanes);                              \
            v_store_n(to, v[j], lanes);                                                \
        }                                                                              \
    } while (0)
#define BODY(f)                                                                        \
    for (size_t i = 0; i < vectors * LANES; i += LANES) {                              \
        float *to = y + i;                                                             \
        ptrdiff_t from = (ptrdiff_t)i;                                                 \
        int left = count;                                                              \
        for (; left >= 4; left -= 4)                                                   \
            PIXELS(f, 4);                                                              \
        if (left == 3)                                                                 \
            PIXELS(f, 3);                                                              \
        else                                                                           \
            for (; left; left--)                                                       \
                PIXELS(f, 1);                                                          \
    }
    V_WITH_ACTIVATION(columns->d->epilogue.activation, BODY)
#undef BODY
#undef PIXELS
}

/* The sums of one vector of channels, begun with the bias. */
INLINE void convolve(const Run *run, size_t channel, size_t lanes, vf *sum,
                     const int kernel, const int stride, const int length,
                     const Border border)
{
    const Columns *columns = run->columns;
    const VigilDwconv *d = columns->d;
    const ptrdiff_t c = d->c, step = columns->step, pitch = d->w * c;
    const int first = run->col * stride - columns->pad;
    const int span = (length - 1) * stride + kernel;
    const int skipped_left = border == LEFT || border == LEFT_RIGHT ? kernel / 2 : 0;
    const int skipped_right =
        border == RIGHT || border == LEFT_RIGHT ? (kernel - stride) / 2 : 0;
    ptrdiff_t x = (run->row * stride - d->pad_y + run->top * d->dilation) * pitch +
                  first * step + (ptrdiff_t)channel;
    const float *weight = d->weight + run->top * kernel * c + channel;
    for (int ky = run->top; ky < run->bottom;
         ky++, x += d->dilation * pitch, weight += kernel * c) {
        vf tap[KERNEL_MAX];
        UNROLL
        for (int kx = 0; kx < kernel; kx++)
            tap[kx] = border == PARTIAL ? v_load_part(weight + kx * c, lanes)
                                        : v_load(weight + kx * c);
        UNROLL
        for (int j = skipped_left; j < span - skipped_right; j++) {
            if (border >= CHECKED && (first + j < 0 || first + j >= columns->w))
                continue;
            vf value = border == PARTIAL
                           ? v_load_part(columns->x + (x + j * step), lanes)
                           : v_load(columns->x + (x + j * step));
            UNROLL
            for (int t = 0; t < length; t++)
                if (j - t * stride >= 0 && j - t * stride < kernel)
                    sum[t] = v_fma(value, tap[j - t * stride], sum[t]);
        }
    }
}

INLINE void run_channels(const Run *run, const int kernel, const int stride,
                         const int length, const Border border)
{
    const VigilDwconv *d = run->columns->d;
    const size_t c = (size_t)d->c, step = border == PARTIAL ? 1 : LANES;
    const VigilEpilogue *e = &d->epilogue;
    const bool plain =
        e->activation == VIGIL_LINEAR && !e->residual && border < CHECKED;
    float *y = output(run);
    vf made[BATCH * LENGTH_MAX];
    size_t held = 0; /* vectors of channels in made */
    for (size_t channel = run->channel; channel + step <= c; channel += LANES) {
        const size_t lanes = border == PARTIAL ? c - channel : LANES;
        vf sum[LENGTH_MAX], bias = v_zero();
        if (e->bias)
            bias = v_load_n(e->bias + channel, lanes);
        UNROLL
        for (int t = 0; t < length; t++)
            sum[t] = bias;
        convolve(run, channel, lanes, sum, kernel, stride, length, border);
        if (plain) {
            UNROLL
            for (int t = 0; t < length; t++)
                v_store(y + t * run->columns->y_step + channel, sum[t]);
            continue;
        }
        const size_t at = held * (size_t)run->count;
        UNROLL
        for (int t = 0; t < length; t++)
            made[at + (size_t)t] = sum[t];
        if (++held == BATCH || channel + LANES + step > c) {
            finish(run, made, channel + LANES - held * LANES, held, lanes);
            held = 0;
        }
    }
}

/* Any kernel, stride and dilation; one pixel at a time. */
static void run_any(const Run *run)
{
    const VigilDwconv *d = run->columns->d;
    const size_t c = (size_t)d->c;
    for (size_t channel = 0; channel < c; channel += LANES) {
        const size_t lanes = c - channel < LANES ? c - channel : LANES;
        const vf bias =
            d->epilogue.bias ? v_load_n(d->epilogue.bias + channel, lanes) : v_zero();
        for (int t = 0; t < run->count; t++) {
            const Run one = { run->columns, run->row, run->col + t, .count = 1 };
            vf sum = bias;
            for (int tap = 0; tap < d->kernel * d->kernel; tap++) {
                int y = one.row * d->stride - d->pad_y + tap / d->kernel * d->dilation;
                int x = one.col * d->stride - d->pad_x + tap % d->kernel * d->dilation;
                if (y < 0 || y >= d->h || x < 0 || x >= d->w)
                    continue;
                size_t pixel = (size_t)y * (size_t)d->w + (size_t)x;
                sum =
                    v_fma(v_load_n(d->x + pixel * c + channel, lanes),
                          v_load_n(d->weight + (size_t)tap * c + channel, lanes), sum);
            }
            finish(&one, &sum, channel, 1, lanes);
        }
    }
}

/* X(kernel, stride, length): short runs, of which few are at a border; runs that fill
 * rows of whole multiples of 7 or 8 pixels, as light networks have; and the same where
 * more is not worth the code. */
#define SHORT_RUNS(X) X(3, 1, 4) X(3, 2, 4) X(5, 1, 4) X(5, 2, 4)
#define LONG_RUNS(X)                                                                   \
    X(3, 1, 7)                                                                         \
    X(3, 1, 8) X(3, 2, 7) X(3, 2, 8) X(5, 1, 7) X(5, 1, 8) X(5, 2, 7) X(5, 2, 8)
#define RARE_RUNS(X) X(7, 1, 8) X(7, 2, 8)

#define RUN_FUNCTION(k, s, n, border)                                                  \
    static void run_##k##_##s##_##n##_##border(const Run *run)                         \
    {                                                                                  \
        run_channels(run, k, s, n, border);                                            \
    }
#define RUN_MIDDLE(k, s, n)                                                            \
    RUN_FUNCTION(k, s, n, INSIDE)                                                      \
    RUN_FUNCTION(k, s, n, CHECKED)
#define RUN_BORDERS(k, s, n)                                                           \
    RUN_FUNCTION(k, s, n, LEFT)                                                        \
    RUN_FUNCTION(k, s, n, RIGHT)                                                       \
    RUN_FUNCTION(k, s, n, LEFT_RIGHT)
#define RUN_PARTIAL(k, s) RUN_FUNCTION(k, s, 8, PARTIAL)
SHORT_RUNS(RUN_MIDDLE)
LONG_RUNS(RUN_MIDDLE)
LONG_RUNS(RUN_BORDERS)
RARE_RUNS(RUN_MIDDLE)
RUN_PARTIAL(3, 1)
RUN_PARTIAL(3, 2)
RUN_PARTIAL(5, 1)
RUN_PARTIAL(5, 2)
RUN_PARTIAL(7, 1)
RUN_PARTIAL(7, 2)

typedef struct Variant {
    int kernel, stride, length;
    void (*run[BORDERS])(const Run *run); /* NULL: CHECKED does */
} Variant;

static const Variant variants[] = {
#define ROW_MIDDLE(k, s, n)                                                            \
    [INSIDE] = run_##k##_##s##_##n##_INSIDE,                                           \
    [CHECKED] = run_##k##_##s##_##n##_CHECKED, [PARTIAL] = run_##k##_##s##_8_PARTIAL
#define ROW_SHORT(k, s, n) { k, s, n, { ROW_MIDDLE(k, s, n) } },
#define ROW_LONG(k, s, n)                                                              \
    { k,                                                                               \
      s,                                                                               \
      n,                                                                               \
      { ROW_MIDDLE(k, s, n), [LEFT] = run_##k##_##s##_##n##_LEFT,                      \
        [RIGHT] = run_##k##_##s##_##n##_RIGHT,                                         \
        [LEFT_RIGHT] = run_##k##_##s##_##n##_LEFT_RIGHT } },
    SHORT_RUNS(ROW_SHORT) LONG_RUNS(ROW_LONG) RARE_RUNS(ROW_SHORT)
};

/* The variant for a row of `count` pixels that wastes the least, NULL where none fits:
 * work per run, and about as much as 6 pixels for its beginning and end. */
static const Variant *choose(const VigilDwconv *d, int count)
{
    const Variant *best = NULL;
    int best_cost = 0;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const Variant *v = &variants[i];
        if (v->kernel != d->kernel || v->stride != d->stride)
            continue;
        int cost = (count + v->length - 1) / v->length * (v->length + 6);
        if (!best || cost < best_cost) {
            best = v;
            best_cost = cost;
        }
    }
    return best;
}

static Border border_of(const Columns *columns, const Variant *v, const Run *run)
{
    int first = run->col * v->stride - columns->pad;
    int last = first + (v->length - 1) * v->stride + v->kernel - 1;
    int missing = last >= columns->w ? last - columns->w + 1 : 0, border = INSIDE;
    if (run->count < v->length)
        return CHECKED;
    if (first < 0) {
        if (-first != v->kernel / 2)
            return CHECKED;
        border |= LEFT;
    }
    if (missing) {
        if (missing != (v->kernel - v->stride) / 2)
            return CHECKED;
        border |= RIGHT;
    }
    return (Border)border;
}

static void run_row(const Columns *columns, const Variant *v, Run *run)
{
    const VigilDwconv *d = columns->d;
    while (run->col < columns->out_w) {
        int left = columns->out_w - run->col;
        const Variant *last = left < v->length ? choose(d, left) : v;
        run->count = left < last->length ? left : last->length;
        run->channel = 0;
        Border border = border_of(columns, last, run);
        last->run[last->run[border] ? border : CHECKED](run);
        run->channel = (size_t)d->c / LANES * LANES;
        if (run->channel < (size_t)d->c)
            last->run[PARTIAL](run);
        run->col += run->count;
    }
}

/* n / d, rounded up, for n of any sign. */
static int up(int n, int d)
{
    return n > 0 ? (n + d - 1) / d : -(-n / d);
}

static void run_rows(const Columns *columns, const Variant *v, int row0, int row1)
{
    const VigilDwconv *d = columns->d;
    for (int row = row0; row < row1; row++) {
        int first = row * d->stride - d->pad_y, bottom = up(d->h - first, d->dilation);
        Run run = { .columns = columns,
                    .row = row,
                    .count = columns->out_w,
                    .top = first < 0 ? up(-first, d->dilation) : 0,
                    .bottom = bottom < d->kernel ? bottom : d->kernel };
        if (v)
            run_row(columns, v, &run);
        else
            run_any(&run);
    }
}

/* Output columns `phase`, phase + every, ... and the input columns that they need. */
static Columns columns_of(const VigilDwconv *d, int phase, int every)
{
    const VigilEpilogue *e = &d->epilogue;
    size_t stride = e->residual_stride;
    int first = phase - d->pad_x, begin = (first % every + every) % every;
    return (Columns) {
        .d = d,
        .x = d->x + (ptrdiff_t)begin * d->c,
        .y = d->y + (size_t)phase * d->y_stride,
        .residual = e->residual ? e->residual + (size_t)phase * stride : NULL,
        .w = up(d->w - begin, every),
        .out_w = up(d->out_w - phase, every),
        .pad = (begin - first) / every,
        .step = (ptrdiff_t)every * d->c,
        .y_step = every * (ptrdiff_t)d->y_stride,
        .residual_step = every * (ptrdiff_t)stride,
    };
}

void V(dwconv)(const VigilDwconv *d, int row0, int row1)
{
    const bool plain = d->dilation == 1 || d->stride == 1;
    const int every = plain ? d->dilation : 1;
    for (int phase = 0; phase < every && phase < d->out_w; phase++) {
        Columns columns = columns_of(d, phase, every);
        run_rows(&columns, plain ? choose(d, columns.out_w) : NULL, row0, row1);
    }
}
