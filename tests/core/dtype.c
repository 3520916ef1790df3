/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conversion of stored elements to float32, each pattern against arithmetic on its
 * fields. */
#include "core/dtype.h"
#include "tap.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The float32 pattern of a 16-bit float with that many exponent and mantissa bits. */
static uint32_t expected(uint32_t pattern, int exponent_bits, int mantissa_bits)
{
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int top = (1 << exponent_bits) - 1;
    const uint32_t mantissa = pattern & ((1u << mantissa_bits) - 1);
    const int exponent = (int)(pattern >> mantissa_bits) & top;
    const uint32_t sign = pattern >> 15 << 31;
    if (exponent == top)
        return sign | 0xffu << 23 | mantissa << (23 - mantissa_bits);
    double value = exponent ? 1.0 + ldexp(mantissa, -mantissa_bits)
                            : ldexp(mantissa, 1 - mantissa_bits);
    return sign | bits_of((float)ldexp(value, exponent - bias));
}

static void check_all_patterns(VigilDtype dtype, int exponent_bits, int mantissa_bits)
{
    static uint8_t in[2 << 16];
    static float out[1 << 16];
    uint32_t wrong = 0, first = 0;
    for (uint32_t i = 0; i < 1 << 16; i++) {
        in[2 * i] = i & 0xff;
        in[2 * i + 1] = i >> 8;
    }
    vigil_dtype_to_float(dtype, in, out, 1 << 16);
    for (uint32_t i = 0; i < 1 << 16; i++) {
        if (bits_of(out[i]) == expected(i, exponent_bits, mantissa_bits))
            continue;
        if (!wrong++)
            first = i;
    }
    tap_ok(!wrong,
           "%s: %u of 65536 patterns differ, the first 0x%04x: 0x%08x, not 0x%08x",
           vigil_dtype_name(dtype), wrong, first, bits_of(out[first]),
           expected(first, exponent_bits, mantissa_bits));
}

static const struct {
    const char *what;
    uint64_t f64;
    uint32_t f32;
} f64_cases[] = {
    { "zero", 0, 0 },
    { "minus zero", 0x8000000000000000, 0x80000000 },
    { "one", 0x3ff0000000000000, 0x3f800000 },
    { "-1.5", 0xbff8000000000000, 0xbfc00000 },
    { "1/3 rounds up", 0x3fd5555555555555, 0x3eaaaaab },
    { "half an ulp above one ties to even", 0x3ff0000010000000, 0x3f800000 },
    { "one and a half ulp ties to even", 0x3ff0000030000000, 0x3f800002 },
    { "just above half an ulp rounds up", 0x3ff0000010000001, 0x3f800001 },
    { "largest float32", 0x47efffffe0000000, 0x7f7fffff },
    { "above it becomes infinity", 0x47efffffffffffff, 0x7f800000 },
    { "smallest subnormal float32", 0x36a0000000000000, 0x00000001 },
    { "half of it becomes zero", 0x3690000000000000, 0x00000000 },
    { "-infinity", 0xfff0000000000000, 0xff800000 },
};

static void check_f64(void)
{
    for (size_t i = 0; i < sizeof f64_cases / sizeof *f64_cases; i++) {
        uint8_t in[8];
        float out;
        for (int byte = 0; byte < 8; byte++)
            in[byte] = (uint8_t)(f64_cases[i].f64 >> (8 * byte));
        vigil_dtype_to_float(VIGIL_F64, in, &out, 1);
        tap_ok(bits_of(out) == f64_cases[i].f32, "F64 %s: 0x%08x, expected 0x%08x",
               f64_cases[i].what, bits_of(out), f64_cases[i].f32);
    }
    const uint8_t nan_bytes[8] = { 1, 0, 0, 0, 0, 0, 0xf8, 0x7f };
    float out;
    vigil_dtype_to_float(VIGIL_F64, nan_bytes, &out, 1);
    tap_ok(isnan(out), "F64 not a number stays so");
}

static void check_f32(void)
{
    const uint8_t in[] = { 1, 0, 0xa0, 0x7f, 0x01, 0, 0, 0, 0xdb, 0x0f, 0x49, 0x40 };
    float out[3];
    vigil_dtype_to_float(VIGIL_F32, in, out, 3);
    tap_ok(bits_of(out[0]) == 0x7fa00001 && bits_of(out[1]) == 1 &&
               bits_of(out[2]) == 0x40490fdb,
           "F32 bits are kept: 0x%08x 0x%08x 0x%08x", bits_of(out[0]), bits_of(out[1]),
           bits_of(out[2]));
}

static const struct {
    const char *name;
    size_t bits;
    bool is_float;
} names[] = {
    { "BOOL", 8, false },    { "F4", 4, false },          { "F6_E2M3", 6, false },
    { "F6_E3M2", 6, false }, { "U8", 8, false },          { "I8", 8, false },
    { "F8_E5M2", 8, false }, { "F8_E4M3", 8, false },     { "F8_E8M0", 8, false },
    { "I16", 16, false },    { "F8_E4M3FNUZ", 8, false }, { "F8_E5M2FNUZ", 8, false },
    { "U16", 16, false },    { "F16", 16, true },         { "BF16", 16, true },
    { "I32", 32, false },    { "U32", 32, false },        { "F32", 32, true },
    { "C64", 64, false },    { "F64", 64, true },         { "I64", 64, false },
    { "U64", 64, false },
};

static void check_names(void)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        VigilDtype dtype;
        bool found = vigil_dtype_find(names[i].name, &dtype);
        tap_ok(found && !strcmp(vigil_dtype_name(dtype), names[i].name) &&
                   vigil_dtype_bits(dtype) == names[i].bits &&
                   vigil_dtype_is_float(dtype) == names[i].is_float,
               "%s is known with its size and kind", names[i].name);
    }
    VigilDtype dtype;
    tap_ok(!vigil_dtype_find("f32", &dtype) && !vigil_dtype_find("", &dtype),
           "other names are not");
}

int main(void)
{
    check_names();
    check_all_patterns(VIGIL_F16, 5, 10);
    check_all_patterns(VIGIL_BF16, 8, 7);
    check_f64();
    check_f32();
    return tap_done();
}
