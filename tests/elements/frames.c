/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "frames.h"

/* ---- Pictures ------------------------------------------------------------------- */

GstVideoInfo frame_info(const gchar *text)
{
    GstCaps *caps = gst_caps_from_string(text);
    GstVideoInfo info;

    g_assert_nonnull(caps);
    g_assert_true(gst_video_info_from_caps(&info, caps));
    const gchar *site =
        gst_structure_get_string(gst_caps_get_structure(caps, 0), "chroma-site");
    if (site) /* 1.22 forgets it where there is no colorimetry */
        GST_VIDEO_INFO_CHROMA_SITE(&info) = gst_video_chroma_site_from_string(site);
    gst_caps_unref(caps);
    return info;
}

static guint8 wave(double phase)
{
    return (guint8)lrint(128 + 90 * sin(phase));
}

void frame_pixel(Picture picture, double x, double y, guint8 rgb[3])
{
    const double shift = picture == PICTURE_OTHER ? 2 : 0;

    rgb[0] = wave(5 * x + 3 * y + shift);
    rgb[1] = wave(4 * y - 6 * x + 1 - shift);
    rgb[2] = wave(7 * x * y + 2 + 2 * shift);
    if (picture == PICTURE_GREY)
        rgb[1] = rgb[2] = rgb[0];
}

GstBuffer *frame_paint(guint width, guint height, FramePaint paint, gpointer data)
{
    GstVideoInfo info;
    GstVideoFrame frame;

    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, width, height);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE));
    for (guint y = 0; y < height; y++) {
        guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                      y * (guint)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
        for (guint x = 0; x < width; x++)
            paint(x, y, row + 3 * x, data);
    }
    gst_video_frame_unmap(&frame);
    GST_BUFFER_PTS(buffer) = 0;
    return buffer;
}

typedef struct Smooth {
    Picture picture;
    guint width, height;
} Smooth;

static void paint_smooth(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Smooth *smooth = data;

    frame_pixel(smooth->picture, (x + 0.5) / smooth->width, (y + 0.5) / smooth->height,
                rgb);
}

/* Memory with `padding` around the picture, described by a GstVideoMeta. */
static GstBuffer *padded_buffer(GstVideoInfo info, guint padding)
{
    GstVideoAlignment align;

    gst_video_alignment_reset(&align);
    align.padding_left = align.padding_right = padding;
    align.padding_top = align.padding_bottom = padding;
    g_assert_true(gst_video_info_align(&info, &align));
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_memset(buffer, 0, 0x55, info.size);
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
        (guint)GST_VIDEO_INFO_WIDTH(&info), (guint)GST_VIDEO_INFO_HEIGHT(&info),
        GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
    return buffer;
}

static void convert(GstBuffer *from, const GstVideoInfo *from_info, GstBuffer *to,
                    const GstVideoInfo *to_info)
{
    GstVideoInfo in = *from_info, out = *to_info;
    GstVideoFrame source, target;
    GstVideoConverter *converter = gst_video_converter_new(
        &in, &out,
        gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));

    g_assert_nonnull(converter);
    g_assert_true(gst_video_frame_map(&source, &in, from, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&target, &out, to, GST_MAP_WRITE));
    gst_video_converter_frame(converter, &source, &target);
    gst_video_frame_unmap(&target);
    gst_video_frame_unmap(&source);
    gst_video_converter_free(converter);
}

GstBuffer *frame_convert(GstBuffer *frame, const GstVideoInfo *from,
                         const GstVideoInfo *to, guint padding)
{
    GstVideoInfo in = *from;

    GST_VIDEO_INFO_PAR_N(&in) = GST_VIDEO_INFO_PAR_N(to);
    GST_VIDEO_INFO_PAR_D(&in) = GST_VIDEO_INFO_PAR_D(to);
    GST_VIDEO_INFO_FPS_N(&in) = GST_VIDEO_INFO_FPS_N(to);
    GST_VIDEO_INFO_FPS_D(&in) = GST_VIDEO_INFO_FPS_D(to);
    GstBuffer *buffer = padding ? padded_buffer(*to, padding)
                                : gst_buffer_new_allocate(NULL, to->size, NULL);
    convert(frame, &in, buffer, to);
    GST_BUFFER_PTS(buffer) = GST_BUFFER_PTS(frame);
    return buffer;
}

const GValue *frame_formats(const gchar *element)
{
    GstElementFactory *factory = gst_element_factory_find(element);
    const GstStaticPadTemplate *pad =
        gst_element_factory_get_static_pad_templates(factory)->data;
    GstCaps *caps = gst_static_pad_template_get_caps((GstStaticPadTemplate *)pad);
    const GValue *formats =
        gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");

    gst_caps_unref(caps); /* the static template keeps one */
    gst_object_unref(factory);
    return formats;
}

GstBuffer *frame_new(const GstVideoInfo *info, Picture picture, guint padding)
{
    const guint width = (guint)GST_VIDEO_INFO_WIDTH(info);
    const guint height = (guint)GST_VIDEO_INFO_HEIGHT(info);
    Smooth smooth = { picture, width, height };
    GstVideoInfo rgb;

    gst_video_info_set_format(&rgb, GST_VIDEO_FORMAT_RGB, width, height);
    GstBuffer *source = frame_paint(width, height, paint_smooth, &smooth);
    GstBuffer *buffer = frame_convert(source, &rgb, info, padding);
    gst_buffer_unref(source);
    return buffer;
}

/* ---- The element ---------------------------------------------------------------- */

GstElement *classifier_plain(void)
{
    GstElement *element = gst_element_factory_make("vigilclassify", "classify");

    g_assert_nonnull(element);
    g_object_set(element, "model", g_getenv("VIGIL_TEST_MODEL"), "top-k", 10u, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "mode", "sync"); /* a harness is live */
    return element;
}

GstElement *classifier_new(const gchar *first_property, ...)
{
    GstElement *element = classifier_plain();
    va_list args;

    va_start(args, first_property);
    g_object_set_valist(G_OBJECT(element), first_property, args);
    va_end(args);
    return element;
}

GstHarness *classifier_harness(GstElement *element, const gchar *caps)
{
    GstHarness *harness = gst_harness_new_with_element(element, "sink", "src");

    gst_object_unref(element);
    gst_harness_set_src_caps_str(harness, caps);
    return harness;
}

GstVigilMeta *frame_meta(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);

    g_assert_nonnull(metas);
    GstVigilMeta *meta = metas->data;
    g_list_free(metas);
    return meta;
}

guint frame_count_metas(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    const guint n = g_list_length(metas);

    g_list_free(metas);
    return n;
}

const GstVigilClass *frame_class(GstBuffer *buffer, guint i)
{
    GstVigilResult *result = gst_vigil_meta_get_result(frame_meta(buffer), 0);

    g_assert_nonnull(result);
    const GstVigilClass *klass = gst_vigil_result_get_class(result, i);
    g_assert_nonnull(klass);
    return klass;
}

GstBuffer *frame_at(guint n)
{
    const GstVideoInfo info = frame_info(STREAM_CAPS);
    GstBuffer *buffer = frame_new(&info, PICTURE_COLOR, 0);

    GST_BUFFER_PTS(buffer) = n * FRAME_TIME;
    GST_BUFFER_DURATION(buffer) = FRAME_TIME;
    return buffer;
}

gboolean frame_is_analysed(GstHarness *h, GstBuffer *frame)
{
    GstBuffer *out = gst_harness_push_and_pull(h, frame);

    g_assert_nonnull(out);
    const guint n = frame_count_metas(out);
    g_assert_cmpuint(n, <=, 1);
    gst_buffer_unref(out);
    return n == 1;
}

GstBuffer *classify_once(GstElement *element, const gchar *caps, GstBuffer *frame)
{
    GstHarness *harness = classifier_harness(element, caps);
    GstBuffer *out = gst_harness_push_and_pull(harness, frame);

    g_assert_nonnull(out);
    gst_harness_teardown(harness);
    return out;
}

gchar *bus_text(GstBus *bus, GstMessageType type)
{
    GstMessage *message = gst_bus_pop_filtered(bus, type);
    GError *error = NULL;

    if (!message)
        return g_strdup("");
    if (type == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, NULL);
    else
        gst_message_parse_error(message, &error, NULL);
    gchar *text = g_strdup(error->message);
    g_error_free(error);
    gst_message_unref(message);
    return text;
}

guint64 stats_count(GstElement *element, const gchar *field)
{
    GstStructure *stats = NULL;
    guint64 value = G_MAXUINT64;

    g_object_get(element, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, field, &value));
    gst_structure_free(stats);
    return value;
}

/* ---- Scores --------------------------------------------------------------------- */

Scores scores_read(GstBuffer *buffer)
{
    Scores scores = { .best = frame_class(buffer, 0)->index };

    for (guint i = 0; i < 10; i++)
        scores.score[frame_class(buffer, i)->index] = frame_class(buffer, i)->score;
    gst_buffer_unref(buffer);
    return scores;
}

Scores scores_of_caps(const gchar *caps, Picture picture, guint padding)
{
    const GstVideoInfo info = frame_info(caps);

    return scores_read(
        classify_once(classifier_plain(), caps, frame_new(&info, picture, padding)));
}

gfloat scores_apart(const Scores *a, const Scores *b)
{
    gfloat most = 0;

    for (guint i = 0; i < 10; i++)
        most = MAX(most, fabsf(a->score[i] - b->score[i]));
    return most;
}

void scores_assert_same(const Scores *a, const Scores *b, const gchar *what)
{
    const gfloat apart = scores_apart(a, b);

    g_test_message("%s: scores %g apart", what, (double)apart);
    if (a->best != b->best || apart > SCORE_TOLERANCE)
        g_error("%s: class %d, expected %d; scores %g apart", what, a->best, b->best,
                (double)apart);
}

void element_assert_refused(GstElement *element, const gchar *const *words)
{
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(element, bus);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    gchar *text = bus_text(bus, GST_MESSAGE_ERROR);
    g_test_message("%s", text);
    for (guint i = 0; words[i]; i++)
        if (!strstr(text, words[i]))
            g_error("\"%s\" does not say \"%s\"", text, words[i]);
    g_assert_true(g_str_has_suffix(text, "."));
    g_free(text);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}
