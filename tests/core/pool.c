/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom the workers of the pool help, when they go, and where they may run.  Waits for
 * conditions, never for a time. */
#include "core/processors.h"
#include "core/share.h"
#include "core/threads.h"
#include "child.h"
#include "tap.h"
#include "vigil.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

enum { ITEMS = 1000 };

/* Work whose every range waits until its gate is open. */
typedef struct Gated {
    pthread_t caller;
    int threads;
    atomic_int open, callers, helpers; /* ranges that were begun */
    atomic_int items;
} Gated;

static void pause_until(const atomic_int *value, int least)
{
    while (atomic_load(value) < least)
        usleep(200);
}

static void gated_task(void *context, size_t begin, size_t end, int worker)
{
    Gated *g = context;
    atomic_fetch_add(worker ? &g->helpers : &g->callers, 1);
    pause_until(&g->open, 1);
    atomic_fetch_add(&g->items, (int)(end - begin));
}

static void *call(void *context)
{
    Gated *g = context;
    vigil_parallel_large(g->threads, ITEMS, 1, gated_task, g);
    return NULL;
}

/* Returns when its caller is inside: its work is on offer. */
static void begin(Gated *g, int threads)
{
    g->threads = threads;
    if (pthread_create(&g->caller, NULL, call, g))
        exit(2);
    pause_until(&g->callers, 1);
}

/* Whether every item was worked on. */
static bool finish(Gated *g)
{
    atomic_store(&g->open, 1);
    pthread_join(g->caller, NULL);
    return g->items == ITEMS;
}

/* ---- Fairness ---------------------------------------------------------------------
 */

/* Both are on offer when the workers come back from elsewhere. */
static void check_fair(int workers)
{
    Gated elsewhere = { 0 }, older = { 0 }, newer = { 0 };
    begin(&elsewhere, workers + 1);
    pause_until(&elsewhere.helpers, workers);
    begin(&older, workers + 1);
    begin(&newer, workers + 1);
    bool all = finish(&elsewhere);
    while (older.helpers + newer.helpers < workers)
        usleep(200);
    int first = older.helpers, second = newer.helpers;
    tap_ok(first - second == workers % 2,
           "of %d workers %d help the older work and %d the newer", workers, first,
           second);
    all &= finish(&older);
    all &= finish(&newer);
    tap_ok(all, "and everything is done once");
}

static void check_cap(int workers)
{
    Gated few = { 0 }, many = { 0 };
    begin(&few, 2);
    pause_until(&few.helpers, 1);
    begin(&many, workers + 1);
    pause_until(&many.helpers, workers - 1);
    tap_ok(few.helpers == 1 && many.helpers == workers - 1,
           "work for 2 threads takes 1 of %d workers, the other work the rest",
           workers);
    bool all = finish(&few);
    tap_ok(finish(&many) && all, "and everything is done once");
}

/* As many runs as processors: helpers go after the range that they are in. */
static void check_leaving(int workers)
{
    Gated g = { 0 };
    static VigilPace pace[VIGIL_MAX_PROCESSORS];
    int processors = vigil_processors_now();
    begin(&g, workers + 1);
    pause_until(&g.helpers, workers);
    vigil_share_begin(&pace[0], processors);
    for (int i = 1; i < processors; i++)
        vigil_share_begin(&pace[i], 1);
    bool all = finish(&g);
    tap_ok(all && g.helpers == workers,
           "%d workers end with the range they are in when others begin to run: %d "
           "ranges",
           workers, g.helpers);
    for (int i = 0; i < processors; i++)
        vigil_share_end(&pace[i]);
}

/* ---- Affinity ---------------------------------------------------------------------
 */

static int thread_count(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/task");
    for (const struct dirent *e; folder && (e = readdir(folder));)
        n += e->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return n;
}

static bool compute(int threads)
{
    Gated g = { .open = 1, .threads = threads };
    call(&g);
    return g.items == ITEMS;
}

/* Threads that computing on eight starts; an emulator may have some of its own. */
static int threads_started(void)
{
    int before = thread_count();
    return compute(8) ? thread_count() - before : 100;
}

static int threads_started_bound(void)
{
    return bind_to_one() ? threads_started() : 101;
}

/* Bound when its workers are there already: a run that begins now has no use for them.
 */
static int child_bound_later(void)
{
    VigilPace pace = { 0 };
    if (!compute(8) || !bind_to_one())
        return 100;
    int most = vigil_share_begin(&pace, 8), helpers = vigil_share_helpers();
    vigil_share_end(&pace);
    return most == 1 && helpers == 0 ? 0 : 101;
}

/* In children that are made before there are workers. */
static void check_affinity(int processors)
{
    int n = in_child(threads_started_bound);
    tap_ok(n == 0, "a process bound to one processor starts %d workers", n);
    n = in_child(threads_started);
    int most = processors < 8 ? processors - 1 : 7;
    tap_ok(n == most, "one that is not starts %d workers, %d expected", n, most);
    n = in_child(child_bound_later);
    tap_ok(n == 0, "one that is bound later has no helpers in its next run: %d", n);
}

int main(void)
{
    int processors = vigil_processors(), workers = processors - 1;
    alarm(100);
    check_affinity(processors);
    vigil_start_workers(processors);
    int n = in_child(threads_started);
    tap_ok(n == 0, "the child of a process with workers starts %d", n);
    if (workers < 1) {
        tap_skip("one processor: there are no workers");
        return tap_done();
    }
    for (int i = 0; i < 3; i++)
        check_fair(workers);
    check_cap(workers);
    check_leaving(workers);
    return tap_done();
}
