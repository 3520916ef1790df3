/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens when the camera is lost. */
#include "gstvigilcamerasrc-private.h"

#include <errno.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

/* Between attempts to open a camera again, in microseconds. */
#define FIRST_WAIT (100 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_WAIT (2 * G_TIME_SPAN_SECOND)

/* How long the same thing may stand in the way before it is told: rights of a node that
 * has just appeared are given a little later. */
#define PATIENCE (2 * G_TIME_SPAN_SECOND)

/* ---- Messages -------------------------------------------------------------------- */

static void post(GstVigilCameraSrc *self, const gchar *name, const VigilCamera *camera,
                 const gchar *reason)
{
    GstStructure *structure = gst_structure_new(
        name, "camera", G_TYPE_STRING, camera->name, "device", G_TYPE_STRING,
        camera->device, "bus", G_TYPE_STRING, camera->bus, "serial", G_TYPE_STRING,
        camera->serial, "reason", G_TYPE_STRING, reason, NULL);

    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void warn(GstVigilCameraSrc *self, GstResourceError code, const gchar *text)
{
    gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
                             (gint)code, g_strdup(text), NULL, __FILE__, GST_FUNCTION,
                             __LINE__);
}

/* What the system says of the node counts more than what v4l2src made of it. */
static gchar *loss_reason(const VigilCamera *camera, const gchar *said)
{
    VigilCamera now;

    vigil_camera_ask(vigil_v4l2_system(), camera->device, &now);
    if (now.problem == ENOENT || now.problem == ENODEV || now.problem == ENXIO)
        return g_strdup("it was unplugged");
    if (now.problem)
        return g_strdup_printf("it does not answer: %s", g_strerror(now.problem));
    if (strcmp(now.name, camera->name) || strcmp(now.bus, camera->bus))
        return g_strdup("it was unplugged");
    gchar *reason = g_strdup(said ? said : "it gives no more frames");
    if (g_str_has_suffix(reason, "."))
        reason[strlen(reason) - 1] = '\0';
    return reason;
}

static void tell_lost(GstVigilCameraSrc *self, const gchar *said)
{
    gchar label[VIGIL_CAMERA_LINE];
    gchar *reason = loss_reason(&self->camera, said);
    gchar *text = g_strdup_printf(
        "The camera %s was lost: %s. It is looked for until it is back.",
        vigil_camera_label(&self->camera, label), reason);

    GST_OBJECT_LOCK(self);
    self->losses++;
    GST_OBJECT_UNLOCK(self);
    post(self, "camera-lost", &self->camera, reason);
    warn(self, GST_RESOURCE_ERROR_READ, text);
    g_free(text);
    g_free(reason);
}

void gst_vigil_camera_src_first_frame(GstVigilCameraSrc *self)
{
    g_mutex_lock(&self->lock);
    const gboolean returned = self->returned;
    const GstClockTime away = gst_util_get_timestamp() - self->lost_at;
    self->returned = FALSE;
    g_mutex_unlock(&self->lock);
    if (!returned)
        return;
    GST_OBJECT_LOCK(self);
    const VigilCamera camera = self->camera;
    GST_OBJECT_UNLOCK(self);
    gchar *reason =
        g_strdup_printf("it is back after %.1f s", (gdouble)away / GST_SECOND);
    post(self, "camera-found", &camera, reason);
    g_free(reason);
    /* Another driver, or another mode, may be slower. */
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_latency(GST_OBJECT(self)));
}

/* ---- Noticing -------------------------------------------------------------------- */

void gst_vigil_camera_src_lose(GstVigilCameraSrc *self, const gchar *reason)
{
    g_mutex_lock(&self->lock);
    if (!self->lost) {
        self->lost = TRUE;
        g_free(self->reason);
        self->reason = g_strdup(reason);
        if (!self->returned)
            self->lost_at = gst_util_get_timestamp();
        g_cond_signal(&self->cond);
    }
    g_mutex_unlock(&self->lock);
}

/* The bin that holds the element when that is a chain of ours, with a reference. */
static GstObject *chain_of(GstVigilCameraSrc *self, GstObject *element)
{
    GstObject *chain = element ? gst_object_get_parent(element) : NULL;
    GstObject *owner = chain ? gst_object_get_parent(chain) : NULL;
    const gboolean ours = owner == GST_OBJECT(self);

    gst_clear_object(&owner);
    if (!ours)
        gst_clear_object(&chain);
    return chain;
}

GstFlowReturn gst_vigil_camera_src_flow_behind(GstElement *chain)
{
    GstPad *pad = gst_element_get_static_pad(chain, "src");
    const GstFlowReturn flow = gst_pad_get_last_flow_return(pad);

    gst_object_unref(pad);
    return flow;
}

/* An error that the source got from what follows is not the camera's. */
static gboolean came_from_behind(GstElement *chain, GstMessage *message)
{
    const GstStructure *details = NULL;
    gint flow = GST_FLOW_OK;

    gst_message_parse_error_details(message, &details);
    if (details)
        gst_structure_get_int(details, "flow-return", &flow);
    return flow == GST_FLOW_NOT_NEGOTIATED || flow == GST_FLOW_NOT_LINKED ||
           (flow == GST_FLOW_ERROR &&
            gst_vigil_camera_src_flow_behind(chain) == GST_FLOW_ERROR);
}

/* v4l2src does not say which camera it is that cannot be started. */
static void tell_failed(GstVigilCameraSrc *self, GstMessage *message)
{
    gchar label[VIGIL_CAMERA_LINE], mode[64], *debug = NULL;
    GError *error = NULL;

    gst_message_parse_error(message, &error, &debug);
    GST_OBJECT_LOCK(self);
    const VigilCamera camera = self->camera;
    vigil_choice_text(&self->choice, mode);
    GST_OBJECT_UNLOCK(self);
    gchar *reason = loss_reason(&camera, error->message);
    gchar *text =
        g_strdup_printf("The camera %s does not start at %s: %s. Try it again, "
                        "plug it in anew, or set another mode.",
                        vigil_camera_label(&camera, label), mode, reason);
    gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_ERROR, error->domain,
                             error->code, text, debug, __FILE__, GST_FUNCTION,
                             __LINE__);
    g_free(reason);
    g_error_free(error);
}

gboolean gst_vigil_camera_src_takes_message(GstVigilCameraSrc *self,
                                            GstMessage *message)
{
    GError *error = NULL;
    GstObject *chain = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR
                           ? chain_of(self, GST_MESSAGE_SRC(message))
                           : NULL;

    if (!chain)
        return FALSE;
    g_mutex_lock(&self->lock);
    const gboolean known = self->lost, began = self->watching && self->sent > 0;
    const gboolean told = self->watching && self->ending && !self->sent;
    g_mutex_unlock(&self->lock);
    const gboolean behind =
        !(began && known) && came_from_behind(GST_ELEMENT(chain), message);
    gst_object_unref(chain);
    if (began && !behind) {
        gst_message_parse_error(message, &error, NULL);
        gst_vigil_camera_src_lose(self, error->message);
        g_error_free(error);
        return TRUE;
    }
    gst_vigil_camera_src_end(self); /* of which the EOS that follows tells */
    if (!began && !behind && !told)
        tell_failed(self, message);
    return told || (!began && !behind);
}

/* ---- Finding again --------------------------------------------------------------- */

/* From a loss to the next frame. */
typedef struct _Search {
    VigilCameraList others; /* there beside the camera that was lost */
    gint64 wait;            /* before the next attempt, in microseconds */
    VigilCameraError obstacle;
    gint64 since; /* monotonic time at which the obstacle came up */
    gboolean told;
} Search;

/* What stands in the way is told once it has done so for a while. */
static void note_obstacle(GstVigilCameraSrc *self, Search *search,
                          const VigilCameraError *error)
{
    const gint64 now = g_get_monotonic_time();

    if (strcmp(search->obstacle.message, error->message)) {
        search->obstacle = *error;
        search->since = now;
        search->told = FALSE;
    } else if (error->message[0] && !search->told && now - search->since > PATIENCE) {
        warn(self, gst_vigil_camera_error_code(error->status), error->message);
        search->told = TRUE;
    }
}

/* Puts a new chain in its place, under `swap`. */
static gboolean start_again(GstVigilCameraSrc *self, const VigilCamera *camera,
                            const VigilCameraChoice *choice, VigilCameraError *error)
{
    GST_OBJECT_LOCK(self);
    self->camera = *camera;
    self->choice = *choice;
    GST_OBJECT_UNLOCK(self);
    g_mutex_lock(&self->lock);
    self->lost = FALSE;
    self->returned = TRUE;
    g_mutex_unlock(&self->lock);
    if (gst_vigil_camera_src_add_chain(self) &&
        gst_element_sync_state_with_parent(self->chain))
        return TRUE;
    gst_vigil_camera_src_remove_chain(self);
    g_mutex_lock(&self->lock);
    self->lost = TRUE;
    *error = (VigilCameraError) { .status = VIGIL_CAMERA_FAILED };
    g_strlcpy(error->message, self->reason ? self->reason : "", sizeof error->message);
    g_mutex_unlock(&self->lock);
    return FALSE;
}

/* One attempt. */
static gboolean reopen(GstVigilCameraSrc *self, Search *search)
{
    VigilCamera camera;
    VigilCameraChoice choice;
    VigilCameraError error = { .status = VIGIL_CAMERA_NOT_FOUND };
    gboolean found;

    g_mutex_lock(&self->swap);
    found = vigil_camera_find_again(vigil_v4l2_system(), &self->selector, &self->camera,
                                    &search->others, &camera) &&
            gst_vigil_camera_src_prepare_again(self, &camera, &choice, &error) &&
            start_again(self, &camera, &choice, &error);
    g_mutex_unlock(&self->swap);
    if (!found)
        note_obstacle(self, search, &error);
    return found;
}

/* Waits under `lock`.  FALSE: there is nothing more to look for. */
static gboolean wait_for_attempt(GstVigilCameraSrc *self, Search *search)
{
    const gint64 end = g_get_monotonic_time() + search->wait;

    search->wait = MIN(2 * search->wait, LONGEST_WAIT);
    while (!self->stopping && !self->ending &&
           g_cond_wait_until(&self->cond, &self->lock, end))
        ;
    return !self->stopping && !self->ending;
}

/* Sinks and queues give back the frames they hold: the driver lets go of a camera only
 * when all of its memory is free. */
static void drain(GstVigilCameraSrc *self)
{
    GstQuery *query = gst_query_new_drain();

    gst_pad_peer_query(self->src, query);
    gst_query_unref(query);
}

/* Under `lock`, which is given back between. */
static void handle_loss(GstVigilCameraSrc *self, Search *search)
{
    /* Lost again before its first frame: the search goes on. */
    const gboolean again = self->returned;
    gchar *reason = g_steal_pointer(&self->reason);
    gboolean found = FALSE;

    g_mutex_unlock(&self->lock);
    g_mutex_lock(&self->swap);
    gst_vigil_camera_src_remove_chain(self);
    g_mutex_unlock(&self->swap);
    if (!again) {
        *search = (Search) { .wait = FIRST_WAIT };
        vigil_camera_list(vigil_v4l2_system(), &search->others);
        tell_lost(self, reason);
    }
    g_free(reason);
    drain(self);
    g_mutex_lock(&self->lock);
    while (!found && wait_for_attempt(self, search)) {
        g_mutex_unlock(&self->lock);
        found = reopen(self, search);
        g_mutex_lock(&self->lock);
    }
}

/* Without a chain nobody else does; under `lock`, which is given back between. */
static void end_stream(GstVigilCameraSrc *self)
{
    self->ended = TRUE;
    g_mutex_unlock(&self->lock);
    if (!self->started)
        gst_pad_push_event(self->src, gst_event_new_stream_start("vigilcamerasrc"));
    gst_pad_push_event(self->src, gst_event_new_eos());
    g_mutex_lock(&self->lock);
}

static gpointer watch(gpointer data)
{
    GstVigilCameraSrc *self = data;
    Search *search = g_new0(Search, 1);

    g_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (self->lost && !self->ended)
            handle_loss(self, search);
        if (self->lost && self->ending && !self->ended && !self->stopping)
            end_stream(self);
        else if ((!self->lost || self->ended) && !self->stopping)
            g_cond_wait(&self->cond, &self->lock);
    }
    g_mutex_unlock(&self->lock);
    g_free(search);
    return NULL;
}

void gst_vigil_camera_src_end(GstVigilCameraSrc *self)
{
    g_mutex_lock(&self->lock);
    self->ending = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
}

/* Without a chain: it was lost before, and the element has been stopped since. */
void gst_vigil_camera_src_start_watching(GstVigilCameraSrc *self)
{
    self->stopping = self->ending = self->ended = self->returned = FALSE;
    self->lost = !self->chain;
    self->sent = 0;
    self->started = self->has_segment = FALSE;
    self->last_pts = GST_CLOCK_TIME_NONE;
    self->lost_at = gst_util_get_timestamp();
    self->watching = TRUE;
    self->watcher = g_thread_new("vigilcamerasrc", watch, self);
}

void gst_vigil_camera_src_stop_watching(GstVigilCameraSrc *self)
{
    if (!self->watcher)
        return;
    g_mutex_lock(&self->lock);
    self->stopping = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->watcher);
    self->watcher = NULL;
}

void gst_vigil_camera_src_forget_loss(GstVigilCameraSrc *self)
{
    self->watching = FALSE;
    g_clear_pointer(&self->reason, g_free);
}
