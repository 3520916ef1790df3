/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/kernels.h"
#include "kernels/levels.h"
#include "vigil.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const VigilKernels *const vigil_kernels_built[] = {
    &vigil_kernels_c,
#ifdef VIGIL_HAVE_SSE2
    &vigil_kernels_sse2,
#endif
#ifdef VIGIL_HAVE_AVX2
    &vigil_kernels_avx2,
#endif
#ifdef VIGIL_HAVE_AVX512
    &vigil_kernels_avx512,
#endif
#ifdef VIGIL_HAVE_VNNI
    &vigil_kernels_vnni,
#endif
#ifdef VIGIL_HAVE_NEON
    &vigil_kernels_neon,
#endif
    NULL,
};

static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;
static const VigilKernels *chosen;
static int forced;

#if defined(__x86_64__) || defined(__i386__)
/* Not every compiler has a name for it. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

int vigil_kernels_usable(const VigilKernels *kernels)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (!strcmp(kernels->name, "sse2"))
        return __builtin_cpu_supports("sse2") != 0;
    if (!strcmp(kernels->name, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               has_f16c();
    if (!strcmp(kernels->name, "vnni"))
        return has_avx512() && __builtin_cpu_supports("avx512vnni");
    if (!strcmp(kernels->name, "avx512"))
        return has_avx512();
#endif
    return kernels != NULL;
}

/* The highest usable table up to and including the one called `name` (NULL: any). */
static const VigilKernels *highest_usable(const char *name)
{
    const VigilKernels *best = &vigil_kernels_c;
    for (size_t i = 0; vigil_kernels_built[i]; i++) {
        if (vigil_kernels_usable(vigil_kernels_built[i]))
            best = vigil_kernels_built[i];
        if (name && !strcmp(vigil_kernels_built[i]->name, name))
            break;
    }
    return best;
}

static void choose(void)
{
    const char *name = getenv("VIGIL_ISA");
    chosen = highest_usable(name && *name ? name : NULL);
    forced = name && *name;
    if (forced && strcmp(chosen->name, name) != 0)
        fprintf(stderr,
                "vigil: VIGIL_ISA=%s is not a level that this build and this CPU have; "
                "using %s\n",
                name, chosen->name);
}

const VigilKernels *vigil_kernels(void)
{
    pthread_once(&chosen_once, choose);
    return chosen;
}

int vigil_isa_forced(void)
{
    pthread_once(&chosen_once, choose);
    return forced;
}

const char *vigil_isa(void)
{
    return vigil_kernels()->name;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double vigil_peak_gflops(const VigilKernels *kernels)
{
    double best = 0.0;
    for (int i = 0; i < 20; i++) {
        size_t rounds = 1000;
        double operations, start, spent;
        do {
            rounds *= 2;
            start = seconds();
            operations = kernels->peak(rounds);
            spent = seconds() - start;
        } while (spent < 5e-4);
        if (operations / spent > best)
            best = operations / spent;
    }
    return best * 1e-9;
}
