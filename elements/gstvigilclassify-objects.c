/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilclassify-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_classify_debug);
#define GST_CAT_DEFAULT gst_vigil_classify_debug

typedef struct Settings {
    gchar **names; /* NULL: all */
    guint interval, most;
} Settings;

#define NEVER G_MAXUINT64

/* An object that is wanted. */
typedef struct Candidate {
    guint object; /* number in the list */
    gboolean due; /* to be looked at in this frame */
    guint64 age;  /* frames since it was last looked at; NEVER */
    gfloat score, area;
} Candidate;

gpointer gst_vigil_classify_new_notes(void)
{
    GstVigilClassifyNotes *notes = g_new0(GstVigilClassifyNotes, 1);

    notes->objects = g_array_new(FALSE, FALSE, sizeof(GstVigilObject));
    notes->candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    return notes;
}

void gst_vigil_classify_free_notes(gpointer data)
{
    GstVigilClassifyNotes *notes = data;

    g_array_unref(notes->objects);
    g_array_unref(notes->candidates);
    g_free(notes);
}

static gchar **split_names(const gchar *text)
{
    gchar **names = g_strsplit(text ? text : "", ",", -1);

    for (guint i = 0; names[i]; i++)
        g_strstrip(names[i]);
    if (!names[0] || (!*names[0] && !names[1]))
        g_clear_pointer(&names, g_strfreev);
    return names;
}

static Settings take_settings(GstVigilClassify *self)
{
    GST_OBJECT_LOCK(self);
    const Settings settings = {
        .names = split_names(self->object_class),
        .interval = self->reclassify_interval,
        .most = self->max_rois ? self->max_rois : G_MAXUINT,
    };
    GST_OBJECT_UNLOCK(self);
    return settings;
}

/* ---- Which ---------------------------------------------------------------------- */

/* Less than a pixel in either direction is no picture. */
static gboolean has_pixels(GstVigilClassify *self, const GstVigilObject *object,
                           const GstVigilFrame *frame)
{
    const VigilRegion *area = &object->area;
    const gfloat width = area->width * (gfloat)frame->width;
    const gfloat height = area->height * (gfloat)frame->height;
    const gfloat least = 0.999F; /* fractions are not exact */

    if (width >= least && height >= least)
        return TRUE;
    GST_DEBUG_OBJECT(self,
                     "object \"%s\" at %g, %g has %g x %g pixels in the frame: not "
                     "looked at",
                     object->label ? object->label : "", (gdouble)area->x,
                     (gdouble)area->y, (gdouble)width, (gdouble)height);
    return FALSE;
}

/* What has no track cannot be known again: it is looked at every so many frames. */
static gboolean is_due(GstVigilClassify *self, const GstVigilRecallFrame *frame,
                       const GstVigilObject *object, guint interval, guint64 *age)
{
    GstVigilResult *last = gst_vigil_recall_find(&self->recall, object, age);

    if (last) {
        gst_vigil_result_unref(last);
        return interval > 0 && *age >= interval;
    }
    *age = NEVER;
    return object->track || interval == 0 || (frame->number - 1) % interval == 0;
}

static void add_candidate(GstVigilClassify *self, GstVigilClassifyNotes *notes, guint i,
                          guint interval)
{
    const GstVigilObject *object = &g_array_index(notes->objects, GstVigilObject, i);
    Candidate candidate = { .object = i,
                            .score = object->score,
                            .area = object->area.width * object->area.height };

    candidate.due = is_due(self, &notes->frame, object, interval, &candidate.age);
    g_array_append_val(notes->candidates, candidate);
}

/* The longest ago goes first, so that each has its turn; then by score, and where there
 * is none by size. */
static gint compare(gconstpointer a, gconstpointer b)
{
    const Candidate *left = a, *right = b;

    if (left->due != right->due)
        return left->due ? -1 : 1;
    if (left->age != right->age)
        return left->age > right->age ? -1 : 1;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    if (left->area != right->area)
        return left->area > right->area ? -1 : 1;
    return left->object < right->object ? -1 : 1;
}

static void add_views(const GstVigilClassifyNotes *notes, guint most, GArray *views)
{
    for (guint i = 0; i < notes->candidates->len && i < most; i++) {
        if (!g_array_index(notes->candidates, Candidate, i).due)
            return;
        const GstVigilObject *object = gst_vigil_classify_get_object(notes, i);
        const GstVigilView view = {
            .area = object->area,
            .region_index = -1,
            .region_name = object->result
                               ? gst_vigil_result_get_region_name(object->result)
                               : NULL,
        };
        g_array_append_val(views, view);
    }
}

gboolean gst_vigil_classify_list_objects(GstVigilClassify *self,
                                         const GstVigilShot *frame, GArray *views)
{
    const GstVigilFrame *picture = frame->frame;
    GstVigilClassifyNotes *notes = frame->notes;

    if (!gst_vigil_objects_list(frame->buffer, picture->width, picture->height,
                                notes->objects)) {
        GST_LOG_OBJECT(self, "no detections and no regions of interest");
        return FALSE;
    }
    const Settings settings = take_settings(self);
    notes->frame = gst_vigil_recall_begin(&self->recall);
    g_array_set_size(notes->candidates, 0);
    for (guint i = 0; i < notes->objects->len; i++) {
        const GstVigilObject *object =
            &g_array_index(notes->objects, GstVigilObject, i);
        if (gst_vigil_object_is_named(object, (const gchar *const *)settings.names) &&
            has_pixels(self, object, picture))
            add_candidate(self, notes, i, settings.interval);
    }
    g_array_sort(notes->candidates, compare);
    add_views(notes, settings.most, views);
    notes->looked_at = views->len;
    GST_LOG_OBJECT(self, "%u objects, %u wanted, %u to be looked at",
                   notes->objects->len, notes->candidates->len, views->len);
    g_strfreev(settings.names);
    return TRUE;
}

/* ---- Results -------------------------------------------------------------------- */

const GstVigilObject *gst_vigil_classify_get_object(const GstVigilClassifyNotes *notes,
                                                    guint view)
{
    const Candidate *candidate = &g_array_index(notes->candidates, Candidate, view);

    return &g_array_index(notes->objects, GstVigilObject, candidate->object);
}

GstVigilResult *gst_vigil_classify_new_same(const GstVigilObject *object,
                                            const GstVigilResult *same)
{
    GstVigilResult *result = gst_vigil_object_new_result(object);

    for (guint i = 0; i < gst_vigil_result_get_n_classes(same); i++) {
        const GstVigilClass *klass = gst_vigil_result_get_class(same, i);
        gst_vigil_result_add_class(result, klass->index, klass->score, klass->label);
    }
    return result;
}

void gst_vigil_classify_recall_objects(GstVigilClassify *self,
                                       const GstVigilClassifyNotes *notes,
                                       GstVigilMeta *meta)
{
    for (guint i = notes->looked_at; i < notes->candidates->len; i++) {
        const GstVigilObject *object = gst_vigil_classify_get_object(notes, i);
        guint64 age;
        GstVigilResult *last = gst_vigil_recall_find(&self->recall, object, &age);
        if (!last)
            continue;
        gst_vigil_meta_add_result(meta, gst_vigil_classify_new_same(object, last));
        gst_vigil_result_unref(last);
    }
}
