/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables that the levels define; which of them exist is a fact of the build
 * (VIGIL_HAVE_*, given to kernels.c). */
#ifndef VIGIL_KERNELS_LEVELS_H
#define VIGIL_KERNELS_LEVELS_H

#include "kernels/kernels.h"

extern const VigilKernels vigil_kernels_c;
extern const VigilKernels vigil_kernels_sse2;
extern const VigilKernels vigil_kernels_avx2;
extern const VigilKernels vigil_kernels_avx512;
extern const VigilKernels vigil_kernels_vnni;
extern const VigilKernels vigil_kernels_neon;

#endif
