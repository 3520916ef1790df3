/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which runs get helpers: other runs, other programs, what a session has measured. */
#include "core/share.h"
#include "core/processors.h"
#include "tap.h"
#include "vigil.h"

enum { MS = 1000000 };

/* Of `n` runs on processors as told, how many were helped. */
static int helped_of(VigilPace *pace, bool crowded, int n, uint64_t alone_ns,
                     uint64_t helped_ns)
{
    int helped = 0;
    for (int i = 0; i < n; i++) {
        bool help = vigil_pace_choose(pace, crowded);
        helped += help;
        vigil_pace_note(pace, crowded, help, help ? helped_ns : alone_ns);
    }
    return helped;
}

static void check_pace(void)
{
    static const struct {
        const char *name;
        bool crowded;
        uint64_t alone, helped; /* ms */
        int least, most;        /* of 640 runs, after 640 others */
    } cases[] = {
        { "free, twice as fast", false, 20, 10, 620, 639 },
        { "free, slower", false, 20, 21, 1, 40 },
        { "free, as fast", false, 20, 20, 1, 40 },
        { "crowded, slower", true, 20, 35, 1, 40 },
        { "crowded, faster all the same", true, 20, 12, 600, 639 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        VigilPace pace = { 0 };
        bool crowded = cases[i].crowded;
        uint64_t alone = cases[i].alone * MS, helped = cases[i].helped * MS;
        helped_of(&pace, crowded, 640, alone, helped);
        int n = helped_of(&pace, crowded, 640, alone, helped);
        tap_ok(n >= cases[i].least && n <= cases[i].most,
               "%s: %d of 640 runs have helpers, %d to %d expected", cases[i].name, n,
               cases[i].least, cases[i].most);
    }
}

static void check_change(void)
{
    VigilPace pace = { 0 };
    int first = helped_of(&pace, false, 8, 20 * MS, 10 * MS);
    int crowded = helped_of(&pace, true, 8, 20 * MS, 10 * MS);
    tap_ok(first >= 7 && crowded <= 2,
           "before anything is known %d of 8 on free processors, %d on crowded ones",
           first, crowded);
    helped_of(&pace, false, 640, 20 * MS, 30 * MS);
    int n = helped_of(&pace, false, 160, 20 * MS, 10 * MS);
    tap_ok(n >= 100, "helpers that were slow and are fast again are found: %d of 160",
           n);
    uint64_t outlier = 500 * MS;
    vigil_pace_note(&pace, false, true, outlier);
    vigil_pace_note(&pace, false, true, outlier);
    n = helped_of(&pace, false, 8, 20 * MS, 10 * MS);
    tap_ok(n >= 7, "two runs that took half a second change nothing: %d of 8", n);
}

/* Each begins beside those before it. */
static void check_runs(void)
{
    enum { RUNS = 8 };
    static VigilPace pace[RUNS];
    int processors = vigil_processors_now(), wrong = 0;
    int most = vigil_share_begin(&pace[0], processors);
    tap_ok(most >= 1 && most <= processors, "the first of %d processors may use %d",
           processors, most);
    for (int i = 1; i < RUNS; i++) {
        int spare = processors - i > 0 ? processors - i : 0;
        wrong += vigil_share_helpers() != spare;
        wrong += vigil_share_threads(64) != 1 + spare;
        wrong += vigil_share_threads(1) != 1;
        vigil_share_begin(&pace[i], 1);
        wrong += vigil_share_runs() != i + 1;
    }
    tap_ok(!wrong,
           "%d runs at once leave each other a processor, where there are so many",
           RUNS);
    for (int i = 0; i < RUNS; i++)
        vigil_share_end(&pace[i]);
    tap_ok(vigil_share_runs() == 0 && vigil_share_helpers() == processors,
           "and none when they are over: %d", vigil_share_helpers());
    tap_ok(!pace[0].kind[0].helped.n && !pace[0].kind[0].alone.n &&
               !pace[0].kind[1].helped.n && !pace[0].kind[1].alone.n,
           "a run beside others is no measure");
}

static void check_runnable(void)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "0.00 0.01 0.05 1/123 4567\n", 1 }, { "14.48 11.42 7.36 17/402 21953\n", 17 },
        { "0,00 0,01 0,05 3/123 4567\n", 3 }, { "", -1 },
        { "0.00 0.01 0.05\n", -1 },           { "0.00 0.01 0.05 -1/123 4567\n", -1 },
        { "0.00 0.01 0.05 many\n", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = vigil_runnable(cases[i].text);
        tap_ok(got == cases[i].want, "runnable in load averages %zu: %d, %d expected",
               i, got, cases[i].want);
    }
}

int main(void)
{
    check_pace();
    check_change();
    check_runs();
    check_runnable();
    return tap_done();
}
