/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks in a scene, and the rows that tell what their colours mean.
 */
#include "gstvigiloverlay-scene.h"

#include <math.h>

/* A class and its share of all masks together. */
typedef struct Entry {
    const GstVigilClass *klass; /* of the first mask that has it */
    gdouble share;
} Entry;

gboolean gst_vigil_overlay_is_background(const GstVigilClass *klass)
{
    return klass->label && g_ascii_strcasecmp(klass->label, "background") == 0;
}

static gboolean is_empty(const GstVigilMask *mask)
{
    const GstVigilClass *klass;
    for (guint i = 0; (klass = gst_vigil_mask_get_class(mask, i)); i++)
        if (!gst_vigil_overlay_is_background(klass))
            return FALSE;
    return TRUE;
}

void gst_vigil_overlay_scene_add_mask(GstVigilOverlayScene *scene,
                                      const GstVigilResult *result)
{
    GstVigilMask *mask = gst_vigil_result_get_mask(result);
    if (mask && scene->mask_opacity > 0 && !is_empty(mask))
        g_ptr_array_add(scene->masks, gst_vigil_mask_ref(mask));
}

static Entry *get_entry(GArray *entries, const GstVigilClass *klass)
{
    for (guint i = 0; i < entries->len; i++) {
        Entry *entry = &g_array_index(entries, Entry, i);
        if (entry->klass->index == klass->index &&
            g_strcmp0(entry->klass->label, klass->label) == 0)
            return entry;
    }
    Entry entry = { klass, 0 };
    g_array_append_val(entries, entry);
    return &g_array_index(entries, Entry, entries->len - 1);
}

/* Of a mask only the first `most` classes, which have the most pixels: masks of noise
 * have thousands. */
static void add_classes(GArray *entries, const GstVigilMask *mask, gdouble area,
                        guint most)
{
    const GstVigilClass *klass;
    for (guint i = 0; i <= most && (klass = gst_vigil_mask_get_class(mask, i)); i++)
        if (!gst_vigil_overlay_is_background(klass))
            get_entry(entries, klass)->share += klass->score * area;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const Entry *left = a, *right = b;
    if (left->share != right->share)
        return left->share > right->share ? -1 : 1;
    return left->klass->index - right->klass->index;
}

static gdouble mask_area(const GstVigilMask *mask)
{
    gfloat width, height;
    gst_vigil_mask_get_region(mask, NULL, NULL, &width, &height);
    return (gdouble)width * height;
}

static void add_row(GstVigilOverlayScene *scene, const GstVigilOverlayStyle *style,
                    const Entry *entry, gdouble area)
{
    const GstVigilClass *klass = entry->klass;
    GString *text = g_string_new(NULL);
    if (style->draw_labels)
        gst_vigil_overlay_append_class_name(text, klass->label, klass->index);
    GstVigilOverlayRow row = {
        .text = g_string_free(text, FALSE),
        .percent = (gint)lrint(entry->share / area * 100),
        .color = gst_vigil_overlay_class_color(klass->label, klass->index),
        .is_legend = TRUE,
    };
    g_array_append_val(scene->rows, row);
}

void gst_vigil_overlay_scene_add_legend(GstVigilOverlayScene *scene,
                                        const GstVigilOverlayStyle *style)
{
    gdouble area = 0;
    if (!style->draw_labels && !style->draw_scores)
        return;
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    for (guint i = 0; i < scene->masks->len; i++) {
        const GstVigilMask *mask = g_ptr_array_index(scene->masks, i);
        add_classes(entries, mask, mask_area(mask), style->legend_classes);
        area += mask_area(mask);
    }
    g_array_sort(entries, compare_entries);
    for (guint i = 0; i < MIN(entries->len, style->legend_classes); i++)
        add_row(scene, style, &g_array_index(entries, Entry, i), area);
    g_array_unref(entries);
}
