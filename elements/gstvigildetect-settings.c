/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilclasslist.h"
#include "gstvigildetect-private.h"

void gst_vigil_detect_clear_settings(GstVigilDetectSettings *settings)
{
    g_clear_pointer(&settings->object_class, g_free);
    g_clear_pointer(&settings->class_thresholds, g_free);
    g_clear_pointer(&settings->tiles, g_free);
}

/* A copy where something was set since the last one. */
static gboolean take_settings(GstVigilDetect *self, GstVigilDetectSettings *settings)
{
    GST_OBJECT_LOCK(self);
    const gboolean changed = self->settings_changed;
    if (changed) {
        *settings = self->settings;
        settings->object_class = g_strdup(settings->object_class);
        settings->class_thresholds = g_strdup(settings->class_thresholds);
        settings->tiles = g_strdup(settings->tiles);
    }
    self->settings_changed = FALSE;
    GST_OBJECT_UNLOCK(self);
    return changed;
}

static gboolean check_areas(const GstVigilDetectSettings *settings, GError **error)
{
    if (settings->min_area <= settings->max_area)
        return TRUE;
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                "The property min-area is %g, which is above max-area, %g.",
                (gdouble)settings->min_area, (gdouble)settings->max_area);
    return FALSE;
}

static VigilDetectOptions to_options(const GstVigilDetectSettings *settings)
{
    return (VigilDetectOptions) {
        .has_threshold = settings->threshold >= 0,
        .threshold = settings->threshold,
        .has_iou_threshold = settings->iou_threshold >= 0,
        .iou_threshold = settings->iou_threshold,
        .max_detections = (int)settings->max_detections,
        .min_area = settings->min_area,
        .max_area = settings->max_area,
    };
}

static void free_choice(gpointer data)
{
    GstVigilDetectChoice *choice = data;

    g_free(choice->class_threshold);
    g_free(choice->class_wanted);
}

void gst_vigil_detect_clear_choice(GstVigilDetectChoice **choice)
{
    GstVigilDetectChoice *old = g_steal_pointer(choice);

    if (old)
        g_atomic_rc_box_release_full(old, free_choice);
}

/* Makes the settings those in use.  FALSE: they cannot be used, and those in use stay.
 */
static gboolean use_settings(GstVigilDetect *self,
                             const GstVigilDetectSettings *settings,
                             const GstVigilNetwork *network, GError **error)
{
    GstVigilTiles tiles = { .overlap = settings->tile_overlap,
                            .whole = settings->tile_full_frame };
    bool *wanted = NULL;
    gfloat *scores = NULL;

    if (!check_areas(settings, error) ||
        !gst_vigil_tiles_parse(settings->tiles, &tiles, error) ||
        !gst_vigil_class_list_scores("class-thresholds", settings->class_thresholds,
                                     network, &scores, error))
        return FALSE;
    if (!gst_vigil_class_list_wanted("object-class", settings->object_class, network,
                                     &wanted, error)) {
        g_free(scores);
        return FALSE;
    }
    gst_vigil_detect_clear_choice(&self->choice);
    self->choice = g_atomic_rc_box_new0(GstVigilDetectChoice);
    self->choice->tiles = tiles;
    self->choice->options = to_options(settings);
    self->choice->options.class_threshold = self->choice->class_threshold = scores;
    self->choice->options.class_wanted = self->choice->class_wanted = wanted;
    return TRUE;
}

gboolean gst_vigil_detect_update_settings(GstVigilDetect *self,
                                          const GstVigilNetwork *network,
                                          GError **error)
{
    GstVigilDetectSettings settings;

    if (!take_settings(self, &settings))
        return TRUE;
    const gboolean ok = use_settings(self, &settings, network, error);
    gst_vigil_detect_clear_settings(&settings);
    return ok;
}
