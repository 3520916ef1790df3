/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: how far it is, on standard error. */
#include "vigil-model-eval.h"

#include <unistd.h>

/* Nanoseconds from one report to the next. */
#define TERMINAL_STEP UINT64_C(200000000)
#define LOG_STEP UINT64_C(5000000000)

void progress_begin(Progress *progress, const Options *options, size_t total)
{
    *progress = (Progress) { .terminal = isatty(STDERR_FILENO), .total = total };
    progress->shown = progress->terminal || options->progress;
    progress->begun = now_ns();
    progress->due = progress->begun;
}

/* On a terminal the cursor stays before the line, so that an error replaces it. */
void progress_step(Progress *progress, size_t done)
{
    uint64_t now = progress->shown ? now_ns() : 0;
    if (!progress->shown || (now < progress->due && done < progress->total))
        return;
    double seconds = (double)(now - progress->begun) * 1e-9;
    fprintf(stderr, "%zu of %zu pictures, %.1f a second%s", done, progress->total,
            (double)done / (seconds > 0 ? seconds : 1),
            progress->terminal ? "\033[K\r" : "\n");
    progress->due = now + (progress->terminal ? TERMINAL_STEP : LOG_STEP);
}

void progress_end(Progress *progress)
{
    if (progress->terminal)
        fprintf(stderr, "\033[K");
}
