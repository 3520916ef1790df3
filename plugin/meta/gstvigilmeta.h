/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libgstvigil: what the vigil elements found in a frame, carried on its buffer.
 *
 * An inference element adds one GstVigilMeta per buffer.  The meta names the element
 * and the model, tells for which frame the model ran, and holds a list of
 * GstVigilResult: the whole frame or a rectangle of it, with its classes, or with a
 * GstVigilMask (gstvigilmask.h).  Rectangles are fractions of the frame, so that they
 * stay right when the frame is stretched.
 *
 *     GstVigilMeta *meta = gst_buffer_add_vigil_meta (buffer, "classify0", "EMO_1M",
 *         GST_VIGIL_TASK_CLASSIFICATION, 640, 480, GST_BUFFER_PTS (buffer));
 *     GstVigilResult *result = gst_vigil_result_new_region (0.5, 0, 0.5, 1);
 *     gst_vigil_result_add_class (result, 3, 0.97, "person");
 *     gst_vigil_meta_add_result (meta, result);
 *     gst_vigil_meta_mirror (meta, buffer);
 *
 * The meta passes converters, stretching scalers, queues and tees, encoders and
 * decoders.  Of GStreamer 1.22 and 1.26, videocrop, videobox, videoflip and the mixers
 * drop it: they go before the inference element.  videoscale keeps the aspect ratio
 * with borders unless told add-borders=false, and nobody tells a meta of borders:
 * regions are off by them.
 *
 * Threads: a meta is changed only while its buffer is writable, as the buffer itself. A
 * result is changed only by who holds its one reference, before it is added to a meta;
 * from then on it never changes and may be read from any thread.
 */
#ifndef GST_VIGIL_META_H
#define GST_VIGIL_META_H

#include <gst/gst.h>

G_BEGIN_DECLS

#ifndef GST_VIGIL_API
#define GST_VIGIL_API __attribute__((visibility("default")))
#endif

/**
 * GstVigilTask:
 * @GST_VIGIL_TASK_UNKNOWN: not told
 * @GST_VIGIL_TASK_CLASSIFICATION: classes of a whole frame or of given regions
 * @GST_VIGIL_TASK_DETECTION: objects and where they are
 * @GST_VIGIL_TASK_SEGMENTATION: the class of each pixel
 *
 * What the model was asked.  Tasks are added at the end; a reader takes one it does not
 * know as %GST_VIGIL_TASK_UNKNOWN.
 */
typedef enum {
    GST_VIGIL_TASK_UNKNOWN = 0,
    GST_VIGIL_TASK_CLASSIFICATION = 1,
    GST_VIGIL_TASK_DETECTION = 2,
    GST_VIGIL_TASK_SEGMENTATION = 3,
} GstVigilTask;

GST_VIGIL_API
GType gst_vigil_task_get_type(void);
#define GST_TYPE_VIGIL_TASK (gst_vigil_task_get_type())

/* ---- One class ------------------------------------------------------------------ */

/**
 * GstVigilClass:
 * @index: output of the model, from 0; -1: not known
 * @score: 0..1
 * @label: (nullable): name of the class, UTF-8, never freed
 *
 * One class and how sure the model is of it.
 */
typedef struct _GstVigilClass {
    gint index;
    gfloat score;
    const gchar *label;

    /*< private >*/
    gpointer _gst_reserved[2];
} GstVigilClass;

#define GST_TYPE_VIGIL_CLASS (gst_vigil_class_get_type())
GST_VIGIL_API
GType gst_vigil_class_get_type(void);

GST_VIGIL_API
GstVigilClass *gst_vigil_class_copy(const GstVigilClass *klass);

GST_VIGIL_API
void gst_vigil_class_free(GstVigilClass *klass);

/* ---- One result ----------------------------------------------------------------- */

/**
 * GstVigilResult:
 *
 * The whole frame, or a rectangle of it, and what was found there.  Counted.
 */
typedef struct _GstVigilResult GstVigilResult;

/* Declared in gstvigilmask.h. */
typedef struct _GstVigilMask GstVigilMask;

#define GST_TYPE_VIGIL_RESULT (gst_vigil_result_get_type())
GST_VIGIL_API
GType gst_vigil_result_get_type(void);

/* A result about the whole frame, with a new id. */
GST_VIGIL_API
GstVigilResult *gst_vigil_result_new_full_frame(void);

/* A result about a rectangle, in fractions of the frame; it is cut to 0..1.  What is
 * not finite becomes 0.  It has a new id. */
GST_VIGIL_API
GstVigilResult *gst_vigil_result_new_region(gfloat x, gfloat y, gfloat width,
                                            gfloat height);

/**
 * gst_vigil_result_new_for_object:
 * @object: what a detector found
 *
 * A result with a new id that says more about the same object: it has its rectangle,
 * the name of its region and its track, and @object's id as parent id.  Its classes are
 * mirrored into the mirrors of @object; see gst_vigil_meta_mirror().
 *
 * Returns: (transfer full): the result
 */
GST_VIGIL_API
GstVigilResult *gst_vigil_result_new_for_object(const GstVigilResult *object);

/**
 * gst_vigil_result_new_for_roi:
 * @roi_id: its id, also where it is no unique one
 * @roi_type: (nullable): its type; becomes the region's name
 * @x: left edge of the rectangle, in fractions of the frame as the next three
 * @y: top edge
 * @width: width
 * @height: height
 *
 * The same about a #GstVideoRegionOfInterestMeta that is no mirror of a result.  An id
 * above 0 becomes the parent id.
 *
 * Returns: (transfer full): the result
 */
GST_VIGIL_API
GstVigilResult *gst_vigil_result_new_for_roi(gint roi_id, const gchar *roi_type,
                                             gfloat x, gfloat y, gfloat width,
                                             gfloat height);

/* A deep copy with the same id that may be changed. */
GST_VIGIL_API
GstVigilResult *gst_vigil_result_copy(const GstVigilResult *result);

GST_VIGIL_API
GstVigilResult *gst_vigil_result_ref(GstVigilResult *result);
GST_VIGIL_API
void gst_vigil_result_unref(GstVigilResult *result);

/**
 * gst_vigil_result_add_class:
 * @result: a result that is not shared yet
 * @index: output of the model, from 0; -1: not known
 * @score: clamped to 0..1; not a number: 0
 * @label: (nullable): interned (kept for the life of the process), so labels come from
 * a finite set
 *
 * Appends a class; callers append the best first.
 */
GST_VIGIL_API
void gst_vigil_result_add_class(GstVigilResult *result, gint index, gfloat score,
                                const gchar *label);

/**
 * gst_vigil_result_set_region_name:
 * @result: a result that is not shared yet
 * @name: (nullable): what the user calls the rectangle ("gate"); interned
 */
GST_VIGIL_API
void gst_vigil_result_set_region_name(GstVigilResult *result, const gchar *name);

/**
 * gst_vigil_result_set_mask:
 * @result: a result that is not shared yet
 * @mask: (nullable): what a segmenter says of the rectangle; the result takes a
 *   reference of its own
 */
GST_VIGIL_API
void gst_vigil_result_set_mask(GstVigilResult *result, GstVigilMask *mask);

/* What a detector says of a region: name, output index (-1: not known), 0..1. */
GST_VIGIL_API
void gst_vigil_result_set_detection(GstVigilResult *result, const gchar *label,
                                    gint label_id, gfloat confidence);

/* The id of the result, or of the region of interest, that this one lies in; 0: none.
 */
GST_VIGIL_API
void gst_vigil_result_set_parent_id(GstVigilResult *result, guint parent_id);

/* The id that stays the same from frame to frame; 0: not tracked. */
GST_VIGIL_API
void gst_vigil_result_set_tracking_id(GstVigilResult *result, guint64 tracking_id);

/* Unique in this process, never 0. */
GST_VIGIL_API
guint gst_vigil_result_get_id(const GstVigilResult *result);
GST_VIGIL_API
guint gst_vigil_result_get_parent_id(const GstVigilResult *result);
GST_VIGIL_API
guint64 gst_vigil_result_get_tracking_id(const GstVigilResult *result);

/* TRUE when it is about the object that its parent, or a region of interest, is. */
GST_VIGIL_API
gboolean gst_vigil_result_is_for_object(const GstVigilResult *result);

GST_VIGIL_API
gboolean gst_vigil_result_is_full_frame(const GstVigilResult *result);

/**
 * gst_vigil_result_get_region:
 * @result: the result
 * @x: (out) (optional): left edge, 0..1
 * @y: (out) (optional): top edge, 0..1
 * @width: (out) (optional): 0..1 - x
 * @height: (out) (optional): 0..1 - y
 *
 * The rectangle in fractions of the frame; 0, 0, 1, 1 for the whole frame.
 */
GST_VIGIL_API
void gst_vigil_result_get_region(const GstVigilResult *result, gfloat *x, gfloat *y,
                                 gfloat *width, gfloat *height);

/**
 * gst_vigil_result_get_region_name:
 * @result: the result
 *
 * Returns: (nullable): what the user calls the rectangle
 */
GST_VIGIL_API
const gchar *gst_vigil_result_get_region_name(const GstVigilResult *result);

/**
 * gst_vigil_result_get_region_pixels:
 * @result: the result
 * @frame_width: pixels, as @frame_height, of the frame to draw in or cut from
 * @frame_height: pixels
 * @x: (out) (optional): left edge
 * @y: (out) (optional): top edge
 * @width: (out) (optional): at least 1 when the frame is not empty
 * @height: (out) (optional): at least 1 when the frame is not empty
 *
 * The rectangle in pixels of a frame of that size: edges rounded to the nearest pixel,
 * inside the frame.
 */
GST_VIGIL_API
void gst_vigil_result_get_region_pixels(const GstVigilResult *result, guint frame_width,
                                        guint frame_height, guint *x, guint *y,
                                        guint *width, guint *height);

/**
 * gst_vigil_result_get_detection:
 * @result: the result
 * @label: (out) (optional) (nullable) (transfer none): name of the object
 * @label_id: (out) (optional): output of the model; -1: not known
 * @confidence: (out) (optional): 0..1
 *
 * Returns: FALSE, and nothing written in C, when no detector spoke
 */
GST_VIGIL_API
gboolean gst_vigil_result_get_detection(const GstVigilResult *result,
                                        const gchar **label, gint *label_id,
                                        gfloat *confidence);

GST_VIGIL_API
guint gst_vigil_result_get_n_classes(const GstVigilResult *result);

/**
 * gst_vigil_result_get_class:
 * @result: the result
 * @i: which, from 0: the best
 *
 * Returns: (transfer none) (nullable): class i, NULL past the last; valid as long as
 * the result
 */
GST_VIGIL_API
const GstVigilClass *gst_vigil_result_get_class(const GstVigilResult *result, guint i);

/**
 * gst_vigil_result_get_mask:
 * @result: the result
 *
 * Returns: (transfer none) (nullable): the class of each pixel; NULL when no segmenter
 * spoke; valid as long as the result
 */
GST_VIGIL_API
GstVigilMask *gst_vigil_result_get_mask(const GstVigilResult *result);

/* ---- The meta ------------------------------------------------------------------- */

typedef struct _GstVigilMetaPrivate GstVigilMetaPrivate;

/**
 * GstVigilMeta:
 * @meta: parent
 *
 * What one inference element says of one buffer.  Valid as long as the buffer.
 */
typedef struct _GstVigilMeta {
    GstMeta meta;

    /*< private >*/
    GstVigilMetaPrivate *priv;
} GstVigilMeta;

#define GST_VIGIL_META_API_TYPE (gst_vigil_meta_api_get_type())
GST_VIGIL_API
GType gst_vigil_meta_api_get_type(void);

#define GST_VIGIL_META_INFO (gst_vigil_meta_get_info())
GST_VIGIL_API
const GstMetaInfo *gst_vigil_meta_get_info(void);

/**
 * gst_buffer_add_vigil_meta:
 * @buffer: a writable buffer
 * @source: (nullable): name of the element or of its model instance, one per stream of
 *   results
 * @model: (nullable): variant or file name of the model
 * @task: what the model was asked
 * @width: pixels of the frame that was looked at
 * @height: pixels
 * @pts: of the frame that was looked at: older than the buffer's own when results of an
 *   earlier frame are attached again; GST_CLOCK_TIME_NONE if not known
 *
 * Adds an empty meta.
 *
 * Returns: (transfer none): the meta, which is the buffer's
 */
GST_VIGIL_API
GstVigilMeta *gst_buffer_add_vigil_meta(GstBuffer *buffer, const gchar *source,
                                        const gchar *model, GstVigilTask task,
                                        guint width, guint height, GstClockTime pts);

/**
 * gst_vigil_buffer_get_metas:
 * @buffer: a buffer
 *
 * The metas of a buffer in the order they were added.  In C,
 * gst_buffer_iterate_meta_filtered() with GST_VIGIL_META_API_TYPE does the same without
 * a list.
 *
 * Returns: (transfer container) (element-type GstVigilMeta): free the list, not its
 * items
 */
GST_VIGIL_API
GList *gst_vigil_buffer_get_metas(GstBuffer *buffer);

/**
 * gst_vigil_meta_add_result:
 * @meta: a meta on a writable buffer
 * @result: (transfer full): the result
 *
 * Appends a result and takes the caller's reference.
 */
GST_VIGIL_API
void gst_vigil_meta_add_result(GstVigilMeta *meta, GstVigilResult *result);

/* What the classes are about, as "colour": names their structure in region-of-interest
 * params and their object in JSON.  NULL (the default): no name of their own. */
GST_VIGIL_API
void gst_vigil_meta_set_attribute(GstVigilMeta *meta, const gchar *attribute);

GST_VIGIL_API
const gchar *gst_vigil_meta_get_source(const GstVigilMeta *meta);
GST_VIGIL_API
const gchar *gst_vigil_meta_get_model(const GstVigilMeta *meta);
GST_VIGIL_API
GstVigilTask gst_vigil_meta_get_task(const GstVigilMeta *meta);
GST_VIGIL_API
const gchar *gst_vigil_meta_get_attribute(const GstVigilMeta *meta);

/**
 * gst_vigil_meta_get_frame_size:
 * @meta: the meta
 * @width: (out) (optional): pixels
 * @height: (out) (optional): pixels
 *
 * Size of the frame the results speak of, following every scaling on the way.
 */
GST_VIGIL_API
void gst_vigil_meta_get_frame_size(const GstVigilMeta *meta, guint *width,
                                   guint *height);
GST_VIGIL_API
GstClockTime gst_vigil_meta_get_pts(const GstVigilMeta *meta);

/* How much older than @pts, the time of the buffer at hand, the results are, in ns;
 * GST_CLOCK_TIME_NONE when either is not known or @pts is the earlier one. */
GST_VIGIL_API
GstClockTime gst_vigil_meta_get_age(const GstVigilMeta *meta, GstClockTime pts);

GST_VIGIL_API
guint gst_vigil_meta_get_n_results(const GstVigilMeta *meta);

/**
 * gst_vigil_meta_get_result:
 * @meta: the meta
 * @i: which, from 0
 *
 * Returns: (transfer none) (nullable): result i, NULL past the last
 */
GST_VIGIL_API
GstVigilResult *gst_vigil_meta_get_result(const GstVigilMeta *meta, guint i);

/**
 * gst_vigil_meta_get_results:
 * @meta: the meta
 *
 * Returns: (transfer full) (element-type GstVigilResult): all results, to be freed with
 *   g_list_free_full() and gst_vigil_result_unref()
 */
GST_VIGIL_API
GList *gst_vigil_meta_get_results(const GstVigilMeta *meta);

/* Repeats the results for readers of other metas: regions (never the whole frame) as
 * GstVideoRegionOfInterestMeta with params in DL Streamer's layout and, where this
 * library was built with GStreamer >= 1.24, regions, classes and tracks, with >= 1.26
 * masks too, in the buffer's GstAnalyticsRelationMeta.  The classes of results that are
 * about an object of an earlier element go into what is there of the object already: a
 * structure among the params of its region of interest, an entry linked to its own.
 * Called once, after the last result was added.  Returns how many regions of interest
 * were added. */
GST_VIGIL_API
guint gst_vigil_meta_mirror(GstVigilMeta *meta, GstBuffer *buffer);

/**
 * gst_vigil_buffer_is_mirror:
 * @buffer: a buffer
 * @roi: a #GstVideoRegionOfInterestMeta on it
 *
 * Returns: TRUE when the region of interest repeats a result of a GstVigilMeta of
 *   @buffer, FALSE when it is somebody else's
 */
GST_VIGIL_API
gboolean gst_vigil_buffer_is_mirror(GstBuffer *buffer, const GstMeta *roi);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstVigilResult, gst_vigil_result_unref)

G_END_DECLS

#include "gstvigilmask.h"

#endif
