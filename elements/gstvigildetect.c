/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-vigildetect
 * @title: vigildetect
 * @see_also: vigilclassify, vigiloverlay
 *
 * Finds objects in a video: runs a detection network on every frame, or on regions of
 * it, and attaches a box, a class and a score for each object as GstVigilMeta and
 * #GstVideoRegionOfInterestMeta.  The frames pass in place, pixels untouched.
 *
 * The shipped detector, which is taken where #GstVigilDetect:model is not set, knows
 * persons, vehicles and animals, and misses many.  vigil-convert makes a file from a
 * published checkpoint.
 *
 * Boxes are fractions of the visible part of the frame as it is stored, whatever the
 * network saw: with regions, borders around the picture, a #GstVideoCropMeta or an
 * image-orientation tag, too.  Of an object that several regions show whole, one box is
 * told (#GstVigilDetect:iou-threshold).
 *
 * Objects that are small in a large frame vanish when it is brought to the size of the
 * network's input.  With #GstVigilDetect:tiles the frame, or each region, is cut into
 * tiles that overlap, and each is looked at on its own.  Of what the tiles and the
 * whole frame show, an object is told once: a box that ends where a tile was cut goes
 * when another view shows the object whole.  An object that is larger than the overlap
 * of the tiles and that no view shows whole is told in parts.  The time a frame takes
 * grows with the number of tiles.
 *
 * A frame in which nothing was found gets a
 * GstVigilMeta without results; gaps and damaged frames get none.
 *
 * Settings that are changed while playing count from the next frame on.  When they
 * cannot be used together (an unknown class), a warning is posted and those in use
 * stay, until they are put right.
 *
 * With #GstVigilDetect:post-messages, an element message "vigil-detection" is posted
 * for each frame that is looked at.  Its structure has: timestamp, stream-time,
 * running-time, duration (guint64, ns; each absent when not known) and objects, an
 * array of structures "object", best first, with index (gint), score (gdouble, 0..1),
 * label (string, absent when not known), x, y, width, height (gdouble, fractions of the
 * frame), region-index (gint, -1: the whole frame), region-name (string, absent when
 * not named).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vigildetect model=ssdlite_emo_1m.safetensors
 * ! vigiloverlay ! videoconvert ! autovideosink
 * ]| Draws what a camera sees.
 * |[
 * gst-launch-1.0 -m filesrc location=gate.mp4 ! decodebin ! videoconvert !
 * vigildetect model=ssdlite_emo_1m.safetensors object-class=person,car
 * class-thresholds="person=0.4" regions="gate=0.5,0.2,0.3,0.6" post-messages=true !
 * fakesink
 * ]| Prints the people and cars in one part of a video.
 * |[
 * gst-launch-1.0 filesrc location=square-4k.mp4 ! decodebin ! videoconvert !
 * vigildetect model=ssdlite_emo_1m.safetensors tiles=3x2 inference-interval=10 !
 * vigiloverlay ! videoconvert ! autovideosink
 * ]| Finds small objects in a large picture.
 */

#include <string.h>
#include "gstvigildetect-private.h"
#include "gstvigilmerge.h"
#include "gstvigilplace.h"

GST_DEBUG_CATEGORY_STATIC(gst_vigil_detect_debug);
#define GST_CAT_DEFAULT gst_vigil_detect_debug

#define IOU_OF_REGIONS 0.5F /* where the property says: as published */

#define DEFAULT_MODEL "cameras3-ssdlite-emo-1m"

G_DEFINE_TYPE_WITH_CODE(GstVigilDetect, gst_vigil_detect, GST_TYPE_VIGIL_INFERENCE,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_detect_debug, "vigildetect",
                                                0, "object detection"))
GST_ELEMENT_REGISTER_DEFINE(vigildetect, "vigildetect", GST_RANK_NONE,
                            GST_TYPE_VIGIL_DETECT)

/* ---- The detector --------------------------------------------------------------- */

static void gst_vigil_detect_release(GstVigilInference *base)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);

    vigil_detector_close(&self->detector);
    gst_vigil_detect_clear_choice(&self->choice);
}

/* Settings that count from the next frame on are not lost with a network that they do
 * not suit. */
static gboolean try_settings(GstVigilDetect *self, const GstVigilNetwork *network,
                             GError **error)
{
    GST_OBJECT_LOCK(self);
    const gboolean pending = self->settings_changed;
    self->settings_changed = TRUE;
    GST_OBJECT_UNLOCK(self);
    const gboolean used = gst_vigil_detect_update_settings(self, network, error);
    GST_OBJECT_LOCK(self);
    self->settings_changed |= !used && pending;
    GST_OBJECT_UNLOCK(self);
    return used;
}

/* The labels may be other ones than before: all settings are looked at again. */
static gboolean gst_vigil_detect_prepare(GstVigilInference *base,
                                         const GstVigilNetwork *network, GError **error)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);
    VigilDetector *detector = NULL;
    VigilError e = { 0 };

    if (vigil_detector_open(network->session, NULL, &detector, &e) != VIGIL_OK) {
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    "%s. Free some memory or choose a smaller model.", e.message);
        return FALSE;
    }
    const gboolean used = try_settings(self, network, error);
    if (used) {
        VigilDetector *older = self->detector;
        self->detector = detector;
        detector = older;
    }
    vigil_detector_close(&detector);
    return used;
}

/* Areas are fractions of the frame outside and of the tensor inside. */
static void configure(GstVigilDetect *self, const GstVigilShot *shot,
                      const VigilInput *input)
{
    const GstVigilDetectNotes *notes = shot->notes;
    const gdouble area = gst_vigil_place_area(shot->frame, &shot->placement, input);
    VigilDetectOptions options = notes->choice->options;
    const gboolean limited = options.max_area < 1;
    VigilError e = { 0 };

    options.min_area = (gfloat)(options.min_area * area);
    options.max_area = limited ? MAX((gfloat)(options.max_area * area), G_MINFLOAT) : 0;
    if (vigil_detector_configure(self->detector, &options, &e) != VIGIL_OK)
        GST_ERROR_OBJECT(self, "%s", e.message);
}

/* ---- Notes ---------------------------------------------------------------------- */

static gpointer gst_vigil_detect_new_notes(void)
{
    GstVigilDetectNotes *notes = g_new0(GstVigilDetectNotes, 1);

    notes->boxes = g_array_new(FALSE, FALSE, sizeof(GstVigilBox));
    notes->cut = g_array_new(FALSE, FALSE, sizeof(GstVigilTile));
    return notes;
}

static void gst_vigil_detect_free_notes(gpointer data)
{
    GstVigilDetectNotes *notes = data;

    gst_vigil_detect_clear_choice(&notes->choice);
    g_array_unref(notes->boxes);
    g_array_unref(notes->cut);
    g_free(notes);
}

/* What is set now counts for this frame. */
static void begin_notes(GstVigilDetect *self, GstVigilDetectNotes *notes)
{
    gst_vigil_detect_clear_choice(&notes->choice);
    notes->choice = g_atomic_rc_box_acquire(self->choice);
    g_array_set_size(notes->boxes, 0);
    g_array_set_size(notes->cut, 0);
}

/* ---- Views ---------------------------------------------------------------------- */

/* Of settings that may turn out not to be usable. */
static guint gst_vigil_detect_count_views(GstVigilInference *base)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);

    GST_OBJECT_LOCK(self);
    GstVigilTiles tiles = { .whole = self->settings.tile_full_frame };
    const gboolean ok = gst_vigil_tiles_parse(self->settings.tiles, &tiles, NULL);
    GST_OBJECT_UNLOCK(self);
    return ok ? gst_vigil_tiles_count(&tiles) : 1;
}

static void cut_region(GstVigilDetectNotes *notes, const GstVigilFrame *frame,
                       const GstVigilView *region, GArray *views)
{
    static const VigilRegion whole = { 0, 0, 1, 1 };
    const guint first = notes->cut->len;

    gst_vigil_tiles_cut(&notes->choice->tiles, region->whole ? &whole : &region->area,
                        frame->width, frame->height, notes->cut);
    for (guint i = first; i < notes->cut->len; i++) {
        const GstVigilTile *tile = &g_array_index(notes->cut, GstVigilTile, i);
        GstVigilView view = *region;
        view.whole = region->whole && memcmp(&tile->area, &whole, sizeof whole) == 0;
        view.area = tile->area;
        g_array_append_val(views, view);
    }
}

static gboolean gst_vigil_detect_list_views(GstVigilInference *base,
                                            const GstVigilShot *frame,
                                            const GstVigilRegions *regions,
                                            GArray *views)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);
    GError *error = NULL;

    if (!gst_vigil_detect_update_settings(self, frame->network, &error))
        gst_vigil_inference_post(base, GST_MESSAGE_WARNING, error);
    begin_notes(self, frame->notes);

    gst_vigil_views_add_regions(views, regions);
    const guint n = views->len;
    for (guint i = 0; i < n; i++) {
        const GstVigilView region = g_array_index(views, GstVigilView, i);
        cut_region(frame->notes, frame->frame, &region, views);
    }
    g_array_remove_range(views, 0, n);
    return TRUE;
}

/* ---- Results -------------------------------------------------------------------- */

static void gst_vigil_detect_decode(GstVigilInference *base, const GstVigilShot *shot,
                                    GstVigilMeta *meta)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);
    const VigilInput *input = vigil_session_input_rules(shot->network->session);
    const VigilPlacement upright =
        gst_vigil_place_upright(&shot->placement, input, shot->orientation);
    const GstVigilDetectNotes *notes = shot->notes;
    const GstVigilTile *tile = &g_array_index(notes->cut, GstVigilTile, shot->view);
    const VigilDetection *found = NULL;

    configure(self, shot, input);
    const int n = vigil_detector_run(self->detector, &upright, &found);
    for (int i = 0; i < n; i++) {
        GstVigilBox box = { .region_index = shot->region_index,
                            .region_name = shot->region_name,
                            .view = shot->view };
        if (!gst_vigil_place_detection(shot->frame, &shot->placement, input,
                                       shot->orientation, &found[i], &box.detection))
            continue;
        box.cut = gst_vigil_tile_cuts(tile, &box.detection);
        g_array_append_val(notes->boxes, box);
    }
}

static GstVigilResult *new_result(const GstVigilBox *box,
                                  const GstVigilNetwork *network)
{
    const VigilDetection *d = &box->detection;
    GstVigilResult *result =
        gst_vigil_result_new_region(d->x, d->y, d->width, d->height);

    gst_vigil_result_set_detection(result,
                                   gst_vigil_network_label(network, d->class_index),
                                   d->class_index, d->score);
    gst_vigil_result_set_region_name(result, box->region_name);
    return result;
}

static GstStructure *new_object(const GstVigilBox *box, const GstVigilNetwork *network)
{
    const VigilDetection *d = &box->detection;
    const gchar *label = gst_vigil_network_label(network, d->class_index);
    GstStructure *object = gst_structure_new(
        "object", "index", G_TYPE_INT, d->class_index, "score", G_TYPE_DOUBLE,
        (gdouble)d->score, "x", G_TYPE_DOUBLE, (gdouble)d->x, "y", G_TYPE_DOUBLE,
        (gdouble)d->y, "width", G_TYPE_DOUBLE, (gdouble)d->width, "height",
        G_TYPE_DOUBLE, (gdouble)d->height, "region-index", G_TYPE_INT,
        box->region_index, NULL);

    if (label)
        gst_structure_set(object, "label", G_TYPE_STRING, label, NULL);
    if (box->region_name)
        gst_structure_set(object, "region-name", G_TYPE_STRING, box->region_name, NULL);
    return object;
}

static void post_objects(GstVigilDetect *self, const GstVigilShot *shot)
{
    GstStructure *structure =
        gst_vigil_shot_to_frame_structure(shot, "vigil-detection");
    const GArray *boxes = ((const GstVigilDetectNotes *)shot->notes)->boxes;
    GValue list = G_VALUE_INIT;

    gst_value_array_init(&list, boxes->len);
    for (guint i = 0; i < boxes->len; i++) {
        GValue value = G_VALUE_INIT;
        g_value_init(&value, GST_TYPE_STRUCTURE);
        g_value_take_boxed(
            &value, new_object(&g_array_index(boxes, GstVigilBox, i), shot->network));
        gst_value_array_append_and_take_value(&list, &value);
    }
    gst_structure_take_value(structure, "objects", &list);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void gst_vigil_detect_finish(GstVigilInference *base, const GstVigilShot *last,
                                    GstVigilMeta *meta)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(base);
    const GstVigilDetectNotes *notes = last->notes;
    const VigilDetectOptions *options = &notes->choice->options;

    if (last->view > 0)
        gst_vigil_merge(notes->boxes,
                        options->has_iou_threshold ? options->iou_threshold
                                                   : IOU_OF_REGIONS,
                        (guint)options->max_detections);
    for (guint i = 0; i < notes->boxes->len; i++)
        gst_vigil_meta_add_result(
            meta,
            new_result(&g_array_index(notes->boxes, GstVigilBox, i), last->network));

    GST_OBJECT_LOCK(self);
    const gboolean post = self->post_messages;
    GST_OBJECT_UNLOCK(self);
    if (post)
        post_objects(self, last);
}

/* ---- Type ----------------------------------------------------------------------- */

static void gst_vigil_detect_finalize(GObject *object)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(object);

    gst_vigil_detect_release(GST_VIGIL_INFERENCE(self)); /* before the session goes */
    gst_vigil_detect_clear_settings(&self->settings);
    G_OBJECT_CLASS(gst_vigil_detect_parent_class)->finalize(object);
}

static void gst_vigil_detect_class_init(GstVigilDetectClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstVigilInferenceClass *inference_class = GST_VIGIL_INFERENCE_CLASS(klass);

    object_class->finalize = gst_vigil_detect_finalize;
    gst_vigil_detect_install_properties(object_class);

    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Vigil object detector", "Filter/Analyzer/Video",
        "Finds objects in a video, or in regions of it, with a light neural network on "
        "the CPU",
        "The gst-vigil authors");
    gst_vigil_inference_class_add_pads(inference_class);
    inference_class->task = VIGIL_TASK_DETECTION;
    inference_class->meta_task = GST_VIGIL_TASK_DETECTION;
    inference_class->default_model = DEFAULT_MODEL;
    inference_class->prepare = gst_vigil_detect_prepare;
    inference_class->release = gst_vigil_detect_release;
    inference_class->new_notes = gst_vigil_detect_new_notes;
    inference_class->free_notes = gst_vigil_detect_free_notes;
    inference_class->list_views = gst_vigil_detect_list_views;
    inference_class->count_views = gst_vigil_detect_count_views;
    inference_class->decode = gst_vigil_detect_decode;
    inference_class->finish = gst_vigil_detect_finish;
}

static void gst_vigil_detect_init(GstVigilDetect *self)
{
    gst_vigil_detect_init_properties(self);
}
