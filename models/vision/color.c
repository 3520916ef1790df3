/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/color.h"

#include <math.h>

/* R, G, B on 0..1 from components that Scale has brought to it. */
typedef double Conversion[3][3];

/* value = (stored - zero) * unit: R, G, B and Y on 0..1, Cb and Cr on -0.5..0.5. */
typedef struct Scale {
    double zero, unit;
} Scale;

/* ITU-R BT.2100 table 9; of 8 bits the same as BT.601, BT.709 and JPEG. */
static Scale scale_of(const VigilImage *image, int i)
{
    const VigilComponent *c = &image->component[i];
    const int bits = c->bits ? c->bits : 8;
    const double step = ldexp(1, c->low_bit);
    const bool chroma = i > 0 && image->color == VIGIL_COLOR_YUV;

    if (image->full_range || image->color == VIGIL_COLOR_RGB)
        return (Scale) { chroma ? ldexp(step, bits - 1) : 0,
                         1 / ((ldexp(1, bits) - 1) * step) };
    return (Scale) { ldexp(chroma ? 128 : 16, bits - 8) * step,
                     1 / (ldexp(chroma ? 224 : 219, bits - 8) * step) };
}

static void from_rgb(Conversion to)
{
    for (int i = 0; i < 3; i++)
        to[i][i] = 1;
}

static void from_gray(Conversion to)
{
    for (int i = 0; i < 3; i++)
        to[i][0] = 1;
}

/* ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance) alike. */
static void from_yuv(double kr, double kb, Conversion to)
{
    const double kg = 1 - kr - kb, red = 2 * (1 - kr), blue = 2 * (1 - kb);

    from_gray(to);
    to[0][2] = red;
    to[1][1] = -blue * kb / kg;
    to[1][2] = -red * kr / kg;
    to[2][1] = blue;
}

static VigilStatus convert(const VigilImage *image, Conversion to, VigilError *error)
{
    double kr = image->kr, kb = image->kb;
    switch (image->color) {
    case VIGIL_COLOR_RGB:
        from_rgb(to);
        break;
    case VIGIL_COLOR_GRAY:
        from_gray(to);
        break;
    case VIGIL_COLOR_YUV:
        if (!(kr > 0 && kb > 0 && kr + kb < 1))
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "luma weights kr %g and kb %g must be above 0 and their "
                              "sum below 1",
                              kr, kb);
        from_yuv(kr, kb, to);
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
    Conversion rgb = { { 0 } };
    VigilStatus status = convert(image, rgb, error);
    for (int r = 0; r < 3 && !status; r++) {
        status = check_channel(input, r, error);
        int channel = input->channel_order == VIGIL_BGR ? 2 - r : r;
        double mean = input->mean[r], std = input->std[r], offset = -mean, largest = 0;
        for (int p = 0; p < 3; p++) {
            const Scale scale = scale_of(image, p);
            const double factor = rgb[channel][p] * scale.unit;
            out->matrix[r][p] = (float)(factor / std);
            offset -= factor * scale.zero;
            largest = fmax(largest, fabs(rgb[channel][p] / std));
        }
        out->offset[r] = (float)(offset / std);
        out->low[r] = (float)(-mean / std);
        out->high[r] = (float)((1 - mean) / std);
        double reach = 4 * (largest + fabs(out->offset[r]) + fabs(mean / std));
        if (!status && !(reach < 1e38))
            status = vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                                "std[%d] is %g: too small for mean %g", r, std, mean);
    }
    return status;
}
