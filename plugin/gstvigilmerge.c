/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmerge.h"

/* Of equal scores the one of the earlier region comes first, then of the lower class:
 * the order never depends on the sort. */
static gint compare(gconstpointer a, gconstpointer b)
{
    const GstVigilBox *left = a, *right = b;

    if (left->detection.score != right->detection.score)
        return left->detection.score > right->detection.score ? -1 : 1;
    if (left->region_index != right->region_index)
        return left->region_index - right->region_index;
    return left->detection.class_index - right->detection.class_index;
}

static gfloat shared_length(gfloat a, gfloat a_length, gfloat b, gfloat b_length)
{
    return MAX(MIN(a + a_length, b + b_length) - MAX(a, b), 0);
}

static gboolean overlap(const VigilDetection *a, const VigilDetection *b,
                        gfloat threshold)
{
    const gfloat both = shared_length(a->x, a->width, b->x, b->width) *
                        shared_length(a->y, a->height, b->y, b->height);
    const gfloat either = a->width * a->height + b->width * b->height - both;

    return both > threshold * either;
}

static gboolean is_repeated(const GstVigilBox *box, const GstVigilBox *kept, guint n,
                            gfloat threshold)
{
    for (guint i = 0; i < n; i++)
        if (kept[i].detection.class_index == box->detection.class_index &&
            kept[i].region_index != box->region_index &&
            overlap(&kept[i].detection, &box->detection, threshold))
            return TRUE;
    return FALSE;
}

void gst_vigil_merge(GArray *boxes, gfloat iou_threshold, guint most)
{
    GstVigilBox *box = (GstVigilBox *)(gpointer)boxes->data;
    const guint limit = most ? most : VIGIL_MAX_DETECTIONS;
    guint kept = 0;

    g_array_sort(boxes, compare);
    const guint n = MIN(boxes->len, VIGIL_MAX_DETECTIONS);
    for (guint i = 0; i < n && kept < limit; i++)
        if (!is_repeated(&box[i], box, kept, iou_threshold))
            box[kept++] = box[i];
    g_array_set_size(boxes, kept);
}
