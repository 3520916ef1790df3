/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dtype.h"
#include "kernels/half.h"

#include <string.h>

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

static uint32_t load_le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void widen_f32(const uint8_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = float_of_bits(load_le32(in + 4 * i));
}

static void widen_bf16(const uint8_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = float_of_bits((uint32_t)(in[2 * i] | in[2 * i + 1] << 8) << 16);
}

static void widen_f16(const uint8_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = vigil_float_of_half((uint16_t)(in[2 * i] | in[2 * i + 1] << 8));
}

static void narrow_f64(const uint8_t *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = load_le64(in + 8 * i);
        double value;
        memcpy(&value, &bits, sizeof value);
        out[i] = (float)value;
    }
}

static const struct {
    const char *name;
    size_t bits;
    void (*convert)(const uint8_t *in, float *out, size_t n);
} dtypes[] = {
    [VIGIL_BOOL] = { "BOOL", 8 },
    [VIGIL_F4] = { "F4", 4 },
    [VIGIL_F6_E2M3] = { "F6_E2M3", 6 },
    [VIGIL_F6_E3M2] = { "F6_E3M2", 6 },
    [VIGIL_U8] = { "U8", 8 },
    [VIGIL_I8] = { "I8", 8 },
    [VIGIL_F8_E5M2] = { "F8_E5M2", 8 },
    [VIGIL_F8_E4M3] = { "F8_E4M3", 8 },
    [VIGIL_F8_E8M0] = { "F8_E8M0", 8 },
    [VIGIL_F8_E4M3FNUZ] = { "F8_E4M3FNUZ", 8 },
    [VIGIL_F8_E5M2FNUZ] = { "F8_E5M2FNUZ", 8 },
    [VIGIL_I16] = { "I16", 16 },
    [VIGIL_U16] = { "U16", 16 },
    [VIGIL_F16] = { "F16", 16, widen_f16 },
    [VIGIL_BF16] = { "BF16", 16, widen_bf16 },
    [VIGIL_I32] = { "I32", 32 },
    [VIGIL_U32] = { "U32", 32 },
    [VIGIL_F32] = { "F32", 32, widen_f32 },
    [VIGIL_C64] = { "C64", 64 },
    [VIGIL_F64] = { "F64", 64, narrow_f64 },
    [VIGIL_I64] = { "I64", 64 },
    [VIGIL_U64] = { "U64", 64 },
};

#define N_DTYPES (sizeof dtypes / sizeof *dtypes)

const char *vigil_dtype_name(VigilDtype dtype)
{
    return dtypes[dtype].name;
}

size_t vigil_dtype_bits(VigilDtype dtype)
{
    return dtypes[dtype].bits;
}

bool vigil_dtype_is_float(VigilDtype dtype)
{
    return dtypes[dtype].convert != NULL;
}

bool vigil_dtype_find(const char *name, VigilDtype *dtype)
{
    for (size_t i = 0; i < N_DTYPES; i++) {
        if (!strcmp(name, dtypes[i].name)) {
            *dtype = (VigilDtype)i;
            return true;
        }
    }
    return false;
}

void vigil_dtype_to_float(VigilDtype dtype, const uint8_t *in, float *out, size_t n)
{
    dtypes[dtype].convert(in, out, n);
}
