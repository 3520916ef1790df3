/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilorient.h"
#include "gstvigilreduce.h"

static gboolean take_engine_error(GError **error, const VigilError *e)
{
    if (e->status == VIGIL_ERROR_NO_MEMORY)
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    "%s. Free some memory or make the video smaller.", e->message);
    else
        g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                    "%s. Change the property resize or the size of the video.",
                    e->message);
    return FALSE;
}

static gboolean run_slot(GstVigilReducer *reducer, guint slot,
                         const GstVigilFrame *frame, const VigilRegion *region,
                         const VigilInput *input, float *tensor, VigilPlacement *placed,
                         GError **error)
{
    VigilPreprocess **preprocess = &reducer->preprocess[slot];
    const VigilRegion area = gst_vigil_frame_region(frame, region);
    VigilError e = { 0 };

    if (!*preprocess && vigil_preprocess_open(preprocess, &e) != VIGIL_OK)
        return take_engine_error(error, &e);
    if (vigil_preprocess_run(*preprocess, &frame->image, &area, input, tensor, placed,
                             &e) != VIGIL_OK)
        return take_engine_error(error, &e);
    return TRUE;
}

static float *stored_tensor(GstVigilReducer *reducer, const VigilInput *input)
{
    const gsize size = (gsize)input->height * (gsize)input->width * 3;

    if (reducer->stored_size < size) {
        g_free(reducer->stored);
        reducer->stored = g_new(float, size);
        reducer->stored_size = size;
    }
    return reducer->stored;
}

gboolean gst_vigil_reducer_run(GstVigilReducer *reducer, guint slot,
                               const GstVigilFrame *frame, const VigilRegion *region,
                               GstVideoOrientationMethod orientation,
                               const VigilInput *rules, float *tensor,
                               VigilPlacement *placed, GError **error)
{
    VigilInput input = *rules;
    const gint height = input.height, width = input.width;

    if (orientation == GST_VIDEO_ORIENTATION_IDENTITY)
        return run_slot(reducer, slot, frame, region, &input, tensor, placed, error);
    if (gst_vigil_orient_swaps(orientation)) {
        input.height = width;
        input.width = height;
    }
    float *stored = stored_tensor(reducer, &input);
    if (!run_slot(reducer, slot, frame, region, &input, stored, placed, error))
        return FALSE;
    gst_vigil_orient(tensor, stored, height, width, orientation);
    return TRUE;
}

void gst_vigil_reducer_clear(GstVigilReducer *reducer)
{
    for (guint i = 0; i < GST_VIGIL_REGIONS_MAX; i++)
        vigil_preprocess_close(&reducer->preprocess[i]);
    g_clear_pointer(&reducer->stored, g_free);
    reducer->stored_size = 0;
}
