/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

#include <math.h>

static float relu6(float x)
{
    return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
}

float vigil_activate_value_c(float x, VigilActivation activation)
{
    switch (activation) {
    case VIGIL_RELU:
        return x < 0.0f ? 0.0f : x;
    case VIGIL_RELU6:
        return relu6(x);
    case VIGIL_SILU:
        return x / (1.0f + expf(-x));
    case VIGIL_GELU:
        return 0.5f * x * (1.0f + erff(x * 0.707106781f));
    case VIGIL_SIGMOID:
        return 1.0f / (1.0f + expf(-x));
    case VIGIL_HSWISH:
        return x * relu6(x + 3.0f) / 6.0f;
    case VIGIL_HSIGMOID:
        return relu6(x + 3.0f) / 6.0f;
    default:
        return x;
    }
}

float vigil_epilogue_value_c(const VigilEpilogue *e, size_t row, size_t column, float x)
{
    if (e->bias)
        x += e->bias[column];
    x = vigil_activate_value_c(x, e->activation);
    if (e->residual)
        x += e->residual[row * e->residual_stride + column];
    return x;
}

void vigil_activate_c(const float *x, size_t n, VigilActivation activation, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = vigil_activate_value_c(x[i], activation);
}

void vigil_epilogue_c(float *c, size_t ldc, size_t m, size_t n, const VigilEpilogue *e)
{
    for (size_t row = 0; row < m; row++)
        for (size_t column = 0; column < n; column++) {
            float *value = c + row * ldc + column;
            *value = vigil_epilogue_value_c(e, row, column, *value);
        }
}
