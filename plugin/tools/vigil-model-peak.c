/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arithmetic peak that bench compares with: multiply-adds on twelve independent
 * vectors that never leave the registers, enough to hide the latency of both units of
 * current CPUs.  A multiply-add counts as two operations; levels without a fused one
 * pay for two instructions, as their kernels do.
 */
#include "vigil-model.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VECTORS = 12, BLOCK = 2048, ROUNDS = 16 };
#define ROUND_NS 6000000u

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define DECLARE(i) Vector x##i = one * (float)(i + 1);
#define STEP(i) x##i = x##i * scale + offset;
#define SUM(i) sum += x##i;

/* name(): BLOCK steps of every vector; returns a value that depends on all of them. */
#define PEAK_BLOCK(name, attributes, lanes)                                            \
    attributes static float name(void)                                                 \
    {                                                                                  \
        typedef float Vector __attribute__((vector_size((lanes) * sizeof(float))));    \
        Vector zero = { 0 }, one = zero + 1.0f, sum = zero;                            \
        Vector scale = one * 0.5f, offset = one;                                       \
        EACH(DECLARE)                                                                  \
        __asm__ volatile("" : "+m"(scale), "+m"(offset)); /* not constants */          \
        for (int step = 0; step < BLOCK; step++) {                                     \
            EACH(STEP)                                                                 \
        }                                                                              \
        EACH(SUM)                                                                      \
        return sum[0] + sum[(lanes) - 1];                                              \
    }

PEAK_BLOCK(block_baseline, , 4)
#if defined(__x86_64__)
PEAK_BLOCK(block_avx2, __attribute__((target("avx2,fma"))), 8)
PEAK_BLOCK(block_avx512, __attribute__((target("avx512f"))), 16)
#endif

typedef struct Level {
    const char *isa;
    float (*block)(void);
    int lanes;
} Level;

/* The plain C level is compiled for the baseline, as the last row. */
static const Level levels[] = {
#if defined(__x86_64__)
    { "vnni", block_avx512, 16 },
    { "avx512", block_avx512, 16 },
    { "avx2", block_avx2, 8 },
#endif
    { NULL, block_baseline, 4 },
};

typedef struct Worker {
    pthread_t thread;
    const Level *level;
    double gflops;
} Worker;

static void *measure(void *data)
{
    Worker *worker = data;
    uint64_t start = now_ns(), end, blocks = 0;
    volatile float keep;
    do {
        keep = worker->level->block();
        blocks++;
        end = now_ns();
    } while (end - start < ROUND_NS);
    (void)keep;
    worker->gflops = (double)blocks * BLOCK * VECTORS * worker->level->lanes * 2 /
                     (double)(end - start);
    return NULL;
}

/* One round on all threads at once; 0 when one could not be started. */
static double measure_together(Worker *workers, int threads)
{
    double sum = 0;
    int started = 1;
    for (; started < threads; started++)
        if (pthread_create(&workers[started].thread, NULL, measure, &workers[started]))
            break;
    measure(&workers[0]);
    for (int i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < started; i++)
        sum += workers[i].gflops;
    return started == threads ? sum : 0;
}

double peak_gflops(const char *isa, int threads)
{
    const Level *level = levels;
    while (level->isa && strcmp(level->isa, isa))
        level++;
    Worker *workers = calloc((size_t)threads, sizeof *workers);
    double best = 0;
    if (!workers)
        return 0;
    for (int i = 0; i < threads; i++)
        workers[i].level = level;
    for (int round = 0; round < ROUNDS; round++) {
        double now = measure_together(workers, threads);
        best = now > best ? now : best;
    }
    free(workers);
    return best;
}
