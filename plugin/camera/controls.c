/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls: brightness, exposure and so on. */
#include "common.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONTROLS = 512, MAX_ITEMS = 256 };

/* In lower case, each run of other characters than letters and digits one '_'; not at
 * the ends.  As v4l2-ctl writes names. */
static void normalise(char *text)
{
    char *out = text;
    bool gap = false;
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c)) {
            gap = out != text;
            continue;
        }
        if (gap)
            *out++ = '_';
        gap = false;
        *out++ = (char)tolower((unsigned char)*c);
    }
    *out = '\0';
}

/* ---- Enumeration ----------------------------------------------------------------- */

static bool has_menu(const VigilCameraControl *control)
{
    return control->type == V4L2_CTRL_TYPE_MENU ||
           control->type == V4L2_CTRL_TYPE_INTEGER_MENU;
}

static bool has_number(const VigilCameraControl *control)
{
    return has_menu(control) || control->type == V4L2_CTRL_TYPE_INTEGER ||
           control->type == V4L2_CTRL_TYPE_BOOLEAN ||
           control->type == V4L2_CTRL_TYPE_INTEGER64 ||
           control->type == V4L2_CTRL_TYPE_BITMASK;
}

/* Menus have gaps.  False: no memory. */
static bool read_menu(const VigilV4l2 *v4l2, int fd, VigilCameraControl *control)
{
    int64_t last = control->max;
    if (!has_menu(control) || control->min < 0 || control->min > UINT32_MAX)
        return true;
    if (last > control->min + MAX_ITEMS - 1)
        last = control->min + MAX_ITEMS - 1;
    for (int64_t i = control->min; i <= last; i++) {
        struct v4l2_querymenu told = { .id = control->id, .index = (uint32_t)i };
        if (vigil_v4l2_call(v4l2, fd, VIDIOC_QUERYMENU, &told) < 0)
            continue;
        VigilMenuItem *grown =
            vigil_grown(control->item, control->n_items, sizeof *grown);
        if (!grown)
            return false;
        control->item = grown;
        VigilMenuItem *item = &grown[control->n_items++];
        item->value = i;
        if (control->type == V4L2_CTRL_TYPE_MENU)
            vigil_camera_text(item->name, sizeof item->name, told.name,
                              sizeof told.name);
        else
            snprintf(item->name, sizeof item->name, "%" PRId64, (int64_t)told.value);
    }
    return true;
}

static void read_value(const VigilV4l2 *v4l2, int fd, VigilCameraControl *control)
{
    struct v4l2_ext_control value = { .id = control->id };
    struct v4l2_ext_controls values = { .count = 1, .controls = &value };
    if (!has_number(control) || control->flags & V4L2_CTRL_FLAG_WRITE_ONLY ||
        vigil_v4l2_call(v4l2, fd, VIDIOC_G_EXT_CTRLS, &values) < 0)
        return;
    control->value = value.value;
    if (control->type == V4L2_CTRL_TYPE_INTEGER64)
        control->value = value.value64;
    if (control->type == V4L2_CTRL_TYPE_BITMASK)
        control->value = (uint32_t)value.value;
    control->known = true;
}

/* False: there are no more. */
static bool next_control(const VigilV4l2 *v4l2, int fd, uint32_t after,
                         VigilCameraControl *control, bool *is_class)
{
    struct v4l2_query_ext_ctrl told = { .id = after | V4L2_CTRL_FLAG_NEXT_CTRL };
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_QUERY_EXT_CTRL, &told) < 0 || told.id <= after)
        return false; /* a driver that goes back would never end */
    *is_class = told.type == V4L2_CTRL_TYPE_CTRL_CLASS;
    *control = (VigilCameraControl) {
        .id = told.id,
        .type = told.type,
        .flags = told.flags,
        .min = told.minimum,
        .max = told.maximum,
        .step = told.step && told.step <= INT64_MAX ? (int64_t)told.step : 1,
        .preset = told.default_value,
    };
    if (told.type == V4L2_CTRL_TYPE_BITMASK) { /* 32 bits, which some sign-extend */
        control->max = (uint32_t)control->max;
        control->preset = (uint32_t)control->preset;
    }
    vigil_camera_text(control->name, sizeof control->name, told.name, sizeof told.name);
    normalise(control->name);
    return true;
}

VigilCameraStatus vigil_camera_controls(const VigilV4l2 *v4l2, int fd,
                                        VigilCameraControls *controls,
                                        VigilCameraError *error)
{
    VigilCameraControl next;
    uint32_t id = 0;
    bool is_class;
    *controls = (VigilCameraControls) { 0 };
    while (controls->n < MAX_CONTROLS && next_control(v4l2, fd, id, &next, &is_class)) {
        id = next.id;
        if (is_class || next.flags & V4L2_CTRL_FLAG_DISABLED || !next.name[0])
            continue;
        VigilCameraControl *grown =
            vigil_grown(controls->control, controls->n, sizeof *grown);
        if (grown) {
            controls->control = grown;
            grown[controls->n++] = next;
        }
        if (!grown || !read_menu(v4l2, fd, &grown[controls->n - 1])) {
            vigil_camera_controls_clear(controls);
            return vigil_camera_fail(error, VIGIL_CAMERA_FAILED,
                                     "Out of memory for the controls of a camera.");
        }
        read_value(v4l2, fd, &grown[controls->n - 1]);
    }
    return VIGIL_CAMERA_OK;
}

void vigil_camera_controls_clear(VigilCameraControls *controls)
{
    for (size_t i = 0; i < controls->n; i++)
        free(controls->control[i].item);
    free(controls->control);
    *controls = (VigilCameraControls) { 0 };
}

const char *vigil_control_type_text(uint32_t type)
{
    switch (type) {
    case V4L2_CTRL_TYPE_INTEGER:
    case V4L2_CTRL_TYPE_INTEGER64:
        return "integer";
    case V4L2_CTRL_TYPE_BOOLEAN:
        return "boolean";
    case V4L2_CTRL_TYPE_MENU:
    case V4L2_CTRL_TYPE_INTEGER_MENU:
        return "menu";
    case V4L2_CTRL_TYPE_BUTTON:
        return "button";
    case V4L2_CTRL_TYPE_BITMASK:
        return "bitmask";
    case V4L2_CTRL_TYPE_STRING:
        return "string";
    default:
        return "other";
    }
}

/* ---- What the user asks for ------------------------------------------------------ */

/* text [length] without spaces around it into out [size]; false: empty or too long. */
static bool copy_part(char *out, size_t size, const char *text, size_t length)
{
    while (length && *text == ' ')
        text++, length--;
    while (length && text[length - 1] == ' ')
        length--;
    if (!length || length >= size)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static VigilCameraStatus parse_one(const char *part, size_t length,
                                   VigilControlSettings *settings,
                                   VigilCameraError *error)
{
    VigilControlSetting *setting = &settings->setting[settings->n];
    const char *equals = memchr(part, '=', length);
    const size_t before = equals ? (size_t)(equals - part) : 0;
    const int shown = length > 80 ? 80 : (int)length;
    if (settings->n == VIGIL_SETTINGS_MAX)
        return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                 "More than %d controls are set at once.",
                                 VIGIL_SETTINGS_MAX);
    if (!equals || !copy_part(setting->name, sizeof setting->name, part, before) ||
        !copy_part(setting->value, sizeof setting->value, equals + 1,
                   length - before - 1))
        return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                 "\"%.*s\" among the controls is not NAME=VALUE, as in "
                                 "brightness=10,gain=4.",
                                 shown, part);
    normalise(setting->name);
    for (size_t i = 0; i < settings->n; i++)
        if (!strcmp(settings->setting[i].name, setting->name))
            return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                     "The control \"%s\" is set twice.", setting->name);
    settings->n++;
    return VIGIL_CAMERA_OK;
}

VigilCameraStatus vigil_control_settings_parse(const char *text,
                                               VigilControlSettings *settings,
                                               VigilCameraError *error)
{
    settings->n = 0;
    if (!text || !text[strspn(text, " ")])
        return VIGIL_CAMERA_OK;
    for (;;) {
        const size_t length = strcspn(text, ",");
        const VigilCameraStatus status = parse_one(text, length, settings, error);
        if (status != VIGIL_CAMERA_OK || !text[length])
            return status;
        text += length + 1;
    }
}

/* ---- Setting --------------------------------------------------------------------- */

static bool can_be_set(const VigilCameraControl *control)
{
    return (has_number(control) || control->type == V4L2_CTRL_TYPE_BUTTON) &&
           !(control->flags & V4L2_CTRL_FLAG_READ_ONLY);
}

static size_t append_range(char *out, size_t size, size_t used,
                           const VigilCameraControl *control)
{
    used = vigil_append(out, size, used, "%s", control->name);
    if (control->type == V4L2_CTRL_TYPE_BUTTON)
        return vigil_append(out, size, used, " (a button, 1 presses it)");
    used = vigil_append(out, size, used, " %" PRId64 "..%" PRId64, control->min,
                        control->max);
    return control->step > 1
               ? vigil_append(out, size, used, " in steps of %" PRId64, control->step)
               : used;
}

static void append_items(char *out, size_t size, size_t used,
                         const VigilCameraControl *control)
{
    for (size_t i = 0; i < control->n_items; i++)
        used = vigil_append(out, size, used, "%s%" PRId64 "=%s", i ? ", " : " (",
                            control->item[i].value, control->item[i].name);
    if (control->n_items)
        vigil_append(out, size, used, ")");
}

static VigilCameraStatus fail_name(const VigilCamera *camera,
                                   const VigilCameraControls *controls,
                                   const char *name, VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE], all[1400];
    size_t used = vigil_append(all, sizeof all, 0, "%s", "");
    for (size_t i = 0; i < controls->n; i++) {
        if (!can_be_set(&controls->control[i]))
            continue;
        used = vigil_append(all, sizeof all, used, "%s", used ? ", " : "");
        used = append_range(all, sizeof all, used, &controls->control[i]);
    }
    return vigil_camera_fail(
        error, VIGIL_CAMERA_SETTINGS,
        "The camera %s has no control \"%s\" to be set; it has: %s.",
        vigil_camera_label(camera, label), name, used ? all : "none");
}

static VigilCameraStatus fail_value(const VigilCamera *camera,
                                    const VigilCameraControl *control,
                                    const char *value, VigilCameraError *error)
{
    char label[VIGIL_CAMERA_LINE], range[1200];
    append_items(range, sizeof range, append_range(range, sizeof range, 0, control),
                 control);
    return vigil_camera_fail(
        error, VIGIL_CAMERA_SETTINGS,
        "The control \"%s\" of the camera %s cannot be \"%s\": %s.", control->name,
        vigil_camera_label(camera, label), value, range);
}

/* A number in decimal or, behind 0x, in hexadecimal. */
static bool read_number(const char *text, int64_t *value)
{
    char *end;
    const char *digits = text + (*text == '-' || *text == '+');
    const bool hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    if (!isxdigit((unsigned char)*digits))
        return false;
    errno = 0;
    *value = strtoll(text, &end, hexadecimal ? 16 : 10);
    return !*end && end != text && !errno;
}

static bool read_item(const VigilCameraControl *control, const char *text,
                      int64_t *value)
{
    char wanted[64], name[64];
    snprintf(wanted, sizeof wanted, "%s", text);
    normalise(wanted);
    for (size_t i = 0; i < control->n_items; i++) {
        snprintf(name, sizeof name, "%s", control->item[i].name);
        normalise(name);
        if (!strcmp(name, wanted)) {
            *value = control->item[i].value;
            return true;
        }
    }
    return false;
}

static bool has_item(const VigilCameraControl *control, int64_t value)
{
    for (size_t i = 0; i < control->n_items; i++)
        if (control->item[i].value == value)
            return true;
    return false;
}

/* Whether the control takes the value that the text tells. */
static bool read_setting(const VigilCameraControl *control, const char *text,
                         int64_t *value)
{
    if (!read_number(text, value))
        return control->type == V4L2_CTRL_TYPE_MENU && read_item(control, text, value);
    if (control->type == V4L2_CTRL_TYPE_BUTTON)
        return *value == 1;
    if (has_menu(control))
        return has_item(control, *value);
    if (control->type == V4L2_CTRL_TYPE_BITMASK)
        return *value >= 0 && !(*value & ~control->max);
    return *value >= control->min && *value <= control->max &&
           ((uint64_t)*value - (uint64_t)control->min) % (uint64_t)control->step == 0;
}

static VigilCameraStatus set_value(const VigilV4l2 *v4l2, int fd,
                                   const VigilCamera *camera,
                                   const VigilCameraControl *control, int64_t value,
                                   VigilCameraError *error)
{
    struct v4l2_ext_control one = { .id = control->id };
    struct v4l2_ext_controls all = { .count = 1, .controls = &one };
    char label[VIGIL_CAMERA_LINE];
    if (control->type == V4L2_CTRL_TYPE_INTEGER64)
        one.value64 = value;
    else
        one.value = (int32_t)value;
    if (vigil_v4l2_call(v4l2, fd, VIDIOC_S_EXT_CTRLS, &all) == 0)
        return VIGIL_CAMERA_OK;
    return vigil_camera_fail(error, VIGIL_CAMERA_FAILED,
                             "The camera %s does not let its control \"%s\" be set to "
                             "%" PRId64 ": %s.",
                             vigil_camera_label(camera, label), control->name, value,
                             strerror(errno));
}

static VigilCameraStatus set_all(const VigilV4l2 *v4l2, int fd,
                                 const VigilCamera *camera,
                                 const VigilCameraControls *controls,
                                 const VigilControlSettings *settings,
                                 VigilCameraError *error)
{
    const VigilCameraControl *control[VIGIL_SETTINGS_MAX];
    int64_t value[VIGIL_SETTINGS_MAX];
    for (size_t i = 0; i < settings->n; i++) {
        const VigilControlSetting *setting = &settings->setting[i];
        control[i] = NULL;
        for (size_t k = 0; k < controls->n && !control[i]; k++)
            if (!strcmp(controls->control[k].name, setting->name) &&
                can_be_set(&controls->control[k]))
                control[i] = &controls->control[k];
        if (!control[i])
            return fail_name(camera, controls, setting->name, error);
        if (!read_setting(control[i], setting->value, &value[i]))
            return fail_value(camera, control[i], setting->value, error);
    }
    for (size_t i = 0; i < settings->n; i++) {
        const VigilCameraStatus status =
            set_value(v4l2, fd, camera, control[i], value[i], error);
        if (status != VIGIL_CAMERA_OK)
            return status;
    }
    return VIGIL_CAMERA_OK;
}

VigilCameraStatus vigil_camera_set_controls(const VigilV4l2 *v4l2, int fd,
                                            const VigilCamera *camera,
                                            const VigilControlSettings *settings,
                                            VigilCameraError *error)
{
    VigilCameraControls controls;
    if (!settings->n)
        return VIGIL_CAMERA_OK;
    VigilCameraStatus status = vigil_camera_controls(v4l2, fd, &controls, error);
    if (status == VIGIL_CAMERA_OK) {
        status = set_all(v4l2, fd, camera, &controls, settings, error);
        vigil_camera_controls_clear(&controls);
    }
    return status;
}
