/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cameras there are, which one is meant, and which one comes back. */
#include "fake.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FakeDriver webcam = { .card = "HD Webcam", .bus = "usb-1" };
static FakeDriver twin = { .card = "HD Webcam", .bus = "usb-2" };
static FakeDriver infrared = { .card = "HD Webcam IR", .bus = "usb-3" };
static FakeDriver metadata = {
    .card = "HD Webcam",
    .bus = "usb-1",
    .caps = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING,
};
static FakeDriver codec = {
    .card = "codec",
    .caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING,
};

/* ---- Parsing --------------------------------------------------------------------- */

static const struct {
    const char *text;
    VigilSelectorKind kind;
    const char *rest; /* of a device: its last part */
} texts[] = {
    { NULL, VIGIL_SELECT_FIRST, "" },
    { "  ", VIGIL_SELECT_FIRST, "" },
    { "0", VIGIL_SELECT_DEVICE, "/video0" },
    { "0012", VIGIL_SELECT_DEVICE, "/video12" },
    { "/dev/v4l/by-id/x", VIGIL_SELECT_DEVICE, "/dev/v4l/by-id/x" },
    { "name:7", VIGIL_SELECT_NAME, "7" },
    { "7x", VIGIL_SELECT_NAME, "7x" },
    { "HD Webcam", VIGIL_SELECT_NAME, "HD Webcam" },
    { "serial:A:B", VIGIL_SELECT_SERIAL, "A:B" },
    { "bus:usb-0000:00:14.0-2", VIGIL_SELECT_BUS, "usb-0000:00:14.0-2" },
};

static void test_parse(void)
{
    static const char *const bad[] = { "name:", "serial:", "bus:", "99999" };
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilSelector selector;
    VigilCameraError error;
    char long_text[600];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const VigilCameraStatus status =
            vigil_selector_parse(v4l2, texts[i].text, &selector, &error);
        const size_t length = strlen(selector.text), want = strlen(texts[i].rest);
        tap_ok(!status && selector.kind == texts[i].kind && length >= want &&
                   !strcmp(selector.text + length - want, texts[i].rest),
               "'%s' is kind %d, '%s'", texts[i].text ? texts[i].text : "(none)",
               selector.kind, selector.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        tap_ok(vigil_selector_parse(v4l2, bad[i], &selector, &error) ==
                       VIGIL_CAMERA_SETTINGS &&
                   strstr(error.message, bad[i]),
               "'%s' is refused: %s", bad[i], error.message);
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    tap_ok(vigil_selector_parse(v4l2, long_text, &selector, &error) ==
                   VIGIL_CAMERA_SETTINGS &&
               strstr(error.message, "599") && strstr(error.message, "511"),
           "a long text is refused: %s", error.message);
}

/* ---- Listing and finding --------------------------------------------------------- */

static VigilCameraStatus find(const char *text, VigilCamera *camera,
                              VigilCameraError *error)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilSelector selector;
    const VigilCameraStatus status = vigil_selector_parse(v4l2, text, &selector, error);
    return status ? status : vigil_camera_find(v4l2, &selector, camera, error);
}

static void is_found(const char *text, int number)
{
    VigilCamera camera = { .number = -1 };
    VigilCameraError error = { .message = "" };
    const VigilCameraStatus status = find(text, &camera, &error);
    tap_ok(!status && camera.number == number, "'%s' is /dev/video%d, not %d: %s",
           text ? text : "", number, camera.number, error.message);
}

static void is_refused(const char *text, VigilCameraStatus wanted, const char *word)
{
    VigilCamera camera;
    VigilCameraError error = { .message = "" };
    const VigilCameraStatus status = find(text, &camera, &error);
    tap_ok(status == wanted && strstr(error.message, word), "'%s' is refused (%d): %s",
           text ? text : "", status, error.message);
}

static void test_list(void)
{
    static VigilCameraList list;
    vigil_camera_list(vigil_v4l2_system(), &list);
    tap_ok(list.n == 3, "of five nodes three are cameras, not %zu", list.n);
    tap_ok(list.camera[0].number == 1 && list.camera[1].number == 3 &&
               list.camera[2].number == 5,
           "in the order of their numbers");
    tap_ok(!strcmp(list.camera[0].serial, "S1") && !list.camera[1].serial[0],
           "the serial is that of the USB device: '%s'", list.camera[0].serial);
    tap_ok(fake_open_count() == 0, "no descriptor stays open");
}

static void test_find(void)
{
    is_found(NULL, 1);
    is_found("3", 3);
    is_found("serial:S1", 1);
    is_found("bus:usb-2", 3);
    is_found("name:webcam ir", 5);
    is_found("cam IR", 5);
    /* Equal goes before contained; two are equal. */
    is_refused("hd webcam", VIGIL_CAMERA_SETTINGS, "2 cameras have the name");
    is_refused("webcam", VIGIL_CAMERA_SETTINGS, "3 cameras have the name");
    is_refused("name:scanner", VIGIL_CAMERA_NOT_FOUND, "there are: \"HD Webcam\"");
    is_refused("serial:S", VIGIL_CAMERA_NOT_FOUND, "serial:S1");
    is_refused("bus:usb-", VIGIL_CAMERA_NOT_FOUND, "bus:usb-3");
    is_refused("7", VIGIL_CAMERA_NOT_FOUND, "There are: ");
    is_refused("2", VIGIL_CAMERA_NOT_FOUND, "gives no video");
    is_refused("4", VIGIL_CAMERA_NOT_FOUND, "gives no video");
    is_refused("/nowhere/camera", VIGIL_CAMERA_NOT_FOUND,
               "no camera at /nowhere/camera");
}

/* It is found by its name in sysfs; who opens it is told why that cannot be. */
static void test_no_permission(void)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCamera camera;
    VigilCameraError error;
    infrared.open_error = EACCES;
    tap_ok(!find("webcam ir", &camera, &error) && camera.problem == EACCES,
           "a camera that may not be opened is found");
    tap_ok(vigil_camera_open(v4l2, &camera, &error) < 0 &&
               error.status == VIGIL_CAMERA_NO_PERMISSION &&
               strstr(error.message, "HD Webcam IR"),
           "and refused when opened: %s", error.message);
    webcam.open_error = EACCES;
    is_found(NULL, 3); /* the first of those that can be opened */
    twin.open_error = infrared.open_error;
    is_found(NULL, 1);
    webcam.open_error = twin.open_error = 0;
    infrared.open_error = 0;
}

/* Texts of a driver without an end, with control characters, not in UTF-8. */
static void test_odd_texts(void)
{
    static FakeDriver odd = {
        .card = " 0123456789012345678901234567890123456789",
        .driver = "\x1b[31m\xff",
        .bus = "a\nb",
    };
    VigilCamera camera;
    VigilCameraError error;
    fake_plug(6, &odd, NULL);
    find("6", &camera, &error);
    tap_ok(!strcmp(camera.name, "0123456789012345678901234567890"),
           "a name without an end is cut: '%s'", camera.name);
    tap_ok(!strcmp(camera.driver, "?[31m?") && !strcmp(camera.bus, "a?b"),
           "what cannot be printed is replaced: '%s', '%s'", camera.driver, camera.bus);
    fake_unplug(6);
}

/* ---- Again ----------------------------------------------------------------------- */

/* Loses `lost` of the node, plugs `driver` in at 7 and looks for it. */
static void comes_back(const char *text, int node, FakeDriver *driver,
                       const char *serial, bool expected, const char *why)
{
    static VigilCameraList others;
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilSelector selector;
    VigilCamera lost, camera = { .number = -1 };
    VigilCameraError error;
    FakeDriver *before = node == 1 ? &webcam : &twin;
    vigil_selector_parse(v4l2, text, &selector, &error);
    if (vigil_camera_find(v4l2, &selector, &lost, &error) || lost.number != node) {
        tap_ok(false, "%s: %s", why, error.message);
        return;
    }
    fake_unplug(node);
    vigil_camera_list(v4l2, &others);
    const bool early =
        vigil_camera_find_again(v4l2, &selector, &lost, &others, &camera);
    fake_plug(7, driver, serial);
    const bool found =
        vigil_camera_find_again(v4l2, &selector, &lost, &others, &camera);
    tap_ok(!early && found == expected && (!found || camera.number == 7),
           "%s: early %d, found %d as %d", why, early, found, camera.number);
    fake_unplug(7);
    fake_plug(node, before, node == 1 ? "S1" : NULL);
}

static void test_again(void)
{
    static FakeDriver moved = { .card = "HD Webcam", .bus = "usb-9" };
    static FakeDriver other = { .card = "Scanner", .bus = "usb-1" };
    comes_back("1", 1, &webcam, "S1", true, "the same under another number");
    comes_back("1", 1, &moved, "S1", true, "in another place, by its serial");
    comes_back("1", 1, &moved, "S2", false, "another serial is another camera");
    comes_back("1", 1, &webcam, "S2", false, "so it is in the same place");
    comes_back("3", 3, &moved, NULL, true, "without serial, by its name, when new");
    comes_back("3", 3, &other, NULL, false, "another name is another camera");
    comes_back("bus:usb-1", 1, &other, NULL, true, "a bus takes what is plugged in");
    comes_back("bus:usb-1", 1, &moved, "S1", false, "and only there");
    comes_back("serial:S1", 1, &moved, "S1", true, "a serial is a serial");
}

/* ---- Holders --------------------------------------------------------------------- */

static void test_holders(void)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCamera camera;
    VigilCameraError error;
    char text[256];
    find("1", &camera, &error);
    tap_ok(vigil_camera_fail_busy(v4l2, &camera, &error) == VIGIL_CAMERA_BUSY &&
               strstr(error.message, "a program of another user"),
           "unknown: %s", error.message);
    fake_process_file("12/comm", "cheese\n");
    fake_process_link("12/fd/3", 1);
    fake_process_link("12/fd/4", 1);
    fake_process_file("13/comm", "other\n");
    fake_process_link("13/fd/3", 3);
    fake_process_file("self/comm", "x\n");
    tap_ok(vigil_camera_holders(v4l2, camera.device, text, sizeof text) == 1 &&
               !strcmp(text, "\"cheese\" (process 12)"),
           "once each: %s", text);
    vigil_camera_fail_busy(v4l2, &camera, &error);
    tap_ok(strstr(error.message, "is in use by \"cheese\" (process 12)"), "%s",
           error.message);
    tap_ok(vigil_camera_holders(v4l2, camera.device, text, 10) == 1 &&
               strlen(text) == 9,
           "a short buffer is kept: %s", text);
}

int main(void)
{
    test_parse();
    is_refused(NULL, VIGIL_CAMERA_NOT_FOUND, "no /dev/video* gives video");
    fake_plug(5, &infrared, NULL);
    fake_plug(1, &webcam, "S1");
    fake_plug(2, &metadata, "S1");
    fake_plug(3, &twin, NULL);
    fake_plug(4, &codec, NULL);
    test_list();
    test_find();
    test_no_permission();
    test_odd_texts();
    test_again();
    test_holders();
    tap_ok(fake_open_count() == 0, "no descriptor stays open");
    fake_clear();
    return tap_done();
}
