/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"
#include "kernels/levels.h"

#define VIGIL_KERNEL_ENTRY(name, result, parameters) .name = vigil_##name##_c,

const VigilKernels vigil_kernels_c = { "c", VIGIL_KERNELS(VIGIL_KERNEL_ENTRY) };
