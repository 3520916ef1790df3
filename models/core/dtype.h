/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element types of safetensors files, and how they become float32. */
#ifndef VIGIL_CORE_DTYPE_H
#define VIGIL_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum VigilDtype {
    VIGIL_BOOL,
    VIGIL_F4,
    VIGIL_F6_E2M3,
    VIGIL_F6_E3M2,
    VIGIL_U8,
    VIGIL_I8,
    VIGIL_F8_E5M2,
    VIGIL_F8_E4M3,
    VIGIL_F8_E8M0,
    VIGIL_F8_E4M3FNUZ,
    VIGIL_F8_E5M2FNUZ,
    VIGIL_I16,
    VIGIL_U16,
    VIGIL_F16,
    VIGIL_BF16,
    VIGIL_I32,
    VIGIL_U32,
    VIGIL_F32,
    VIGIL_C64,
    VIGIL_F64,
    VIGIL_I64,
    VIGIL_U64,
} VigilDtype;

const char *vigil_dtype_name(VigilDtype dtype); /* "F32" */
size_t vigil_dtype_bits(VigilDtype dtype);      /* 32; F4 and F6 are not whole bytes */

/* False where no type has that name. */
bool vigil_dtype_find(const char *name, VigilDtype *dtype);

/* F64, F32, F16, BF16: kinds that bind to weights. */
bool vigil_dtype_is_float(VigilDtype dtype);

/* Converts n little-endian elements of a kind that vigil_dtype_is_float(): F64 rounded
 * to nearest, the others exactly, not-a-number payloads kept. */
void vigil_dtype_to_float(VigilDtype dtype, const uint8_t *in, float *out, size_t n);

#endif
