/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enumeration of modes, also by drivers that say odd things. */
#include "fake.h"
#include "tap.h"

#include <errno.h>
#include <string.h>

#define YUYV V4L2_PIX_FMT_YUYV
#define MJPG V4L2_PIX_FMT_MJPEG
#define STEPS(type_, a, b, c, d, e, f)                                                 \
    {                                                                                  \
        .type = type_, .stepwise = { { a, b }, { c, d }, { e, f } }                    \
    }

static VigilCameraModes modes;

/* Of the driver as a camera of its own; the modes stay until the next. */
static VigilCameraStatus enumerate(FakeDriver *driver)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCamera camera;
    VigilCameraError error = { .message = "" };
    vigil_camera_modes_clear(&modes);
    driver->card = "fake";
    fake_plug(0, driver, NULL);
    char device[256];
    snprintf(device, sizeof device, "%s/video0", v4l2->dev);
    vigil_camera_ask(v4l2, device, &camera);
    const int fd = vigil_camera_open(v4l2, &camera, &error);
    const VigilCameraStatus status =
        vigil_camera_modes(v4l2, fd, &camera, &modes, &error);
    v4l2->close(fd);
    fake_unplug(0);
    return status;
}

/* "fourcc WxH slowest..fastest" of each mode. */
static bool is(size_t i, uint32_t fourcc, uint32_t width, uint32_t height, uint32_t num,
               uint32_t den)
{
    const VigilCameraMode *mode = &modes.mode[i];
    return i < modes.n && mode->fourcc == fourcc && mode->width.max == width &&
           mode->height.max == height && mode->fastest.num == num &&
           mode->fastest.den == den;
}

static void test_plain(void)
{
    static const FakeMode table[] = {
        { YUYV, FAKE_SIZE(640, 480), { FAKE_RATE(30), FAKE_RATE(15) } },
        { YUYV, FAKE_SIZE(1920, 1080), { FAKE_RATE(5) } },
        { MJPG,
          FAKE_SIZE(1920, 1080),
          { { .type = V4L2_FRMIVAL_TYPE_DISCRETE,
              .discrete = { 333333, 10000000 } } } },
    };
    FakeDriver driver = {
        .mode = table,
        .n_modes = 3,
        .set_to = { .width = 640, .height = 480, .pixelformat = YUYV },
        .interval = { 1001, 30000 },
    };
    tap_ok(!enumerate(&driver) && modes.n == 4 && !modes.cut, "four modes, not %zu",
           modes.n);
    tap_ok(is(0, YUYV, 640, 480, 30, 1) && is(1, YUYV, 640, 480, 15, 1) &&
               is(2, YUYV, 1920, 1080, 5, 1) &&
               is(3, MJPG, 1920, 1080, 10000000, 333333),
           "in their order");
    tap_ok(modes.width == 640 && modes.height == 480 && modes.fourcc == YUYV &&
               modes.rate.num == 30000 && modes.rate.den == 1001,
           "and what it is set to");
}

static void test_ranges(void)
{
    static const FakeMode table[] = {
        { YUYV,
          { .type = V4L2_FRMSIZE_TYPE_STEPWISE,
            .stepwise = { 32, 1927, 16, 0, 99, 0 } },
          { STEPS(V4L2_FRMIVAL_TYPE_STEPWISE, 1, 60, 1, 5, 1, 60) } },
        { MJPG,
          { .type = V4L2_FRMSIZE_TYPE_CONTINUOUS,
            .stepwise = { 1, UINT32_MAX, 1, 1, 40000, 1 } },
          { STEPS(V4L2_FRMIVAL_TYPE_CONTINUOUS, 1, 50, 1, 2, 0, 0) } },
    };
    FakeDriver driver = { .mode = table, .n_modes = 2 };
    const VigilCameraMode *mode = NULL;
    tap_ok(!enumerate(&driver) && modes.n == 2, "two ranges, not %zu", modes.n);
    mode = modes.mode;
    tap_ok(mode[0].width.min == 32 && mode[0].width.max == 1920 &&
               mode[0].width.step == 16,
           "steps end where they can: %u", mode[0].width.max);
    tap_ok(mode[0].height.min == 1 && mode[0].height.step == 1,
           "a side and a step of zero are one");
    tap_ok(mode[0].slowest.num == 5 && mode[0].fastest.num == 60 &&
               mode[0].step.num == 1 && mode[0].step.den == 60,
           "intervals in steps");
    tap_ok(mode[1].width.max == 32768 && mode[1].height.max == 32768,
           "sides are bounded: %u", mode[1].width.max);
    tap_ok(mode[1].slowest.num == 2 && mode[1].fastest.num == 50 && !mode[1].step.num,
           "any interval of a range");
}

static void test_nonsense(void)
{
    static const FakeMode table[] = {
        { YUYV,
          FAKE_SIZE(640, 480),
          { { .type = V4L2_FRMIVAL_TYPE_DISCRETE, .discrete = { 0, 30 } },
            { .type = V4L2_FRMIVAL_TYPE_DISCRETE, .discrete = { 1, 0 } },
            { .type = 77 },
            FAKE_RATE(30) } },
        { YUYV, FAKE_SIZE(40000, 480), { FAKE_RATE(30) } },
        { YUYV, { .type = 77 }, { FAKE_RATE(30) } },
        /* Slow and fast the wrong way round: no rate is told. */
        { MJPG,
          FAKE_SIZE(320, 240),
          { STEPS(V4L2_FRMIVAL_TYPE_STEPWISE, 1, 5, 1, 30, 1, 60) } },
        { V4L2_PIX_FMT_GREY,
          { .type = V4L2_FRMSIZE_TYPE_STEPWISE,
            .stepwise = { 640, 320, 1, 480, 240, 1 } },
          { FAKE_RATE(30) } },
    };
    FakeDriver driver = { .mode = table, .n_modes = 5, .interval = { 0, 0 } };
    tap_ok(!enumerate(&driver) && modes.n == 2, "two modes make sense, not %zu",
           modes.n);
    tap_ok(is(0, YUYV, 640, 480, 30, 1), "of several intervals the one that can be");
    tap_ok(is(1, MJPG, 320, 240, 0, 1), "a size without one");
    tap_ok(modes.width == 0 && modes.rate.num == 0, "and nothing of what it is set to");
}

/* ---- Drivers that never end ------------------------------------------------------ */

static int endless(unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_ENUM_FMT:
        ((struct v4l2_fmtdesc *)argument)->pixelformat =
            YUYV + ((struct v4l2_fmtdesc *)argument)->index;
        return 0;
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *size = argument;
        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete.width = size->discrete.height = size->index + 1;
        return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *interval = argument;
        interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        interval->discrete = (struct v4l2_fract) { 1, interval->index + 1 };
        return 0;
    }
    default:
        return FAKE_NOT_MINE;
    }
}

static int same_again(unsigned long request, void *argument)
{
    if (request == VIDIOC_ENUM_FMT) {
        ((struct v4l2_fmtdesc *)argument)->pixelformat = YUYV;
        return 0;
    }
    return FAKE_NOT_MINE;
}

static int unplugged(unsigned long request, void *argument)
{
    if (request != VIDIOC_ENUM_FMT)
        return FAKE_NOT_MINE;
    errno = ENODEV;
    return -1;
}

/* Sizes by VIDIOC_TRY_FMT, interrupted each first time. */
static int old_driver(unsigned long request, void *argument)
{
    static int calls;
    if (request == VIDIOC_TRY_FMT) {
        struct v4l2_pix_format *pix = &((struct v4l2_format *)argument)->fmt.pix;
        pix->width = pix->width < 48 ? 48 : 704;
        pix->height = pix->height < 32 ? 32 : 576;
        return 0;
    }
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return FAKE_NOT_MINE;
}

static void test_odd_drivers(void)
{
    static const FakeMode table[] = {
        { YUYV, FAKE_SIZE(640, 480), { FAKE_RATE(30) } },
    };
    static const FakeMode old[] = { { YUYV, { .type = 0 }, { { .type = 0 } } } };
    FakeDriver driver = { .mode = table, .n_modes = 1, .odd = endless };
    tap_ok(!enumerate(&driver) && modes.cut && modes.n > 1000 && modes.n < 100000,
           "a driver without end is cut after %zu modes", modes.n);
    driver.odd = same_again;
    tap_ok(!enumerate(&driver) && modes.cut && modes.n == 1,
           "a format told again and again counts once: %zu", modes.n);
    driver.odd = unplugged;
    tap_ok(enumerate(&driver) == VIGIL_CAMERA_NOT_FOUND && modes.n == 0,
           "unplugged in between");
    driver = (FakeDriver) { .mode = old, .n_modes = 1, .odd = old_driver };
    tap_ok(!enumerate(&driver) && modes.n == 1 && modes.mode[0].width.min == 48 &&
               modes.mode[0].width.max == 704 && modes.mode[0].height.max == 576,
           "sizes that are not enumerated are tried");
    driver = (FakeDriver) { .n_modes = 0 };
    tap_ok(!enumerate(&driver) && modes.n == 0 && !modes.cut, "no format at all");
}

int main(void)
{
    test_plain();
    test_ranges();
    test_nonsense();
    test_odd_drivers();
    vigil_camera_modes_clear(&modes);
    tap_ok(fake_open_count() == 0, "no descriptor stays open");
    fake_clear();
    return tap_done();
}
