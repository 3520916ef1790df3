/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilclassify-private.h"
#include "gstvigilmerge.h"

#define LEAST_OVERLAP                                                                  \
    0.5F /* of what is taken for the same object, as vigiloverlay does */
#define NONE G_MAXUINT

static VigilRegion area_of(const GstVigilResult *result)
{
    VigilRegion area;

    gst_vigil_result_get_region(result, &area.x, &area.y, &area.width, &area.height);
    return area;
}

/* Intersection over union. */
static gfloat overlap(const VigilRegion *a, const VigilRegion *b)
{
    const gfloat both = gst_vigil_shared_length(a->x, a->width, b->x, b->width) *
                        gst_vigil_shared_length(a->y, a->height, b->y, b->height);
    const gfloat either = a->width * a->height + b->width * b->height - both;

    return either > 0 ? both / either : 0;
}

/* The one of the same track, or that took its place; NONE: it is gone. */
static guint find_object(const GArray *present, const GstVigilResult *late)
{
    const guint64 track = gst_vigil_result_get_tracking_id(late);
    const VigilRegion place = area_of(late);
    gfloat most = LEAST_OVERLAP;
    guint nearest = NONE;

    for (guint i = 0; i < present->len; i++) {
        const GstVigilObject *object = &g_array_index(present, GstVigilObject, i);
        const gfloat shared = overlap(&object->area, &place);
        if (track && object->track == track)
            return i;
        if ((track && object->track) || shared <= most)
            continue;
        most = shared;
        nearest = i;
    }
    return nearest;
}

static void carry_to_object(GArray *present, const GstVigilResult *late,
                            GstVigilMeta *to)
{
    const guint i = find_object(present, late);

    if (i == NONE)
        return;
    gst_vigil_meta_add_result(
        to,
        gst_vigil_classify_new_same(&g_array_index(present, GstVigilObject, i), late));
    g_array_remove_index(present, i);
}

/* Where the frame says what is in it, classes go to the object as it is there now;
 * where it does not, they stay with the rectangle in which they were seen. */
void gst_vigil_classify_carry_over(GstVigilInference *base, const GstVigilMeta *from,
                                   GstBuffer *buffer, GstVigilMeta *to)
{
    GArray *present = GST_VIGIL_CLASSIFY(base)->present;
    guint width, height;

    gst_vigil_meta_get_frame_size(from, &width, &height);
    const gboolean known = gst_vigil_objects_list(buffer, width, height, present);
    for (guint i = 0; i < gst_vigil_meta_get_n_results(from); i++) {
        GstVigilResult *late = gst_vigil_meta_get_result(from, i);
        if (known && gst_vigil_result_is_for_object(late))
            carry_to_object(present, late, to);
        else
            gst_vigil_meta_add_result(to, gst_vigil_result_ref(late));
    }
    g_array_set_size(present, 0);
}
