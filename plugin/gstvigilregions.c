/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include <gst/gst.h>
#include "gstvigilparse.h"
#include "gstvigilregions.h"

/* Sums of decimal fractions, as 0.7 + 0.3, may miss 1 by this much. */
#define EDGE_SLACK 1e-6

static void clear_regions(gpointer data)
{
    GstVigilRegions *regions = data;

    for (guint i = 0; i < regions->n; i++)
        g_free(regions->item[i].name);
}

GstVigilRegions *gst_vigil_regions_ref(GstVigilRegions *regions)
{
    return g_atomic_rc_box_acquire(regions);
}

void gst_vigil_regions_unref(GstVigilRegions *regions)
{
    if (regions)
        g_atomic_rc_box_release_full(regions, clear_regions);
}

static gboolean refuse(GError **error, const gchar *text, const gchar *reason)
{
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                "The region \"%s\" of the property regions %s.", text, reason);
    return FALSE;
}

static gboolean check_area(const gdouble v[4], const gchar *text, GError **error)
{
    for (guint i = 0; i < 4; i++)
        if (!isfinite(v[i]) || v[i] < 0 || v[i] > 1)
            return refuse(error, text, "has a number outside 0..1");
    if (v[2] <= 0 || v[3] <= 0)
        return refuse(error, text, "has no area: its width and height must be above 0");
    if (v[0] + v[2] > 1 + EDGE_SLACK)
        return refuse(error, text, "is outside the frame: x + width is above 1");
    if (v[1] + v[3] > 1 + EDGE_SLACK)
        return refuse(error, text, "is outside the frame: y + height is above 1");
    return TRUE;
}

static gboolean name_is_taken(const GstVigilRegions *regions, const gchar *name)
{
    for (guint i = 0; i < regions->n; i++)
        if (g_strcmp0(regions->item[i].name, name) == 0)
            return TRUE;
    return FALSE;
}

/* Takes `name`, which may be NULL. */
static gboolean append(GstVigilRegions *regions, gchar *name, const gdouble v[4],
                       const gchar *text, GError **error)
{
    const gchar *reason = NULL;

    if (regions->n == GST_VIGIL_REGIONS_MAX)
        reason = "is one too many: at most " G_STRINGIFY(GST_VIGIL_REGIONS_MAX) " fit";
    else if (name && !*name)
        reason = "has an empty name";
    else if (name && !g_utf8_validate(name, -1, NULL))
        reason = "has a name that is not UTF-8";
    else if (name && name_is_taken(regions, name))
        reason = "has the name of an earlier one";
    if (reason) {
        g_free(name);
        return refuse(error, text, reason);
    }
    regions->item[regions->n++] = (GstVigilRegion) {
        .area = { (float)v[0], (float)v[1], (float)v[2], (float)v[3] },
        .name = name,
    };
    return TRUE;
}

static gboolean parse_region(GstVigilRegions *regions, const gchar *text,
                             GError **error)
{
    const gchar *equals = strchr(text, '=');
    gdouble v[4];

    if (!gst_vigil_parse_numbers(equals ? equals + 1 : text, v, 4))
        return refuse(error, text,
                      "is not [NAME=]X,Y,WIDTH,HEIGHT, four numbers in 0..1, as "
                      "door=0.5,0,0.5,1");
    if (!check_area(v, text, error))
        return FALSE;
    gchar *name = equals ? g_strndup(text, (gsize)(equals - text)) : NULL;
    return append(regions, name ? g_strstrip(name) : NULL, v, text, error);
}

static gboolean parse_list(GstVigilRegions *regions, gchar **list, GError **error)
{
    for (; *list; list++) {
        g_strstrip(*list);
        if (!**list && !list[1])
            return TRUE; /* a semicolon after the last region */
        if (!parse_region(regions, *list, error))
            return FALSE;
    }
    return TRUE;
}

GstVigilRegions *gst_vigil_regions_parse(const gchar *text, GError **error)
{
    GstVigilRegions *regions = g_atomic_rc_box_new0(GstVigilRegions);
    gchar **list = g_strsplit(text ? text : "", ";", -1);

    if (!parse_list(regions, list, error)) {
        gst_vigil_regions_unref(regions);
        regions = NULL;
    }
    g_strfreev(list);
    return regions;
}
