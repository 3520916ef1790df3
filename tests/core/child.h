/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes of their own for tests. */
#ifndef VIGIL_TESTS_CORE_CHILD_H
#define VIGIL_TESTS_CORE_CHILD_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of a child that calls the function; -1 when it died. */
static inline int in_child(int (*function)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        exit(2);
    if (!pid) {
        alarm(60);
        _exit(function());
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* Leaves the calling thread, and those it starts, the first of its processors. */
static inline bool bind_to_one(void)
{
    cpu_set_t set;
    int cpu = 0;
    if (sched_getaffinity(0, sizeof set, &set))
        return false;
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return !sched_setaffinity(0, sizeof set, &set);
}

#endif
