/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes have a camera open. */
#include "common.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only what looks like a device is asked: a file may lie on a disk that does not
 * answer. */
static bool is_node(const char *descriptor, const struct stat *node)
{
    char target[256];
    struct stat open;
    const ssize_t length = readlink(descriptor, target, sizeof target - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    if (!strstr(target, "/dev/") || stat(descriptor, &open) < 0)
        return false;
    return S_ISCHR(node->st_mode)
               ? S_ISCHR(open.st_mode) && open.st_rdev == node->st_rdev
               : open.st_dev == node->st_dev && open.st_ino == node->st_ino;
}

/* How many descriptors of the process are of the node; 0 too where they may not be
 * looked at. */
static int count_open(const VigilV4l2 *v4l2, const char *process,
                      const struct stat *node)
{
    char path[512];
    int n = 0;
    snprintf(path, sizeof path, "%s/%.32s/fd", v4l2->proc, process);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%.32s/fd/%.32s", v4l2->proc, process,
                 entry->d_name);
        n += is_node(path, node);
    }
    if (dir)
        closedir(dir);
    return n;
}

static void process_name(const VigilV4l2 *v4l2, const char *process, char *out,
                         size_t size)
{
    char path[512], line[64] = "";
    snprintf(path, sizeof path, "%s/%.32s/comm", v4l2->proc, process);
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file))
        line[strcspn(line, "\n")] = '\0';
    if (file)
        fclose(file);
    vigil_camera_text(out, size, line, sizeof line);
}

int vigil_camera_holders(const VigilV4l2 *v4l2, const char *device, char *out,
                         size_t size)
{
    struct stat node;
    char name[64];
    size_t used = 0;
    int n = 0;
    out[0] = '\0';
    if (stat(device, &node) < 0)
        return 0;
    DIR *dir = opendir(v4l2->proc);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        const bool own = atol(entry->d_name) == (long)getpid();
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        /* One may be of who asks. */
        if (count_open(v4l2, entry->d_name, &node) <= own)
            continue;
        process_name(v4l2, entry->d_name, name, sizeof name);
        used = vigil_append(out, size, used, "%s", n++ ? ", " : "");
        used = own ? vigil_append(out, size, used, "this program")
                   : vigil_append(out, size, used, "\"%s\" (process %s)", name,
                                  entry->d_name);
    }
    if (dir)
        closedir(dir);
    return n;
}

VigilCameraStatus vigil_camera_fail_busy(const VigilV4l2 *v4l2,
                                         const VigilCamera *camera,
                                         VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE], holders[512];
    vigil_camera_label(camera, label);
    if (!vigil_camera_holders(v4l2, camera->device, holders, sizeof holders))
        return vigil_camera_fail(
            error, VIGIL_CAMERA_BUSY,
            "The camera %s is in use by a program of another user: "
            "end that (sudo vigil-cameras tells which it is).",
            label);
    return vigil_camera_fail(error, VIGIL_CAMERA_BUSY,
                             "The camera %s is in use by %s: end that, or take another "
                             "camera.",
                             label, holders);
}
