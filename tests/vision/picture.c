/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const Layout layouts[] = {
    { "rgb24", VIGIL_COLOR_RGB, { { 0, 0, 3 }, { 0, 1, 3 }, { 0, 2, 3 } } },
    { "bgrx", VIGIL_COLOR_RGB, { { 0, 2, 4 }, { 0, 1, 4 }, { 0, 0, 4 } } },
    { "xrgb", VIGIL_COLOR_RGB, { { 0, 1, 4 }, { 0, 2, 4 }, { 0, 3, 4 } } },
    { "gbr planar", VIGIL_COLOR_RGB, { { 2, 0, 1 }, { 0, 0, 1 }, { 1, 0, 1 } } },
    { "gray", VIGIL_COLOR_GRAY, { { 0, 0, 1 } } },
    { "i420", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 0, 1, 1, 1 }, { 2, 0, 1, 1, 1 } } },
    { "nv12", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 0, 2, 1, 1 }, { 1, 1, 2, 1, 1 } } },
    { "nv21", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 1, 2, 1, 1 }, { 1, 0, 2, 1, 1 } } },
    { "yuy2", VIGIL_COLOR_YUV, { { 0, 0, 2 }, { 0, 1, 4, 1, 0 }, { 0, 3, 4, 1, 0 } } },
    { "uyvy", VIGIL_COLOR_YUV, { { 0, 1, 2 }, { 0, 0, 4, 1, 0 }, { 0, 2, 4, 1, 0 } } },
    { "y42b", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 0, 1, 1, 0 }, { 2, 0, 1, 1, 0 } } },
    { "y444", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 0, 1 }, { 2, 0, 1 } } },
    { "v308", VIGIL_COLOR_YUV, { { 0, 0, 3 }, { 0, 1, 3 }, { 0, 2, 3 } } },
    { "y41b", VIGIL_COLOR_YUV, { { 0, 0, 1 }, { 1, 0, 1, 2, 0 }, { 2, 0, 1, 2, 0 } } },
    { "gray16", VIGIL_COLOR_GRAY, { { 0, 0, 2, 0, 0, 16 } } },
    { "gray16 be", VIGIL_COLOR_GRAY, { { 0, 0, 2, 0, 0, 16 } }, true },
    { "p010",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0, 10, 6 },
        { 1, 0, 4, 1, 1, 10, 6 },
        { 1, 2, 4, 1, 1, 10, 6 } } },
    { "p012 be",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0, 12, 4 }, { 1, 0, 4, 1, 1, 12, 4 }, { 1, 2, 4, 1, 1, 12, 4 } },
      true },
    { "i420 10",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0, 10 }, { 1, 0, 2, 1, 1, 10 }, { 2, 0, 2, 1, 1, 10 } } },
    { "y210",
      VIGIL_COLOR_YUV,
      { { 0, 0, 4, 0, 0, 10, 6 },
        { 0, 2, 8, 1, 0, 10, 6 },
        { 0, 6, 8, 1, 0, 10, 6 } } },
    { "ayuv64",
      VIGIL_COLOR_YUV,
      { { 0, 2, 8, 0, 0, 16 }, { 0, 4, 8, 0, 0, 16 }, { 0, 6, 8, 0, 0, 16 } } },
    { "gbr 12 be",
      VIGIL_COLOR_RGB,
      { { 2, 0, 2, 0, 0, 12 }, { 0, 0, 2, 0, 0, 12 }, { 1, 0, 2, 0, 0, 12 } },
      true },
    { "bgra64",
      VIGIL_COLOR_RGB,
      { { 0, 4, 8, 0, 0, 16 }, { 0, 2, 8, 0, 0, 16 }, { 0, 0, 8, 0, 0, 16 } } },
    { "rgb16",
      VIGIL_COLOR_RGB,
      { { 0, 0, 2, 0, 0, 5, 11 }, { 0, 0, 2, 0, 0, 6, 5 }, { 0, 0, 2, 0, 0, 5, 0 } } },
    { "rgb48",
      VIGIL_COLOR_RGB,
      { { 0, 0, 6, 0, 0, 16 }, { 0, 2, 6, 0, 0, 16 }, { 0, 4, 6, 0, 0, 16 } } },
};
const size_t n_layouts = sizeof layouts / sizeof *layouts;

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1du >> 32;
}

/* bytes that end at (behind) a page without access, behind another one before them;
 * where they need not fill whole pages the first guard lies a little further away. */
static uint8_t *guarded(size_t bytes, void **mapped, size_t *size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inside = (bytes + page - 1) / page * page;
    *size = inside + 2 * page;
    char *p = mmap(NULL, *size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, inside, PROT_READ | PROT_WRITE)) {
        perror("mmap");
        exit(1);
    }
    *mapped = p;
    return (uint8_t *)p + page + inside - bytes;
}

static void fill_plane(uint8_t *p, size_t bytes, size_t stride, uint64_t *state)
{
    for (size_t i = 0; i < bytes; i++) {
        size_t slope = (i % stride) * 160 / stride + i / stride % 64;
        p[i] = (uint8_t)(slope + next(state) % 32);
    }
    /* Extreme values too, so that clipping has something to do. */
    for (size_t i = 0; i < bytes; i += 1 + next(state) % 23)
        p[i] = next(state) & 1 ? 255 : 0;
}

typedef struct Extent {
    size_t used, rows; /* bytes of a row; rows */
} Extent;

static Extent plane_extent(const Layout *l, int plane, int width, int height)
{
    Extent e = { 0, 0 };
    int n = l->color == VIGIL_COLOR_GRAY ? 1 : 3;
    for (int i = 0; i < n; i++) {
        if (l->component[i].plane != plane)
            continue;
        int sx = l->component[i].shift_x, sy = l->component[i].shift_y;
        size_t samples = (size_t)((width + (1 << sx) - 1) >> sx);
        size_t used = (samples - 1) * (size_t)l->component[i].pixel_stride +
                      (size_t)l->component[i].offset + (l->component[i].bits ? 2 : 1);
        e.used = used > e.used ? used : e.used;
        e.rows = (size_t)((height + (1 << sy) - 1) >> sy);
    }
    return e;
}

Picture picture_new(const Layout *l, int width, int height, int padding, bool flipped,
                    uint64_t seed)
{
    Picture p = { .image = { .width = width,
                             .height = height,
                             .color = l->color,
                             .kr = 0.299,
                             .kb = 0.114,
                             .site_x = 0.5f,
                             .site_y = 0.5f,
                             .pixel_aspect = 1 } };
    uint8_t *data[3] = { NULL };
    ptrdiff_t stride[3] = { 0 };
    for (int i = 0; i < 3; i++) {
        Extent e = plane_extent(l, i, width, height);
        if (!e.rows)
            continue;
        size_t pitch = e.used + (size_t)padding;
        size_t bytes = pitch * (e.rows - 1) + e.used;
        data[i] = guarded(bytes, &p.mapped[i], &p.bytes[i]);
        fill_plane(data[i], bytes, pitch, &seed);
        stride[i] = (ptrdiff_t)pitch;
        if (flipped) {
            data[i] += pitch * (e.rows - 1);
            stride[i] = -stride[i];
        }
    }
    for (int i = 0; i < (l->color == VIGIL_COLOR_GRAY ? 1 : 3); i++)
        p.image.component[i] = (VigilComponent) {
            .data = data[l->component[i].plane] + l->component[i].offset,
            .row_stride = stride[l->component[i].plane],
            .pixel_stride = l->component[i].pixel_stride,
            .shift_x = l->component[i].shift_x,
            .shift_y = l->component[i].shift_y,
            .bits = l->component[i].bits,
            .low_bit = l->component[i].low_bit,
            .big_endian = l->big_endian,
        };
    return p;
}

void picture_free(Picture *p)
{
    for (int i = 0; i < 3; i++)
        if (p->mapped[i])
            munmap(p->mapped[i], p->bytes[i]);
}
