/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool of threads: every item once, by one worker of a number at a time. */
#include "core/threads.h"
#include "child.h"
#include "tap.h"

#include <pthread.h>
#include <stdatomic.h>

#define MOST_ITEMS 5000
#define MOST_WORKERS 128

/* ---- What one call of vigil_parallel() did ----------------------------------------
 */

typedef struct Watch {
    size_t count, grain;
    int threads;
    atomic_int item[MOST_ITEMS];     /* how often */
    atomic_int inside[MOST_WORKERS]; /* 1 while a worker of that number works */
    atomic_int bad_range, bad_worker, shared_worker;
} Watch;

static void watch_task(void *context, size_t begin, size_t end, int worker)
{
    Watch *w = context;
    if (begin >= end || end > w->count || (end - begin < w->grain && end != w->count)) {
        atomic_fetch_add(&w->bad_range, 1);
        return;
    }
    if (worker < 0 || worker >= (w->threads > 1 ? w->threads : 1)) {
        atomic_fetch_add(&w->bad_worker, 1);
        return;
    }
    if (atomic_fetch_add(&w->inside[worker], 1))
        atomic_fetch_add(&w->shared_worker, 1);
    for (size_t i = begin; i < end; i++)
        atomic_fetch_add(&w->item[i], 1);
    atomic_fetch_sub(&w->inside[worker], 1);
}

/* NULL where everything was right. */
static const char *watch(Watch *w, int threads, size_t count, size_t grain)
{
    w->threads = threads;
    w->count = count;
    w->grain = grain;
    for (size_t i = 0; i < MOST_ITEMS; i++)
        atomic_store(&w->item[i], 0);
    atomic_store(&w->bad_range, 0);
    atomic_store(&w->bad_worker, 0);
    atomic_store(&w->shared_worker, 0);
    vigil_parallel(threads, count, grain, watch_task, w);
    for (size_t i = 0; i < MOST_ITEMS; i++)
        if (atomic_load(&w->item[i]) != (i < count))
            return "an item was not worked on once";
    return w->bad_range       ? "a range is wrong"
           : w->bad_worker    ? "a worker's number is too large"
           : w->shared_worker ? "two workers have one number"
                              : NULL;
}

static void check_cover(void)
{
    static const size_t counts[] = { 0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 4999 };
    static const size_t grains[] = { 0, 1, 2, 3, 64, 1000, 100000 };
    static const int threads[] = { -1, 0, 1, 2, 3, 7, 64, 100 };
    static Watch w;
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        const char *problem = NULL;
        for (size_t i = 0; i < 12 * 7 && !problem; i++)
            problem = watch(&w, threads[t], counts[i % 12], grains[i / 12]);
        tap_ok(!problem, "%d threads: %zu items in ranges of %zu at least: %s",
               threads[t], w.count, w.grain, problem ? problem : "each once");
    }
}

/* ---- Several callers at once ------------------------------------------------------
 */

static void *submit(void *context)
{
    Watch *w = calloc(1, sizeof *w);
    size_t seed = (size_t)(uintptr_t)context;
    const char *problem = w ? NULL : "no memory";
    for (size_t i = 0; i < 300 && !problem; i++)
        problem = watch(w, (int)(i % 5), (i * 37 + seed) % 200, 1 + i % 3);
    free(w);
    return (void *)problem;
}

static void check_callers(void)
{
    enum { CALLERS = 6 };
    pthread_t thread[CALLERS];
    const char *problem = NULL;
    for (size_t i = 0; i < CALLERS; i++)
        if (pthread_create(&thread[i], NULL, submit, (void *)(uintptr_t)i))
            exit(2);
    for (size_t i = 0; i < CALLERS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        problem = result ? result : problem;
    }
    tap_ok(!problem, "%d callers at once, 300 calls each: %s", CALLERS,
           problem ? problem : "each item once");
}

/* ---- A caller does not wait for the workers of another ----------------------------
 */

static atomic_int gate_open, gate_reached;

static void wait_at_gate(void *context, size_t begin, size_t end, int worker)
{
    atomic_fetch_add(&gate_reached, 1);
    while (!atomic_load(&gate_open))
        usleep(200);
}

static void *hold_workers(void *context)
{
    vigil_parallel(64, 256, 1, wait_at_gate, NULL);
    return NULL;
}

static void check_busy(void)
{
    static Watch w;
    pthread_t holder;
    if (pthread_create(&holder, NULL, hold_workers, NULL))
        exit(2);
    while (!atomic_load(&gate_reached))
        usleep(200);
    usleep(20000);
    const char *problem = watch(&w, 4, 1000, 1);
    tap_ok(!problem, "with every worker held up the caller does all: %s",
           problem ? problem : "each item once");
    atomic_store(&gate_open, 1);
    pthread_join(holder, NULL);
    problem = watch(&w, 4, 1000, 1);
    tap_ok(!problem, "and they help again after that: %s",
           problem ? problem : "each item once");
}

/* ---- Children ---------------------------------------------------------------------
 */

static int child_computes(void)
{
    static Watch w;
    for (int i = 0; i < 20; i++)
        if (watch(&w, 4, 1000, 1))
            return 1;
    return 0;
}

static atomic_int stop;

static void *keep_busy(void *context)
{
    while (!atomic_load(&stop))
        watch(context, 4, 500, 1);
    return NULL;
}

static void check_fork(void)
{
    static Watch watches[2];
    pthread_t busy[2];
    int failed = 0;
    tap_ok(in_child(child_computes) == 0, "a child of fork() computes");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&busy[i], NULL, keep_busy, &watches[i]))
            exit(2);
    for (int i = 0; i < 20; i++)
        failed += in_child(child_computes) != 0;
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(busy[i], NULL);
    tap_ok(!failed, "and so do 20 made while others compute; %d did not", failed);
    static Watch w;
    tap_ok(!watch(&w, 4, 1000, 1), "the parent goes on computing");
}

/* ---- Processors -------------------------------------------------------------------
 */

static int processors_of_one(void)
{
    return bind_to_one() ? vigil_processors() : 101;
}

static void check_processors(void)
{
    cpu_set_t set;
    int allowed = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    int n = vigil_processors();
    tap_ok(n >= 1 && n <= allowed, "%d processors, of %d in the affinity mask", n,
           allowed);
    tap_ok(in_child(processors_of_one) == 1, "a process bound to one processor has 1");
}

int main(void)
{
    check_processors();
    check_cover();
    check_callers();
    check_busy();
    check_fork();
    return tap_done();
}
