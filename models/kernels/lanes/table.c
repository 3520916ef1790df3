/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

#include "kernels/levels.h"

#define VIGIL_STRING_(x) #x
#define VIGIL_STRING(x) VIGIL_STRING_(x)
#define VIGIL_KERNEL_ENTRY(name, result, parameters) .name = V(name),

const VigilKernels V(kernels) = { VIGIL_STRING(VIGIL_LEVEL),
                                  VIGIL_KERNELS(VIGIL_KERNEL_ENTRY) };
