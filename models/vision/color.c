/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/color.h"

#include <math.h>

/* R, G, B on 0..255 from components as stored: rows of matrix times them plus offset.
 */
typedef struct Conversion {
    double matrix[3][3], offset[3];
} Conversion;

typedef struct Range {
    double luma_zero, luma_scale, chroma_scale;
} Range;

static const Range ranges[2] = {
    { 16, 255.0 / 219, 255.0 / 224 }, /* 16..235, chroma 16..240 */
    { 0, 1, 1 },
};

static void from_rgb(Conversion *to)
{
    *to = (Conversion) { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, { 0 } };
}

static void from_gray(const Range *range, Conversion *to)
{
    double y = range->luma_scale, zero = -y * range->luma_zero;
    *to = (Conversion) { { { y }, { y }, { y } }, { zero, zero, zero } };
}

/* ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance) alike. */
static void from_yuv(const Range *range, double kr, double kb, Conversion *to)
{
    double kg = 1 - kr - kb, y = range->luma_scale, c = range->chroma_scale;
    double red = 2 * (1 - kr) * c, blue = 2 * (1 - kb) * c;
    *to = (Conversion) { .matrix = { { y, 0, red },
                                     { y, -blue * kb / kg, -red * kr / kg },
                                     { y, blue, 0 } } };
    for (int r = 0; r < 3; r++)
        to->offset[r] =
            -y * range->luma_zero - 128 * (to->matrix[r][1] + to->matrix[r][2]);
}

static VigilStatus convert(const VigilImage *image, Conversion *to, VigilError *error)
{
    const Range *range = &ranges[image->full_range];
    double kr = image->kr, kb = image->kb;
    switch (image->color) {
    case VIGIL_COLOR_RGB:
        from_rgb(to);
        break;
    case VIGIL_COLOR_GRAY:
        from_gray(range, to);
        break;
    case VIGIL_COLOR_YUV:
        if (!(kr > 0 && kb > 0 && kr + kb < 1))
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "luma weights kr %g and kb %g must be above 0 and their "
                              "sum below 1",
                              kr, kb);
        from_yuv(range, kr, kb, to);
        break;
    }
    return VIGIL_OK;
}

static VigilStatus check_channel(const VigilInput *input, int r, VigilError *error)
{
    if (!isfinite(input->mean[r]))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "mean[%d] is %g, not a finite number", r, input->mean[r]);
    if (!(isfinite(input->std[r]) && input->std[r] > 0))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "std[%d] is %g, not a finite number above 0", r,
                          input->std[r]);
    return VIGIL_OK;
}

VigilStatus vigil_color_matrix(const VigilImage *image, const VigilInput *input,
                               VigilColorMatrix *out, VigilError *error)
{
    Conversion rgb;
    VigilStatus status = convert(image, &rgb, error);
    for (int r = 0; r < 3 && !status; r++) {
        status = check_channel(input, r, error);
        int channel = input->channel_order == VIGIL_BGR ? 2 - r : r;
        double mean = input->mean[r], std = input->std[r], largest = 0;
        for (int p = 0; p < 3; p++) {
            out->matrix[r][p] = (float)(rgb.matrix[channel][p] / (255 * std));
            largest = fmax(largest, fabs(rgb.matrix[channel][p] / std));
        }
        out->offset[r] = (float)((rgb.offset[channel] / 255 - mean) / std);
        out->low[r] = (float)(-mean / std);
        out->high[r] = (float)((1 - mean) / std);
        double reach = 4 * (largest + fabs(out->offset[r]) + fabs(mean / std));
        if (!status && !(reach < 1e38))
            status = vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                                "std[%d] is %g: too small for mean %g", r, std, mean);
    }
    return status;
}
