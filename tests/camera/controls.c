/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls: parsing, enumeration, setting. */
#include "fake.h"
#include "tap.h"

#include <errno.h>
#include <string.h>

static const char *const exposure[] = { "Auto Mode", NULL, "Manual Mode" };

static FakeControl table[] = {
    { { .id = 0x00980001,
        .type = V4L2_CTRL_TYPE_CTRL_CLASS,
        .name = "User Controls" } },
    { { .id = 0x00980900,
        .type = V4L2_CTRL_TYPE_INTEGER,
        .name = "Brightness",
        .minimum = -64,
        .maximum = 64,
        .step = 1,
        .default_value = 7 },
      .value = 3 },
    { { .id = 0x00980910,
        .type = V4L2_CTRL_TYPE_INTEGER,
        .name = "Gain, Main",
        .minimum = 10,
        .maximum = 100,
        .step = 5 } },
    { { .id = 0x00980911,
        .type = V4L2_CTRL_TYPE_INTEGER,
        .flags = V4L2_CTRL_FLAG_READ_ONLY,
        .name = "Temperature",
        .maximum = 9 } },
    { { .id = 0x00980912,
        .type = V4L2_CTRL_TYPE_INTEGER,
        .flags = V4L2_CTRL_FLAG_DISABLED,
        .name = "Gone" } },
    { { .id = 0x00980913, .type = V4L2_CTRL_TYPE_BUTTON, .name = "Reset" } },
    { { .id = 0x009a0901,
        .type = V4L2_CTRL_TYPE_MENU,
        .name = "Auto Exposure",
        .maximum = 2,
        .step = 1 },
      .items = exposure },
    { { .id = 0x009a0902,
        .type = V4L2_CTRL_TYPE_INTEGER64,
        .name = "Exposure Time",
        .minimum = INT64_MIN,
        .maximum = INT64_MAX,
        .step = 1 } },
    { { .id = 0x009a0903,
        .type = V4L2_CTRL_TYPE_BITMASK,
        .name = "Mask",
        .maximum = (int64_t)0xffffffff80000005 } },
};
#define N_CONTROLS (sizeof table / sizeof *table)

static FakeDriver driver = { .card = "fake",
                             .control = table,
                             .n_controls = N_CONTROLS };
static VigilCamera camera;
static int fd;

/* ---- Parsing --------------------------------------------------------------------- */

static void test_parse(void)
{
    static const char *const bad[] = { "gain", "=1",       "gain=",         ",",
                                       "a=1,", "a=1,,b=2", "Gain=1,gain=2", "a=1 , b" };
    VigilControlSettings settings;
    VigilCameraError error;
    char many[1024] = "";
    tap_ok(!vigil_control_settings_parse(NULL, &settings, &error) && !settings.n &&
               !vigil_control_settings_parse("  ", &settings, &error) && !settings.n,
           "nothing");
    tap_ok(vigil_control_settings_parse("white balance, auto=1", &settings, &error) ==
               VIGIL_CAMERA_SETTINGS,
           "a comma ends a setting: %s", error.message);
    tap_ok(!vigil_control_settings_parse(" Auto Exposure = Manual Mode ,gain=-4",
                                         &settings, &error) &&
               settings.n == 2 && !strcmp(settings.setting[0].name, "auto_exposure") &&
               !strcmp(settings.setting[0].value, "Manual Mode") &&
               !strcmp(settings.setting[1].value, "-4"),
           "names are made alike, values kept: '%s' '%s'", settings.setting[0].name,
           settings.setting[0].value);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        tap_ok(vigil_control_settings_parse(bad[i], &settings, &error) ==
                   VIGIL_CAMERA_SETTINGS,
               "'%s' is refused: %s", bad[i], error.message);
    for (int i = 0; i < 65; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%sc%d=1",
                 i ? "," : "", i);
    tap_ok(vigil_control_settings_parse(many, &settings, &error) ==
                   VIGIL_CAMERA_SETTINGS &&
               strstr(error.message, "64"),
           "65 are refused: %s", error.message);
}

/* ---- Enumeration ----------------------------------------------------------------- */

static const VigilCameraControl *find(const VigilCameraControls *controls,
                                      const char *name)
{
    for (size_t i = 0; i < controls->n; i++)
        if (!strcmp(controls->control[i].name, name))
            return &controls->control[i];
    return NULL;
}

static void test_enumerate(void)
{
    VigilCameraControls controls;
    VigilCameraError error;
    const VigilCameraStatus status =
        vigil_camera_controls(vigil_v4l2_system(), fd, &controls, &error);
    tap_ok(!status && controls.n == 7, "classes and what is disabled are left out: %zu",
           controls.n);
    const VigilCameraControl *brightness = find(&controls, "brightness");
    tap_ok(brightness && brightness->known && brightness->value == 3 &&
               brightness->preset == 7 && brightness->min == -64,
           "a number with its value");
    const VigilCameraControl *menu = find(&controls, "auto_exposure");
    tap_ok(menu && menu->n_items == 2 && menu->item[1].value == 2 &&
               !strcmp(menu->item[1].name, "Manual Mode"),
           "a menu with a gap");
    tap_ok(find(&controls, "gain_main") != NULL, "a name with a comma");
    const VigilCameraControl *mask = find(&controls, "mask");
    tap_ok(mask && mask->max == 0x80000005, "a mask is not negative");
    vigil_camera_controls_clear(&controls);
}

/* Goes back to the first control for ever; tells no end of a menu. */
static int goes_round(unsigned long request, void *argument)
{
    struct v4l2_query_ext_ctrl *told = argument;
    if (request != VIDIOC_QUERY_EXT_CTRL || (told->id & 0xffff) < 0x0910)
        return FAKE_NOT_MINE;
    *told = table[1].told;
    return 0;
}

static int endless(unsigned long request, void *argument)
{
    if (request == VIDIOC_QUERY_EXT_CTRL) {
        struct v4l2_query_ext_ctrl *told = argument;
        const uint32_t id = (told->id & ~V4L2_CTRL_FLAG_NEXT_CTRL) + 1;
        *told = (struct v4l2_query_ext_ctrl) {
            .id = id,
            .type = V4L2_CTRL_TYPE_MENU,
            .maximum = id == 1 ? INT64_MAX : 0,
        };
        memset(told->name, 'x', sizeof told->name);
        return 0;
    }
    if (request == VIDIOC_QUERYMENU) {
        memset(((struct v4l2_querymenu *)argument)->name, 'y', 32);
        return 0;
    }
    return FAKE_NOT_MINE;
}

static void test_odd_drivers(void)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraControls controls;
    VigilCameraError error;
    driver.odd = goes_round;
    vigil_camera_controls(v4l2, fd, &controls, &error);
    tap_ok(controls.n == 2, "a driver that goes back is left: %zu", controls.n);
    vigil_camera_controls_clear(&controls);
    driver.odd = endless;
    vigil_camera_controls(v4l2, fd, &controls, &error);
    tap_ok(controls.n == 512 && controls.control[0].n_items == 256,
           "one without end is cut: %zu, %zu", controls.n, controls.control[0].n_items);
    tap_ok(strlen(controls.control[0].name) == 32 &&
               strlen(controls.control[0].item[0].name) == 32,
           "texts without an end have one");
    vigil_camera_controls_clear(&controls);
    driver.odd = NULL;
}

/* ---- Setting --------------------------------------------------------------------- */

static VigilCameraStatus set(const char *text, VigilCameraError *error)
{
    VigilControlSettings settings;
    *error = (VigilCameraError) { .message = "" };
    const VigilCameraStatus status =
        vigil_control_settings_parse(text, &settings, error);
    return status ? status
                  : vigil_camera_set_controls(vigil_v4l2_system(), fd, &camera,
                                              &settings, error);
}

static const struct {
    const char *text;
    size_t control;
    int64_t value;
} good[] = {
    { "brightness=-64", 1, -64 },
    { "Brightness=0x10", 1, 16 },
    { "gain_main=95", 2, 95 },
    { "reset=1", 5, 1 },
    { "auto_exposure=2", 6, 2 },
    { "auto_exposure=AUTO mode", 6, 0 },
    { "exposure_time=9223372036854775807", 7, INT64_MAX },
    { "mask=0x80000001", 8, (int32_t)0x80000001 },
};
static const struct {
    const char *text, *word;
} refused[] = {
    { "brightness=65", "brightness -64..64" },
    { "brightness=-65", "-64..64" },
    { "brightness=1.5", "-64..64" },
    { "brightness=99999999999999999999", "-64..64" },
    { "brightness=x", "-64..64" },
    { "gain_main=96", "10..100 in steps of 5" },
    { "auto_exposure=1", "(0=Auto Mode, 2=Manual Mode)" },
    { "auto_exposure=Off", "(0=Auto Mode, 2=Manual Mode)" },
    { "reset=0", "1 presses it" },
    { "mask=2", "mask 0..2147483653" },
    { "temperature=1", "no control \"temperature\" to be set" },
    { "zoom=1", "it has: brightness -64..64, gain_main 10..100 in steps of 5, reset" },
    /* All are checked before one is set. */
    { "brightness=5,zoom=1", "zoom" },
};

static void test_set(void)
{
    VigilCameraError error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const VigilCameraStatus status = set(good[i].text, &error);
        tap_ok(!status && table[good[i].control].value == good[i].value, "%s: %lld %s",
               good[i].text, (long long)table[good[i].control].value, error.message);
    }
    table[1].value = 1;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        tap_ok(set(refused[i].text, &error) == VIGIL_CAMERA_SETTINGS &&
                   strstr(error.message, refused[i].word),
               "%s: %s", refused[i].text, error.message);
    tap_ok(table[1].value == 1, "and nothing was set");
}

static int stubborn(unsigned long request, void *argument)
{
    if (request != VIDIOC_S_EXT_CTRLS)
        return FAKE_NOT_MINE;
    errno = EBUSY;
    return -1;
}

static void test_stubborn(void)
{
    VigilCameraError error;
    driver.odd = stubborn;
    tap_ok(set("brightness=5", &error) == VIGIL_CAMERA_FAILED &&
               strstr(error.message, "\"brightness\" be set to 5: "),
           "%s", error.message);
    driver.odd = NULL;
}

int main(void)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraError error;
    char device[256];
    fake_plug(0, &driver, NULL);
    snprintf(device, sizeof device, "%s/video0", v4l2->dev);
    vigil_camera_ask(v4l2, device, &camera);
    fd = vigil_camera_open(v4l2, &camera, &error);
    test_parse();
    test_enumerate();
    test_odd_drivers();
    test_set();
    test_stubborn();
    v4l2->close(fd);
    fake_clear();
    return tap_done();
}
