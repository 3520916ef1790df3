/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPU quotas of control groups, in trees of files as systems have them. */
#include "core/processors.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 8 };

typedef struct Case {
    const char *name;
    int want;
    struct {
        const char *path, *text;
    } file[MOST_FILES];
} Case;

#define CGROUP "proc/self/cgroup"
#define MOUNTS "proc/self/mountinfo"

/* Other mounts, before and after what counts. */
#define ROOT_MOUNT "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n"
#define PROC_MOUNT "24 22 0:22 / /proc rw,nosuid shared:12 - proc proc rw\n"
#define V2_MOUNT                                                                       \
    ROOT_MOUNT                                                                         \
    "35 25 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 "  \
    "cgroup2 rw,nsdelegate,memory_recursiveprot\n" PROC_MOUNT

static const Case cases[] = {
    { "no /proc at all", 0, { { NULL, NULL } } },
    { "version 2, a desktop without quotas",
      0,
      { { CGROUP, "0::/user.slice/user-1000.slice/session-2.scope\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/user.slice/user-1000.slice/cpu.max", "max 100000\n" },
        { "sys/fs/cgroup/user.slice/cpu.max", "max 100000\n" } } },
    { "version 2, a service with CPUQuota=150%",
      2,
      { { CGROUP, "0::/system.slice/vigil.service\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/system.slice/vigil.service/cpu.max", "150000 100000\n" },
        { "sys/fs/cgroup/system.slice/cpu.max", "max 100000\n" } } },
    { "version 2, a slice above the service is narrower",
      1,
      { { CGROUP, "0::/cameras.slice/cameras-gate.slice/vigil.service\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/cameras.slice/cameras-gate.slice/vigil.service/cpu.max",
          "400000 100000\n" },
        { "sys/fs/cgroup/cameras.slice/cameras-gate.slice/cpu.max", "max 100000\n" },
        { "sys/fs/cgroup/cameras.slice/cpu.max", "50000 100000\n" } } },
    { "version 2, a group in the middle has no file",
      3,
      { { CGROUP, "0::/a/b/c\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/a/cpu.max", "300000 100000\n" } } },
    { "version 2, docker run --cpus=2.5, a namespace of its own",
      3,
      { { CGROUP, "0::/\n" },
        { MOUNTS, "1561 1560 0:30 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - "
                  "cgroup2 cgroup rw,nsdelegate\n" },
        { "sys/fs/cgroup/cpu.max", "250000 100000\n" } } },
    { "version 2, a container that sees the host's paths",
      2,
      { { CGROUP, "0::/system.slice/docker-9f3c.scope/worker\n" },
        { MOUNTS, "1561 1560 0:30 /system.slice/docker-9f3c.scope /sys/fs/cgroup ro - "
                  "cgroup2 cgroup rw\n" },
        { "sys/fs/cgroup/cpu.max", "200000 100000\n" },
        { "sys/fs/cgroup/worker/cpu.max", "max 100000\n" } } },
    { "version 2, a process outside its namespace",
      4,
      { { CGROUP, "0::/../other\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/cpu.max", "400000 100000\n" },
        { "sys/fs/other/cpu.max", "100000 100000\n" } } },
    { "version 1, docker run --cpus=1.5",
      2,
      { { CGROUP,
          "12:pids:/docker/31ac\n4:cpu,cpuacct:/docker/31ac\n"
          "1:name=systemd:/docker/31ac\n0::/system.slice/containerd.service\n" },
        { MOUNTS,
          "730 720 0:28 /docker/31ac /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
          "737 720 0:33 /docker/31ac /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:13 - "
          "cgroup cgroup rw,cpu,cpuacct\n" },
        { "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n" },
        { "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n" } } },
    { "version 1, nested, the parent narrower",
      1,
      { { CGROUP, "5:cpuset:/\n2:cpu:/batch/low\n" },
        { MOUNTS,
          "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
          "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n" },
        { "sys/fs/cgroup/cpu/batch/low/cpu.cfs_quota_us", "-1\n" },
        { "sys/fs/cgroup/cpu/batch/low/cpu.cfs_period_us", "100000\n" },
        { "sys/fs/cgroup/cpu/batch/cpu.cfs_quota_us", "20000\n" },
        { "sys/fs/cgroup/cpu/batch/cpu.cfs_period_us", "50000\n" } } },
    { "both versions mounted, the quota in version 1",
      2,
      { { CGROUP, "2:cpu:/x\n0::/y\n" },
        { MOUNTS, "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" },
        { "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "200000\n" },
        { "sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n" },
        { "sys/fs/cgroup/unified/y/cgroup.procs", "1\n" } } },
    { "a controller whose name only begins like it",
      0,
      { { CGROUP, "3:cpuset,cpuacct:/x\n" },
        { MOUNTS, "32 31 0:29 / /cg rw - cgroup cgroup rw,cpuset,cpuacct\n" },
        { "cg/x/cpu.cfs_quota_us", "100000\n" },
        { "cg/x/cpu.cfs_period_us", "100000\n" } } },
    { "a mount point with a space",
      2,
      { { CGROUP, "0::/a\n" },
        { MOUNTS, "35 25 0:30 / /my\\040groups rw - cgroup2 cgroup2 rw\n" },
        { "my groups/a/cpu.max", "200000 100000\n" } } },
    { "a quota of a thousandth of a processor",
      1,
      { { CGROUP, "0::/\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/cpu.max", "1000 1000000\n" } } },
    { "more than any machine",
      VIGIL_MAX_PROCESSORS,
      { { CGROUP, "0::/\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/cpu.max", "9223372036854775807 1\n" } } },
    { "numbers that are none",
      0,
      { { CGROUP, "0::/a/b/c\n" },
        { MOUNTS, V2_MOUNT },
        { "sys/fs/cgroup/a/b/c/cpu.max", "100000\n" },
        { "sys/fs/cgroup/a/b/cpu.max", "-5 100000\n" },
        { "sys/fs/cgroup/a/cpu.max", "1e5 100000\n" },
        { "sys/fs/cgroup/cpu.max", "100000 0\n" } } },
    { "files of something else",
      0,
      { { CGROUP, "0:\n::\nhello\n0::relative\n\n" },
        { MOUNTS, " - cgroup2\n- cgroup2 a b\n1 2 3 - cgroup2 cgroup2 rw\n" },
        { "sys/fs/cgroup/cpu.max", "100000 100000\n" } } },
    { "empty files",
      0,
      { { CGROUP, "" }, { MOUNTS, "" }, { "sys/fs/cgroup/cpu.max", "" } } },
};

/* ---- Trees ------------------------------------------------------------------------
 */

static void write_below(const char *root, const char *path, const char *text)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", root, path);
    for (char *s = strchr(name + 1, '/'); s; s = strchr(s + 1, '/')) {
        *s = '\0';
        mkdir(name, 0700);
        *s = '/';
    }
    FILE *f = fopen(name, "we");
    if (!f || fputs(text, f) < 0 || fclose(f)) {
        printf("Bail out! %s cannot be written\n", name);
        exit(1);
    }
}

static void check(const Case *c)
{
    char root[] = "/tmp/vigil-cgroup-XXXXXX", command[128];
    if (!mkdtemp(root)) {
        printf("Bail out! no folder in /tmp\n");
        exit(1);
    }
    for (int i = 0; i < MOST_FILES && c->file[i].path; i++)
        write_below(root, c->file[i].path, c->file[i].text);
    int got = vigil_cgroup_processors(root);
    tap_ok(got == c->want, "%s: %d processors, %d expected", c->name, got, c->want);
    snprintf(command, sizeof command, "rm -r '%s'", root);
    if (system(command))
        printf("# %s stays\n", root);
}

/* A path as long as the kernel has them, and one that is longer. */
static void check_long(void)
{
    for (size_t n = 3000; n <= 9000; n += 6000) {
        char *text = calloc(1, n + 16);
        memset(text, 'a', n);
        memcpy(text, "0::/", 4);
        for (size_t i = 100; i < n; i += 100)
            text[i] = '/';
        text[n] = '\n';
        const Case c = { "a long path",
                         n < 4096 ? 1 : 0,
                         { { CGROUP, text },
                           { MOUNTS, V2_MOUNT },
                           { "sys/fs/cgroup/cpu.max", "100000 100000\n" } } };
        check(&c);
        free(text);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
    check_long();
    return tap_done();
}
