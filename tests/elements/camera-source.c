/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/base/gstpushsrc.h>
#include "camera-source.h"
#include "fake.h"

typedef struct {
    GstPushSrc parent;
    gchar *device;
    gboolean jpeg;
    gint unlocked;
} FakeSrc;
typedef GstPushSrcClass FakeSrcClass;

GType fake_src_get_type(void);
G_DEFINE_TYPE(FakeSrc, fake_src, GST_TYPE_PUSH_SRC)

static GBytes *picture; /* what it gives as JPEG */
gint camera_source_silent, camera_source_steps_back, camera_source_ends,
    camera_source_fails, camera_source_refuses;

static void fake_src_set_property(GObject *object, guint id, const GValue *value,
                                  GParamSpec *pspec)
{
    FakeSrc *self = (FakeSrc *)object;

    g_free(self->device);
    self->device = g_value_dup_string(value);
}

static void fake_src_finalize(GObject *object)
{
    g_free(((FakeSrc *)object)->device);
    G_OBJECT_CLASS(fake_src_parent_class)->finalize(object);
}

static gboolean fake_src_set_caps(GstBaseSrc *base, GstCaps *caps)
{
    ((FakeSrc *)base)->jpeg =
        gst_structure_has_name(gst_caps_get_structure(caps, 0), "image/jpeg");
    return TRUE;
}

static gboolean fake_src_query(GstBaseSrc *base, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return GST_BASE_SRC_CLASS(fake_src_parent_class)->query(base, query);
    gst_query_set_latency(query, TRUE, 40 * GST_MSECOND, 160 * GST_MSECOND);
    return TRUE;
}

static gboolean fake_src_unlock(GstBaseSrc *base)
{
    g_atomic_int_set(&((FakeSrc *)base)->unlocked, 1);
    return TRUE;
}

static gboolean fake_src_unlock_stop(GstBaseSrc *base)
{
    g_atomic_int_set(&((FakeSrc *)base)->unlocked, 0);
    return TRUE;
}

static gboolean take(gint *count)
{
    const gboolean some = g_atomic_int_get(count) > 0;

    if (some)
        g_atomic_int_add(count, -1);
    return some;
}

static GstFlowReturn fake_src_create(GstPushSrc *push, GstBuffer **buffer)
{
    FakeSrc *self = (FakeSrc *)push;
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    const int fd = v4l2->open(self->device);

    do
        g_usleep(5000);
    while (g_atomic_int_get(&camera_source_silent) &&
           !g_atomic_int_get(&self->unlocked));
    if (fd >= 0)
        v4l2->close(fd);
    if (g_atomic_int_get(&self->unlocked))
        return GST_FLOW_FLUSHING;
    if (fd < 0 || take(&camera_source_fails)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Could not read from resource."),
                          ("%s", self->device));
        return GST_FLOW_ERROR;
    }
    if (take(&camera_source_ends))
        return GST_FLOW_EOS;
    *buffer = self->jpeg ? gst_buffer_new_wrapped_bytes(picture)
                         : gst_buffer_new_allocate(NULL, 640 * 480 * 2, NULL);
    GstClockTime now = gst_element_get_current_running_time(GST_ELEMENT(self));
    if (take(&camera_source_steps_back))
        now -= MIN(now, GST_SECOND);
    GST_BUFFER_PTS(*buffer) = now;
    return GST_FLOW_OK;
}

static GstStateChangeReturn fake_src_change_state(GstElement *element,
                                                  GstStateChange transition)
{
    if (transition == GST_STATE_CHANGE_NULL_TO_READY && take(&camera_source_refuses)) {
        GST_ELEMENT_ERROR(element, RESOURCE, BUSY, ("Cannot be opened."), (NULL));
        return GST_STATE_CHANGE_FAILURE;
    }
    return GST_ELEMENT_CLASS(fake_src_parent_class)->change_state(element, transition);
}

static void fake_src_class_init(FakeSrcClass *klass)
{
    static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE(
        "src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS("video/x-raw; image/jpeg; video/x-h264"));

    G_OBJECT_CLASS(klass)->set_property = fake_src_set_property;
    G_OBJECT_CLASS(klass)->finalize = fake_src_finalize;
    g_object_class_install_property(
        G_OBJECT_CLASS(klass), 1,
        g_param_spec_string("device", NULL, NULL, NULL, G_PARAM_WRITABLE));
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &template);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "fake", "Source",
                                          "fake", "fake");
    GST_ELEMENT_CLASS(klass)->change_state = fake_src_change_state;
    GST_BASE_SRC_CLASS(klass)->set_caps = fake_src_set_caps;
    GST_BASE_SRC_CLASS(klass)->query = fake_src_query;
    GST_BASE_SRC_CLASS(klass)->unlock = fake_src_unlock;
    GST_BASE_SRC_CLASS(klass)->unlock_stop = fake_src_unlock_stop;
    GST_PUSH_SRC_CLASS(klass)->create = fake_src_create;
}

static void fake_src_init(FakeSrc *self)
{
    gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void on_picture(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    GstMapInfo map;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    picture = g_bytes_new(map.data, map.size);
    gst_buffer_unmap(buffer, &map);
}

void camera_source_init(void)
{
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=1280,height=720 ! "
        "jpegenc ! fakesink name=sink signal-handoffs=true",
        NULL);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    GstBus *bus = gst_element_get_bus(pipeline);

    g_signal_connect(sink, "handoff", G_CALLBACK(on_picture), NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    gst_message_unref(
        gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    gst_element_register(NULL, "v4l2src", GST_RANK_NONE, fake_src_get_type());
}

void camera_source_clear(void)
{
    g_bytes_unref(picture);
}
