/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "figures.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double bench_now_ms(void)
{
    return bench_clock_ms(CLOCK_MONOTONIC);
}

double bench_cpu_ms(void)
{
    return bench_clock_ms(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_status_mb(const char *key)
{
    char line[160];
    double kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)))
            kilobytes = strtod(line + strlen(key), NULL);
    if (f)
        fclose(f);
    return kilobytes / 1024;
}

int bench_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile(const double *sorted, int n, double share)
{
    return sorted[(int)(share * (n - 1) + 0.5)];
}

int bench_number(const char *text, int most)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || n < 1 || n > most) {
        fprintf(stderr, "'%s' is not a number from 1 to %d\n", text, most);
        exit(2);
    }
    return (int)n;
}

void bench_apart(void (*measure)(const void *task, void *figures), const void *task,
                 void *figures, size_t size, const char *name)
{
    int ends[2], status = 0;
    if (pipe(ends)) {
        perror("pipe");
        exit(1);
    }
    pid_t child = fork();
    if (child == 0) {
        measure(task, figures);
        bool sent = write(ends[1], figures, size) == (ssize_t)size;
        _exit(!sent);
    }
    close(ends[1]);
    bool got = child > 0 && read(ends[0], figures, size) == (ssize_t)size;
    close(ends[0]);
    if (child > 0)
        waitpid(child, &status, 0);
    if (!got || status) {
        fprintf(stderr, "%s: could not be measured\n", name);
        exit(1);
    }
}
