/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames of noise with results on them, and what an element changed in them.
 */
#ifndef OVERLAY_FRAMES_H
#define OVERLAY_FRAMES_H

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gstvigilmeta.h"

#define RGB_CAPS "video/x-raw,format=RGB,width=320,height=240,framerate=10/1"
typedef struct Fixture {
    GstHarness *harness;
    GstVideoInfo info;
} Fixture;

/* A pixel rectangle; nothing: width 0. */
typedef struct Area {
    guint x, y, width, height;
} Area;

G_GNUC_UNUSED static void set_caps(Fixture *f, const gchar *caps_string)
{
    GstCaps *caps = gst_caps_from_string(caps_string);
    g_assert_true(gst_video_info_from_caps(&f->info, caps));
    gst_harness_set_src_caps(f->harness, caps);
}

G_GNUC_UNUSED static Fixture start(const gchar *launch, const gchar *caps)
{
    Fixture f = { gst_harness_new_parse(launch) };
    set_caps(&f, caps);
    return f;
}

G_GNUC_UNUSED static void stop(Fixture *f)
{
    gst_harness_teardown(f->harness);
}

G_GNUC_UNUSED static GstBuffer *new_frame(const Fixture *f, GstClockTime pts)
{
    guint32 state = 12345; /* any noise will do, the same in every frame */
    GstMapInfo map;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, f->info.size, NULL);
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < map.size; i++) {
        state = state * 1664525 + 1013904223;
        map.data[i] = state >> 24;
    }
    gst_buffer_unmap(buffer, &map);
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = GST_SECOND / 10;
    return buffer;
}

G_GNUC_UNUSED static GstVigilMeta *add_meta(GstBuffer *buffer, const gchar *source)
{
    return gst_buffer_add_vigil_meta(buffer, source, "EMO_1M",
                                     GST_VIGIL_TASK_CLASSIFICATION, 320, 240,
                                     GST_BUFFER_PTS(buffer));
}

G_GNUC_UNUSED static void add_classes(GstVigilMeta *meta)
{
    GstVigilResult *whole = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(whole, 3, 0.75f, "street");
    gst_vigil_result_add_class(whole, 4, 0.25f, "car park");
    gst_vigil_meta_add_result(meta, whole);
}

G_GNUC_UNUSED static void add_region(GstVigilMeta *meta)
{
    GstVigilResult *region = gst_vigil_result_new_region(0.5f, 0.5f, 0.25f, 0.25f);
    gst_vigil_result_add_class(region, 7, 0.97f, "person");
    gst_vigil_meta_add_result(meta, region);
}

/* ---- What changed --------------------------------------------------------------- */

G_GNUC_UNUSED static void grow(Area *area, guint x, guint y)
{
    if (area->width == 0) {
        *area = (Area) { x, y, 1, 1 };
        return;
    }
    guint x1 = MAX(area->x + area->width, x + 1);
    guint y1 = MAX(area->y + area->height, y + 1);
    area->x = MIN(area->x, x);
    area->y = MIN(area->y, y);
    area->width = x1 - area->x;
    area->height = y1 - area->y;
}

G_GNUC_UNUSED static gboolean differs(GstVideoFrame *a, GstVideoFrame *b, guint c,
                                      guint x, guint y)
{
    const GstVideoFormatInfo *format = a->info.finfo;
    guint cx = x >> GST_VIDEO_FORMAT_INFO_W_SUB(format, c);
    guint cy = y >> GST_VIDEO_FORMAT_INFO_H_SUB(format, c);
    const guint8 *pa = GST_VIDEO_FRAME_COMP_DATA(a, c);
    const guint8 *pb = GST_VIDEO_FRAME_COMP_DATA(b, c);
    gsize at = (gsize)cy * GST_VIDEO_FRAME_COMP_STRIDE(a, c) +
               (gsize)cx * GST_VIDEO_FRAME_COMP_PSTRIDE(a, c);
    return pa[at] != pb[at];
}

/* The pixels of an 8-bit format that are not as new_frame() made them. */
G_GNUC_UNUSED static Area changed(const Fixture *f, GstBuffer *buffer)
{
    GstVideoInfo info = f->info;
    GstVideoFrame before, after;
    Area area = { 0 };
    GstBuffer *original = new_frame(f, 0);
    g_assert_true(gst_video_frame_map(&before, &info, original, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&after, &info, buffer, GST_MAP_READ));
    for (gint y = 0; y < info.height; y++)
        for (gint x = 0; x < info.width; x++)
            for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); c++)
                if (differs(&before, &after, c, x, y))
                    grow(&area, x, y);
    gst_video_frame_unmap(&after);
    gst_video_frame_unmap(&before);
    gst_buffer_unref(original);
    g_test_message("changed: %u,%u %ux%u", area.x, area.y, area.width, area.height);
    return area;
}

/* Pushes and tells what was drawn. */
G_GNUC_UNUSED static Area push(Fixture *f, GstBuffer *buffer)
{
    GstBuffer *output = gst_harness_push_and_pull(f->harness, buffer);
    g_assert_nonnull(output);
    Area area = changed(f, output);
    gst_buffer_unref(output);
    return area;
}

G_GNUC_UNUSED static gboolean inside(Area area, guint x, guint y, guint width,
                                     guint height)
{
    return area.width > 0 && area.x >= x && area.y >= y &&
           area.x + area.width <= x + width && area.y + area.height <= y + height;
}

G_GNUC_UNUSED static Area push_at(Fixture *f, GstClockTime pts)
{
    return push(f, new_frame(f, pts));
}

G_GNUC_UNUSED static void push_classes_at(Fixture *f, GstClockTime pts)
{
    GstBuffer *frame = new_frame(f, pts);
    add_classes(add_meta(frame, "a"));
    g_assert_cmpuint(push(f, frame).width, >, 0);
}

#endif
