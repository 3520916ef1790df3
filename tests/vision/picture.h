/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures in every memory layout, between pages that must not be touched. */
#ifndef VIGIL_TESTS_VISION_PICTURE_H
#define VIGIL_TESTS_VISION_PICTURE_H

#include "vigil.h"

typedef struct Layout {
    const char *name;
    VigilColor color;
    struct {
        int plane, offset, pixel_stride, shift_x, shift_y;
        int bits, low_bit; /* 0: bytes */
    } component[3];
    bool big_endian;
} Layout;

extern const Layout layouts[];
extern const size_t n_layouts;

typedef struct Picture {
    VigilImage image;
    void *mapped[3];
    size_t bytes[3];
} Picture;

/* Noise over a slope, the same for the same seed.  Rows are padded by `padding` bytes;
 * `flipped`: stored bottom row first, so that the row stride is negative.  A read
 * before the first or behind the last byte of a plane ends the program. */
Picture picture_new(const Layout *layout, int width, int height, int padding,
                    bool flipped, uint64_t seed);
void picture_free(Picture *picture);

#endif
