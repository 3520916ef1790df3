/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include "gstvigilinference-private.h"

/* ---- Times ---------------------------------------------------------------------- */

GstClockTime gst_vigil_inference_running_time(GstVigilInference *self,
                                              GstBuffer *buffer)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;

    if (segment->format != GST_FORMAT_TIME)
        return GST_CLOCK_TIME_NONE;
    return gst_segment_to_running_time(segment, GST_FORMAT_TIME,
                                       GST_BUFFER_PTS(buffer));
}

GstClockTime gst_vigil_inference_stream_time(GstVigilInference *self, GstBuffer *buffer)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;

    if (segment->format != GST_FORMAT_TIME)
        return GST_CLOCK_TIME_NONE;
    return gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
}

/* ---- Results -------------------------------------------------------------------- */

GstVigilResult *gst_vigil_shot_new_result(const GstVigilShot *shot)
{
    const VigilRegion *region = shot->region;

    if (!region)
        return gst_vigil_result_new_full_frame();
    GstVigilResult *result = gst_vigil_result_new_region(region->x, region->y,
                                                         region->width, region->height);
    gst_vigil_result_set_region_name(result, shot->region_name);
    return result;
}

static void set_time(GstStructure *structure, const gchar *field, GstClockTime time)
{
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_structure_set(structure, field, G_TYPE_UINT64, time, NULL);
}

GstStructure *gst_vigil_shot_to_frame_structure(const GstVigilShot *shot,
                                                const gchar *name)
{
    GstStructure *structure = gst_structure_new_empty(name);

    set_time(structure, "timestamp", GST_BUFFER_PTS(shot->buffer));
    set_time(structure, "stream-time", shot->stream_time);
    set_time(structure, "running-time", shot->running_time);
    set_time(structure, "duration", GST_BUFFER_DURATION(shot->buffer));
    return structure;
}

GstStructure *gst_vigil_shot_to_structure(const GstVigilShot *shot, const gchar *name)
{
    const VigilRegion whole = { 0, 0, 1, 1 };
    const VigilRegion *area = shot->region ? shot->region : &whole;
    GstStructure *structure = gst_vigil_shot_to_frame_structure(shot, name);

    gst_structure_set(structure, "region-index", G_TYPE_INT, shot->region_index, NULL);
    if (shot->region_name)
        gst_structure_set(structure, "region-name", G_TYPE_STRING, shot->region_name,
                          NULL);
    gst_structure_set(structure, "x", G_TYPE_DOUBLE, (gdouble)area->x, "y",
                      G_TYPE_DOUBLE, (gdouble)area->y, "width", G_TYPE_DOUBLE,
                      (gdouble)area->width, "height", G_TYPE_DOUBLE,
                      (gdouble)area->height, NULL);
    return structure;
}

/* ---- The look ------------------------------------------------------------------- */

GstVigilLook *gst_vigil_look_new(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilLook *look = g_new0(GstVigilLook, 1);

    look->self = self;
    look->views = g_array_new(FALSE, FALSE, sizeof(GstVigilView));
    look->placements = g_array_new(FALSE, FALSE, sizeof(VigilPlacement));
    look->shot.notes = klass->new_notes ? klass->new_notes() : NULL;
    return look;
}

void gst_vigil_look_free(GstVigilLook *look)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(look->self);

    gst_vigil_look_end(look);
    if (klass->free_notes)
        klass->free_notes(look->shot.notes);
    g_array_unref(look->views);
    g_array_unref(look->placements);
    g_free(look->inputs);
    g_free(look);
}

static gboolean copy_words(GstBuffer *from, GstMeta **meta, gpointer carrier)
{
    const GType api = (*meta)->info->api;
    GstMetaTransformCopy whole = { .region = FALSE, .size = (gsize)-1 };

    if (api == GST_VIGIL_META_API_TYPE ||
        api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)
        (*meta)->info->transform_func(carrier, *meta, from, _gst_meta_transform_copy,
                                      &whole);
    return TRUE;
}

/* A buffer that says of the frame what decoding needs to know, and holds no memory of
 * the camera's. */
static GstBuffer *new_carrier(GstBuffer *buffer)
{
    GstBuffer *carrier = gst_buffer_new();

    gst_buffer_copy_into(carrier, buffer, GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize)-1);
    gst_buffer_foreach_meta(buffer, copy_words, carrier);
    return carrier;
}

void gst_vigil_look_begin(GstVigilLook *look, GstBuffer *buffer, gboolean apart)
{
    GstVigilInference *self = look->self;
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    if (apart)
        look->carrier = new_carrier(buffer);
    GST_OBJECT_LOCK(self);
    look->regions = gst_vigil_regions_ref(priv->regions);
    look->shot = (GstVigilShot) {
        .buffer = apart ? look->carrier : buffer,
        .frame = &look->frame,
        .network = priv->network,
        .region_index = -1,
        .orientation = priv->has_stream_orientation ? priv->stream_orientation
                                                    : priv->global_orientation,
        .notes = look->shot.notes,
    };
    GST_OBJECT_UNLOCK(self);
    look->shot.stream_time = gst_vigil_inference_stream_time(self, buffer);
    look->shot.running_time = gst_vigil_inference_running_time(self, buffer);
    look->arrived = gst_util_get_timestamp();
    look->preprocess = look->inference = 0;
    g_atomic_int_set(&look->unwanted, FALSE);
}

void gst_vigil_look_end(GstVigilLook *look)
{
    g_array_set_size(look->views, 0);
    g_clear_pointer(&look->regions, gst_vigil_regions_unref);
    gst_clear_buffer(&look->carrier);
    look->shot.buffer = NULL;
    look->meta = NULL;
}

/* ---- Views ---------------------------------------------------------------------- */

void gst_vigil_views_add_regions(GArray *views, const GstVigilRegions *regions)
{
    const GstVigilView whole = { .whole = TRUE, .region_index = -1 };

    if (regions->n == 0)
        g_array_append_val(views, whole);
    for (guint i = 0; i < regions->n; i++) {
        const GstVigilRegion *item = &regions->item[i];
        const GstVigilView view = { FALSE, item->area, (gint)i, item->name };
        g_array_append_val(views, view);
    }
}

gboolean gst_vigil_look_list_views(GstVigilLook *look)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(look->self);

    g_array_set_size(look->views, 0);
    if (!klass->list_views)
        gst_vigil_views_add_regions(look->views, look->regions);
    else if (!klass->list_views(look->self, &look->shot, look->regions, look->views))
        return FALSE;
    g_array_set_size(look->placements, look->views->len);
    return TRUE;
}

static void show_view(GstVigilLook *look, guint i)
{
    const GstVigilView *view = &g_array_index(look->views, GstVigilView, i);

    look->shot.view = i;
    look->shot.region = view->whole ? NULL : &view->area;
    look->shot.region_index = view->region_index;
    look->shot.region_name = view->region_name;
    look->shot.placement = g_array_index(look->placements, VigilPlacement, i);
}

/* ---- From the picture to the results -------------------------------------------- */

static gboolean reduce(GstVigilLook *look, guint i, gfloat *tensor, GError **error)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(look->self);
    const GstVigilView *view = &g_array_index(look->views, GstVigilView, i);
    const GstClockTime begin = gst_util_get_timestamp();

    if (!gst_vigil_reducer_run(
            &priv->reducer, i % GST_VIGIL_REGIONS_MAX, &look->frame,
            view->whole ? NULL : &view->area, look->shot.orientation,
            vigil_session_input_rules(look->shot.network->session), tensor,
            &g_array_index(look->placements, VigilPlacement, i), error))
        return FALSE;
    const GstClockTime spent = gst_util_get_timestamp() - begin;
    look->preprocess += spent;
    GST_OBJECT_LOCK(look->self);
    gst_vigil_clock_add(&priv->stats.preprocess, spent);
    GST_OBJECT_UNLOCK(look->self);
    return TRUE;
}

static void run_network(GstVigilLook *look)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(look->self);
    const GstClockTime begin = gst_util_get_timestamp();

    vigil_session_run(look->shot.network->session);
    const GstClockTime spent = gst_util_get_timestamp() - begin;
    look->inference += spent;
    GST_OBJECT_LOCK(look->self);
    priv->stats.inferences++;
    gst_vigil_clock_add(&priv->stats.inference, spent);
    GST_OBJECT_UNLOCK(look->self);
}

static void add_meta(GstVigilLook *look)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(look->self);
    GstBuffer *buffer = look->shot.buffer;
    gchar *source = gst_object_get_name(GST_OBJECT(look->self));

    look->meta = gst_buffer_add_vigil_meta(buffer, source, look->shot.network->name,
                                           klass->meta_task, look->frame.width,
                                           look->frame.height, GST_BUFFER_PTS(buffer));
    g_free(source);
}

static void decode(GstVigilLook *look, guint i)
{
    show_view(look, i);
    GST_VIGIL_INFERENCE_GET_CLASS(look->self)
        ->decode(look->self, &look->shot, look->meta);
}

static void finish(GstVigilLook *look)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(look->self);

    if (klass->finish)
        klass->finish(look->self, &look->shot, look->meta);
}

/* ---- In the streaming thread alone ---------------------------------------------- */

gboolean gst_vigil_look_at(GstVigilLook *look, GError **error)
{
    gfloat *input = vigil_session_input(look->shot.network->session);

    add_meta(look);
    for (guint i = 0; i < look->views->len; i++) {
        if (!reduce(look, i, input, error))
            return FALSE;
        run_network(look);
        decode(look, i);
    }
    finish(look);
    gst_vigil_meta_mirror(look->meta, look->shot.buffer);
    return TRUE;
}

/* ---- With a worker -------------------------------------------------------------- */

/* Memory kept for inputs may be so many times what a frame needs. */
#define MOST_SPARE 2

static gsize input_size(const GstVigilLook *look)
{
    const VigilInput *input = vigil_session_input_rules(look->shot.network->session);

    return (gsize)input->height * (gsize)input->width * 3;
}

/* Objects come and go, and their room stays for the next ones; beyond that it is of
 * settings that are gone.  FALSE: *error. */
static gboolean make_room(GstVigilLook *look, gsize floats, GError **error)
{
    if (look->inputs_size >= floats && look->inputs_size / MOST_SPARE <= floats)
        return TRUE;
    g_free(look->inputs);
    look->inputs = g_try_new(gfloat, floats);
    look->inputs_size = look->inputs ? floats : 0;
    if (look->inputs || floats == 0)
        return TRUE;
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                "There is no memory for the network's input of %u regions, tiles or "
                "objects, %" G_GSIZE_FORMAT " bytes. Look at fewer, or make the "
                "property input-size smaller.",
                look->views->len, floats * sizeof(gfloat));
    return FALSE;
}

gboolean gst_vigil_look_reduce(GstVigilLook *look, GError **error)
{
    const gsize size = input_size(look);

    if (!make_room(look, size * look->views->len, error))
        return FALSE;
    for (guint i = 0; i < look->views->len; i++)
        if (!reduce(look, i, look->inputs + i * size, error))
            return FALSE;
    return TRUE;
}

static void note_begun(GstVigilLook *look)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(look->self);
    const GstClockTime waited = gst_util_get_timestamp() - look->arrived;

    GST_OBJECT_LOCK(look->self);
    gst_vigil_clock_add(&priv->stats.queue_age, waited);
    GST_OBJECT_UNLOCK(look->self);
}

gboolean gst_vigil_look_work(GstVigilLook *look)
{
    const gsize size = input_size(look);
    gfloat *input = vigil_session_input(look->shot.network->session);

    note_begun(look);
    add_meta(look);
    for (guint i = 0; i < look->views->len; i++) {
        memcpy(input, look->inputs + i * size, size * sizeof *input);
        run_network(look);
        if (g_atomic_int_get(&look->unwanted))
            return FALSE;
        decode(look, i);
    }
    finish(look);
    return TRUE;
}
