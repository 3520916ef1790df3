/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reducer: a region of a mapped frame becomes an input tensor, upright.
 */
#ifndef GST_VIGIL_REDUCE_H
#define GST_VIGIL_REDUCE_H

#include "gstvigilframe.h"
#include "gstvigilregions.h"

G_BEGIN_DECLS

/* Zero-initialised.  Used by one thread at a time. */
typedef struct _GstVigilReducer {
    VigilPreprocess *preprocess[GST_VIGIL_REGIONS_MAX]; /* opened when first used */
    float *stored; /* the tensor before it is turned upright */
    gsize stored_size;
} GstVigilReducer;

/* Fills `tensor` [height][width][3], as `rules` say, from `region` (fractions of the
 * visible frame as it is stored; NULL: all of it).  `slot` < GST_VIGIL_REGIONS_MAX says
 * which geometry is kept ready: one number per region.  *placed: where the region went,
 * before turning.  FALSE: *error (GST_STREAM_ERROR or GST_RESOURCE_ERROR) says why. */
gboolean gst_vigil_reducer_run(GstVigilReducer *reducer, guint slot,
                               const GstVigilFrame *frame, const VigilRegion *region,
                               GstVideoOrientationMethod orientation,
                               const VigilInput *rules, float *tensor,
                               VigilPlacement *placed, GError **error);

/* Frees what it holds; it may be used again. */
void gst_vigil_reducer_clear(GstVigilReducer *reducer);

G_END_DECLS

#endif
