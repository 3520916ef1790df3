/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cameras there are. */
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { MAX_NUMBER = 9999 };

/* ---- sysfs ----------------------------------------------------------------------- */

/* A file of one line below the folder of node `number`; false: it cannot be read. */
static bool read_line(const VigilV4l2 *v4l2, int number, const char *name, char *out,
                      size_t size)
{
    char path[256], line[256];
    snprintf(path, sizeof path, "%s/video%d/%s", v4l2->sys, number, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const bool found = fgets(line, sizeof line, file);
    fclose(file);
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        vigil_camera_text(out, size, line, sizeof line);
    }
    return found;
}

/* The folder above that of a USB interface is its device's. */
static void read_sysfs(const VigilV4l2 *v4l2, VigilCamera *camera)
{
    char vendor[64];
    if (camera->number < 0)
        return;
    if (!camera->name[0])
        read_line(v4l2, camera->number, "name", camera->name, sizeof camera->name);
    if (read_line(v4l2, camera->number, "device/../idVendor", vendor, sizeof vendor))
        read_line(v4l2, camera->number, "device/../serial", camera->serial,
                  sizeof camera->serial);
}

/* Nodes of a camera are numbered from 0 in sysfs, and only the first takes video. */
static bool is_first_node(const VigilV4l2 *v4l2, int number)
{
    char index[64];
    return !read_line(v4l2, number, "index", index, sizeof index) ||
           !strcmp(index, "0");
}

/* ---- Asking ---------------------------------------------------------------------- */

/* "video12"; -1: something else. */
static int node_number(const char *name)
{
    char *end;
    if (strncmp(name, "video", 5) || name[5] < '0' || name[5] > '9')
        return -1;
    const long number = strtol(name + 5, &end, 10);
    return *end || number > MAX_NUMBER ? -1 : (int)number;
}

static uint32_t capture_type(const struct v4l2_capability *capability)
{
    const uint32_t caps = capability->capabilities & V4L2_CAP_DEVICE_CAPS
                              ? capability->device_caps
                              : capability->capabilities;
    const uint32_t other = V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE |
                           V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE;
    if (!(caps & V4L2_CAP_STREAMING) || caps & other)
        return 0;
    if (caps & V4L2_CAP_VIDEO_CAPTURE)
        return V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
                                                : 0;
}

static void ask_driver(const VigilV4l2 *v4l2, VigilCamera *camera)
{
    struct v4l2_capability capability = { 0 };
    const int fd = v4l2->open(camera->device);
    if (fd < 0) {
        camera->problem = errno;
        return;
    }
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_QUERYCAP, &capability) < 0) {
        camera->problem = errno;
    } else {
        camera->buffer_type = capture_type(&capability);
        vigil_camera_text(camera->name, sizeof camera->name, capability.card,
                          sizeof capability.card);
        vigil_camera_text(camera->driver, sizeof camera->driver, capability.driver,
                          sizeof capability.driver);
        vigil_camera_text(camera->bus, sizeof camera->bus, capability.bus_info,
                          sizeof capability.bus_info);
    }
    v4l2->close(fd);
}

void vigil_camera_ask(const VigilV4l2 *v4l2, const char *device, VigilCamera *camera)
{
    char target[4096];
    *camera = (VigilCamera) { .number = -1 };
    snprintf(camera->device, sizeof camera->device, "%s", device);
    if (realpath(device, target) && strlen(target) < sizeof camera->device)
        memcpy(camera->device, target, strlen(target) + 1);
    const char *slash = strrchr(camera->device, '/');
    camera->number = node_number(slash ? slash + 1 : camera->device);
    ask_driver(v4l2, camera);
    read_sysfs(v4l2, camera);
}

/* ---- All ------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static size_t list_numbers(const VigilV4l2 *v4l2, int numbers[VIGIL_CAMERAS_MAX * 4])
{
    size_t n = 0;
    DIR *dir = opendir(v4l2->dev);
    const struct dirent *entry;
    while (dir && n < VIGIL_CAMERAS_MAX * 4 && (entry = readdir(dir))) {
        const int number = node_number(entry->d_name);
        if (number >= 0)
            numbers[n++] = number;
    }
    if (dir)
        closedir(dir);
    qsort(numbers, n, sizeof *numbers, by_number);
    return n;
}

void vigil_camera_list(const VigilV4l2 *v4l2, VigilCameraList *list)
{
    int numbers[VIGIL_CAMERAS_MAX * 4];
    const size_t n = list_numbers(v4l2, numbers);
    list->n = 0;
    for (size_t i = 0; i < n && list->n < VIGIL_CAMERAS_MAX; i++) {
        VigilCamera *camera = &list->camera[list->n];
        char device[512];
        snprintf(device, sizeof device, "%s/video%d", v4l2->dev, numbers[i]);
        vigil_camera_ask(v4l2, device, camera);
        const bool closed = camera->problem == EACCES || camera->problem == EPERM ||
                            camera->problem == EBUSY;
        if (camera->problem ? closed && is_first_node(v4l2, numbers[i])
                            : camera->buffer_type != 0)
            list->n++;
    }
}

/* ---- Texts ----------------------------------------------------------------------- */

const char *vigil_camera_label(const VigilCamera *camera, char *out)
{
    if (camera->name[0])
        snprintf(out, VIGIL_CAMERA_LINE, "\"%s\" (%.255s)", camera->name,
                 camera->device);
    else
        snprintf(out, VIGIL_CAMERA_LINE, "%.255s", camera->device);
    return out;
}

const char *vigil_camera_line(const VigilCamera *camera, char *out)
{
    size_t used = 0;
    if (camera->name[0])
        used = vigil_append(out, VIGIL_CAMERA_LINE, used, "\"%s\" (", camera->name);
    used = vigil_append(out, VIGIL_CAMERA_LINE, used, "%.200s", camera->device);
    if (camera->bus[0])
        used = vigil_append(out, VIGIL_CAMERA_LINE, used, ", bus:%s", camera->bus);
    if (camera->serial[0])
        used =
            vigil_append(out, VIGIL_CAMERA_LINE, used, ", serial:%s", camera->serial);
    if (camera->name[0])
        vigil_append(out, VIGIL_CAMERA_LINE, used, ")");
    return out;
}

/* ---- Opening --------------------------------------------------------------------- */

static VigilCameraStatus fail_permission(const VigilCamera *camera,
                                         VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE];
    struct stat node;
    vigil_camera_label(camera, label);
    if (stat(camera->device, &node) == 0 && node.st_gid &&
        (node.st_mode & 060) == 060) {
        const struct group *group = getgrgid(node.st_gid);
        char number[32];
        snprintf(number, sizeof number, "%lu", (unsigned long)node.st_gid);
        const char *name = group ? group->gr_name : number;
        return vigil_camera_fail(
            error, VIGIL_CAMERA_NO_PERMISSION,
            "No permission to open the camera %s: join the group \"%.64s\" that may "
            "(sudo usermod -aG %.64s \"$USER\") and log in again.",
            label, name, name);
    }
    return vigil_camera_fail(
        error, VIGIL_CAMERA_NO_PERMISSION,
        "No permission to open the camera %s, and no group has it: give the node to "
        "the "
        "group \"video\" (sudo chgrp video %.200s; sudo chmod 660 %.200s) and be a "
        "member of that.",
        label, camera->device, camera->device);
}

static VigilCameraStatus fail_open(const VigilV4l2 *v4l2, const VigilCamera *camera,
                                   int problem, VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE];
    switch (problem) {
    case EACCES:
    case EPERM:
        return fail_permission(camera, error);
    case EBUSY:
        return vigil_camera_fail_busy(v4l2, camera, error);
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                                 "There is no camera at %s: %s; is it plugged in?",
                                 camera->device, strerror(problem));
    case ENOTTY:
    case EINVAL:
        return vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                                 "%s is not a camera: it does not answer as a video "
                                 "device; `vigil-cameras` lists those there are.",
                                 camera->device);
    default:
        return vigil_camera_fail(error, VIGIL_CAMERA_FAILED,
                                 "The camera %s cannot be opened: %s.",
                                 vigil_camera_label(camera, label), strerror(problem));
    }
}

int vigil_camera_open(const VigilV4l2 *v4l2, const VigilCamera *camera,
                      VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE];
    if (camera->problem) {
        fail_open(v4l2, camera, camera->problem, error);
        return -1;
    }
    if (!camera->buffer_type) {
        vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                          "%s is not a camera: it gives no video (it may be the "
                          "metadata, output or codec node of a device); "
                          "`vigil-cameras` lists those that do.",
                          vigil_camera_label(camera, label));
        return -1;
    }
    const int fd = v4l2->open(camera->device);
    if (fd < 0)
        fail_open(v4l2, camera, errno, error);
    return fd;
}
