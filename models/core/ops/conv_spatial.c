/* Dense convolutions with a kernel larger than 1 x 1: matrix products over lines of the
 * map where they lie, or over gathered neighbours. */
#include "core/ops/conv.h"

#include <string.h>

#define TILE 64                       /* pixels gathered at a time */
#define NEAR_BYTES ((size_t)64 << 10) /* of weights that stay near */

/* ---- Gathered ---------------------------------------------------------------------
 */

/* Calls cost more than what they do for the three channels of a picture. */
static inline void copy(float *to, const float *from, size_t n)
{
    if (n > 32) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    for (; n >= 4; n -= 4, to += 4, from += 4)
        memcpy(to, from, 4 * sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* The taps of one line of the kernel from pixel `at` of the row x on, zeros outside. */
static void gather_line(const VigilConv *c, VigilShape s, const float *x, int at,
                        float *line)
{
    for (int tap = 0; tap < c->kernel; tap++, at += c->dilation, line += s.c)
        if (at < 0 || at >= s.w)
            memset(line, 0, (size_t)s.c * sizeof *line);
        else
            copy(line, x + (size_t)at * (size_t)s.c, (size_t)s.c);
}

/* Of `count` output pixels from (y, x) on, which lie in one row: the neighbours
 * [count][ky][kx][in], zeros outside. */
static void gather(const VigilNode *n, const VigilRows *rows, int y, int x,
                   size_t count, float *to)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    const VigilShape s = n->in_shape;
    const int pad = vigil_conv_pad(c), stride = c->stride;
    const size_t line = (size_t)c->kernel * (size_t)s.c, k = n->weights->matrix.k;
    /* Where not dilated, the taps of a line lie side by side: at most this far right.
     */
    const int whole = c->dilation == 1 ? s.w - c->kernel : -1;
    for (int ky = 0; ky < c->kernel; ky++, to += line) {
        int iy = y * stride - pad + ky * c->dilation, at = x * stride - pad;
        const float *from =
            iy < 0 || iy >= s.h ? NULL : vigil_row(rows->x, rows->first_x, iy, s);
        for (size_t i = 0; i < count; i++, at += stride)
            if (!from)
                memset(to + i * k, 0, line * sizeof *to);
            else if (at < 0 || at > whole)
                gather_line(c, s, from, at, to + i * k);
            else
                copy(to + i * k, from + (size_t)at * (size_t)s.c, line);
    }
}

/* Output pixels begin..end-1 of the map: their neighbours are gathered. */
static void spatial_pixels(const VigilNode *n, const VigilRows *r, size_t begin,
                           size_t end)
{
    VigilShape s = n->out_shape;
    size_t k = n->weights->matrix.k, out = (size_t)s.c, w = (size_t)s.w;
    for (size_t first = begin; first < end; first += TILE) {
        size_t m = end - first < TILE ? end - first : TILE;
        for (size_t i = 0, run; i < m; i += run) {
            size_t y = (first + i) / w, x = (first + i) % w;
            run = w - x < m - i ? w - x : m - i;
            gather(n, r, (int)y, (int)x, run, r->scratch + i * k);
        }
        VigilEpilogue e = vigil_conv_epilogue(
            n, n->weights->vector,
            r->r ? r->r + (first - (size_t)r->first_r * w) * out : NULL);
        float *y = r->y + (first - (size_t)r->first_y * w) * out;
        vigil_gemm(&n->weights->matrix, r->scratch, k, m, y, out, &e);
        vigil_conv_bend(n, y, m);
    }
}

/* ---- Where they lie ---------------------------------------------------------------
 */

/* Whether the lines of the kernel are read where they lie, but at the borders: a row of
 * pixels at a time, for each of which all weights are read. */
static bool is_direct(const VigilNode *n)
{
    const VigilPacked *matrix = &n->weights->matrix;
    return ((VigilConvNode *)n->data)->conv.dilation == 1 && !matrix->blas &&
           !vigil_conv_has_slopes(n) &&
           (matrix->bytes <= NEAR_BYTES || n->out_shape.w >= TILE);
}

/* Output pixels first..end-1 of a line, with all their neighbours within the map. */
typedef struct Inside {
    int first, end;
} Inside;

static Inside inside(const VigilConv *c, int in, int out)
{
    int pad = vigil_conv_pad(c), last = in - c->kernel + pad;
    Inside i = { (pad + c->stride - 1) / c->stride,
                 last < 0 ? 0 : last / c->stride + 1 };
    i.end = i.end < out ? i.end : out;
    if (i.end < i.first)
        i.first = i.end = 0;
    return i;
}

/* Pixel x of rows row0..row1-1, at a border. */
static void border_column(const VigilNode *n, const VigilRows *r, int x, int row0,
                          int row1)
{
    const size_t out = (size_t)n->out_shape.c, k = n->weights->matrix.k;
    const size_t ldc = (size_t)n->out_shape.w * out;
    for (int row = row0; row < row1; row += TILE) {
        size_t m = row1 - row < TILE ? (size_t)(row1 - row) : TILE;
        const float *residual = vigil_row(r->r, r->first_r, row, n->out_shape);
        VigilEpilogue e = vigil_conv_epilogue(
            n, n->weights->vector, residual ? residual + (size_t)x * out : NULL);
        e.residual_stride = ldc;
        for (size_t i = 0; i < m; i++)
            gather(n, r, row + (int)i, x, 1, r->scratch + i * k);
        vigil_gemm(&n->weights->matrix, r->scratch, k, m,
                   r->y + (size_t)(row - r->first_y) * ldc + (size_t)x * out, ldc, &e);
    }
}

/* Rows row0..row1-1, all their lines within the map. */
static void direct_rows(const VigilNode *n, const VigilRows *r, Inside columns,
                        int row0, int row1)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    const VigilShape in = n->in_shape, s = n->out_shape;
    const size_t pitch = (size_t)in.w * (size_t)in.c, out = (size_t)s.c;
    const int pad = vigil_conv_pad(c);
    const size_t first = (size_t)columns.first;
    for (int row = row0; row < row1; row++) {
        const float *residual = vigil_row(r->r, r->first_r, row, s);
        const float *x = vigil_row(r->x, r->first_x, row * c->stride - pad, in);
        VigilEpilogue e = vigil_conv_epilogue(n, n->weights->vector,
                                              residual ? residual + first * out : NULL);
        vigil_gemm_of_runs(
            &n->weights->matrix,
            x + (size_t)(columns.first * c->stride - pad) * (size_t)in.c,
            (size_t)c->stride * (size_t)in.c, (size_t)c->kernel, pitch,
            (size_t)(columns.end - columns.first),
            r->y + ((size_t)(row - r->first_y) * (size_t)s.w + first) * out, out, &e);
    }
    for (int x = 0; x < s.w; x++)
        if (x < columns.first || x >= columns.end)
            border_column(n, r, x, row0, row1);
}

/* ---- Running ----------------------------------------------------------------------
 */

void vigil_conv_spatial_rows(const VigilNode *n, const VigilRows *r, int row0, int row1)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    const size_t w = (size_t)n->out_shape.w;
    Inside rows = { 0 }, columns = inside(c, n->in_shape.w, n->out_shape.w);
    if (is_direct(n) && columns.end)
        rows = inside(c, n->in_shape.h, n->out_shape.h);
    const int first = rows.first > row0 ? rows.first : row0;
    const int end = rows.end < row1 ? rows.end : row1;
    if (first >= end) {
        spatial_pixels(n, r, (size_t)row0 * w, (size_t)row1 * w);
        return;
    }
    spatial_pixels(n, r, (size_t)row0 * w, (size_t)first * w);
    direct_rows(n, r, columns, first, end);
    spatial_pixels(n, r, (size_t)end * w, (size_t)row1 * w);
}

static void spatial_lines(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    VigilRows all = vigil_all_rows(n, worker);
    vigil_conv_spatial_rows(n, &all, (int)begin, (int)end);
}

static void spatial_tiles(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t pixels = vigil_shape_pixels(n->out_shape);
    VigilRows all = vigil_all_rows(n, worker);
    spatial_pixels(n, &all, begin * TILE, end * TILE < pixels ? end * TILE : pixels);
}

void vigil_conv_spatial_run(const VigilNode *n, VigilNet *net, uint64_t macs)
{
    size_t pixels = vigil_shape_pixels(n->out_shape);
    if (is_direct(n))
        vigil_net_parallel(net, macs, (size_t)n->out_shape.h, 1, spatial_lines, n);
    else
        vigil_net_parallel(net, macs, (pixels + TILE - 1) / TILE, 1, spatial_tiles, n);
}

size_t vigil_conv_spatial_scratch(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return (size_t)TILE * c->kernel * c->kernel * n->in_shape.c;
}
