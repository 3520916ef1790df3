/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-cameras: cameras as JSON.  json_pack() takes NULL for a part that failed and
 * fails then, so that only the whole is looked at. */
#include "vigil-cameras.h"

#include <jansson.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    return text[0] ? json_string(text) : json_null();
}

/* Appends, or frees the array and leaves NULL. */
static void append(json_t **array, json_t *value)
{
    if (*array && json_array_append_new(*array, value) == 0)
        return;
    if (!*array)
        json_decref(value);
    json_decref(*array);
    *array = NULL;
}

static json_t *rate_json(VigilRate rate)
{
    char text[32];
    snprintf(text, sizeof text, "%u/%u", rate.num, rate.den);
    return rate.num ? json_string(text) : json_null();
}

static json_t *rates_json(const VigilCameraMode *mode)
{
    if (!memcmp(&mode->slowest, &mode->fastest, sizeof mode->slowest))
        return rate_json(mode->fastest);
    return json_pack("{s:o, s:o}", "min", rate_json(mode->slowest), "max",
                     rate_json(mode->fastest));
}

static json_t *side_json(const VigilSide *side)
{
    if (side->min == side->max)
        return json_integer(side->min);
    return json_pack("{s:I, s:I, s:I}", "min", (json_int_t)side->min, "max",
                     (json_int_t)side->max, "step", (json_int_t)side->step);
}

static json_t *modes_json(const VigilCameraModes *modes)
{
    json_t *array = json_array();
    char fourcc[5];
    for (size_t i = 0; i < modes->n && array;) {
        const VigilCameraMode *mode = &modes->mode[i];
        json_t *rates = json_array();
        do {
            if (modes->mode[i].fastest.num)
                append(&rates, rates_json(&modes->mode[i]));
        } while (++i < modes->n && mode_is_like(&modes->mode[i], mode));
        append(&array, json_pack("{s:s, s:b, s:o, s:o, s:o}", "format",
                                 vigil_fourcc_text(mode->fourcc, fourcc), "usable",
                                 vigil_camera_format_index(mode->fourcc) >= 0, "width",
                                 side_json(&mode->width), "height",
                                 side_json(&mode->height), "rates", rates));
    }
    return array;
}

static json_t *control_json(const VigilCameraControl *control)
{
    json_t *items = json_array();
    for (size_t i = 0; i < control->n_items && items; i++)
        append(&items,
               json_pack("{s:I, s:s}", "value", (json_int_t)control->item[i].value,
                         "name", control->item[i].name));
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:o}", "name", control->name,
        "type", vigil_control_type_text(control->type), "min", (json_int_t)control->min,
        "max", (json_int_t)control->max, "step", (json_int_t)control->step, "default",
        (json_int_t)control->preset, "value",
        control->known ? json_integer(control->value) : json_null(), "read_only",
        !!(control->flags & V4L2_CTRL_FLAG_READ_ONLY), "inactive",
        !!(control->flags & V4L2_CTRL_FLAG_INACTIVE), "items", items);
}

static json_t *controls_json(const VigilCameraControls *controls)
{
    json_t *array = json_array();
    for (size_t i = 0; i < controls->n && array; i++)
        append(&array, control_json(&controls->control[i]));
    return array;
}

static json_t *set_to_json(const VigilCameraModes *modes)
{
    char fourcc[5];
    if (!modes->width)
        return json_null();
    return json_pack("{s:s, s:I, s:I, s:o}", "format",
                     vigil_fourcc_text(modes->fourcc, fourcc), "width",
                     (json_int_t)modes->width, "height", (json_int_t)modes->height,
                     "rate", rate_json(modes->rate));
}

static json_t *report_json(const CameraReport *report)
{
    const VigilCamera *camera = report->camera;
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "name",
        text_or_null(camera->name), "device", camera->device, "bus",
        text_or_null(camera->bus), "serial", text_or_null(camera->serial), "driver",
        text_or_null(camera->driver), "problem", text_or_null(report->problem),
        "used_by", text_or_null(report->used_by), "set_to", set_to_json(&report->modes),
        "modes_cut", report->modes.cut, "modes", modes_json(&report->modes), "controls",
        controls_json(&report->controls));
}

bool reports_print_json(const CameraReport *report, size_t n)
{
    json_t *root = json_array();
    for (size_t i = 0; i < n && root; i++)
        append(&root, report_json(&report[i]));
    const bool printed = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    json_decref(root);
    putchar('\n');
    return printed || ferror(stdout); /* that is told when the stream is closed */
}
