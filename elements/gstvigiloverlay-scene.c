/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-scene.h"

#include <math.h>

#define MAX_TEXT 96 /* characters of a label that are looked at */

/* Distinct on light and dark ground and apart from each other. */
static const guint32 palette[] = {
    0x4FC3F7, 0xFFB74D, 0x81C784, 0xF06292, 0xBA68C8, 0xFFD54F, 0x4DB6AC, 0xE57373,
    0x7986CB, 0xAED581, 0xFF8A65, 0x4DD0E1, 0xDCE775, 0x9575CD, 0x64B5F6, 0xF48FB1,
    0x0288D1, 0xF57C00, 0x388E3C, 0xC2185B, 0x7B1FA2, 0xFBC02D, 0x00796B, 0xD32F2F,
    0x3F51B5, 0x689F38, 0xE64A19, 0x0097A7, 0xAFB42B, 0x5E35B1, 0x1976D2, 0x00E676,
};

/* The factor was searched: with it the 20 classes of Pascal VOC differ from each other,
 * and so do the 11 of CamVid, those of the default model, and nearly all of the 25
 * first of COCO. */
#define SPREAD 0xd7738a61u
#define PALETTE_BITS 5
G_STATIC_ASSERT(G_N_ELEMENTS(palette) == 1 << PALETTE_BITS);

static GstVigilColor label_color(const gchar *label)
{
    guint32 rgb = palette[(guint32)(g_str_hash(label) * SPREAD) >> (32 - PALETTE_BITS)];
    return (GstVigilColor) { (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0,
                             (rgb & 255) / 255.0 };
}

/* Classes without a name have the colour of their number. */
GstVigilColor gst_vigil_overlay_class_color(const gchar *label, gint index)
{
    gchar number[16];
    if (label || index < 0)
        return label_color(label ? label : "");
    g_snprintf(number, sizeof number, "%d", index);
    return label_color(number);
}

static void append_clipped(GString *to, const gchar *text)
{
    if (g_utf8_strlen(text, -1) <= MAX_TEXT) {
        g_string_append(to, text);
        return;
    }
    g_string_append_len(to, text, g_utf8_offset_to_pointer(text, MAX_TEXT) - text);
    g_string_append(to, "…");
}

void gst_vigil_overlay_append_class_name(GString *to, const gchar *label, gint index)
{
    if (label)
        append_clipped(to, label);
    else if (index >= 0)
        g_string_append_printf(to, "class %d", index);
    else
        g_string_append(to, "object");
}

static gint to_percent(gfloat score)
{
    return (gint)lrintf(score * 100.0f);
}

/* ---- Results about regions ------------------------------------------------------ */

/* A name with its score, after a separator when it is not the first. */
static void append_caption(GString *to, const GstVigilOverlayStyle *style,
                           const gchar *label, gint index, gfloat score)
{
    if (!style->draw_labels && !style->draw_scores)
        return;
    if (to->len)
        g_string_append(to, "  ·  ");
    if (style->draw_labels)
        gst_vigil_overlay_append_class_name(to, label, index);
    if (style->draw_scores)
        g_string_append_printf(to, "%s%d %%", style->draw_labels ? "  " : "",
                               to_percent(score));
}

static GstVigilOverlayBox get_place(const GstVigilOverlayScene *scene,
                                    const GstVigilResult *result)
{
    gfloat x, y, width, height;
    gst_vigil_result_get_region(result, &x, &y, &width, &height);
    return (GstVigilOverlayBox) {
        .x = x * scene->width,
        .y = (gdouble)y * scene->frame_height,
        .width = width * scene->width,
        .height = (gdouble)height * scene->frame_height,
        .id = gst_vigil_result_get_id(result),
        .track = gst_vigil_result_get_tracking_id(result),
    };
}

static gboolean same_place(const GstVigilOverlayBox *a, const GstVigilOverlayBox *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width &&
           a->height == b->height;
}

/* Several elements may speak of one region: they share its box. */
static GstVigilOverlayBox *get_box(GstVigilOverlayScene *scene,
                                   const GstVigilResult *result, gboolean *is_new)
{
    GstVigilOverlayBox box = get_place(scene, result);
    *is_new = FALSE;
    for (guint i = 0; i < scene->boxes->len; i++) {
        GstVigilOverlayBox *old = &g_array_index(scene->boxes, GstVigilOverlayBox, i);
        if (same_place(old, &box))
            return old;
    }
    *is_new = TRUE;
    box.text = g_string_new(NULL);
    g_array_append_val(scene->boxes, box);
    return &g_array_index(scene->boxes, GstVigilOverlayBox, scene->boxes->len - 1);
}

static void add_box(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                    const GstVigilResult *result)
{
    gboolean is_new;
    gint label_id = -1;
    gfloat confidence;
    const gchar *label = NULL;
    GstVigilOverlayBox *box = get_box(scene, result, &is_new);
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);
    gboolean detected =
        gst_vigil_result_get_detection(result, &label, &label_id, &confidence);
    if (detected)
        append_caption(box->text, style, label, label_id, confidence);
    if (best)
        append_caption(box->text, style, best->label, best->index, best->score);
    if (is_new)
        box->color = detected || !best
                         ? gst_vigil_overlay_class_color(label, label_id)
                         : gst_vigil_overlay_class_color(best->label, best->index);
}

/* ---- Results about objects of other results ------------------------------------- */

/* Intersection over union. */
static gdouble overlap(const GstVigilOverlayBox *a, const GstVigilOverlayBox *b)
{
    gdouble width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    gdouble height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    gdouble both = fmax(width, 0) * fmax(height, 0);
    gdouble either = a->width * a->height + b->width * b->height - both;
    return either > 0 ? both / either : 0;
}

/* The box of its object or, where the result is of an earlier frame, the one that took
 * its place. */
static GstVigilOverlayBox *find_box(const GstVigilOverlayScene *scene,
                                    const GstVigilResult *result)
{
    GstVigilOverlayBox place = get_place(scene, result), *nearest = NULL;
    gdouble most = 0.5;
    for (guint i = 0; i < scene->boxes->len; i++) {
        GstVigilOverlayBox *box = &g_array_index(scene->boxes, GstVigilOverlayBox, i);
        if (box->id == gst_vigil_result_get_parent_id(result))
            return box;
    }
    for (guint i = 0; i < scene->boxes->len; i++) {
        GstVigilOverlayBox *box = &g_array_index(scene->boxes, GstVigilOverlayBox, i);
        if (place.track && place.track == box->track)
            return box;
        if (place.track && box->track)
            continue;
        if (overlap(&place, box) > most) {
            most = overlap(&place, box);
            nearest = box;
        }
    }
    return nearest;
}

/* Joins the caption of the object.  One that is gone from the frame is not drawn; where
 * nothing tells which are there, the result has a box of its own. */
static void add_to_box(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                       const GstVigilResult *result, gboolean objects_known)
{
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);
    GstVigilOverlayBox *box = objects_known ? find_box(scene, result) : NULL;
    if (!objects_known)
        add_box(scene, style, result);
    else if (box && best)
        append_caption(box->text, style, best->label, best->index, best->score);
}

static void add_parts(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                      const GstVigilOverlayGroup *groups, guint n_groups)
{
    gboolean objects_known = FALSE;
    for (guint i = 0; i < n_groups; i++)
        objects_known = objects_known || groups[i].detects;
    for (guint i = 0; i < n_groups; i++)
        for (guint k = 0; k < groups[i].results->len; k++) {
            const GstVigilResult *result = g_ptr_array_index(groups[i].results, k);
            if (gst_vigil_result_is_for_object(result))
                add_to_box(scene, style, result, objects_known);
        }
}

/* ---- Results about the whole frame ---------------------------------------------- */

static void add_heading(GstVigilOverlayScene *scene, const gchar *title)
{
    GString *text = g_string_new(NULL);
    append_clipped(text, title);
    GstVigilOverlayRow row = { g_string_free(text, FALSE), -1, { 1, 1, 1 }, FALSE };
    g_array_append_val(scene->rows, row);
}

static void add_rows(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                     const GstVigilResult *result)
{
    guint n = MIN(style->max_classes, gst_vigil_result_get_n_classes(result));
    for (guint i = 0; i < n; i++) {
        const GstVigilClass *klass = gst_vigil_result_get_class(result, i);
        GString *text = g_string_new(NULL);
        if (style->draw_labels)
            gst_vigil_overlay_append_class_name(text, klass->label, klass->index);
        GstVigilOverlayRow row = {
            .text = g_string_free(text, FALSE),
            .percent = to_percent(klass->score),
            .color = gst_vigil_overlay_class_color(klass->label, klass->index),
        };
        g_array_append_val(scene->rows, row);
    }
}

static void add_group(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                      const GstVigilOverlayGroup *group, gboolean with_heading)
{
    gboolean headed = FALSE;
    for (guint i = 0; i < group->results->len; i++) {
        const GstVigilResult *result = g_ptr_array_index(group->results, i);
        if (gst_vigil_result_is_for_object(result))
            continue;
        if (gst_vigil_result_get_mask(result)) {
            gst_vigil_overlay_scene_add_mask(scene, result);
            continue;
        }
        if (!gst_vigil_result_is_full_frame(result)) {
            add_box(scene, style, result);
            continue;
        }
        if (with_heading && !headed && group->title && style->max_classes)
            add_heading(scene, group->title);
        headed = TRUE;
        add_rows(scene, style, result);
    }
}

/* ---- The scene ------------------------------------------------------------------ */

static gchar *make_key(const GstVigilOverlayScene *scene)
{
    if (scene->opacity <= 0 ||
        (scene->boxes->len == 0 && scene->rows->len == 0 && scene->masks->len == 0))
        return NULL;
    GString *key = g_string_new(NULL);
    g_string_printf(key, "%dx%d %a %a %a %a %d %d %s\n", scene->frame_width,
                    scene->frame_height, scene->aspect, scene->em, scene->line_width,
                    scene->opacity, scene->draw_scores, scene->panel_position,
                    scene->font_desc);
    for (guint i = 0; i < scene->masks->len; i++)
        g_string_append_printf(
            key, "%u %a\n", gst_vigil_mask_get_id(g_ptr_array_index(scene->masks, i)),
            scene->mask_opacity);
    for (guint i = 0; i < scene->boxes->len; i++) {
        const GstVigilOverlayBox *box =
            &g_array_index(scene->boxes, GstVigilOverlayBox, i);
        g_string_append_printf(key, "%a %a %a %a %a %a %a %s\n", box->x, box->y,
                               box->width, box->height, box->color.r, box->color.g,
                               box->color.b, box->text->str);
    }
    for (guint i = 0; i < scene->rows->len; i++) {
        const GstVigilOverlayRow *row =
            &g_array_index(scene->rows, GstVigilOverlayRow, i);
        g_string_append_printf(key, "%d %d %a %a %a %s\n", row->is_legend, row->percent,
                               row->color.r, row->color.g, row->color.b, row->text);
    }
    return g_string_free(key, FALSE);
}

static void clear_box(gpointer box)
{
    g_string_free(((GstVigilOverlayBox *)box)->text, TRUE);
}

static void clear_row(gpointer row)
{
    g_free(((GstVigilOverlayRow *)row)->text);
}

GstVigilOverlayScene *gst_vigil_overlay_scene_new(const GstVigilOverlayStyle *style,
                                                  const GstVideoInfo *info,
                                                  const GstVigilOverlayGroup *groups,
                                                  guint n_groups)
{
    GstVigilOverlayScene *scene = g_new0(GstVigilOverlayScene, 1);
    scene->frame_width = GST_VIDEO_INFO_WIDTH(info);
    scene->frame_height = GST_VIDEO_INFO_HEIGHT(info);
    scene->aspect = (gdouble)MAX(GST_VIDEO_INFO_PAR_N(info), 1) /
                    MAX(GST_VIDEO_INFO_PAR_D(info), 1);
    scene->width = scene->frame_width * scene->aspect;
    scene->em =
        fmax(fmin(scene->width, scene->frame_height) / 30, 11) * style->font_scale;
    scene->line_width =
        style->line_width > 0 ? style->line_width : fmax(round(scene->em / 6), 2);
    scene->opacity = style->opacity;
    scene->draw_scores = style->draw_scores;
    scene->panel_position = style->panel_position;
    scene->font_desc = g_strdup(style->font_desc);
    scene->mask_opacity = style->mask_opacity;
    scene->masks = g_ptr_array_new_with_free_func((GDestroyNotify)gst_vigil_mask_unref);
    scene->boxes = g_array_new(FALSE, FALSE, sizeof(GstVigilOverlayBox));
    scene->rows = g_array_new(FALSE, FALSE, sizeof(GstVigilOverlayRow));
    g_array_set_clear_func(scene->boxes, clear_box);
    g_array_set_clear_func(scene->rows, clear_row);
    for (guint i = 0; i < n_groups; i++)
        add_group(scene, style, &groups[i], n_groups > 1);
    add_parts(scene, style, groups, n_groups);
    gst_vigil_overlay_scene_add_legend(scene, style);
    scene->key = make_key(scene);
    return scene;
}

void gst_vigil_overlay_scene_free(GstVigilOverlayScene *scene)
{
    g_ptr_array_unref(scene->masks);
    g_array_unref(scene->boxes);
    g_array_unref(scene->rows);
    g_free(scene->font_desc);
    g_free(scene->key);
    g_free(scene);
}

const gchar *gst_vigil_overlay_scene_get_key(const GstVigilOverlayScene *scene)
{
    return scene->key;
}
