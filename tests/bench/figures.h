/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What benches in C measure with. */
#ifndef VIGIL_BENCH_FIGURES_H
#define VIGIL_BENCH_FIGURES_H

#include <stddef.h>
#include <time.h>

/* Milliseconds: of a clock, of one that only goes on, of processor time of the process.
 */
double bench_clock_ms(clockid_t clock);
double bench_now_ms(void);
double bench_cpu_ms(void);

/* MB (2^20 bytes) of a line of /proc/self/status, as "VmRSS:"; 0: it is not there. */
double bench_status_mb(const char *key);

/* For qsort() of doubles. */
int bench_ascending(const void *a, const void *b);

/* Of n ascending values: the one that `share`, 0..1, of them do not exceed. */
double bench_quantile(const double *sorted, int n, double share);

/* The number 1..most that an argument is; else ends the process. */
int bench_number(const char *text, int most);

/* Calls measure(task, figures) in a process of its own, and fills figures here.  Ends
 * the process where that failed, with the name of what was measured. */
void bench_apart(void (*measure)(const void *task, void *figures), const void *task,
                 void *figures, size_t size, const char *name);

#endif
