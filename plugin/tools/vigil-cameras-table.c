/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-cameras: cameras as text. */
#include "vigil-cameras.h"

#include <inttypes.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

const char *mode_size_text(const VigilCameraMode *mode, char *out)
{
    const VigilSide *w = &mode->width, *h = &mode->height;
    if (w->min == w->max && h->min == h->max)
        snprintf(out, 64, "%ux%u", w->min, h->min);
    else if (w->step == 1 && h->step == 1)
        snprintf(out, 64, "%ux%u..%ux%u", w->min, h->min, w->max, h->max);
    else
        snprintf(out, 64, "%ux%u..%ux%u in steps of %ux%u", w->min, h->min, w->max,
                 h->max, w->step, h->step);
    return out;
}

bool mode_is_like(const VigilCameraMode *a, const VigilCameraMode *b)
{
    return a->fourcc == b->fourcc && !memcmp(&a->width, &b->width, sizeof a->width) &&
           !memcmp(&a->height, &b->height, sizeof a->height);
}

static void print_field(const char *name, const char *value)
{
    if (value[0])
        printf("  %-8s  %s\n", name, value);
}

static void print_rate(VigilRate rate)
{
    printf(rate.den == 1 ? "%u" : "%u/%u", rate.num, rate.den);
}

static void print_rates(const VigilCameraMode *mode)
{
    if (!mode->fastest.num) {
        printf("not told");
        return;
    }
    if (memcmp(&mode->slowest, &mode->fastest, sizeof mode->slowest)) {
        print_rate(mode->slowest);
        printf("..");
    }
    print_rate(mode->fastest);
}

static bool is_usable(const VigilCameraMode *mode)
{
    return vigil_camera_format_index(mode->fourcc) >= 0;
}

static void print_other_formats(const VigilCameraModes *modes)
{
    char fourcc[5];
    bool any = false;
    for (size_t i = 0; i < modes->n; i++) {
        const VigilCameraMode *mode = &modes->mode[i];
        if (is_usable(mode) || (i && mode[-1].fourcc == mode->fourcc))
            continue;
        printf("%s%s", any ? ", " : "    not for vigilcamerasrc: ",
               vigil_fourcc_text(mode->fourcc, fourcc));
        any = true;
    }
    if (any)
        putchar('\n');
}

static int size_width(const VigilCameraModes *modes)
{
    char size[64];
    int width = 4;
    for (size_t i = 0; i < modes->n; i++) {
        const int length = (int)strlen(mode_size_text(&modes->mode[i], size));
        width = length > width ? length : width;
    }
    return width;
}

static void print_modes(const VigilCameraModes *modes)
{
    char fourcc[5], size[64];
    const int width = size_width(modes);
    bool any = false;
    printf("  modes\n    %-6s  %-*s  FRAMES/S\n", "FORMAT", width, "SIZE");
    for (size_t i = 0; i < modes->n; i++) {
        const VigilCameraMode *mode = &modes->mode[i];
        if (!is_usable(mode))
            continue;
        if (i && mode_is_like(mode, mode - 1))
            printf(", ");
        else
            printf("%s    %-6s  %-*s  ", any ? "\n" : "",
                   vigil_fourcc_text(mode->fourcc, fourcc), width,
                   mode_size_text(mode, size));
        any = true;
        print_rates(mode);
    }
    if (any)
        putchar('\n');
    print_other_formats(modes);
    if (modes->cut)
        printf("    (and more than this tool reads)\n");
}

static void print_control(const VigilCameraControl *control, int width)
{
    printf("    %-*s  %-8s", width, control->name,
           vigil_control_type_text(control->type));
    if (control->type != V4L2_CTRL_TYPE_BUTTON)
        printf("  %" PRId64 "..%" PRId64, control->min, control->max);
    if (control->step > 1)
        printf(" in steps of %" PRId64, control->step);
    if (control->known)
        printf(", is %" PRId64 ", default %" PRId64, control->value, control->preset);
    if (control->flags & V4L2_CTRL_FLAG_READ_ONLY)
        printf(", read only");
    else if (control->flags & V4L2_CTRL_FLAG_INACTIVE)
        printf(", without effect now");
    putchar('\n');
    for (size_t i = 0; i < control->n_items; i++)
        printf("    %*s  %*s  %" PRId64 " = %s\n", width, "", 8, "",
               control->item[i].value, control->item[i].name);
}

static void print_controls(const VigilCameraControls *controls)
{
    int width = 0;
    for (size_t i = 0; i < controls->n; i++) {
        const int length = (int)strlen(controls->control[i].name);
        width = length > width ? length : width;
    }
    if (controls->n)
        printf("  controls\n");
    for (size_t i = 0; i < controls->n; i++)
        print_control(&controls->control[i], width);
}

void report_print(const CameraReport *report)
{
    const VigilCamera *camera = report->camera;
    char set_to[64];
    printf("%s\n", camera->name[0] ? camera->name : camera->device);
    print_field("device", camera->device);
    print_field("bus", camera->bus);
    print_field("serial", camera->serial);
    print_field("driver", camera->driver);
    print_field("used by", report->used_by);
    print_field("problem", report->problem);
    if (report->problem[0])
        return;
    if (report->modes.width) {
        char fourcc[5];
        snprintf(set_to, sizeof set_to, "%ux%u as %s", report->modes.width,
                 report->modes.height, vigil_fourcc_text(report->modes.fourcc, fourcc));
        print_field("set to", set_to);
    }
    print_modes(&report->modes);
    print_controls(&report->controls);
}
