/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every row of the tensor is made at once from the source rows that it needs:
 *
 *   resample_rows     down the columns, on the bytes as they lie in memory, so that
 *   resample_words    interleaved components (NV12, YUY2, RGB) cost one pass together;
 *                     on words of 16 bits likewise (P010, Y210)
 *   resample_split    one interleaved component made contiguous
 *   resample_columns  along the row
 *   color             three components to normalised channels
 *
 * Chroma goes from its own size straight to the tensor's, at its own sampling
 * positions.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "vision/axis.h"
#include "vision/color.h"
#include "vision/placement.h"

#define MAX_SIDE 32768
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* What the tables follow from; compared as bytes, so padding is cleared. */
typedef struct Geometry {
    int image_width, image_height, components;
    int shift_x, shift_y, pixel_stride[3];
    float site_x, site_y;
    int filter, dst_width, dst_height;
    double src_x, src_y, src_width, src_height;
} Geometry;

/* Tables of one sampling grid. */
typedef struct Grid {
    VigilAxis across, down;
} Grid;

struct VigilPreprocess {
    bool ready; /* the rest is valid for `geometry` */
    Geometry geometry;
    Grid grid[2]; /* component 0; components 1 and 2 */
    void *memory;
    const uint8_t **row; /* [longest column of weights] */
    float *stored;       /* samples as they lie in memory, after the first pass */
    float *line;         /* one component of them, contiguous */
    float *plane[3];     /* [dst_width] */
};

/* Components that lie interleaved in the same rows. */
typedef struct Group {
    const uint8_t *data; /* first byte that is used, in row 0 */
    ptrdiff_t row_stride;
    const VigilAxis *down;
    size_t samples; /* bytes, or words, used of each row */
    int members, component[3];
    size_t offset[3]; /* of the member's first sample from `data`, in samples */
} Group;

static int sample_bytes(const VigilComponent *c)
{
    return c->bits ? 2 : 1;
}

static bool stored_alike(const VigilComponent *a, const VigilComponent *b)
{
    return a->bits == b->bits && a->low_bit == b->low_bit &&
           a->big_endian == b->big_endian;
}

static int component_count(const VigilImage *image)
{
    return image->color == VIGIL_COLOR_GRAY ? 1 : 3;
}

/* ---- Checks --------------------------------------------------------------------- */

static VigilStatus check_component(const VigilImage *image, int i, VigilError *error)
{
    const VigilComponent *c = &image->component[i];
    if (!c->data)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "component %d has no data", i);
    if (c->bits < 0 || c->bits > 16 || c->low_bit < 0 ||
        c->low_bit > (c->bits ? 16 - c->bits : 0))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "component %d: %d bits from bit %d on do not fit in 16", i,
                          c->bits, c->low_bit);
    int bytes = sample_bytes(c);
    if (c->pixel_stride < bytes || c->pixel_stride > 4 * bytes ||
        c->pixel_stride % bytes != 0)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "component %d: pixel stride %d is not %s", i, c->pixel_stride,
                          c->bits ? "2, 4, 6 or 8" : "1 to 4");
    int max_x = i ? 2 : 0, max_y = i ? 1 : 0;
    if (c->shift_x < 0 || c->shift_x > max_x || c->shift_y < 0 || c->shift_y > max_y)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "component %d: subsampling shifts %d, %d exceed %d, %d", i,
                          c->shift_x, c->shift_y, max_x, max_y);
    const VigilComponent *other = &image->component[1];
    if (i == 2 && (c->shift_x != other->shift_x || c->shift_y != other->shift_y))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "components 1 and 2 differ in their subsampling shifts: %d, "
                          "%d and %d, %d",
                          other->shift_x, other->shift_y, c->shift_x, c->shift_y);
    return VIGIL_OK;
}

static VigilStatus check_image(const VigilImage *image, VigilError *error)
{
    if (image->width < 1 || image->width > MAX_SIDE || image->height < 1 ||
        image->height > MAX_SIDE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "picture of %dx%d pixels: each side must be 1 to %d",
                          image->width, image->height, MAX_SIDE);
    if ((unsigned)image->color > VIGIL_COLOR_GRAY)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "unknown colour model %d",
                          image->color);
    if (!(image->pixel_aspect >= 0.001 && image->pixel_aspect <= 1000))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "pixel aspect %g is not 0.001 to 1000", image->pixel_aspect);
    if (image->color == VIGIL_COLOR_YUV && !(image->site_x >= 0 && image->site_x <= 1 &&
                                             image->site_y >= 0 && image->site_y <= 1))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "chroma site %g, %g is not 0 to 1", image->site_x,
                          image->site_y);
    VigilStatus status = VIGIL_OK;
    for (int i = 0; i < component_count(image) && !status; i++)
        status = check_component(image, i, error);
    return status;
}

static VigilStatus check_input(const VigilInput *input, VigilError *error)
{
    if (input->width < 1 || input->width > MAX_SIDE || input->height < 1 ||
        input->height > MAX_SIDE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "input of %dx%d pixels: each side must be 1 to %d",
                          input->width, input->height, MAX_SIDE);
    if ((unsigned)input->resize > VIGIL_RESIZE_NONE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "unknown resize rule %d",
                          input->resize);
    if ((unsigned)input->filter > VIGIL_FILTER_POINT_BILINEAR)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "unknown filter %d",
                          input->filter);
    if ((unsigned)input->channel_order > VIGIL_BGR)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "unknown channel order %d",
                          input->channel_order);
    return VIGIL_OK;
}

/* ---- Tables --------------------------------------------------------------------- */

static void describe(Geometry *g, const VigilImage *image, const VigilInput *input,
                     const VigilPlacement *placed)
{
    memset(g, 0, sizeof *g);
    g->image_width = image->width;
    g->image_height = image->height;
    g->components = component_count(image);
    for (int i = 0; i < g->components; i++)
        g->pixel_stride[i] = image->component[i].pixel_stride;
    if (g->components == 3) {
        g->shift_x = image->component[1].shift_x;
        g->shift_y = image->component[1].shift_y;
    }
    g->site_x = g->shift_x ? image->site_x : 0;
    g->site_y = g->shift_y ? image->site_y : 0;
    g->filter = input->filter;
    g->dst_width = placed->dst_width;
    g->dst_height = placed->dst_height;
    g->src_x = placed->src_x;
    g->src_y = placed->src_y;
    g->src_width = placed->src_width;
    g->src_height = placed->src_height;
}

/* An axis whose samples are 1 << shift pixels apart, the first one at `site` inside the
 * first 1 << shift pixels. */
static bool measure(VigilAxis *axis, const Geometry *g, int pixels, double origin,
                    double length, int n, int shift, double site)
{
    int block = 1 << shift, size = (pixels + block - 1) >> shift;
    double sample_0 = 0.5 + site * (block - 1);
    return vigil_axis_measure(axis, (VigilFilter)g->filter, size,
                              (origin - sample_0) / block + 0.5, length / n / block, n);
}

static bool measure_grid(Grid *grid, const Geometry *g, int shift_x, int shift_y)
{
    return measure(&grid->across, g, g->image_width, g->src_x, g->src_width,
                   g->dst_width, shift_x, g->site_x) &&
           measure(&grid->down, g, g->image_height, g->src_y, g->src_height,
                   g->dst_height, shift_y, g->site_y);
}

static bool subsampled(const Geometry *g)
{
    return g->shift_x || g->shift_y;
}

/* The next `bytes` of a block whose base may be NULL while it is being measured. */
static void *carve(char *base, size_t *at, size_t bytes)
{
    void *p = base ? base + *at : NULL;
    if (!vigil_size_add(*at, bytes, at) || !vigil_size_add(*at, VIGIL_ALIGN, at))
        *at = SIZE_MAX;
    else
        *at = (*at - 1) & ~(size_t)(VIGIL_ALIGN - 1);
    return p;
}

/* Shares out the block at `base`; returns its size. */
static size_t lay_out(VigilPreprocess *p, char *base)
{
    const Geometry *g = &p->geometry;
    size_t at = 0, longest = 0, taps = 0, width = 0, bytes = 0;
    for (int i = 0; i <= subsampled(g); i++) {
        VigilAxis *across = &p->grid[i].across, *down = &p->grid[i].down;
        void *across_tables = carve(base, &at, across->bytes);
        void *down_tables = carve(base, &at, down->bytes);
        if (base) {
            vigil_axis_fill(across, across_tables);
            vigil_axis_fill(down, down_tables);
        }
        longest = MAX(longest, (size_t)down->longest);
        taps = MAX(taps, across->taps);
        width = MAX(width, (size_t)across->size);
    }
    for (int i = 0; i < g->components; i++) {
        size_t samples = (size_t)p->grid[i && subsampled(g)].across.size;
        bytes = MAX(bytes, samples * (size_t)g->pixel_stride[i] + 4);
    }
    p->row = carve(base, &at, longest * sizeof *p->row);
    p->stored = carve(base, &at, (bytes + taps) * sizeof(float));
    p->line = carve(base, &at, (width + taps) * sizeof(float));
    for (int i = 0; i < 3; i++)
        p->plane[i] = carve(base, &at, (size_t)g->dst_width * sizeof(float));
    return at;
}

static VigilStatus build_tables(VigilPreprocess *p, VigilError *error)
{
    const Geometry *g = &p->geometry;
    p->ready = false;
    free(p->memory);
    p->memory = NULL;
    if (!measure_grid(&p->grid[0], g, 0, 0) ||
        (subsampled(g) && !measure_grid(&p->grid[1], g, g->shift_x, g->shift_y)))
        return vigil_fail_memory(error, SIZE_MAX, "filter tables");
    size_t bytes = lay_out(p, NULL);
    p->memory = vigil_calloc_aligned(bytes, 1);
    if (!p->memory)
        return vigil_fail_memory(error, bytes, "filter tables");
    lay_out(p, p->memory);
    p->ready = true;
    return VIGIL_OK;
}

static VigilStatus prepare(VigilPreprocess *p, const VigilImage *image,
                           const VigilInput *input, const VigilPlacement *placed,
                           VigilError *error)
{
    Geometry wanted;
    describe(&wanted, image, input, placed);
    if (p->ready && !memcmp(&wanted, &p->geometry, sizeof wanted))
        return VIGIL_OK;
    p->geometry = wanted;
    return build_tables(p, error);
}

/* ---- Rows ----------------------------------------------------------------------- */

static const Grid *grid_of(const VigilPreprocess *p, int component)
{
    return &p->grid[component && subsampled(&p->geometry)];
}

static bool interleaved(const VigilComponent *a, const VigilComponent *b)
{
    ptrdiff_t apart = (ptrdiff_t)((intptr_t)a->data - (intptr_t)b->data);
    int stride = MAX(a->pixel_stride, b->pixel_stride), bytes = sample_bytes(a);
    return stored_alike(a, b) && a->pixel_stride > bytes && b->pixel_stride > bytes &&
           -stride < apart && apart < stride && apart % bytes == 0 &&
           a->row_stride == b->row_stride && a->shift_y == b->shift_y;
}

/* Sorts the components into groups[]; returns how many there are. */
static int group_components(const VigilImage *image, Group groups[3])
{
    int n = 0;
    for (int i = 0; i < component_count(image); i++) {
        int g = 0;
        while (g < n && !interleaved(&image->component[groups[g].component[0]],
                                     &image->component[i]))
            g++;
        if (g == n)
            groups[n++] = (Group) { .row_stride = image->component[i].row_stride };
        groups[g].component[groups[g].members++] = i;
    }
    return n;
}

/* Finds the samples of a row that the group's members use. */
static void span_group(const VigilPreprocess *p, const VigilImage *image, Group *group)
{
    const uint8_t *low = NULL, *high = NULL;
    for (int m = 0; m < group->members; m++) {
        const VigilComponent *c = &image->component[group->component[m]];
        const VigilAxis *across = &grid_of(p, group->component[m])->across;
        const uint8_t *first = c->data + (ptrdiff_t)across->begin * c->pixel_stride;
        const uint8_t *last = c->data + (ptrdiff_t)(across->end - 1) * c->pixel_stride;
        low = !low || first < low ? first : low;
        high = !high || last > high ? last : high;
    }
    group->data = low;
    const int bytes = sample_bytes(&image->component[group->component[0]]);
    group->samples = (size_t)(high - low) / (size_t)bytes + 1;
    group->down = &grid_of(p, group->component[0])->down;
    for (int m = 0; m < group->members; m++) {
        const VigilComponent *c = &image->component[group->component[m]];
        const VigilAxis *across = &grid_of(p, group->component[m])->across;
        group->offset[m] =
            (size_t)(c->data + (ptrdiff_t)across->begin * c->pixel_stride - low) /
            (size_t)bytes;
    }
}

static void resample_down(VigilPreprocess *p, const VigilKernels *k,
                          const VigilComponent *c, const Group *group, int y)
{
    const VigilAxis *down = group->down;
    const float *weight = down->weight + (size_t)y * down->taps;
    size_t rows = (size_t)down->count[y];
    ptrdiff_t first = down->begin + down->first[y];
    for (size_t t = 0; t < rows; t++)
        p->row[t] = group->data + (first + (ptrdiff_t)t) * group->row_stride;
    if (c->bits)
        k->resample_words(p->row, weight, rows, group->samples,
                          (uint16_t)(((1u << c->bits) - 1) << c->low_bit),
                          c->big_endian, p->stored);
    else
        k->resample_rows(p->row, weight, rows, group->samples, 1, p->stored);
}

static void resample_group(VigilPreprocess *p, const VigilKernels *k,
                           const VigilImage *image, const Group *group, int y)
{
    resample_down(p, k, &image->component[group->component[0]], group, y);
    for (int m = 0; m < group->members; m++) {
        int i = group->component[m];
        const VigilAxis *across = &grid_of(p, i)->across;
        size_t step = (size_t)(image->component[i].pixel_stride /
                               sample_bytes(&image->component[i]));
        const float *line = p->stored;
        if (step > 1) {
            k->resample_split(p->stored + group->offset[m],
                              (size_t)(across->end - across->begin), step, p->line);
            line = p->line;
        }
        k->resample_columns(line, across->first, across->weight, across->taps,
                            (size_t)across->n, 1, p->plane[i]);
    }
}

static void fill_tensor(VigilPreprocess *p, const VigilImage *image,
                        const VigilInput *input, const VigilPlacement *placed,
                        const VigilColorMatrix *color, float *tensor)
{
    const VigilKernels *k = vigil_kernels();
    const float *plane[3] = { p->plane[0], p->plane[1], p->plane[2] };
    size_t stride = (size_t)input->width * 3, left = (size_t)placed->dst_x * 3;
    size_t inside = (size_t)placed->dst_width * 3;
    Group group[3];
    int groups = group_components(image, group);
    for (int g = 0; g < groups; g++)
        span_group(p, image, &group[g]);
    if (image->color == VIGIL_COLOR_GRAY)
        plane[1] = plane[2] = plane[0];

    for (int y = 0; y < input->height; y++) {
        float *out = tensor + (size_t)y * stride;
        int from = y - placed->dst_y;
        if (from < 0 || from >= placed->dst_height) {
            memset(out, 0, stride * sizeof *out);
            continue;
        }
        for (int g = 0; g < groups; g++)
            resample_group(p, k, image, &group[g], from);
        memset(out, 0, left * sizeof *out);
        k->color(plane, color->matrix, color->offset, color->low, color->high,
                 (size_t)placed->dst_width, out + left);
        memset(out + left + inside, 0, (stride - left - inside) * sizeof *out);
    }
}

/* ---- Interface ------------------------------------------------------------------ */

VigilStatus vigil_preprocess_open(VigilPreprocess **preprocess, VigilError *error)
{
    *preprocess = calloc(1, sizeof **preprocess);
    return *preprocess ? VIGIL_OK
                       : vigil_fail_memory(error, sizeof **preprocess, "preprocessing");
}

void vigil_preprocess_close(VigilPreprocess **preprocess)
{
    if (!preprocess || !*preprocess)
        return;
    free((*preprocess)->memory);
    free(*preprocess);
    *preprocess = NULL;
}

VigilStatus vigil_preprocess_run(VigilPreprocess *preprocess, const VigilImage *image,
                                 const VigilRegion *region, const VigilInput *input,
                                 float *tensor, VigilPlacement *placed,
                                 VigilError *error)
{
    VigilPlacement where;
    VigilColorMatrix color;
    VigilStatus status = check_image(image, error);
    if (!status)
        status = check_input(input, error);
    if (!status)
        status = vigil_color_matrix(image, input, &color, error);
    if (!status)
        status = vigil_place(image, region, input, &where, error);
    if (!status)
        status = prepare(preprocess, image, input, &where, error);
    if (status)
        return status;
    fill_tensor(preprocess, image, input, &where, &color, tensor);
    if (placed)
        *placed = where;
    return VIGIL_OK;
}
