#include "core/processors.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hierarchy of groups that has CPU quotas: where it is mounted, which group is seen
 * there (of a container often not the topmost), and which one this process is in. */
typedef struct Hierarchy {
    int version; /* 1, 2; 0: not found */
    char mount[PATH_MAX], top[PATH_MAX], own[PATH_MAX];
} Hierarchy;

static FILE *open_below(const char *root, const char *path)
{
    char name[2 * PATH_MAX];
    int n = snprintf(name, sizeof name, "%s%s", root, path);
    return n < 0 || (size_t)n >= sizeof name ? NULL : fopen(name, "re");
}

/* ---- The group of this process ----------------------------------------------------
 */

/* Whether `word` is in a list with commas. */
static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (; list; list = strchr(list, ',')) {
        list += *list == ',';
        if (!strncmp(list, word, n) && (!list[n] || list[n] == ','))
            return true;
    }
    return false;
}

static bool copy(char to[PATH_MAX], const char *from)
{
    size_t n = strlen(from);
    if (n >= PATH_MAX)
        return false;
    memcpy(to, from, n + 1);
    return true;
}

/* A line of /proc/self/cgroup: NUMBER:CONTROLLERS:PATH, of version 2 0::PATH. */
static bool is_own_group(char *line, int version, Hierarchy *h)
{
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path || path[1] != '/')
        return false;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    bool right = version == 2 ? !strcmp(line, "0:") : lists(controllers + 1, "cpu");
    return right && copy(h->own, path);
}

/* ---- Where it is mounted ----------------------------------------------------------
 */

/* Octal numbers stand for spaces and the like. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *s = text; *s; to++) {
        int code = 0, digits = 0;
        while (*s == '\\' && digits < 3 && s[1 + digits] >= '0' && s[1 + digits] <= '7')
            code = code * 8 + s[1 + digits++] - '0';
        *to = digits == 3 ? (char)code : *s;
        s += digits == 3 ? 4 : 1;
    }
    *to = '\0';
}

/* A line of /proc/self/mountinfo:
 * ID PARENT DEVICE TOP MOUNT OPTIONS [MORE...] - TYPE SOURCE SUPER_OPTIONS */
static bool is_mount(char *line, int version, Hierarchy *h)
{
    char *field[6] = { 0 }, *type, *options, *rest = NULL;
    char *second = strstr(line, " - ");
    if (!second)
        return false;
    *second = '\0';
    field[0] = strtok_r(line, " ", &rest);
    for (int i = 1; i < 6 && field[i - 1]; i++)
        field[i] = strtok_r(NULL, " ", &rest);
    type = strtok_r(second + 3, " \n", &rest);
    strtok_r(NULL, " \n", &rest);
    options = strtok_r(NULL, " \n", &rest);
    if (!field[5] || !options)
        return false;
    bool right = version == 2 ? !strcmp(type, "cgroup2")
                              : !strcmp(type, "cgroup") && lists(options, "cpu");
    if (!right || !copy(h->top, field[3]) || !copy(h->mount, field[4]))
        return false;
    unescape(h->top);
    unescape(h->mount);
    return true;
}

static bool find_line(const char *root, const char *path, int version, Hierarchy *h,
                      bool (*is_it)(char *line, int version, Hierarchy *h))
{
    FILE *f = open_below(root, path);
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (f && !found && getline(&line, &size, f) > 0)
        found = is_it(line, version, h);
    free(line);
    if (f)
        fclose(f);
    return found;
}

/* ---- Quotas -----------------------------------------------------------------------
 */

/* Whole numbers at the beginning of a file, up to `most`; how many there are. */
static int read_numbers(const char *root, const char *group, const char *file,
                        long long *number, int most)
{
    char path[2 * PATH_MAX], text[64] = "", *at = text, *end;
    int n = snprintf(path, sizeof path, "%s/%s", group, file), count = 0;
    FILE *f = n < 0 || (size_t)n >= sizeof path ? NULL : open_below(root, path);
    if (!f)
        return 0;
    if (!fgets(text, sizeof text, f))
        text[0] = '\0';
    fclose(f);
    for (; count < most; count++, at = end) {
        number[count] = strtoll(at, &end, 10);
        if (end == at || !strchr(" \n", *end))
            break;
    }
    return count;
}

/* Of one group; 0: none. */
static int quota_of(const char *root, const char *group, int version)
{
    long long quota = 0, period = 0, both[2] = { 0 };
    if (version == 2) {
        if (read_numbers(root, group, "cpu.max", both, 2) == 2)
            quota = both[0], period = both[1];
    } else {
        read_numbers(root, group, "cpu.cfs_quota_us", &quota, 1);
        read_numbers(root, group, "cpu.cfs_period_us", &period, 1);
    }
    if (quota <= 0 || period <= 0)
        return 0;
    long long n = quota / period + (quota % period != 0);
    return n < VIGIL_MAX_PROCESSORS ? (int)n : VIGIL_MAX_PROCESSORS;
}

static int lower(int a, int b)
{
    return !a || (b && b < a) ? b : a;
}

/* The own group as it is called below the mount; "": where that is not known. */
static const char *below_mount(const Hierarchy *h)
{
    size_t n = strlen(h->top);
    if (!strcmp(h->top, "/"))
        n = 0;
    if (strncmp(h->own, h->top, n) || (h->own[n] && h->own[n] != '/') ||
        strstr(h->own, "/.."))
        return "";
    return h->own + n;
}

/* From the own group upwards. */
static int lowest_quota(const char *root, const Hierarchy *h)
{
    char group[2 * PATH_MAX];
    int lowest = 0;
    size_t least = strlen(h->mount);
    snprintf(group, sizeof group, "%s%s", h->mount, below_mount(h));
    for (size_t n = strlen(group);; n = (size_t)(strrchr(group, '/') - group)) {
        group[n] = '\0';
        lowest = lower(lowest, quota_of(root, group, h->version));
        if (n <= least)
            return lowest;
    }
}

int vigil_cgroup_processors(const char *root)
{
    int lowest = 0;
    for (int version = 1; version <= 2; version++) {
        Hierarchy h = { .version = version };
        if (find_line(root, "/proc/self/cgroup", version, &h, is_own_group) &&
            find_line(root, "/proc/self/mountinfo", version, &h, is_mount))
            lowest = lower(lowest, lowest_quota(root, &h));
    }
    return lowest;
}
