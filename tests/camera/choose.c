/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which mode is taken for a wish. */
#include "camera.h"
#include "tap.h"

#include <linux/videodev2.h>
#include <string.h>

#define ONE(n) { n, n, 1 }
#define MODE(fourcc, w, h, rate)                                                       \
    { fourcc, ONE(w), ONE(h), { rate, 1 }, { rate, 1 }, { 0, 1 } }
#define YUYV V4L2_PIX_FMT_YUYV
#define NV12 V4L2_PIX_FMT_NV12
#define MJPG V4L2_PIX_FMT_MJPEG
#define H264 V4L2_PIX_FMT_H264
#define GREY V4L2_PIX_FMT_GREY
#define P010 V4L2_PIX_FMT_P010
#define Y16 V4L2_PIX_FMT_Y16

/* As webcams are: raw at low rates where pictures are large. */
static VigilCameraMode webcam[] = {
    MODE(H264, 1920, 1080, 30), MODE(MJPG, 1920, 1080, 30),
    MODE(MJPG, 1280, 720, 30),  MODE(MJPG, 640, 480, 30),
    MODE(GREY, 640, 480, 30),   MODE(YUYV, 640, 480, 30),
    MODE(YUYV, 640, 480, 15),   MODE(YUYV, 1280, 720, 10),
    MODE(YUYV, 1920, 1080, 5),  MODE(V4L2_PIX_FMT_SBGGR8, 640, 480, 30),
};
static VigilCameraMode both[] = {
    MODE(YUYV, 640, 480, 30),
    MODE(NV12, 640, 480, 30),
    /* 30 to the clock of a USB camera, and of television. */
    { NV12, ONE(800), ONE(600), { 10000000, 333333 }, { 10000000, 333333 }, { 0, 1 } },
    { MJPG, ONE(800), ONE(600), { 30, 1 }, { 30, 1 }, { 0, 1 } },
    { NV12, ONE(720), ONE(480), { 30000, 1001 }, { 30000, 1001 }, { 0, 1 } },
};
static VigilCameraMode range[] = {
    { YUYV, { 32, 1920, 16 }, { 32, 1080, 8 }, { 5, 1 }, { 60, 1 }, { 1, 60 } },
};
static VigilCameraMode deep[] = {
    MODE(Y16, 640, 480, 30),
    MODE(GREY, 640, 480, 30),
    MODE(V4L2_PIX_FMT_RGB24, 640, 480, 30),
    MODE(P010, 640, 480, 30),
};
static VigilCameraMode any_rate[] = {
    { YUYV, ONE(640), ONE(480), { 1, 1 }, { 60, 1 }, { 0, 1 } },
};
static VigilCameraMode no_rate[] = {
    { YUYV, ONE(640), ONE(480), { 0, 1 }, { 0, 1 }, { 0, 1 } },
};

#define SET(table)                                                                     \
    { table, sizeof table / sizeof *table, false, YUYV, 640, 480, { 30, 1 } }
static const VigilCameraModes sets[] = { SET(webcam),   SET(both),    SET(range),
                                         SET(any_rate), SET(no_rate), SET(deep) };
enum { WEBCAM, BOTH, RANGE, ANY_RATE, NO_RATE, DEEP };

static const struct {
    int set;
    uint32_t width, height;
    VigilRate rate;
    bool exact;
    const char *choice;
} cases[] = {
    /* The wish is met: raw goes before JPEG, JPEG before H.264, grey last. */
    { WEBCAM, 0, 0, { 0, 1 }, true, "640x480 at 30 frames/s as YUYV" },
    { WEBCAM, 640, 480, { 30, 1 }, true, "640x480 at 30 frames/s as YUYV" },
    { WEBCAM, 640, 480, { 15, 1 }, true, "640x480 at 15 frames/s as YUYV" },
    { WEBCAM, 1280, 720, { 30, 1 }, true, "1280x720 at 30 frames/s as MJPG" },
    { WEBCAM, 1280, 720, { 10, 1 }, true, "1280x720 at 10 frames/s as YUYV" },
    { WEBCAM, 1920, 1080, { 30, 1 }, true, "1920x1080 at 30 frames/s as MJPG" },
    { WEBCAM, 1920, 1080, { 5, 1 }, true, "1920x1080 at 5 frames/s as YUYV" },
    /* What is not wished is as near as can be to what the camera is set to. */
    { WEBCAM, 1920, 1080, { 0, 1 }, true, "1920x1080 at 30 frames/s as MJPG" },
    { WEBCAM, 1280, 0, { 0, 1 }, true, "1280x720 at 30 frames/s as MJPG" },
    { WEBCAM, 0, 1080, { 0, 1 }, true, "1920x1080 at 30 frames/s as MJPG" },
    { WEBCAM, 0, 0, { 5, 1 }, true, "1920x1080 at 5 frames/s as YUYV" },
    { BOTH, 640, 480, { 30, 1 }, true, "640x480 at 30 frames/s as NV12" },
    { BOTH, 800, 600, { 30, 1 }, true, "800x600 at 10000000/333333 frames/s as NV12" },
    { BOTH, 720, 480, { 30, 1 }, true, "720x480 at 30000/1001 frames/s as NV12" },
    /* It is not: the nearest is told. */
    { WEBCAM, 1280, 720, { 25, 1 }, false, "1280x720 at 30 frames/s as MJPG" },
    { WEBCAM, 800, 600, { 30, 1 }, false, "640x480 at 30 frames/s as YUYV" },
    { WEBCAM, 4000, 3000, { 0, 1 }, false, "1920x1080 at 30 frames/s as MJPG" },
    { WEBCAM, 640, 480, { 60, 1 }, false, "640x480 at 30 frames/s as YUYV" },
    /* Ranges. */
    { RANGE, 0, 0, { 0, 1 }, true, "640x480 at 30 frames/s as YUYV" },
    { RANGE, 800, 608, { 20, 1 }, true, "800x608 at 20 frames/s as YUYV" },
    { RANGE, 1920, 1080, { 60, 1 }, true, "1920x1080 at 60 frames/s as YUYV" },
    { RANGE, 801, 608, { 20, 1 }, false, "800x608 at 20 frames/s as YUYV" },
    { RANGE, 640, 480, { 45, 1 }, false, "640x480 at 60 frames/s as YUYV" },
    { RANGE, 640, 480, { 1, 1 }, false, "640x480 at 5 frames/s as YUYV" },
    { RANGE, 5000, 10, { 12, 1 }, false, "1920x32 at 12 frames/s as YUYV" },
    { ANY_RATE, 640, 480, { 25, 2 }, true, "640x480 at 25/2 frames/s as YUYV" },
    { ANY_RATE, 640, 480, { 100, 1 }, false, "640x480 at 60 frames/s as YUYV" },
    { NO_RATE, 640, 480, { 25, 1 }, true, "640x480 at 25 frames/s as YUYV" },
    { NO_RATE, 640, 480, { 0, 1 }, true, "640x480 as YUYV" },
};

static void test_table(void)
{
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const VigilCameraWish wish = { cases[i].width, cases[i].height, cases[i].rate,
                                       UINT64_MAX };
        VigilCameraChoice choice;
        const bool exact = vigil_camera_choose(&sets[cases[i].set], &wish, &choice);
        tap_ok(exact == cases[i].exact &&
                   !strcmp(vigil_choice_text(&choice, text), cases[i].choice),
               "set %d, %ux%u at %u/%u: %s (%d), expected %s", cases[i].set, wish.width,
               wish.height, wish.rate.num, wish.rate.den, text, exact, cases[i].choice);
    }
}

static uint64_t only(uint32_t fourcc)
{
    return UINT64_C(1) << vigil_camera_format_index(fourcc);
}

static void test_formats(void)
{
    VigilCameraWish wish = { 640, 480, { 30, 1 }, UINT64_MAX & ~only(YUYV) };
    VigilCameraChoice choice;
    char text[64];
    tap_ok(
        vigil_camera_choose(&sets[WEBCAM], &wish, &choice) &&
            !strcmp(vigil_choice_text(&choice, text), "640x480 at 30 frames/s as MJPG"),
        "without YUYV: %s", text);
    wish.formats = only(GREY);
    tap_ok(
        vigil_camera_choose(&sets[WEBCAM], &wish, &choice) &&
            !strcmp(vigil_choice_text(&choice, text), "640x480 at 30 frames/s as GREY"),
        "grey alone: %s", text);
    wish.formats = UINT64_MAX;
    tap_ok(
        vigil_camera_choose(&sets[DEEP], &wish, &choice) &&
            !strcmp(vigil_choice_text(&choice, text), "640x480 at 30 frames/s as P010"),
        "10 bits before RGB: %s", text);
    wish.formats = only(Y16);
    tap_ok(
        vigil_camera_choose(&sets[DEEP], &wish, &choice) &&
            !strcmp(vigil_choice_text(&choice, text), "640x480 at 30 frames/s as Y16"),
        "grey of 16 bits alone: %s", text);
    wish.formats = only(NV12);
    tap_ok(!vigil_camera_choose(&sets[WEBCAM], &wish, &choice) && choice.format == -1,
           "none of the formats");
    tap_ok(vigil_camera_n_formats <= 64, "%zu formats fit a wish",
           vigil_camera_n_formats);
}

/* A camera that does not say what it is set to: as most are. */
static void test_unset(void)
{
    VigilCameraModes modes = sets[RANGE];
    const VigilCameraWish wish = { 0, 0, { 0, 1 }, UINT64_MAX };
    VigilCameraChoice choice;
    char text[64];
    modes.width = modes.height = 0;
    modes.rate = (VigilRate) { 0, 1 };
    tap_ok(
        vigil_camera_choose(&modes, &wish, &choice) &&
            !strcmp(vigil_choice_text(&choice, text), "640x480 at 30 frames/s as YUYV"),
        "%s", text);
}

static void test_message(void)
{
    const VigilCamera camera = { .name = "fake", .device = "/dev/video0" };
    VigilCameraWish wish = { 1280, 720, { 25, 1 }, UINT64_MAX };
    VigilCameraChoice choice;
    VigilCameraError error;
    vigil_camera_choose(&sets[WEBCAM], &wish, &choice);
    tap_ok(vigil_camera_fail_mode(&camera, &sets[WEBCAM], &wish, &choice, &error) ==
                   VIGIL_CAMERA_NO_MODE &&
               strstr(error.message, "no 1280x720 at 25 frames/s; the nearest is "
                                     "1280x720 at 30 frames/s as MJPG"),
           "%s", error.message);
    wish.formats = 0;
    vigil_camera_choose(&sets[WEBCAM], &wish, &choice);
    vigil_camera_fail_mode(&camera, &sets[WEBCAM], &wish, &choice, &error);
    tap_ok(strstr(error.message, "H264, MJPG, GREY, YUYV, BA81"), "%s", error.message);
}

int main(void)
{
    test_table();
    test_formats();
    test_unset();
    test_message();
    return tap_done();
}
