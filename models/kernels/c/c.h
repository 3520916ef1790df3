/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The twins in plain C: what every kernel means, one value at a time. */
#ifndef VIGIL_KERNELS_C_H
#define VIGIL_KERNELS_C_H

#include "kernels/kernels.h"

#define VIGIL_DECLARE_C(name, result, parameters) result vigil_##name##_c parameters;
VIGIL_KERNELS(VIGIL_DECLARE_C)
#undef VIGIL_DECLARE_C

/* activation(x) of one value. */
float vigil_activate_value_c(float x, VigilActivation activation);

/* activation(x + bias[column]) + residual[row][column] for one value. */
float vigil_epilogue_value_c(const VigilEpilogue *e, size_t row, size_t column,
                             float x);

#endif
