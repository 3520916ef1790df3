/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmerge.h"

#define PART_SHARE 0.5F /* of the smaller area */

/* Of equal scores the one of the earlier view comes first, then of the lower class: the
 * order never depends on the sort. */
static gint by_score(gconstpointer a, gconstpointer b)
{
    const GstVigilBox *left = a, *right = b;

    if (left->detection.score != right->detection.score)
        return left->detection.score > right->detection.score ? -1 : 1;
    if (left->view != right->view)
        return left->view < right->view ? -1 : 1;
    return left->detection.class_index - right->detection.class_index;
}

static gfloat area_of(const VigilDetection *d)
{
    return d->width * d->height;
}

/* In which order boxes are kept. */
static gint by_rank(gconstpointer a, gconstpointer b)
{
    const GstVigilBox *left = a, *right = b;
    const gfloat left_area = area_of(&left->detection);
    const gfloat right_area = area_of(&right->detection);

    if (left->cut != right->cut)
        return left->cut ? 1 : -1;
    if (left->cut && left_area != right_area)
        return left_area > right_area ? -1 : 1;
    return by_score(a, b);
}

gfloat gst_vigil_shared_length(gfloat a, gfloat a_length, gfloat b, gfloat b_length)
{
    return MAX(MIN(a + a_length, b + b_length) - MAX(a, b), 0);
}

static gboolean overlap(const VigilDetection *a, const VigilDetection *b,
                        gfloat threshold, gboolean either_is_part)
{
    const gfloat both = gst_vigil_shared_length(a->x, a->width, b->x, b->width) *
                        gst_vigil_shared_length(a->y, a->height, b->y, b->height);
    const gfloat either = area_of(a) + area_of(b) - both;

    return both > threshold * either ||
           (either_is_part && both > PART_SHARE * MIN(area_of(a), area_of(b)));
}

static gboolean is_repeated(const GstVigilBox *box, const GstVigilBox *kept, guint n,
                            gfloat threshold)
{
    for (guint i = 0; i < n; i++)
        if (kept[i].detection.class_index == box->detection.class_index &&
            kept[i].view != box->view &&
            overlap(&kept[i].detection, &box->detection, threshold, box->cut))
            return TRUE;
    return FALSE;
}

void gst_vigil_merge(GArray *boxes, gfloat iou_threshold, guint most)
{
    GstVigilBox *box = (GstVigilBox *)(gpointer)boxes->data;
    const guint limit = most ? most : VIGIL_MAX_DETECTIONS;
    guint kept = 0;

    g_array_sort(boxes, by_score);
    g_array_set_size(boxes, MIN(boxes->len, VIGIL_MAX_DETECTIONS));
    g_array_sort(boxes, by_rank);
    for (guint i = 0; i < boxes->len; i++)
        if (!is_repeated(&box[i], box, kept, iou_threshold))
            box[kept++] = box[i];
    g_array_set_size(boxes, kept);
    g_array_sort(boxes, by_score);
    g_array_set_size(boxes, MIN(kept, limit));
}
