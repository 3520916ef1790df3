#include "core/share.h"
#include "core/clock.h"
#include "core/processors.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int runs, awake, processors = VIGIL_MAX_PROCESSORS;

/* ---- The pace of a session --------------------------------------------------------
 */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 0: not known yet. */
static uint64_t median(const VigilPaceTimes *times)
{
    uint64_t sorted[VIGIL_PACE_RUNS];
    if (times->n < VIGIL_PACE_RUNS)
        return 0;
    memcpy(sorted, times->ns, sizeof sorted);
    qsort(sorted, VIGIL_PACE_RUNS, sizeof *sorted, ascending);
    return sorted[VIGIL_PACE_RUNS / 2];
}

bool vigil_pace_choose(VigilPace *pace, bool crowded)
{
    struct VigilPaceKind *kind = &pace->kind[crowded];
    uint64_t alone = median(&kind->alone), helped = median(&kind->helped);
    bool known = alone && helped;
    bool help = known ? helped + helped / 30 < alone : !crowded;
    unsigned every = help ? VIGIL_PACE_TRY_ALONE : VIGIL_PACE_TRY_HELP;
    if (!known)
        every /= 4;
    return ++kind->runs % every ? help : !help;
}

void vigil_pace_note(VigilPace *pace, bool crowded, bool helped, uint64_t ns)
{
    struct VigilPaceKind *kind = &pace->kind[crowded];
    VigilPaceTimes *times = helped ? &kind->helped : &kind->alone;
    times->ns[times->n++ % VIGIL_PACE_RUNS] = ns;
}

/* ---- Others on the same processors ------------------------------------------------
 */

int vigil_runnable(const char *loadavg)
{
    int runnable, all;
    if (sscanf(loadavg, "%*s %*s %*s %d/%d", &runnable, &all) != 2 || runnable < 0)
        return -1;
    return runnable;
}

static int read_runnable(void)
{
    static atomic_int file = -2; /* kept open; -2: not tried, -1: cannot be opened */
    char text[128];
    int fd = atomic_load(&file);
    if (fd == -2) {
        int none = -2;
        fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
        if (!atomic_compare_exchange_strong(&file, &none, fd)) {
            close(fd);
            fd = none;
        }
    }
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return vigil_runnable(text);
}

/* Whether other programs leave no processor for a helper. */
static bool is_crowded(void)
{
    static atomic_int online;
    int runnable = read_runnable();
    if (!atomic_load(&online))
        atomic_store(&online, (int)sysconf(_SC_NPROCESSORS_ONLN));
    return runnable - atomic_load(&awake) >= atomic_load(&online);
}

/* ---- Shares -----------------------------------------------------------------------
 */

int vigil_share_begin(VigilPace *pace, int most)
{
    int before = atomic_fetch_add(&runs, 1);
    if (most <= 1)
        return 1;
    int now = vigil_processors_now();
    atomic_store(&processors, now);
    pace->others = before > 0 || now < 2;
    pace->crowded = is_crowded();
    pace->helped = vigil_pace_choose(pace, pace->crowded);
    pace->start = vigil_now();
    return !pace->helped ? 1 : most < now ? most : now;
}

int vigil_share_runs(void)
{
    return atomic_load(&runs);
}

int vigil_share_helpers(void)
{
    int spare = atomic_load(&processors) - vigil_share_runs();
    return spare > 0 ? spare : 0;
}

int vigil_share_threads(int most)
{
    int helpers = most > 1 ? vigil_share_helpers() : 0;
    return helpers < most - 1 ? helpers + 1 : most;
}

void vigil_share_end(VigilPace *pace)
{
    /* Beside other runs there were fewer helpers, or none. */
    bool others = atomic_fetch_sub(&runs, 1) > 1 || pace->others;
    if (pace->start && !others)
        vigil_pace_note(pace, pace->crowded, pace->helped, vigil_now() - pace->start);
}

void vigil_share_awake(int more)
{
    atomic_fetch_add(&awake, more);
}

void vigil_share_forget(void)
{
    atomic_store(&runs, 0);
    atomic_store(&awake, 0);
}
