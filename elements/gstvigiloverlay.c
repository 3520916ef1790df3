/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vigiloverlay
 * @title: vigiloverlay
 * @short_description: draws what the vigil elements found
 *
 * Draws the results that ride on a buffer in a #GstVigilMeta: classes of the whole
 * frame as a panel in a corner, regions and detected objects as boxes with a caption,
 * which the classes that vigilclassify told of the object join, masks as translucent
 * colours with a legend in the panel (a class that is called background is left as it
 * is).  A label has the same colour in every frame and every run, as a box and in a
 * mask; lines and text grow with the frame.
 *
 * Results stay for #GstVigilOverlay:hold-time on frames that carry none, so that
 * nothing blinks when not every frame is looked at.  A meta without results is an
 * answer too: what was drawn for its element goes at once.
 *
 * Where downstream can blend by itself (it names the caps feature
 * `meta:GstVideoOverlayComposition` and asks for that meta in the ALLOCATION query) the
 * picture travels beside the frame; otherwise it is blended into it.  Frames that
 * nothing is drawn on pass untouched.
 *
 * ## Example
 * |[
 * gst-launch-1.0 videotestsrc ! vigilclassify ! vigiloverlay ! videoconvert ! \
 *     autovideosink
 * ]| Classes of the whole frame.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vigildetect model=detector.safetensors ! \
 *     vigiloverlay ! videoconvert ! autovideosink
 * ]| Objects.
 */
#include "gstvigiloverlay-private.h"

GST_DEBUG_CATEGORY_STATIC(gst_vigil_overlay_debug);
#define GST_CAT_DEFAULT gst_vigil_overlay_debug

#define COMPOSITION_FEATURE GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION
#define OVERLAY_CAPS                                                                   \
    GST_VIDEO_CAPS_MAKE_WITH_FEATURES(GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY            \
                                      "," COMPOSITION_FEATURE,                         \
                                      GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)     \
    ";" GST_VIDEO_CAPS_MAKE(GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(OVERLAY_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(OVERLAY_CAPS));

G_DEFINE_TYPE(GstVigilOverlay, gst_vigil_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(vigiloverlay, "vigiloverlay", GST_RANK_NONE,
                            GST_TYPE_VIGIL_OVERLAY)

/* ---- Caps ----------------------------------------------------------------------- */

/* The caps with the feature added (or removed) where they lack (or have) it. */
static GstCaps *with_feature(const GstCaps *caps, gboolean present)
{
    GstCaps *changed = gst_caps_new_empty();
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        GstCapsFeatures *features = gst_caps_get_features(caps, i);
        if (gst_caps_features_is_any(features) ||
            gst_caps_features_contains(features, COMPOSITION_FEATURE) == present)
            continue;
        features = gst_caps_features_copy(features);
        if (present)
            gst_caps_features_add(features, COMPOSITION_FEATURE);
        else
            gst_caps_features_remove(features, COMPOSITION_FEATURE);
        gst_caps_append_structure_full(
            changed, gst_structure_copy(gst_caps_get_structure(caps, i)), features);
    }
    return changed;
}

/* The feature may be added on the way down, never dropped: a composition that came in
 * has to be blended by somebody. */
static GstCaps *gst_vigil_overlay_transform_caps(GstBaseTransform *base,
                                                 GstPadDirection direction,
                                                 GstCaps *caps, GstCaps *filter)
{
    GstCaps *result = gst_caps_merge(with_feature(caps, direction == GST_PAD_SINK),
                                     gst_caps_ref(caps));
    if (filter) {
        GstCaps *all = result;
        result = gst_caps_intersect_full(filter, all, GST_CAPS_INTERSECT_FIRST);
        gst_caps_unref(all);
    }
    return result;
}

static gboolean names_feature(const GstCaps *caps)
{
    if (gst_caps_is_any(caps))
        return FALSE;
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        GstCapsFeatures *features = gst_caps_get_features(caps, i);
        if (!gst_caps_features_is_any(features) &&
            gst_caps_features_contains(features, COMPOSITION_FEATURE))
            return TRUE;
    }
    return FALSE;
}

/* Elements that take anything do not blend: only who names the feature gets it. */
static GstCaps *gst_vigil_overlay_fixate_caps(GstBaseTransform *base,
                                              GstPadDirection direction, GstCaps *caps,
                                              GstCaps *othercaps)
{
    if (direction == GST_PAD_SINK) {
        GstCaps *peer = gst_pad_peer_query_caps(GST_BASE_TRANSFORM_SRC_PAD(base), NULL);
        GstCaps *wanted =
            names_feature(peer) ? with_feature(caps, TRUE) : gst_caps_ref(caps);
        GstCaps *preferred = gst_caps_intersect(othercaps, wanted);
        if (!gst_caps_is_empty(preferred))
            gst_caps_replace(&othercaps, preferred);
        gst_caps_unref(preferred);
        gst_caps_unref(wanted);
        gst_caps_unref(peer);
    }
    return gst_caps_fixate(othercaps);
}

static void forget_picture(GstVigilOverlay *self)
{
    g_clear_pointer(&self->composition, gst_video_overlay_composition_unref);
    g_clear_pointer(&self->key, g_free);
}

static gboolean gst_vigil_overlay_set_caps(GstBaseTransform *base, GstCaps *incaps,
                                           GstCaps *outcaps)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(base);
    g_atomic_int_set(&self->ask_downstream, TRUE);
    forget_picture(self);
    return gst_video_info_from_caps(&self->info, incaps);
}

/* In place, the base class asks downstream nothing: this does, once per negotiation. */
static gboolean downstream_blends(GstVigilOverlay *self)
{
    GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD(self);
    GstCaps *caps = gst_pad_get_current_caps(pad);
    gboolean blends = FALSE;
    if (caps && names_feature(caps)) {
        GstQuery *query = gst_query_new_allocation(caps, FALSE);
        blends = gst_pad_peer_query(pad, query) &&
                 gst_query_find_allocation_meta(
                     query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
        gst_query_unref(query);
    }
    gst_clear_caps(&caps);
    GST_DEBUG_OBJECT(self, "the picture is %s", blends ? "attached" : "blended in");
    return blends;
}

/* Upstream may write into downstream's buffers. */
static gboolean gst_vigil_overlay_propose_allocation(GstBaseTransform *base,
                                                     GstQuery *decided, GstQuery *query)
{
    if (!gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(base), query))
        GST_DEBUG_OBJECT(base, "downstream does not answer ALLOCATION");
    if (!gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL))
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return TRUE;
}

/* ---- Frames --------------------------------------------------------------------- */

static GstVigilOverlayScene *new_scene(GstVigilOverlay *self)
{
    const GArray *held = self->held.groups;
    GstVigilOverlayGroup *groups = g_newa(GstVigilOverlayGroup, held->len + 1);
    for (guint i = 0; i < held->len; i++) {
        const GstVigilHeldGroup *group = &g_array_index(held, GstVigilHeldGroup, i);
        groups[i] =
            (GstVigilOverlayGroup) { group->source, group->detects, group->results };
    }
    GST_OBJECT_LOCK(self);
    GstVigilOverlayScene *scene =
        gst_vigil_overlay_scene_new(&self->style, &self->info, groups, held->len);
    GST_OBJECT_UNLOCK(self);
    return scene;
}

static PangoContext *get_pango(GstVigilOverlay *self)
{
    if (!self->pango) {
        PangoFontMap *fonts = pango_cairo_font_map_new();
        cairo_font_options_t *options = cairo_font_options_create();
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
        self->pango = pango_font_map_create_context(fonts);
        pango_cairo_context_set_font_options(self->pango, options);
        cairo_font_options_destroy(options);
        g_object_unref(fonts);
    }
    return self->pango;
}

/* Alpha is divided out first: libgstvideo converts colours as if they were opaque. */
static GstVideoOverlayRectangle *rectangle_to_yuv(GstVideoOverlayRectangle *rgb)
{
    const GstVideoOverlayFormatFlags none = GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE;
    gint x, y;
    guint width, height;
    gst_video_overlay_rectangle_get_render_rectangle(rgb, &x, &y, &width, &height);
    GstVideoOverlayRectangle *straight = gst_video_overlay_rectangle_new_raw(
        gst_video_overlay_rectangle_get_pixels_unscaled_argb(rgb, none), x, y, width,
        height, none);
    GstVideoOverlayRectangle *yuv = gst_video_overlay_rectangle_new_raw(
        gst_video_overlay_rectangle_get_pixels_unscaled_ayuv(straight, none), x, y,
        width, height, none);
    gst_video_overlay_rectangle_unref(straight);
    return yuv;
}

/* The same picture in the colours of the frame, so that blending need not convert it
 * again for every frame. */
static GstVideoOverlayComposition *to_yuv(GstVideoOverlayComposition *rgb)
{
    GstVideoOverlayComposition *yuv = gst_video_overlay_composition_new(NULL);
    guint n = gst_video_overlay_composition_n_rectangles(rgb);
    for (guint i = 0; i < n; i++) {
        GstVideoOverlayRectangle *converted =
            rectangle_to_yuv(gst_video_overlay_composition_get_rectangle(rgb, i));
        gst_video_overlay_composition_add_rectangle(yuv, converted);
        gst_video_overlay_rectangle_unref(converted);
    }
    gst_video_overlay_composition_unref(rgb);
    return yuv;
}

static GstVideoOverlayComposition *draw(GstVigilOverlay *self,
                                        const GstVigilOverlayScene *scene)
{
    GstVideoOverlayComposition *rgb =
        gst_vigil_overlay_scene_render(scene, get_pango(self));
    if (self->attach || !GST_VIDEO_INFO_IS_YUV(&self->info))
        return rgb;
    return to_yuv(rgb);
}

/* Makes `composition` the picture for this buffer; drawn again only when it changed. */
static void update_picture(GstVigilOverlay *self, GstBuffer *buffer)
{
    GST_OBJECT_LOCK(self);
    GstClockTime hold_time = self->hold_time;
    GST_OBJECT_UNLOCK(self);
    gst_vigil_held_update(&self->held, buffer, hold_time);
    if (self->held.groups->len == 0) {
        forget_picture(self);
        return;
    }
    if (g_atomic_int_compare_and_exchange(&self->ask_downstream, TRUE, FALSE)) {
        self->attach = downstream_blends(self);
        forget_picture(self);
    }
    GstVigilOverlayScene *scene = new_scene(self);
    const gchar *key = gst_vigil_overlay_scene_get_key(scene);
    if (g_strcmp0(key, self->key) != 0) {
        forget_picture(self);
        self->key = g_strdup(key);
        if (key)
            self->composition = draw(self, scene);
    }
    gst_vigil_overlay_scene_free(scene);
}

/* The frame itself where nothing is drawn, a shallow copy where it is shared. */
static GstFlowReturn gst_vigil_overlay_prepare_output_buffer(GstBaseTransform *base,
                                                             GstBuffer *input,
                                                             GstBuffer **output)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(base);
    GstClockTime time = gst_segment_to_stream_time(&base->segment, GST_FORMAT_TIME,
                                                   GST_BUFFER_PTS(input));
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(self), time);
    update_picture(self, input);
    if (!self->composition || gst_buffer_is_writable(input))
        *output = input;
    else
        *output = gst_buffer_copy(input);
    return *output ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* Another overlay may have put its picture there already. */
static void attach_picture(GstVigilOverlay *self, GstBuffer *buffer)
{
    GstVideoOverlayCompositionMeta *meta =
        gst_buffer_get_video_overlay_composition_meta(buffer);
    if (!meta) {
        gst_buffer_add_video_overlay_composition_meta(buffer, self->composition);
        return;
    }
    meta->overlay = gst_video_overlay_composition_make_writable(meta->overlay);
    guint n = gst_video_overlay_composition_n_rectangles(self->composition);
    for (guint i = 0; i < n; i++)
        gst_video_overlay_composition_add_rectangle(
            meta->overlay,
            gst_video_overlay_composition_get_rectangle(self->composition, i));
}

static GstFlowReturn gst_vigil_overlay_transform_ip(GstBaseTransform *base,
                                                    GstBuffer *buffer)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(base);
    GstVideoFrame frame;
    if (!self->composition)
        return GST_FLOW_OK;
    if (self->attach) {
        attach_picture(self, buffer);
        return GST_FLOW_OK;
    }
    if (!gst_video_frame_map(&frame, &self->info, buffer, GST_MAP_READWRITE)) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The video frame cannot be drawn on."),
                          ("buffer of %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
                           " wanted",
                           gst_buffer_get_size(buffer), self->info.size));
        return GST_FLOW_ERROR;
    }
    gst_video_overlay_composition_blend(self->composition, &frame);
    gst_video_frame_unmap(&frame);
    return GST_FLOW_OK;
}

static gboolean gst_vigil_overlay_sink_event(GstBaseTransform *base, GstEvent *event)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(base);
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
        GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START)
        gst_vigil_held_forget(&self->held);
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_overlay_parent_class)
        ->sink_event(base, event);
}

static gboolean gst_vigil_overlay_src_event(GstBaseTransform *base, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE)
        g_atomic_int_set(&GST_VIGIL_OVERLAY(base)->ask_downstream, TRUE);
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_overlay_parent_class)
        ->src_event(base, event);
}

static gboolean gst_vigil_overlay_stop(GstBaseTransform *base)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(base);
    gst_vigil_held_forget(&self->held);
    forget_picture(self);
    g_clear_object(&self->pango);
    return TRUE;
}

/* ---- Type ----------------------------------------------------------------------- */

static void gst_vigil_overlay_init(GstVigilOverlay *self)
{
    gst_vigil_overlay_init_properties(self);
    gst_vigil_held_init(&self->held);
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_vigil_overlay_finalize(GObject *object)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(object);
    g_free(self->style.font_desc);
    gst_vigil_held_clear(&self->held);
    forget_picture(self);
    g_clear_object(&self->pango);
    G_OBJECT_CLASS(gst_vigil_overlay_parent_class)->finalize(object);
}

static void gst_vigil_overlay_class_init(GstVigilOverlayClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(gst_vigil_overlay_debug, "vigiloverlay", 0,
                            "drawing of results");
    object_class->finalize = gst_vigil_overlay_finalize;
    gst_vigil_overlay_install_properties(object_class);

    gst_element_class_set_static_metadata(
        element_class, "Overlay of vision results", "Filter/Editor/Video",
        "Draws the classes, regions and masks that vigil elements found",
        "The gst-vigil authors");
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);

    base_class->transform_caps = gst_vigil_overlay_transform_caps;
    base_class->fixate_caps = gst_vigil_overlay_fixate_caps;
    base_class->set_caps = gst_vigil_overlay_set_caps;
    base_class->propose_allocation = gst_vigil_overlay_propose_allocation;
    base_class->prepare_output_buffer = gst_vigil_overlay_prepare_output_buffer;
    base_class->transform_ip = gst_vigil_overlay_transform_ip;
    base_class->sink_event = gst_vigil_overlay_sink_event;
    base_class->src_event = gst_vigil_overlay_src_event;
    base_class->stop = gst_vigil_overlay_stop;
}
