/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which mode is taken. */
#include "common.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATE_TOLERANCE 0.01 /* 30000/1001 is as good as 30 */
#define MAX_STEPS 1e6

/* Where a camera does not say what it is set to. */
enum { USUAL_WIDTH = 640, USUAL_HEIGHT = 480, USUAL_RATE = 30 };

/* What is looked for; parts that were not wished only draw near. */
typedef struct Target {
    double width, height, rate;
} Target;

/* Smaller is better, the first entries first. */
typedef struct Cost {
    int missed, size, rate, format;
} Cost;

static double per_second(VigilRate rate)
{
    return rate.num ? (double)rate.num / rate.den : 0;
}

/* ---- What is looked for ---------------------------------------------------------- */

static Target target_of(const VigilCameraModes *modes, const VigilCameraWish *wish)
{
    const bool told = modes->width && modes->height;
    Target target = {
        .width = told ? modes->width : USUAL_WIDTH,
        .height = told ? modes->height : USUAL_HEIGHT,
        .rate = wish->rate.num ? per_second(wish->rate) : per_second(modes->rate),
    };
    const double aspect = target.width / target.height;
    if (wish->width)
        target.width = wish->width;
    if (wish->height)
        target.height = wish->height;
    /* One side alone: the other in the shape that the camera has now. */
    if (wish->width && !wish->height)
        target.height = wish->width / aspect;
    if (wish->height && !wish->width)
        target.width = wish->height * aspect;
    if (target.rate <= 0)
        target.rate = USUAL_RATE;
    return target;
}

/* ---- The nearest of a mode ------------------------------------------------------- */

static uint32_t nearest_side(const VigilSide *side, double wanted)
{
    if (wanted <= side->min)
        return side->min;
    if (wanted >= side->max)
        return side->max;
    const uint32_t steps = (uint32_t)lround((wanted - side->min) / side->step);
    const uint32_t result = side->min + steps * side->step;
    return result > side->max ? side->max : result;
}

/* Of a range in steps: the shortest interval and a whole number of steps.  0/1 where
 * that is no fraction of 32 bits. */
static VigilRate stepped(const VigilCameraMode *mode, double wanted)
{
    const uint64_t num = mode->fastest.den, den = mode->fastest.num; /* seconds */
    const double steps = round((1 / wanted - (double)num / den) /
                               ((double)mode->step.num / mode->step.den));
    uint64_t more, first, sum;
    if (!(steps >= 0 && steps <= MAX_STEPS))
        return (VigilRate) { 0, 1 };
    if (__builtin_mul_overflow((uint64_t)steps * mode->step.num, den, &more) ||
        __builtin_mul_overflow(num, (uint64_t)mode->step.den, &first) ||
        __builtin_add_overflow(first, more, &sum))
        return (VigilRate) { 0, 1 };
    return vigil_rate(den * mode->step.den, sum);
}

static VigilRate nearest_rate(const VigilCameraMode *mode, VigilRate wish,
                              double wanted)
{
    if (!mode->fastest.num)
        return wish; /* the driver does not tell: v4l2src shall try */
    if (wanted >= per_second(mode->fastest))
        return mode->fastest;
    if (wanted <= per_second(mode->slowest))
        return mode->slowest;
    if (mode->step.num) {
        const VigilRate rate = stepped(mode, wanted);
        return rate.num ? rate : mode->fastest;
    }
    return wish.num ? wish : vigil_rate((uint64_t)lround(wanted * 1000), 1000);
}

/* ---- Comparing ------------------------------------------------------------------- */

/* How far one is from the other, in hundredths; small differences are none. */
static int distance(double is, double wanted)
{
    return is > 0 && wanted > 0 ? (int)(fabs(log(is / wanted)) * 100) : 0;
}

static Cost cost_of(const VigilCameraChoice *choice, const VigilCameraWish *wish,
                    const Target *target)
{
    const double rate = per_second(choice->rate);
    return (Cost) {
        .missed = (wish->width && choice->width != wish->width) ||
                  (wish->height && choice->height != wish->height) ||
                  (wish->rate.num && rate > 0 &&
                   fabs(rate - target->rate) > RATE_TOLERANCE * target->rate),
        .size = distance(choice->width, target->width) +
                distance(choice->height, target->height),
        .rate = distance(rate, target->rate),
        .format = choice->format,
    };
}

static bool is_better(const Cost *a, const Cost *b)
{
    if (a->missed != b->missed)
        return a->missed < b->missed;
    if (a->size != b->size)
        return a->size < b->size;
    if (a->rate != b->rate)
        return a->rate < b->rate;
    return a->format < b->format;
}

bool vigil_camera_choose(const VigilCameraModes *modes, const VigilCameraWish *wish,
                         VigilCameraChoice *choice)
{
    const Target target = target_of(modes, wish);
    Cost best = { 0 };
    *choice = (VigilCameraChoice) { .format = -1 };
    for (size_t i = 0; i < modes->n; i++) {
        const VigilCameraMode *mode = &modes->mode[i];
        const int format = vigil_camera_format_index(mode->fourcc);
        if (format < 0 || !(wish->formats >> format & 1))
            continue;
        const VigilCameraChoice near = {
            .format = format,
            .width = nearest_side(&mode->width, target.width),
            .height = nearest_side(&mode->height, target.height),
            .rate = nearest_rate(mode, wish->rate, target.rate),
        };
        const Cost cost = cost_of(&near, wish, &target);
        if (choice->format < 0 || is_better(&cost, &best)) {
            *choice = near;
            best = cost;
        }
    }
    return choice->format >= 0 && !best.missed;
}

/* ---- Texts ----------------------------------------------------------------------- */

static size_t append_rate(char *out, size_t size, size_t used, VigilRate rate)
{
    if (rate.den == 1)
        return vigil_append(out, size, used, " at %u frames/s", rate.num);
    return vigil_append(out, size, used, " at %u/%u frames/s", rate.num, rate.den);
}

const char *vigil_choice_text(const VigilCameraChoice *choice, char *out)
{
    char fourcc[5];
    size_t used = vigil_append(out, 64, 0, "%ux%u", choice->width, choice->height);
    if (choice->rate.num)
        used = append_rate(out, 64, used, choice->rate);
    vigil_append(
        out, 64, used, " as %s",
        vigil_fourcc_text(vigil_camera_formats[choice->format].fourcc, fourcc));
    return out;
}

static void wish_text(const VigilCameraWish *wish, char *out, size_t size)
{
    size_t used = 0;
    if (wish->width && wish->height)
        used = vigil_append(out, size, 0, "%ux%u", wish->width, wish->height);
    else if (wish->width)
        used = vigil_append(out, size, 0, "width of %u", wish->width);
    else if (wish->height)
        used = vigil_append(out, size, 0, "height of %u", wish->height);
    else
        used = vigil_append(out, size, 0, "mode");
    if (wish->rate.num)
        append_rate(out, size, used, wish->rate);
}

static void formats_text(const VigilCameraModes *modes, char *out, size_t size)
{
    size_t used = vigil_append(out, size, 0, "%s", modes->n ? "" : "none");
    char fourcc[5];
    for (size_t i = 0; i < modes->n; i++)
        if (i == 0 || modes->mode[i].fourcc != modes->mode[i - 1].fourcc)
            used = vigil_append(out, size, used, "%s%s", i ? ", " : "",
                                vigil_fourcc_text(modes->mode[i].fourcc, fourcc));
}

VigilCameraStatus vigil_camera_fail_mode(const VigilCamera *camera,
                                         const VigilCameraModes *modes,
                                         const VigilCameraWish *wish,
                                         const VigilCameraChoice *nearest,
                                         VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE], wanted[96], text[256];
    vigil_camera_label(camera, label);
    if (nearest->format < 0) {
        formats_text(modes, text, sizeof text);
        return vigil_camera_fail(
            error, VIGIL_CAMERA_NO_MODE,
            "The camera %s has no format that can be taken here; it "
            "has: %s.",
            label, text);
    }
    wish_text(wish, wanted, sizeof wanted);
    return vigil_camera_fail(error, VIGIL_CAMERA_NO_MODE,
                             "The camera %s has no %s; the nearest is %s, and "
                             "`vigil-cameras` lists all.",
                             label, wanted, vigil_choice_text(nearest, text));
}

/* ---- Trying ---------------------------------------------------------------------- */

static VigilCameraStatus fail_try(const VigilV4l2 *v4l2, const VigilCamera *camera,
                                  const VigilCameraChoice *choice,
                                  VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE], text[64];
    const int problem = errno;
    if (problem == EBUSY)
        return vigil_camera_fail_busy(v4l2, camera, error);
    return vigil_camera_fail(
        error, problem == ENODEV ? VIGIL_CAMERA_NOT_FOUND : VIGIL_CAMERA_FAILED,
        "The camera %s cannot be set to %s: %s.", vigil_camera_label(camera, label),
        vigil_choice_text(choice, text), strerror(problem));
}

VigilCameraStatus vigil_camera_try(const VigilV4l2 *v4l2, int fd,
                                   const VigilCamera *camera,
                                   const VigilCameraChoice *choice,
                                   VigilCameraError *error)
{
    struct v4l2_format format = { .type = camera->buffer_type };
    struct v4l2_requestbuffers buffers = {
        .count = 1,
        .type = camera->buffer_type,
        .memory = V4L2_MEMORY_MMAP,
    };
    if (camera->buffer_type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
        format.fmt.pix_mp.pixelformat = vigil_camera_formats[choice->format].fourcc;
        format.fmt.pix_mp.width = choice->width;
        format.fmt.pix_mp.height = choice->height;
    } else {
        format.fmt.pix.pixelformat = vigil_camera_formats[choice->format].fourcc;
        format.fmt.pix.width = choice->width;
        format.fmt.pix.height = choice->height;
    }
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_S_FMT, &format) < 0)
        return fail_try(v4l2, camera, choice, error);
    /* Without memory to map, v4l2src reads; only who streams holds the memory. */
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_REQBUFS, &buffers) < 0)
        return errno == EBUSY || errno == ENODEV ? fail_try(v4l2, camera, choice, error)
                                                 : VIGIL_CAMERA_OK;
    buffers.count = 0;
    vigil_v4l2_call(v4l2, fd, VIDIOC_REQBUFS, &buffers);
    return VIGIL_CAMERA_OK;
}
