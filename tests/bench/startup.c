/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it takes to begin with a network, and what it keeps: times of opening a file
 * that lies in the page cache, and the memory of a process that holds nothing else.
 *
 *     bench-startup [VARIANT...]      EMO_1M and EMO_5M unless told
 *
 * Each of ROUNDS rounds is a process of its own with one thread; medians are told.
 * Weights are those of the formula, as a file of float32.
 */
#include "core/write_model.h"
#include "figures.h"
#include "vigil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 15, FURTHER = 4 };

/* What a process measures; milliseconds and MB (2^20 bytes). */
typedef enum Figure {
    OPEN_MODEL,
    OPEN_CPU, /* of that, processor time of the thread that does it */
    OPEN_SESSION,
    FIRST_RUN,
    RESIDENT,       /* after two runs */
    ANONYMOUS,      /* the share of it that is no file's */
    START,          /* resident before anything was opened */
    WEIGHTS,        /* of the file, as float32 */
    ARENA,          /* of the session */
    OPEN_AGAIN,     /* the file for a further session, which has run once */
    RESIDENT_AGAIN, /* what that adds */
    FIGURES
} Figure;

static double megabytes(double bytes)
{
    return bytes / (1 << 20);
}

static VigilModel *open_model(const char *path)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open(path, &model, &e) != VIGIL_OK) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    return model;
}

static VigilSession *open_session(VigilModel *model)
{
    VigilSession *session = NULL;
    VigilError e;
    const VigilSessionOptions one_thread = { .threads = 1 };
    if (vigil_session_open(model, &one_thread, &session, &e) != VIGIL_OK) {
        fprintf(stderr, "%s\n", e.message);
        exit(1);
    }
    return session;
}

static double lap(double *last)
{
    double now = bench_now_ms(), spent = now - *last;
    *last = now;
    return spent;
}

static void measure_again(const char *path, double figure[FIGURES])
{
    double before = bench_status_mb("VmRSS:"), last = bench_now_ms();
    for (int i = 0; i < FURTHER; i++) {
        VigilModel *model = open_model(path);
        figure[OPEN_AGAIN] += lap(&last) / FURTHER;
        VigilSession *session = open_session(model);
        vigil_model_close(&model);
        vigil_session_run(session); /* and kept */
        lap(&last);
    }
    figure[RESIDENT_AGAIN] = (bench_status_mb("VmRSS:") - before) / FURTHER;
}

/* In a process of its own: the figures on stdout. */
static int measure(const char *path)
{
    double figure[FIGURES] = { 0 };
    figure[START] = bench_status_mb("VmRSS:");
    double last = bench_now_ms(), cpu = bench_clock_ms(CLOCK_THREAD_CPUTIME_ID);
    VigilModel *model = open_model(path);
    figure[OPEN_CPU] = bench_clock_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
    figure[OPEN_MODEL] = lap(&last);
    VigilSession *session = open_session(model);
    figure[OPEN_SESSION] = lap(&last);
    vigil_session_run(session);
    figure[FIRST_RUN] = lap(&last);
    vigil_session_run(session);
    figure[RESIDENT] = bench_status_mb("VmRSS:");
    figure[ANONYMOUS] = bench_status_mb("RssAnon:");
    figure[WEIGHTS] = megabytes(4 * (double)vigil_model_info(model)->parameters);
    figure[ARENA] = megabytes((double)vigil_session_arena_bytes(session));
    measure_again(path, figure);
    for (int i = 0; i < FIGURES; i++)
        printf("%.6f\n", figure[i]);
    return 0;
}

/* The figures of a fresh process. */
static void measure_apart(const char *program, const char *path, double figure[FIGURES])
{
    char command[512];
    snprintf(command, sizeof command, "exec '%s' --measure '%s'", program, path);
    FILE *child = popen(command, "re");
    int read = 0;
    while (child && read < FIGURES && fscanf(child, "%lf", &figure[read]) == 1)
        read++;
    if (!child || pclose(child) || read < FIGURES) {
        fprintf(stderr, "the process that measures failed\n");
        exit(1);
    }
}

static void bench(const char *program, const char *variant)
{
    const WriteModel what = { .variant = variant, .classes = 1000 };
    double round[ROUNDS][FIGURES], median[FIGURES];
    char *path = write_model_file(&what);
    for (int i = 0; i < ROUNDS; i++)
        measure_apart(program, path, round[i]);
    unlink(path);
    free(path);
    for (int f = 0; f < FIGURES; f++) {
        double column[ROUNDS];
        for (int i = 0; i < ROUNDS; i++)
            column[i] = round[i][f];
        qsort(column, ROUNDS, sizeof *column, bench_ascending);
        median[f] = column[ROUNDS / 2];
    }
    double most = 1.5 * median[WEIGHTS] + median[ARENA] + 20;
    printf("%-20s open %.1f ms (%.1f of processor time), session %.1f ms, first run "
           "%.1f ms, again %.2f ms\n",
           variant, median[OPEN_MODEL], median[OPEN_CPU], median[OPEN_SESSION],
           median[FIRST_RUN], median[OPEN_AGAIN]);
    printf(
        "%-20s resident %5.1f MB (%.1f at the start, %.1f no file's); 1.5 x weights + "
        "arena + 20 MB: %.1f\n",
        "", median[RESIDENT], median[START], median[ANONYMOUS], most);
    printf("%-20s a further session adds %.1f MB, its arena has %.1f\n", "",
           median[RESIDENT_AGAIN], median[ARENA]);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--measure"))
        return measure(argv[2]);
    char program[256] = "";
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        return 1;
    printf("%s, one thread, medians of %d processes\n", vigil_isa(), ROUNDS);
    if (argc < 2) {
        bench(program, "EMO_1M");
        bench(program, "EMO_5M");
    }
    for (int i = 1; i < argc; i++)
        bench(program, argv[i]);
    return 0;
}
