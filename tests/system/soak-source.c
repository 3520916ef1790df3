/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>
#include <math.h>
#include "soak.h"

enum { TEXTURE = 1 << 17, STEP = 97 }; /* bytes; the frames are cut out of it */

typedef struct {
    GstPushSrc parent;
    GstCaps *next; /* under the object lock; NULL: those in use */
    GstCaps *caps;
    GstVideoInfo info;
    GstClockTime position, duration;
    gsize shift;
    guint8 *texture; /* [TEXTURE] */
} SoakSource;
typedef GstPushSrcClass SoakSourceClass;

GType soak_source_get_type(void);
G_DEFINE_TYPE(SoakSource, soak_source, GST_TYPE_PUSH_SRC)

void soak_source_set_caps(GstElement *source, const gchar *caps)
{
    SoakSource *self = (SoakSource *)source;
    GstCaps *next = gst_caps_from_string(caps);

    g_assert_nonnull(next);
    GST_OBJECT_LOCK(self);
    gst_caps_replace(&self->next, next);
    GST_OBJECT_UNLOCK(self);
    gst_caps_unref(next);
}

static gboolean soak_source_negotiate(GstBaseSrc *base)
{
    SoakSource *self = (SoakSource *)base;

    GST_OBJECT_LOCK(self);
    if (self->next)
        gst_caps_replace(&self->caps, self->next);
    gst_clear_caps(&self->next);
    GST_OBJECT_UNLOCK(self);
    g_assert_true(gst_video_info_from_caps(&self->info, self->caps));
    g_assert_cmpuint(self->info.size, <, TEXTURE);
    self->duration =
        self->info.fps_n
            ? gst_util_uint64_scale_int(GST_SECOND, self->info.fps_d, self->info.fps_n)
            : 40 * GST_MSECOND;
    return gst_base_src_set_caps(base, self->caps);
}

/* The caps do not go out while the pad is flushed: they are new still. */
static gboolean take_caps(SoakSource *self)
{
    GST_OBJECT_LOCK(self);
    const gboolean changed = self->next != NULL;
    GST_OBJECT_UNLOCK(self);
    if (!changed || soak_source_negotiate(GST_BASE_SRC(self)))
        return TRUE;
    GST_OBJECT_LOCK(self);
    if (!self->next)
        gst_caps_replace(&self->next, self->caps);
    GST_OBJECT_UNLOCK(self);
    return FALSE;
}

static GstFlowReturn soak_source_create(GstPushSrc *push, GstBuffer **buffer)
{
    SoakSource *self = (SoakSource *)push;

    if (!take_caps(self))
        return GST_FLOW_FLUSHING;
    self->shift = (self->shift + STEP) % (TEXTURE - self->info.size);
    *buffer = gst_buffer_new_allocate(NULL, self->info.size, NULL);
    gst_buffer_fill(*buffer, 0, self->texture + self->shift, self->info.size);
    GST_BUFFER_PTS(*buffer) = self->position;
    GST_BUFFER_DURATION(*buffer) = self->duration;
    self->position += self->duration;
    return GST_FLOW_OK;
}

static gboolean soak_source_is_seekable(GstBaseSrc *base)
{
    return TRUE;
}

static gboolean soak_source_do_seek(GstBaseSrc *base, GstSegment *segment)
{
    ((SoakSource *)base)->position = segment->position;
    return TRUE;
}

static void soak_source_finalize(GObject *object)
{
    SoakSource *self = (SoakSource *)object;

    gst_clear_caps(&self->next);
    gst_clear_caps(&self->caps);
    g_free(self->texture);
    G_OBJECT_CLASS(soak_source_parent_class)->finalize(object);
}

static void soak_source_class_init(SoakSourceClass *klass)
{
    static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE(
        "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

    G_OBJECT_CLASS(klass)->finalize = soak_source_finalize;
    gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &template);
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "soak", "Source",
                                          "Frames without end", "the test");
    GST_BASE_SRC_CLASS(klass)->negotiate = soak_source_negotiate;
    GST_BASE_SRC_CLASS(klass)->is_seekable = soak_source_is_seekable;
    GST_BASE_SRC_CLASS(klass)->do_seek = soak_source_do_seek;
    GST_PUSH_SRC_CLASS(klass)->create = soak_source_create;
}

static void soak_source_init(SoakSource *self)
{
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
    self->texture = g_new(guint8, TEXTURE);
    for (guint i = 0; i < TEXTURE; i++)
        self->texture[i] =
            (guint8)(128 + 80 * sin(i * 0.013) + 40 * sin((gdouble)i * i * 1e-7));
}

GstElement *soak_source_new(void)
{
    return g_object_new(soak_source_get_type(), NULL);
}
