/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

void gst_vigil_inference_reset_stream(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    gst_vigil_qos_reset(&priv->qos);
    GST_OBJECT_UNLOCK(self);
    priv->wait = 0;
    gst_vigil_pace_reset(&priv->pace);
    priv->warned_unmapped = FALSE;
}

/* ---- Which frames --------------------------------------------------------------- */

/* Of a stream that plays backwards mirrored, so that it grows.  FALSE: not known. */
static gboolean get_position(GstVigilInference *self, GstBuffer *buffer,
                             gint64 *position)
{
    const GstClockTime time = gst_vigil_inference_stream_time(self, buffer);

    if (!GST_CLOCK_TIME_IS_VALID(time))
        return FALSE;
    *position = (gint64)time;
    if (GST_BASE_TRANSFORM(self)->segment.rate < 0)
        *position = -*position;
    return TRUE;
}

static gboolean is_due(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gint64 position;

    GST_OBJECT_LOCK(self);
    priv->stats.frames++;
    /* The interval may have been made shorter meanwhile. */
    priv->wait = MIN(priv->wait, priv->interval - 1);
    const gdouble max_fps = priv->max_fps;
    GST_OBJECT_UNLOCK(self);
    if (priv->wait > 0) {
        priv->wait--;
        return FALSE;
    }
    return !get_position(self, buffer, &position) ||
           gst_vigil_pace_is_due(&priv->pace, position, max_fps);
}

/* The frame has had its turn. */
static void begin_wait(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gint64 position;

    GST_OBJECT_LOCK(self);
    priv->wait = priv->interval - 1;
    const gdouble max_fps = priv->max_fps;
    GST_OBJECT_UNLOCK(self);
    if (get_position(self, buffer, &position))
        gst_vigil_pace_take(&priv->pace, position, max_fps);
}

static void post_qos(GstVigilInference *self, const GstVigilShot *shot, gint64 jitter)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    const gdouble proportion = priv->qos.proportion;
    const gboolean live = priv->live;
    const guint64 analysed = priv->stats.analysed;
    const guint64 dropped = priv->stats.late + priv->stats.replaced;
    GST_OBJECT_UNLOCK(self);

    GstMessage *message = gst_message_new_qos(
        GST_OBJECT(self), live, shot->running_time, shot->stream_time,
        GST_BUFFER_PTS(shot->buffer), GST_BUFFER_DURATION(shot->buffer));
    gst_message_set_qos_values(message, jitter, proportion, 1000000);
    gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, analysed, dropped);
    gst_element_post_message(GST_ELEMENT(self), message);
}

static gboolean skip_late(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const GstVigilShot shot = {
        .buffer = buffer,
        .stream_time = gst_vigil_inference_stream_time(self, buffer),
        .running_time = gst_vigil_inference_running_time(self, buffer),
    };

    GST_OBJECT_LOCK(self);
    const gboolean late =
        priv->qos_enabled && gst_vigil_qos_is_late(&priv->qos, shot.running_time);
    const gint64 jitter = GST_CLOCK_DIFF(shot.running_time, priv->qos.earliest);
    if (late) {
        priv->stats.skipped++;
        priv->stats.late++;
    }
    GST_OBJECT_UNLOCK(self);
    if (late)
        post_qos(self, &shot, jitter);
    return late;
}

/* A newer frame comes so much later. */
static void skip_replaced(GstVigilInference *self, const GstVigilShot *older,
                          const GstVigilShot *newer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const gboolean timed = GST_CLOCK_TIME_IS_VALID(older->running_time) &&
                           GST_CLOCK_TIME_IS_VALID(newer->running_time);

    GST_OBJECT_LOCK(self);
    priv->stats.skipped++;
    priv->stats.replaced++;
    GST_OBJECT_UNLOCK(self);
    post_qos(self, older,
             timed ? GST_CLOCK_DIFF(older->running_time, newer->running_time) : 0);
}

void gst_vigil_inference_count_skipped(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->stats.skipped++;
    GST_OBJECT_UNLOCK(self);
}

/* A gap holds no picture; what a decoder made up for lost data would be taken for one.
 */
static gboolean skip_empty(GstVigilInference *self, GstBuffer *buffer)
{
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) &&
        !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED))
        return FALSE;
    GST_LOG_OBJECT(self, "gap or damaged frame, not looked at");
    gst_vigil_inference_count_skipped(self);
    return TRUE;
}

void gst_vigil_inference_count_unattached(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->stats.unattached++;
    GST_OBJECT_UNLOCK(self);
}

/* ---- Results of an earlier frame ------------------------------------------------ */

static void carry_all(const GstVigilMeta *from, GstVigilMeta *to)
{
    for (guint i = 0; i < gst_vigil_meta_get_n_results(from); i++)
        gst_vigil_meta_add_result(
            to, gst_vigil_result_ref(gst_vigil_meta_get_result(from, i)));
}

static void note_age(GstVigilInference *self, GstClockTime age)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    if (!GST_CLOCK_TIME_IS_VALID(age))
        return;
    GST_OBJECT_LOCK(self);
    gst_vigil_clock_add(&priv->stats.result_age, age);
    GST_OBJECT_UNLOCK(self);
}

static void attach(GstVigilInference *self, const GstVigilMeta *from, GstBuffer *buffer)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    guint width, height;

    gst_vigil_meta_get_frame_size(from, &width, &height);
    GstVigilMeta *to = gst_buffer_add_vigil_meta(
        buffer, gst_vigil_meta_get_source(from), gst_vigil_meta_get_model(from),
        gst_vigil_meta_get_task(from), width, height, gst_vigil_meta_get_pts(from));
    if (klass->carry_over)
        klass->carry_over(self, from, buffer, to);
    else
        carry_all(from, to);
    gst_vigil_meta_mirror(to, buffer);
    note_age(self, gst_vigil_meta_get_age(to, GST_BUFFER_PTS(buffer)));
}

static void attach_latest(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilWorker *worker = &gst_vigil_inference_private(self)->worker;
    GstVigilLook *look = gst_vigil_worker_collect(worker);

    if (!look)
        return;
    attach(self, look->meta, buffer);
    gst_vigil_worker_give_back(worker, look);
}

/* ---- One frame ------------------------------------------------------------------ */

void gst_vigil_inference_note_analysed(const GstVigilLook *look)
{
    GstVigilInference *self = look->self;
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    gst_vigil_stats_add_analysed(&priv->stats, gst_util_get_timestamp());
    priv->qos.analysed = look->shot.running_time;
    GST_OBJECT_UNLOCK(self);
    GST_LOG_OBJECT(self,
                   "looked at %" GST_PTR_FORMAT ": preprocess %" GST_TIME_FORMAT
                   ", inference %" GST_TIME_FORMAT,
                   look->shot.buffer, GST_TIME_ARGS(look->preprocess),
                   GST_TIME_ARGS(look->inference));
}

/* One bad frame does not end the stream; a series of them is told once. */
static void note_unmapped(GstVigilInference *self, GError *error)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    gst_vigil_inference_count_skipped(self);
    GST_WARNING_OBJECT(self, "%s", error->message);
    if (priv->warned_unmapped)
        g_error_free(error);
    else
        gst_vigil_inference_post(self, GST_MESSAGE_WARNING, error);
    priv->warned_unmapped = TRUE;
}

/* FALSE: it cannot be mapped. */
static gboolean begin_look(GstVigilLook *look, GstBuffer *buffer, gboolean apart)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(look->self);
    GError *error = NULL;

    if (!gst_vigil_frame_map(&look->frame, &priv->info, buffer, &error)) {
        note_unmapped(look->self, error);
        return FALSE;
    }
    gst_vigil_look_begin(look, buffer, apart);
    return TRUE;
}

/* FALSE: an error was posted.  *done: the frame was looked at or, `apart`, is ready for
 * the worker. */
static gboolean look_at(GstVigilLook *look, GstBuffer *buffer, gboolean apart,
                        gboolean *done)
{
    GError *error = NULL;

    if (!begin_look(look, buffer, apart))
        return TRUE;
    const gboolean wanted = gst_vigil_look_list_views(look);
    const gboolean ok = !wanted || (apart ? gst_vigil_look_reduce(look, &error)
                                          : gst_vigil_look_at(look, &error));
    gst_vigil_frame_unmap(&look->frame);
    *done = wanted && ok;
    if (*done && !apart)
        gst_vigil_inference_note_analysed(look);
    if (error)
        gst_vigil_inference_post(look->self, GST_MESSAGE_ERROR, error);
    return ok;
}

static void offer(GstVigilInference *self, GstVigilLook *look)
{
    GstVigilWorker *worker = &gst_vigil_inference_private(self)->worker;
    const GstVigilShot newer = look->shot;
    GstVigilLook *older = gst_vigil_worker_offer(worker, look);

    if (!older)
        return;
    skip_replaced(self, &older->shot, &newer);
    gst_vigil_worker_give_back(worker, older);
}

static GstFlowReturn analyse(GstVigilInference *self, GstBuffer *buffer,
                             GstVigilMode mode)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const gboolean apart = mode == GST_VIGIL_MODE_LATEST;
    const GstClockTime begin = gst_util_get_timestamp();
    GstVigilLook *look = gst_vigil_worker_get_look(&priv->worker);
    gboolean done = FALSE;
    const gboolean ok = look_at(look, buffer, apart, &done);

    if (done) {
        begin_wait(self, buffer);
        priv->warned_unmapped = FALSE;
    }
    if (done && apart)
        offer(self, look);
    else
        gst_vigil_worker_give_back(&priv->worker, look);
    if (done && !apart)
        gst_vigil_inference_note_held(self, gst_util_get_timestamp() - begin);
    return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* FALSE: another model waits until the worker rests. */
static gboolean take_model(GstVigilInference *self, GstVigilMode mode)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    if (!gst_vigil_inference_swap_waits(self))
        return TRUE;
    if (mode == GST_VIGIL_MODE_LATEST && !gst_vigil_worker_rests(&priv->worker))
        return FALSE;
    gst_vigil_inference_swap_finish(self);
    return TRUE;
}

GstFlowReturn gst_vigil_inference_transform_ip(GstBaseTransform *trans,
                                               GstBuffer *buffer)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(trans);
    const GstClockTime time = gst_vigil_inference_stream_time(self, buffer);
    const GstVigilMode mode = gst_vigil_inference_take_mode(self);

    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(self), time);
    const gboolean ready = take_model(self, mode);
    if (mode == GST_VIGIL_MODE_LATEST)
        attach_latest(self, buffer);
    if (!is_due(self, buffer) || skip_empty(self, buffer) || skip_late(self, buffer))
        return GST_FLOW_OK;
    if (ready)
        return analyse(self, buffer, mode);
    gst_vigil_inference_count_skipped(self);
    return GST_FLOW_OK;
}
