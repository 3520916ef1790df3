/*
 * How many of the pool's threads a run may use: as many as help it, and no more than
 * leave each other run a processor of its own.
 *
 * Runs of all sessions of the process are counted.  What processors they leave, helpers
 * of the pool may take; where there are as many runs as processors, each computes
 * alone. Other programs are seen in the kernel's number of runnable threads: where they
 * leave no processor, helpers mostly cost more time than they save, for who runs in
 * turns with another leaves the caller waiting.  That depends (on priorities, say), and
 * so it is measured: each session knows how long its last runs took alone and with
 * helpers, on free processors and on crowded ones, takes what was faster, and now and
 * then tries the other.
 *
 * None of this changes results.  Any thread may call; no lock is taken and nothing
 * allocated.
 */
#ifndef VIGIL_CORE_SHARE_H
#define VIGIL_CORE_SHARE_H

#include "core/status.h"

#define VIGIL_PACE_RUNS 5

/* Times of the last runs of one kind; cleared to begin with. */
typedef struct VigilPaceTimes {
    uint64_t ns[VIGIL_PACE_RUNS]; /* the oldest is overwritten */
    unsigned n;                   /* that there were */
} VigilPaceTimes;

/* What a session knows of its own runs, on free and on crowded processors. */
typedef struct VigilPace {
    struct VigilPaceKind {
        VigilPaceTimes alone, helped;
        unsigned runs;
    } kind[2]; /* by crowded */
    /* Of the run that is under way. */
    bool crowded, helped, others;
    uint64_t start;
} VigilPace;

/* Whether the next run is to have helpers, and the choice is counted.  The better
 * median wins, helpers only by a thirtieth; until both are known helpers have the first
 * runs on free processors, and the caller alone on crowded ones.  One run in
 * VIGIL_PACE_TRY_ALONE or VIGIL_PACE_TRY_HELP tries the other way, four times as many
 * until both are known: helpers more often, as what kept them passes. */
bool vigil_pace_choose(VigilPace *pace, bool crowded);
void vigil_pace_note(VigilPace *pace, bool crowded, bool helped, uint64_t ns);

#define VIGIL_PACE_TRY_ALONE 64
#define VIGIL_PACE_TRY_HELP 16

/* A run begins on the calling thread, for which scratch memory of `most` threads is
 * there.  Returns the most that it may use, 1..most, of those in its affinity mask as
 * it is now. */
int vigil_share_begin(VigilPace *pace, int most);

/* What one that began may use at the moment, where vigil_share_begin() said `most`. */
int vigil_share_threads(int most);

void vigil_share_end(VigilPace *pace);

/* Runs between begin and end. */
int vigil_share_runs(void);

/* How many helpers there may be now, of all runs together. */
int vigil_share_helpers(void);

/* Counts the pool's threads that are awake, so that they are not taken for others. */
void vigil_share_awake(int more);

/* Runnable threads of the machine by the text of /proc/loadavg; -1: cannot be told.
 * proc_loadavg(5). */
int vigil_runnable(const char *loadavg);

/* In a child of fork(): there are no runs and no threads. */
void vigil_share_forget(void);

#endif
