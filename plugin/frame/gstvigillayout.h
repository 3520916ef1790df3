/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Layout: what the components of a video format look like in memory, and what their
 * numbers mean.
 *
 * All of it comes from GStreamer's table of formats, so that a format is data and not a
 * case; where that table is wrong or silent, from one beside it.
 */
#ifndef GST_VIGIL_LAYOUT_H
#define GST_VIGIL_LAYOUT_H

#include <gst/video/video.h>
#include "vigil.h"

G_BEGIN_DECLS

/* Fills *image but for width and height: components, colour and pixel aspect of `info`,
 * whose planes begin at data [planes] with rows `stride` [planes] bytes apart. */
void gst_vigil_layout_fill(VigilImage *image, const GstVideoInfo *info,
                           const guint8 *const *data, const gint *stride);

/* Components that are looked at: all but alpha. */
guint gst_vigil_layout_components(const VigilImage *image);

G_END_DECLS

#endif
