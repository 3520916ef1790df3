/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilheld.h"
#include "gstvigilmeta.h"

static void clear_group(gpointer data)
{
    GstVigilHeldGroup *group = data;
    g_clear_pointer(&group->source, g_free);
    g_clear_pointer(&group->results, g_ptr_array_unref);
}

void gst_vigil_held_init(GstVigilHeld *held)
{
    held->groups = g_array_new(FALSE, FALSE, sizeof(GstVigilHeldGroup));
    g_array_set_clear_func(held->groups, clear_group);
}

void gst_vigil_held_clear(GstVigilHeld *held)
{
    g_clear_pointer(&held->groups, g_array_unref);
}

void gst_vigil_held_forget(GstVigilHeld *held)
{
    g_array_set_size(held->groups, 0);
}

static GstVigilHeldGroup *get_group(GstVigilHeld *held, const gchar *source)
{
    for (guint i = 0; i < held->groups->len; i++) {
        GstVigilHeldGroup *group = &g_array_index(held->groups, GstVigilHeldGroup, i);
        if (g_strcmp0(group->source, source) == 0)
            return group;
    }
    GstVigilHeldGroup group = {
        .source = g_strdup(source),
        .results =
            g_ptr_array_new_with_free_func((GDestroyNotify)gst_vigil_result_unref),
    };
    g_array_append_val(held->groups, group);
    return &g_array_index(held->groups, GstVigilHeldGroup, held->groups->len - 1);
}

static void take_meta(GstVigilHeld *held, const GstVigilMeta *meta, GstClockTime pts)
{
    GstVigilHeldGroup *group = get_group(held, gst_vigil_meta_get_source(meta));
    group->detects = gst_vigil_meta_get_task(meta) == GST_VIGIL_TASK_DETECTION;
    g_ptr_array_set_size(group->results, 0);
    for (guint i = 0; i < gst_vigil_meta_get_n_results(meta); i++)
        g_ptr_array_add(group->results,
                        gst_vigil_result_ref(gst_vigil_meta_get_result(meta, i)));
    group->seen = pts;
}

static gboolean is_over(const GstVigilHeldGroup *group, GstClockTime pts,
                        GstClockTime hold_time)
{
    if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(group->seen))
        return TRUE;
    return pts < group->seen || pts - group->seen > hold_time;
}

void gst_vigil_held_update(GstVigilHeld *held, GstBuffer *buffer,
                           GstClockTime hold_time)
{
    GstClockTime pts = GST_BUFFER_PTS(buffer);
    for (guint i = held->groups->len; i > 0; i--)
        if (is_over(&g_array_index(held->groups, GstVigilHeldGroup, i - 1), pts,
                    hold_time))
            g_array_remove_index(held->groups, i - 1);

    gpointer state = NULL;
    GstMeta *meta;
    while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                    GST_VIGIL_META_API_TYPE)))
        take_meta(held, (GstVigilMeta *)meta, pts);
}
