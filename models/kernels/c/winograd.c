/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

/* B^T and A^T of the paper, section 4.1. */
static const float input_matrix[4][4] = {
    { 1, 0, -1, 0 }, { 0, 1, 1, 0 }, { 0, -1, 1, 0 }, { 0, 1, 0, -1 }
};
static const float output_matrix[2][4] = { { 1, 1, 1, 0 }, { 0, 1, -1, -1 } };

void vigil_winograd_input_c(const float *const x[16], size_t c, float *v, size_t stride)
{
    for (size_t i = 0; i < c; i++)
        for (int row = 0; row < 4; row++)
            for (int col = 0; col < 4; col++) {
                float sum = 0.0f;
                for (int y = 0; y < 4; y++)
                    for (int z = 0; z < 4; z++)
                        sum += input_matrix[row][y] * input_matrix[col][z] *
                               x[y * 4 + z][i];
                v[(size_t)(row * 4 + col) * stride + i] = sum;
            }
}

void vigil_winograd_output_c(const VigilWinogradOutput *o)
{
    for (size_t i = 0; i < o->c; i++)
        for (int pixel = 0; pixel < 4; pixel++) {
            const float *down = output_matrix[pixel / 2];
            const float *across = output_matrix[pixel % 2];
            float sum = o->bias ? o->bias[i] : 0.0f;
            if (!o->y[pixel])
                continue;
            for (int k = 0; k < 16; k++)
                sum += down[k / 4] * across[k % 4] * o->m[(size_t)k * o->stride + i];
            sum = vigil_activate_value_c(sum, o->activation);
            o->y[pixel][i] = o->r[pixel] ? sum + o->r[pixel][i] : sum;
        }
}
