/*
 * How many processors there are to compute on: what the affinity mask has, within the
 * CPU quota of the control groups (cgroups) that the process is in.
 *
 * vigil_processors() is in vigil.h.
 */
#ifndef VIGIL_CORE_PROCESSORS_H
#define VIGIL_CORE_PROCESSORS_H

#include "core/status.h"

/* No machine counts as larger. */
#define VIGIL_MAX_PROCESSORS 64

/* As vigil_processors(), with the quota that it found last: one system call, for the
 * affinity mask of the calling thread, which a cpuset narrows, too. */
int vigil_processors_now(void);

/* The smallest CPU quota of the groups this process is in, up to the topmost that can
 * be seen: quota / period, rounded up, at least 1; 0: none has one.  Of version 2 and
 * of version 1, which may both be mounted.  Reads ROOT/proc/self/cgroup and mountinfo
 * and, below ROOT, what these name; `root` is "" but in tests.  What cannot be read or
 * understood limits nothing.
 * Linux, Documentation/admin-guide/cgroup-v2.rst, "cpu.max";
 * Documentation/scheduler/sched-bwc.rst; proc_pid_mountinfo(5). */
int vigil_cgroup_processors(const char *root);

#endif
