/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-vigilclassify
 * @title: vigilclassify
 * @see_also: vigiloverlay
 *
 * Says what is in a video: runs a classification network on every frame, or on regions
 * of it, and attaches the best classes as GstVigilMeta (and, for regions, as
 * #GstVideoRegionOfInterestMeta).  The frames pass in place, pixels untouched.
 *
 * The visible part of the frame (#GstVideoCropMeta) is brought to the size of the
 * network's input with its pixel aspect ratio and colorimetry respected.  A stream with
 * an image-orientation tag is looked at upright; regions and results stay in the
 * coordinates of the frame as it is stored.  Of an interlaced frame one field is looked
 * at.  Gaps and damaged frames pass without results.
 *
 * With #GstVigilClassify:inference-region `roi-list` it says more about what a detector
 * earlier in the pipeline has found: it looks at each detection of vigildetect on its
 * own or, where none of ours spoke, at each #GstVideoRegionOfInterestMeta of others.
 * The classes are results of their own, with the detection's rectangle and its id as
 * parent id, and are added to its #GstVideoRegionOfInterestMeta.  Boxes are cut to the
 * frame; those of less than a pixel are left out.  A frame on whose buffer nobody has
 * said what is in it (the detector did not look at it) passes without results, as
 * #GstVigilClassify:inference-interval frames do.  Objects with a track keep their
 * classes for #GstVigilClassify:reclassify-interval frames that are looked at.  Without
 * a track an object cannot be known again: it is looked at in every so many frames, and
 * has no classes in those between.  In mode latest classes go to the object as it is on
 * the frame that carries them, known by its track or its place.
 *
 * With #GstVigilClassify:post-messages, an element message "vigil-classification" is
 * posted for each region of each frame that is looked at.  Its structure has:
 * timestamp, stream-time, running-time, duration (guint64, ns; each absent when not
 * known), region-index (gint, -1: the whole frame or an object), region-name (string,
 * absent when not named), x, y, width, height (gdouble, fractions of the frame),
 * classes (array of structures "class" with index (gint), score (gdouble, 0..1), label
 * (string, absent when not known)), best first; and the first one's index, score and
 * label on the top level, absent when no class reaches the threshold.  For an object
 * also object-id (guint, of the result that it classifies; absent for those of others),
 * object-label (string) and tracking-id (guint64), absent when not known.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc ! vigilclassify top-k=3 ! vigiloverlay ! videoconvert !
 * autovideosink
 * ]| Draws the three best classes.
 * |[
 * gst-launch-1.0 -m filesrc location=gate.mp4 ! decodebin ! videoconvert !
 * vigilclassify post-messages=true regions="gate=0.5,0.2,0.3,0.6" inference-interval=5
 * ! fakesink
 * ]| Prints what is in one part of every fifth frame.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! vigildetect model=ssdlite_emo_1m.safetensors
 * ! queue ! vigilclassify model=colours.safetensors inference-region=roi-list
 * object-class=car,truck ! vigiloverlay ! videoconvert ! autovideosink
 * ]| Finds cars and says more about each.
 */

#include "gstvigilclassify-private.h"

GST_DEBUG_CATEGORY(gst_vigil_classify_debug);
#define GST_CAT_DEFAULT gst_vigil_classify_debug

G_DEFINE_TYPE_WITH_CODE(GstVigilClassify, gst_vigil_classify, GST_TYPE_VIGIL_INFERENCE,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_classify_debug,
                                                "vigilclassify", 0,
                                                "image classification"))
GST_ELEMENT_REGISTER_DEFINE(vigilclassify, "vigilclassify", GST_RANK_NONE,
                            GST_TYPE_VIGIL_CLASSIFY)

/* ---- Views ---------------------------------------------------------------------- */

static gboolean gst_vigil_classify_list_views(GstVigilInference *base,
                                              const GstVigilShot *frame,
                                              const GstVigilRegions *regions,
                                              GArray *views)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(base);

    GstVigilClassifyNotes *notes = frame->notes;

    GST_OBJECT_LOCK(self);
    notes->of_objects = self->inference_region == GST_VIGIL_INFERENCE_REGION_ROI_LIST;
    GST_OBJECT_UNLOCK(self);
    if (notes->of_objects)
        return gst_vigil_classify_list_objects(self, frame, views);
    gst_vigil_views_add_regions(views, regions);
    return TRUE;
}

/* ---- Results -------------------------------------------------------------------- */

/* The best classes that reach the threshold, best first. */
static guint best_classes(GstVigilClassify *self, const GstVigilShot *shot,
                          VigilClass classes[GST_VIGIL_CLASSIFY_MAX_TOP_K])
{
    const VigilTensor *logits = vigil_session_output(shot->network->session, 0);
    guint n = 0;

    GST_OBJECT_LOCK(self);
    const guint top_k = self->top_k;
    const gfloat threshold = self->threshold;
    GST_OBJECT_UNLOCK(self);

    const int found =
        vigil_top_classes(logits->data, logits->shape[0], (int)top_k, classes);
    while (n < (guint)found && classes[n].score >= threshold)
        n++;
    return n;
}

static void set_class(GstStructure *structure, const GstVigilShot *shot,
                      const VigilClass *c)
{
    const gchar *label = gst_vigil_network_label(shot->network, c->index);

    gst_structure_set(structure, "index", G_TYPE_INT, c->index, "score", G_TYPE_DOUBLE,
                      (gdouble)c->score, NULL);
    if (label)
        gst_structure_set(structure, "label", G_TYPE_STRING, label, NULL);
}

static void set_class_list(GstStructure *structure, const GstVigilShot *shot,
                           const VigilClass *classes, guint n)
{
    GValue list = G_VALUE_INIT;

    gst_value_array_init(&list, n);
    for (guint i = 0; i < n; i++) {
        GValue value = G_VALUE_INIT;
        GstStructure *item = gst_structure_new_empty("class");

        set_class(item, shot, &classes[i]);
        g_value_init(&value, GST_TYPE_STRUCTURE);
        g_value_take_boxed(&value, item);
        gst_value_array_append_and_take_value(&list, &value);
    }
    gst_structure_take_value(structure, "classes", &list);
}

static void set_object(GstStructure *structure, const GstVigilObject *object)
{
    if (object->result)
        gst_structure_set(structure, "object-id", G_TYPE_UINT,
                          gst_vigil_result_get_id(object->result), NULL);
    if (object->label)
        gst_structure_set(structure, "object-label", G_TYPE_STRING, object->label,
                          NULL);
    if (object->track)
        gst_structure_set(structure, "tracking-id", G_TYPE_UINT64, object->track, NULL);
}

static void post_classes(GstVigilClassify *self, const GstVigilShot *shot,
                         const VigilClass *classes, guint n)
{
    const GstVigilClassifyNotes *notes = shot->notes;
    GstStructure *structure = gst_vigil_shot_to_structure(shot, "vigil-classification");

    if (notes->of_objects)
        set_object(structure, gst_vigil_classify_get_object(notes, shot->view));
    if (n > 0)
        set_class(structure, shot, &classes[0]);
    set_class_list(structure, shot, classes, n);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void gst_vigil_classify_decode(GstVigilInference *base, const GstVigilShot *shot,
                                      GstVigilMeta *meta)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(base);
    const GstVigilClassifyNotes *notes = shot->notes;
    const GstVigilObject *object =
        notes->of_objects ? gst_vigil_classify_get_object(notes, shot->view) : NULL;
    GstVigilResult *result =
        object ? gst_vigil_object_new_result(object) : gst_vigil_shot_new_result(shot);
    VigilClass classes[GST_VIGIL_CLASSIFY_MAX_TOP_K];
    const guint n = best_classes(self, shot, classes);

    for (guint i = 0; i < n; i++)
        gst_vigil_result_add_class(
            result, classes[i].index, classes[i].score,
            gst_vigil_network_label(shot->network, classes[i].index));
    if (object)
        gst_vigil_recall_keep(&self->recall, &notes->frame, object, result);
    gst_vigil_meta_add_result(meta, result);

    GST_OBJECT_LOCK(self);
    const gboolean post = self->post_messages;
    GST_OBJECT_UNLOCK(self);
    if (post)
        post_classes(self, shot, classes, n);
}

static void gst_vigil_classify_finish(GstVigilInference *base, const GstVigilShot *last,
                                      GstVigilMeta *meta)
{
    const GstVigilClassifyNotes *notes = last->notes;

    if (notes->of_objects)
        gst_vigil_classify_recall_objects(GST_VIGIL_CLASSIFY(base), notes, meta);
}

/* ---- Type ----------------------------------------------------------------------- */

/* The classes are those of another model, perhaps. */
static gboolean gst_vigil_classify_prepare(GstVigilInference *base,
                                           const GstVigilNetwork *network,
                                           GError **error)
{
    gst_vigil_recall_clear(&GST_VIGIL_CLASSIFY(base)->recall);
    return TRUE;
}

/* Numbers of tracks begin anew, perhaps. */
static gboolean gst_vigil_classify_sink_event(GstBaseTransform *trans, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
        GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START)
        gst_vigil_recall_clear(&GST_VIGIL_CLASSIFY(trans)->recall);
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_classify_parent_class)
        ->sink_event(trans, event);
}

static void gst_vigil_classify_finalize(GObject *object)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(object);

    gst_vigil_recall_clear(&self->recall);
    g_array_unref(self->present);
    g_free(self->object_class);
    G_OBJECT_CLASS(gst_vigil_classify_parent_class)->finalize(object);
}

static void gst_vigil_classify_class_init(GstVigilClassifyClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstVigilInferenceClass *inference_class = GST_VIGIL_INFERENCE_CLASS(klass);

    object_class->finalize = gst_vigil_classify_finalize;
    GST_BASE_TRANSFORM_CLASS(klass)->sink_event = gst_vigil_classify_sink_event;
    gst_vigil_classify_install_properties(object_class);

    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Vigil image classifier", "Filter/Analyzer/Video",
        "Says what is in a video, or in regions of it, with a light neural network on "
        "the "
        "CPU",
        "The gst-vigil authors");
    gst_vigil_inference_class_add_pads(inference_class);
    inference_class->task = VIGIL_TASK_CLASSIFICATION;
    inference_class->meta_task = GST_VIGIL_TASK_CLASSIFICATION;
    inference_class->prepare = gst_vigil_classify_prepare;
    inference_class->new_notes = gst_vigil_classify_new_notes;
    inference_class->free_notes = gst_vigil_classify_free_notes;
    inference_class->list_views = gst_vigil_classify_list_views;
    inference_class->decode = gst_vigil_classify_decode;
    inference_class->finish = gst_vigil_classify_finish;
    inference_class->carry_over = gst_vigil_classify_carry_over;
}

static void gst_vigil_classify_init(GstVigilClassify *self)
{
    gst_vigil_classify_init_properties(self);
    self->present = g_array_new(FALSE, FALSE, sizeof(GstVigilObject));
}
