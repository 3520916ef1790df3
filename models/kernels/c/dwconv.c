/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

static float convolve(const VigilDwconv *d, int out_y, int out_x, int channel)
{
    float sum = 0.0f;
    for (int ky = 0; ky < d->kernel; ky++)
        for (int kx = 0; kx < d->kernel; kx++) {
            int y = out_y * d->stride - d->pad_y + ky * d->dilation;
            int x = out_x * d->stride - d->pad_x + kx * d->dilation;
            if (y < 0 || y >= d->h || x < 0 || x >= d->w)
                continue;
            size_t pixel = (size_t)y * (size_t)d->w + (size_t)x;
            size_t tap = (size_t)(ky * d->kernel + kx);
            sum += d->x[pixel * (size_t)d->c + (size_t)channel] *
                   d->weight[tap * (size_t)d->c + (size_t)channel];
        }
    return sum;
}

void vigil_dwconv_c(const VigilDwconv *d, int row0, int row1)
{
    for (int y = row0; y < row1; y++)
        for (int x = 0; x < d->out_w; x++)
            for (int channel = 0; channel < d->c; channel++) {
                size_t pixel = (size_t)y * (size_t)d->out_w + (size_t)x;
                d->y[pixel * d->y_stride + (size_t)channel] = vigil_epilogue_value_c(
                    &d->epilogue, pixel, (size_t)channel, convolve(d, y, x, channel));
            }
}
