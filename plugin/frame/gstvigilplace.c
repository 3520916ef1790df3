/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <float.h>
#include <math.h>
#include "gstvigilorient.h"
#include "gstvigilplace.h"

/* The rules of the tensor before it was turned. */
static VigilInput stored_input(const VigilInput *input,
                               GstVideoOrientationMethod orientation)
{
    VigilInput stored = *input;

    if (gst_vigil_orient_swaps(orientation)) {
        stored.height = input->width;
        stored.width = input->height;
    }
    return stored;
}

VigilPlacement gst_vigil_place_upright(const VigilPlacement *placed,
                                       const VigilInput *input,
                                       GstVideoOrientationMethod orientation)
{
    const VigilInput stored = stored_input(input, orientation);
    const VigilRegion area = {
        (float)placed->dst_x / (float)stored.width,
        (float)placed->dst_y / (float)stored.height,
        (float)placed->dst_width / (float)stored.width,
        (float)placed->dst_height / (float)stored.height,
    };
    const VigilRegion upright = gst_vigil_orient_to_upright(area, orientation);
    VigilPlacement turned = *placed;

    turned.dst_x = (int)lrintf(upright.x * (float)input->width);
    turned.dst_y = (int)lrintf(upright.y * (float)input->height);
    turned.dst_width = (int)lrintf(upright.width * (float)input->width);
    turned.dst_height = (int)lrintf(upright.height * (float)input->height);
    return turned;
}

/* [*start, *start + *length] of an axis as a fraction of its visible part. */
static gboolean to_visible(float *start, float *length, float visible_start,
                           float visible_length)
{
    const float from = (*start - visible_start) / visible_length;
    const float to = (*start + *length - visible_start) / visible_length;

    *start = CLAMP(from, 0.0F, 1.0F);
    *length = CLAMP(to, 0.0F, 1.0F) - *start;
    return *length > 0;
}

gboolean gst_vigil_place_detection(const GstVigilFrame *frame,
                                   const VigilPlacement *placed,
                                   const VigilInput *input,
                                   GstVideoOrientationMethod orientation,
                                   const VigilDetection *in, VigilDetection *out)
{
    const VigilInput stored = stored_input(input, orientation);
    const VigilRegion *visible = &frame->visible;
    const VigilRegion area = gst_vigil_orient_to_stored(
        (VigilRegion) { in->x, in->y, in->width, in->height }, orientation);
    VigilDetection d = { area.x,      area.y,          area.width,
                         area.height, in->class_index, in->score };

    if (!vigil_detection_to_picture(&d, &stored, placed, frame->image.width,
                                    frame->image.height, &d) ||
        !to_visible(&d.x, &d.width, visible->x, visible->width) ||
        !to_visible(&d.y, &d.height, visible->y, visible->height))
        return FALSE;
    *out = d;
    return TRUE;
}

gdouble gst_vigil_place_area(const GstVigilFrame *frame, const VigilPlacement *placed,
                             const VigilInput *input)
{
    const gdouble taken = (gdouble)placed->dst_width * placed->dst_height /
                          ((gdouble)input->width * input->height);
    const gdouble whole = (gdouble)frame->visible.width * frame->image.width *
                          frame->visible.height * frame->image.height;
    const gdouble shown = placed->src_width * placed->src_height / whole;

    return taken / shown;
}

/* The same of an axis of `size` pixels, never empty. */
static void to_shown(double start, double length, int size, float visible_start,
                     float visible_length, float *shown_start, float *shown_length)
{
    const double from = (start / size - visible_start) / visible_length;

    *shown_start = (float)CLAMP(from, 0.0, 1.0);
    *shown_length = (float)CLAMP(length / size / visible_length, FLT_EPSILON, 1.0);
}

VigilRegion gst_vigil_place_shown(const GstVigilFrame *frame,
                                  const VigilPlacement *placed)
{
    const VigilRegion *visible = &frame->visible;
    VigilRegion shown;

    to_shown(placed->src_x, placed->src_width, frame->image.width, visible->x,
             visible->width, &shown.x, &shown.width);
    to_shown(placed->src_y, placed->src_height, frame->image.height, visible->y,
             visible->height, &shown.y, &shown.height);
    return shown;
}
