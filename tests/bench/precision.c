/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * float32 and int8 of calibrated files in turn, in processor time of one thread, which
 * other work on the machine disturbs less than the clock:
 *
 *     bench-precision RUNS FILE...
 *
 * prints the least and the median time of a run for both, and their ratio.
 */
#include "vigil.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static VigilSession *open_session(VigilModel *model, VigilPrecision precision)
{
    VigilSessionOptions options = { .threads = 1, .precision = precision };
    VigilSession *session;
    VigilError error;
    if (vigil_session_open(model, &options, &session, &error) != VIGIL_OK) {
        fprintf(stderr, "bench-precision: %s\n", error.message);
        exit(1);
    }
    const VigilInput *rules = vigil_session_input_rules(session);
    float *input = vigil_session_input(session);
    uint32_t state = 1;
    for (int i = 0; i < rules->height * rules->width * 3; i++) {
        state = state * 1664525u + 1013904223u;
        input[i] = (float)(state >> 8) / 4194304.0f - 2.0f;
    }
    vigil_session_run(session);
    return session;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const char *file, int runs)
{
    VigilModel *model;
    VigilError error;
    double *time[2] = { calloc((size_t)runs, sizeof(double)),
                        calloc((size_t)runs, sizeof(double)) };
    if (!time[0] || !time[1] || vigil_model_open(file, &model, &error) != VIGIL_OK) {
        fprintf(stderr, "bench-precision: %s\n",
                time[1] ? error.message : "out of memory");
        exit(1);
    }
    VigilSession *session[2] = { open_session(model, VIGIL_PRECISION_FLOAT32),
                                 open_session(model, VIGIL_PRECISION_INT8) };
    for (int i = 0; i < 2 * runs; i++) {
        double start = milliseconds();
        vigil_session_run(session[i % 2]);
        time[i % 2][i / 2] = milliseconds() - start;
    }
    int layers;
    vigil_session_precision(session[1], &layers);
    for (int i = 0; i < 2; i++) {
        qsort(time[i], (size_t)runs, sizeof(double), ascending);
        vigil_session_close(&session[i]);
    }
    printf("%-40s %-7s %3d layers  least %8.2f %8.2f ms %5.2fx  median %8.2f %8.2f ms "
           "%5.2fx\n",
           file, vigil_isa(), layers, time[0][0], time[1][0], time[0][0] / time[1][0],
           time[0][runs / 2], time[1][runs / 2], time[0][runs / 2] / time[1][runs / 2]);
    free(time[0]);
    free(time[1]);
    vigil_model_close(&model);
}

int main(int argc, char **argv)
{
    int runs = argc > 1 ? atoi(argv[1]) : 0;
    if (argc < 3 || runs < 1) {
        fprintf(stderr, "usage: bench-precision RUNS FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        compare(argv[i], runs);
    return 0;
}
