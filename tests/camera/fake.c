/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 1000 };

static char root[64], dev[80], sys[80], proc[80];
static FakeDriver *plugged[FAKE_NODES];
static int open_count;

static void run(const char *format, const char *path)
{
    char command[1024];
    snprintf(command, sizeof command, format, path);
    if (system(command))
        abort();
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
        abort();
}

static void make_folders(void)
{
    if (root[0])
        return;
    snprintf(root, sizeof root, "/tmp/vigil-camera-XXXXXX");
    if (!mkdtemp(root))
        abort();
    snprintf(dev, sizeof dev, "%s/dev", root);
    snprintf(sys, sizeof sys, "%s/sys", root);
    snprintf(proc, sizeof proc, "%s/proc", root);
    run("mkdir %s/dev %1$s/sys %1$s/proc", root);
}

void fake_plug(int number, FakeDriver *driver, const char *serial)
{
    char folder[128], name[16];
    make_folders();
    snprintf(name, sizeof name, "video%d", number);
    snprintf(folder, sizeof folder, "%s/%s", sys, name);
    run("mkdir -p %s/device", folder);
    write_file(dev, name, "");
    write_file(folder, "name", driver->card);
    write_file(folder, "index", "0\n");
    if (serial) {
        char line[128];
        snprintf(line, sizeof line, "%s\n", serial);
        write_file(folder, "idVendor", "046d\n");
        write_file(folder, "serial", line);
    }
    plugged[number] = driver;
}

void fake_unplug(int number)
{
    char path[128];
    snprintf(path, sizeof path, "%s/video%d", sys, number);
    run("rm -r %s", path);
    snprintf(path, sizeof path, "%s/video%d", dev, number);
    unlink(path);
    plugged[number] = NULL;
}

void fake_clear(void)
{
    if (root[0])
        run("rm -r %s", root);
    root[0] = '\0';
    memset(plugged, 0, sizeof plugged);
}

int fake_open_count(void)
{
    return __atomic_load_n(&open_count, __ATOMIC_SEQ_CST);
}

void fake_process_file(const char *path, const char *text)
{
    char folder[200];
    snprintf(folder, sizeof folder, "%s/%.*s", proc, (int)strcspn(path, "/"), path);
    run("mkdir -p %s/fd", folder);
    write_file(proc, path, text);
}

void fake_process_link(const char *path, int number)
{
    char target[256], link[256];
    snprintf(target, sizeof target, "%s/video%d", dev, number);
    snprintf(link, sizeof link, "%s/%s", proc, path);
    if (symlink(target, link))
        abort();
}

/* ---- System calls ---------------------------------------------------------------- */

static int fail(int error)
{
    errno = error;
    return -1;
}

static int fake_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    int number;
    if (!slash || sscanf(slash, "/video%d", &number) != 1 || number < 0 ||
        number >= FAKE_NODES || !plugged[number])
        return fail(ENOENT);
    if (plugged[number]->open_error)
        return fail(plugged[number]->open_error);
    __atomic_add_fetch(&open_count, 1, __ATOMIC_SEQ_CST);
    return FIRST_DESCRIPTOR + number;
}

static int fake_close(int fd)
{
    if (fd < FIRST_DESCRIPTOR || fd >= FIRST_DESCRIPTOR + FAKE_NODES)
        abort();
    __atomic_sub_fetch(&open_count, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void fill(void *out, size_t size, const char *text)
{
    memcpy(out, text, strnlen(text, size)); /* without a NUL where it is long */
}

static int query_capability(const FakeDriver *driver, struct v4l2_capability *out)
{
    if (driver->ask_error)
        return fail(driver->ask_error);
    fill(out->card, sizeof out->card, driver->card);
    fill(out->driver, sizeof out->driver, driver->driver ? driver->driver : "fake");
    fill(out->bus_info, sizeof out->bus_info, driver->bus ? driver->bus : "");
    out->device_caps =
        driver->caps ? driver->caps : V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    out->capabilities = out->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int enum_format(const FakeDriver *driver, struct v4l2_fmtdesc *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < driver->n_modes; i++)
        if ((i == 0 || driver->mode[i].fourcc != driver->mode[i - 1].fourcc) &&
            n++ == out->index) {
            out->pixelformat = driver->mode[i].fourcc;
            return 0;
        }
    return fail(EINVAL);
}

static int enum_size(const FakeDriver *driver, struct v4l2_frmsizeenum *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < driver->n_modes; i++) {
        const FakeMode *mode = &driver->mode[i];
        if (mode->fourcc == out->pixel_format && mode->size.type && n++ == out->index) {
            const struct v4l2_frmsizeenum asked = *out;
            *out = mode->size;
            out->index = asked.index;
            out->pixel_format = asked.pixel_format;
            return 0;
        }
    }
    return fail(EINVAL);
}

static bool has_size(const FakeMode *mode, uint32_t width, uint32_t height)
{
    return mode->size.type != V4L2_FRMSIZE_TYPE_DISCRETE ||
           (mode->size.discrete.width == width && mode->size.discrete.height == height);
}

static int enum_interval(const FakeDriver *driver, struct v4l2_frmivalenum *out)
{
    for (size_t i = 0; i < driver->n_modes; i++) {
        const FakeMode *mode = &driver->mode[i];
        if (mode->fourcc != out->pixel_format || out->index >= 4 ||
            !mode->interval[out->index].type ||
            !has_size(mode, out->width, out->height))
            continue;
        out->type = mode->interval[out->index].type;
        out->stepwise = mode->interval[out->index].stepwise; /* the larger member */
        return 0;
    }
    return fail(EINVAL);
}

static const FakeControl *find_control(const FakeDriver *driver, uint32_t id)
{
    for (size_t i = 0; i < driver->n_controls; i++)
        if (driver->control[i].told.id == id)
            return &driver->control[i];
    return NULL;
}

static int query_control(const FakeDriver *driver, struct v4l2_query_ext_ctrl *out)
{
    const uint32_t after = out->id & ~V4L2_CTRL_FLAG_NEXT_CTRL;
    for (size_t i = 0; i < driver->n_controls; i++)
        if (driver->control[i].told.id > after) {
            *out = driver->control[i].told;
            return 0;
        }
    return fail(EINVAL);
}

static int query_menu(const FakeDriver *driver, struct v4l2_querymenu *out)
{
    const FakeControl *control = find_control(driver, out->id);
    if (!control || !control->items || out->index > control->told.maximum ||
        !control->items[out->index])
        return fail(EINVAL);
    fill(out->name, sizeof out->name, control->items[out->index]);
    return 0;
}

static int access_control(const FakeDriver *driver, struct v4l2_ext_controls *all,
                          bool set)
{
    FakeControl *control = (FakeControl *)find_control(driver, all->controls->id);
    if (!control)
        return fail(EINVAL);
    const bool large = control->told.type == V4L2_CTRL_TYPE_INTEGER64;
    if (set)
        control->value = large ? all->controls->value64 : all->controls->value;
    else if (large)
        all->controls->value64 = control->value;
    else
        all->controls->value = (int32_t)control->value;
    return 0;
}

static int answer(FakeDriver *driver, unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_QUERYCAP:
        return query_capability(driver, argument);
    case VIDIOC_ENUM_FMT:
        return enum_format(driver, argument);
    case VIDIOC_ENUM_FRAMESIZES:
        return enum_size(driver, argument);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enum_interval(driver, argument);
    case VIDIOC_G_FMT:
        ((struct v4l2_format *)argument)->fmt.pix = driver->set_to;
        return 0;
    case VIDIOC_G_PARM:
        ((struct v4l2_streamparm *)argument)->parm.capture.timeperframe =
            driver->interval;
        return 0;
    case VIDIOC_S_FMT:
    case VIDIOC_REQBUFS:
        return driver->busy ? fail(driver->busy) : 0;
    case VIDIOC_QUERY_EXT_CTRL:
        return query_control(driver, argument);
    case VIDIOC_QUERYMENU:
        return query_menu(driver, argument);
    case VIDIOC_G_EXT_CTRLS:
    case VIDIOC_S_EXT_CTRLS:
        return access_control(driver, argument, request == VIDIOC_S_EXT_CTRLS);
    default:
        return fail(ENOTTY);
    }
}

static int fake_ioctl(int fd, unsigned long request, void *argument)
{
    FakeDriver *driver = plugged[fd - FIRST_DESCRIPTOR];
    if (!driver)
        return fail(ENODEV);
    const int result = driver->odd ? driver->odd(request, argument) : FAKE_NOT_MINE;
    return result == FAKE_NOT_MINE ? answer(driver, request, argument) : result;
}

const VigilV4l2 *vigil_v4l2_system(void)
{
    static const VigilV4l2 fake = {
        .open = fake_open,
        .close = fake_close,
        .ioctl = fake_ioctl,
        .dev = dev,
        .sys = sys,
        .proc = proc,
    };
    make_folders();
    return &fake;
}
