/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Planes: the memory of a video buffer, mapped for reading where it lies.
 *
 * A GstVideoMeta decides where planes begin and how far their rows are apart, which may
 * be backwards; each plane may lie in a memory of its own.  Nothing that a meta says is
 * believed before gst_vigil_planes_hold() has looked at the memory.
 */
#ifndef GST_VIGIL_PLANES_H
#define GST_VIGIL_PLANES_H

#include <gst/video/video.h>
#include "vigil.h"

G_BEGIN_DECLS

typedef struct _GstVigilPlanes {
    GstBuffer *buffer; /* no reference */
    GstVideoMeta *meta;
    gboolean each; /* each plane has a map of its own; else one holds all */
    guint n_maps;
    GstMapInfo map[GST_VIDEO_MAX_PLANES];
    gsize at[GST_VIDEO_MAX_PLANES];           /* where the plane begins in its map */
    const guint8 *data[GST_VIDEO_MAX_PLANES]; /* the same; valid where that is inside */
    gint stride[GST_VIDEO_MAX_PLANES];
} GstVigilPlanes;

/* Maps the planes of `buffer`, whose caps are `info`, each on its own; `joined`: its
 * memories are put together first, which copies them.  FALSE: nothing is mapped, and
 * *error (GST_RESOURCE_ERROR or GST_STREAM_ERROR) says why. */
gboolean gst_vigil_planes_map(GstVigilPlanes *planes, const GstVideoInfo *info,
                              GstBuffer *buffer, gboolean joined, GError **error);
void gst_vigil_planes_unmap(GstVigilPlanes *planes);

/* Whether the memory holds component `c` of `image`, whose rows and columns are those
 * of the image subsampled.  FALSE: *error (GST_STREAM_ERROR) has both sizes. */
gboolean gst_vigil_planes_hold(const GstVigilPlanes *planes, const GstVideoInfo *info,
                               const VigilImage *image, guint c, GError **error);

G_END_DECLS

#endif
