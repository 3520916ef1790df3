/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

#include "kernels/levels.h"

#define VIGIL_STRING_(x) #x
#define VIGIL_STRING(x) VIGIL_STRING_(x)
#define VIGIL_KERNEL_ENTRY(name, result, parameters) .name = V(name),
#define VIGIL_FLOATS_ENTRY(name, result, parameters) .name = V_FLOATS(name),

const VigilKernels V(kernels) = { VIGIL_STRING(VIGIL_LEVEL),
                                  VIGIL_KERNELS_OF_FLOATS(VIGIL_FLOATS_ENTRY)
                                      VIGIL_KERNELS_OF_BYTES(VIGIL_KERNEL_ENTRY) };
