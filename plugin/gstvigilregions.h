/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Regions: the rectangles of the property `regions`, parsed from
 *
 *     [NAME=]X,Y,WIDTH,HEIGHT[;[NAME=]X,Y,WIDTH,HEIGHT]...
 *
 * in fractions of the visible frame, 0..1.  A name is any text without , ; = and is
 * used once.  The list never changes after it was parsed, and is counted, so that the
 * streaming thread can go on with the one it has.
 */
#ifndef GST_VIGIL_REGIONS_H
#define GST_VIGIL_REGIONS_H

#include <glib.h>
#include "vigil.h"

G_BEGIN_DECLS

#define GST_VIGIL_REGIONS_MAX 64

typedef struct _GstVigilRegion {
    VigilRegion area;
    gchar *name; /* NULL: not named */
} GstVigilRegion;

typedef struct _GstVigilRegions {
    guint n;
    GstVigilRegion item[GST_VIGIL_REGIONS_MAX];
} GstVigilRegions;

/* NULL or "": an empty list.  On failure NULL, and *error (GST_LIBRARY_ERROR_SETTINGS)
 * quotes the region at fault. */
GstVigilRegions *gst_vigil_regions_parse(const gchar *text, GError **error);

GstVigilRegions *gst_vigil_regions_ref(GstVigilRegions *regions);
void gst_vigil_regions_unref(GstVigilRegions *regions);

G_END_DECLS

#endif
