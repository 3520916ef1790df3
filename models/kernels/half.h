/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of 16 bits, IEEE 754 binary16. */
#ifndef VIGIL_KERNELS_HALF_H
#define VIGIL_KERNELS_HALF_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Exactly; payloads of what is not a number are kept. */
static inline float vigil_float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff, bits;
    float value;
    if (rest >= 0x7c00) { /* infinity, not a number */
        bits = 0x7f800000 | rest << 13;
    } else if (rest >= 0x0400) {
        bits = (rest << 13) + ((127 - 15) << 23);
    } else { /* subnormal: every one is a normal float32 */
        value = (float)rest * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* False where no half is exactly `value`, which is finite. */
static inline bool vigil_half_of_float(float value, uint16_t *half)
{
    float size = fabsf(value);
    uint32_t bits, low;
    memcpy(&bits, &value, sizeof bits);
    if (size >= 0x1p-14f) {
        uint32_t rest = (bits & 0x7fffffff) - ((127 - 15) << 23);
        *half = (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)(rest >> 13);
        return !(bits & 0x1fff) && size < 0x1p16f;
    }
    low = (uint32_t)(size * 0x1p24f);
    *half = (uint16_t)((bits >> 16 & 0x8000) | low);
    return (float)low * 0x1p-24f == size;
}

#endif
