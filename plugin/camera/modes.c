/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats, sizes and rates, as a driver enumerates them. */
#include "common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is read at most; drivers have told without end. */
enum { MAX_FORMATS = 128, MAX_SIZES = 256, MAX_RATES = 64, MAX_MODES = 8192 };

#define MAX_PIXELS 32768U /* a side, as v4l2src has it */

typedef struct Enumeration {
    const VigilV4l2 *v4l2;
    int fd;
    VigilCameraModes *modes;
    bool no_memory;
} Enumeration;

static bool is_full(Enumeration *e)
{
    e->modes->cut |= e->modes->n >= MAX_MODES;
    return e->no_memory || e->modes->n >= MAX_MODES;
}

static void add(Enumeration *e, const VigilCameraMode *mode)
{
    VigilCameraModes *modes = e->modes;
    if (is_full(e))
        return;
    VigilCameraMode *grown = vigil_grown(modes->mode, modes->n, sizeof *grown);
    e->no_memory = !grown;
    if (!grown)
        return;
    modes->mode = grown;
    modes->mode[modes->n++] = *mode;
}

/* ---- Rates ----------------------------------------------------------------------- */

static bool read_interval(const struct v4l2_frmivalenum *told, VigilCameraMode *mode)
{
    const struct v4l2_frmival_stepwise *range = &told->stepwise;
    switch (told->type) {
    case V4L2_FRMIVAL_TYPE_DISCRETE:
        mode->fastest =
            vigil_rate(told->discrete.denominator, told->discrete.numerator);
        mode->slowest = mode->fastest;
        mode->step = (VigilRate) { 0, 1 };
        break;
    case V4L2_FRMIVAL_TYPE_STEPWISE:
    case V4L2_FRMIVAL_TYPE_CONTINUOUS:
        mode->fastest = vigil_rate(range->min.denominator, range->min.numerator);
        mode->slowest = vigil_rate(range->max.denominator, range->max.numerator);
        mode->step = told->type == V4L2_FRMIVAL_TYPE_STEPWISE
                         ? vigil_rate(range->step.numerator, range->step.denominator)
                         : (VigilRate) { 0, 1 };
        break;
    default:
        return false;
    }
    return mode->slowest.num && mode->fastest.num &&
           (uint64_t)mode->slowest.num * mode->fastest.den <=
               (uint64_t)mode->fastest.num * mode->slowest.den;
}

/* A size without a rate that makes sense is a mode of a rate that is not told. */
static void read_rates(Enumeration *e, VigilCameraMode *mode)
{
    bool any = false;
    for (uint32_t i = 0; !is_full(e); i++) {
        struct v4l2_frmivalenum told = {
            .index = i,
            .pixel_format = mode->fourcc,
            .width = mode->width.max,
            .height = mode->height.max,
        };
        if (vigil_v4l2_call(e->v4l2, e->fd, VIDIOC_ENUM_FRAMEINTERVALS, &told) < 0)
            break;
        if (i == MAX_RATES) {
            e->modes->cut = true;
            break;
        }
        if (!read_interval(&told, mode))
            continue;
        any = true;
        add(e, mode);
        if (told.type != V4L2_FRMIVAL_TYPE_DISCRETE)
            break;
    }
    mode->slowest = mode->fastest = mode->step = (VigilRate) { 0, 1 };
    if (!any)
        add(e, mode);
}

/* ---- Sizes ----------------------------------------------------------------------- */

static bool read_side(VigilSide *side, uint32_t min, uint32_t max, uint32_t step)
{
    side->min = min ? min : 1;
    side->max = max > MAX_PIXELS ? MAX_PIXELS : max;
    side->step = step && step <= MAX_PIXELS ? step : 1;
    if (side->min > side->max)
        return false;
    side->max -= (side->max - side->min) % side->step;
    return true;
}

static bool read_size(const struct v4l2_frmsizeenum *told, VigilCameraMode *mode)
{
    const struct v4l2_frmsize_stepwise *range = &told->stepwise;
    switch (told->type) {
    case V4L2_FRMSIZE_TYPE_DISCRETE:
        if (told->discrete.width > MAX_PIXELS || told->discrete.height > MAX_PIXELS)
            return false;
        return read_side(&mode->width, told->discrete.width, told->discrete.width, 1) &&
               read_side(&mode->height, told->discrete.height, told->discrete.height,
                         1);
    case V4L2_FRMSIZE_TYPE_STEPWISE:
    case V4L2_FRMSIZE_TYPE_CONTINUOUS:
        return read_side(&mode->width, range->min_width, range->max_width,
                         range->step_width) &&
               read_side(&mode->height, range->min_height, range->max_height,
                         range->step_height);
    default:
        return false;
    }
}

/* Size of a format in either API; *fourcc is what the driver makes of it. */
static bool try_size(Enumeration *e, uint32_t type, uint32_t *fourcc, uint32_t *width,
                     uint32_t *height)
{
    struct v4l2_format format = { .type = type };
    const bool planes = type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    if (planes) {
        format.fmt.pix_mp.pixelformat = *fourcc;
        format.fmt.pix_mp.width = *width;
        format.fmt.pix_mp.height = *height;
    } else {
        format.fmt.pix.pixelformat = *fourcc;
        format.fmt.pix.width = *width;
        format.fmt.pix.height = *height;
    }
    if (vigil_v4l2_call(e->v4l2, e->fd, VIDIOC_TRY_FMT, &format) < 0)
        return false;
    *fourcc = planes ? format.fmt.pix_mp.pixelformat : format.fmt.pix.pixelformat;
    *width = planes ? format.fmt.pix_mp.width : format.fmt.pix.width;
    *height = planes ? format.fmt.pix_mp.height : format.fmt.pix.height;
    return true;
}

/* Drivers that do not enumerate sizes bring any asked for into their range. */
static void guess_sizes(Enumeration *e, uint32_t type, VigilCameraMode *mode)
{
    uint32_t fourcc[2] = { mode->fourcc, mode->fourcc };
    uint32_t width[2] = { 1, MAX_PIXELS }, height[2] = { 1, MAX_PIXELS };
    for (int i = 0; i < 2; i++)
        if (!try_size(e, type, &fourcc[i], &width[i], &height[i]) ||
            fourcc[i] != mode->fourcc || !width[i] || !height[i])
            return;
    if (read_side(&mode->width, width[0], width[1], 1) &&
        read_side(&mode->height, height[0], height[1], 1))
        read_rates(e, mode);
}

static void read_sizes(Enumeration *e, uint32_t type, uint32_t fourcc)
{
    VigilCameraMode mode = { .fourcc = fourcc };
    for (uint32_t i = 0; !is_full(e); i++) {
        struct v4l2_frmsizeenum told = { .index = i, .pixel_format = fourcc };
        if (vigil_v4l2_call(e->v4l2, e->fd, VIDIOC_ENUM_FRAMESIZES, &told) < 0) {
            if (i == 0)
                guess_sizes(e, type, &mode);
            return;
        }
        if (i == MAX_SIZES) {
            e->modes->cut = true;
            return;
        }
        if (read_size(&told, &mode))
            read_rates(e, &mode);
        if (told.type != V4L2_FRMSIZE_TYPE_DISCRETE)
            return;
    }
}

/* ---- Formats --------------------------------------------------------------------- */

static bool has_format(const VigilCameraModes *modes, uint32_t fourcc)
{
    for (size_t i = 0; i < modes->n; i++)
        if (modes->mode[i].fourcc == fourcc)
            return true;
    return false;
}

static void read_current(const VigilV4l2 *v4l2, int fd, uint32_t type,
                         VigilCameraModes *modes)
{
    struct v4l2_format format = { .type = type };
    struct v4l2_streamparm parm = { .type = type };
    const struct v4l2_fract *interval = &parm.parm.capture.timeperframe;
    const bool planes = type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    modes->rate = (VigilRate) { 0, 1 };
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_G_FMT, &format) == 0) {
        modes->fourcc =
            planes ? format.fmt.pix_mp.pixelformat : format.fmt.pix.pixelformat;
        modes->width = planes ? format.fmt.pix_mp.width : format.fmt.pix.width;
        modes->height = planes ? format.fmt.pix_mp.height : format.fmt.pix.height;
    }
    if (!modes->width || !modes->height || modes->width > MAX_PIXELS ||
        modes->height > MAX_PIXELS)
        modes->width = modes->height = 0;
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_G_PARM, &parm) == 0)
        modes->rate = vigil_rate(interval->denominator, interval->numerator);
}

VigilCameraStatus vigil_camera_modes(const VigilV4l2 *v4l2, int fd,
                                     const VigilCamera *camera, VigilCameraModes *modes,
                                     VigilCameraError *error)
{
    Enumeration e = { .v4l2 = v4l2, .fd = fd, .modes = modes };
    char label[VIGIL_CAMERA_LINE];
    *modes = (VigilCameraModes) { 0 };
    read_current(v4l2, fd, camera->buffer_type, modes);
    for (uint32_t i = 0; !is_full(&e); i++) {
        struct v4l2_fmtdesc told = { .index = i, .type = camera->buffer_type };
        if (vigil_v4l2_call(v4l2, fd, VIDIOC_ENUM_FMT, &told) < 0) {
            if (errno != ENODEV)
                break;
            vigil_camera_modes_clear(modes);
            return vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                                     "The camera %s was unplugged.",
                                     vigil_camera_label(camera, label));
        }
        if (i == MAX_FORMATS) {
            modes->cut = true;
            break;
        }
        if (!has_format(modes, told.pixelformat))
            read_sizes(&e, camera->buffer_type, told.pixelformat);
    }
    if (!e.no_memory)
        return VIGIL_CAMERA_OK;
    vigil_camera_modes_clear(modes);
    return vigil_camera_fail(error, VIGIL_CAMERA_FAILED,
                             "Out of memory for the modes of the camera %s.",
                             vigil_camera_label(camera, label));
}

void vigil_camera_modes_clear(VigilCameraModes *modes)
{
    free(modes->mode);
    *modes = (VigilCameraModes) { 0 };
}
