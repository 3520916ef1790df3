/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "gstvigilclasslist.h"
#include "gstvigilparse.h"

#define FEW 24      /* names that are all told */
#define NEAREST 3   /* that are told of more */
#define MAX_NAME 64 /* bytes that are compared */

/* ---- The nearest names ---------------------------------------------------------- */

/* Bytes to be inserted, removed or replaced to make one of the other, in any case
 * (Levenshtein's distance). */
static guint distance(const gchar *a, const gchar *b)
{
    const gsize n = MIN(strlen(b), MAX_NAME);
    guint row[MAX_NAME + 1];

    for (guint k = 0; k <= n; k++)
        row[k] = k;
    for (guint i = 0; i < MAX_NAME && a[i]; i++) {
        guint diagonal = row[0]++;
        for (guint k = 0; k < n; k++) {
            const guint above = row[k + 1];
            const guint change = g_ascii_tolower(a[i]) != g_ascii_tolower(b[k]);
            row[k + 1] = MIN(MIN(above, row[k]) + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[n];
}

/* The class nearest to the name that is not told yet; -1: none. */
static gint find_nearest(const GstVigilNetwork *network, const gchar *name,
                         const gint *told, guint n_told)
{
    guint least = G_MAXUINT;
    gint nearest = -1;

    for (gint c = 0; c < network->classes; c++) {
        const guint d = distance(name, network->labels[c]);
        gboolean is_told = FALSE;
        for (guint i = 0; i < n_told; i++)
            is_told = is_told || told[i] == c;
        if (is_told || d >= least)
            continue;
        least = d;
        nearest = c;
    }
    return nearest;
}

static void append_nearest(GString *text, const GstVigilNetwork *network,
                           const gchar *name)
{
    gint told[NEAREST];

    g_string_append(text, " the nearest of its names are ");
    for (guint i = 0; i < NEAREST; i++) {
        told[i] = find_nearest(network, name, told, i);
        g_string_append_printf(text, "%s%s", i ? ", " : "", network->labels[told[i]]);
    }
}

static gchar *describe_names(const GstVigilNetwork *network, const gchar *name)
{
    GString *text = g_string_new(NULL);

    if (!network->labels) {
        g_string_printf(text, " it has no labels, only the numbers 0 to %d",
                        network->classes - 1);
    } else if (network->classes > FEW) {
        append_nearest(text, network, name);
    } else {
        g_string_append(text, " its names are ");
        for (gint c = 0; c < network->classes; c++)
            g_string_append_printf(text, "%s%s", c ? ", " : "", network->labels[c]);
    }
    return g_string_free(text, FALSE);
}

/* ---- Names ---------------------------------------------------------------------- */

static gint find_class(const GstVigilNetwork *network, const gchar *name)
{
    gchar *end = NULL;

    for (gint c = 0; network->labels && c < network->classes; c++)
        if (strcmp(network->labels[c], name) == 0)
            return c;
    if (!g_ascii_isdigit(*name))
        return -1;
    const guint64 number = g_ascii_strtoull(name, &end, 10);
    return *end || number >= (guint64)network->classes ? -1 : (gint)number;
}

/* The class, or -1 and *error. */
static gint get_class(const gchar *property, const gchar *name,
                      const GstVigilNetwork *network, GError **error)
{
    const gint found = find_class(network, name);

    if (found < 0) {
        gchar *names = describe_names(network, name);
        g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                    "The property %s names \"%s\", which is no class of the model "
                    "\"%s\":%s.",
                    property, name, network->name, names);
        g_free(names);
    }
    return found;
}

static gboolean is_set(const gchar *text)
{
    return text && text[strspn(text, " ")];
}

/* ---- Lists ---------------------------------------------------------------------- */

gboolean gst_vigil_class_list_wanted(const gchar *property, const gchar *text,
                                     const GstVigilNetwork *network, bool **wanted,
                                     GError **error)
{
    gboolean ok = TRUE;

    *wanted = NULL;
    if (!is_set(text))
        return TRUE;
    gchar **names = g_strsplit(text, ",", -1);
    *wanted = g_new0(bool, (gsize)network->classes);
    for (guint i = 0; ok && names[i]; i++) {
        const gint c = get_class(property, g_strstrip(names[i]), network, error);
        ok = c >= 0;
        if (ok)
            (*wanted)[c] = true;
    }
    g_strfreev(names);
    if (!ok)
        g_clear_pointer(wanted, g_free);
    return ok;
}

static gboolean refuse_item(GError **error, const gchar *property, const gchar *item)
{
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                "The property %s has \"%s\", which is not NAME=SCORE with a score in "
                "0..1, as person=0.6.",
                property, item);
    return FALSE;
}

/* "NAME=SCORE"; the last = counts. */
static gboolean set_score(const gchar *property, gchar *item,
                          const GstVigilNetwork *network, gfloat *scores,
                          GError **error)
{
    const gchar *equals = strrchr(item, '=');
    gdouble score;

    if (!equals || !gst_vigil_parse_numbers(equals + 1, &score, 1) ||
        !(score >= 0 && score <= 1))
        return refuse_item(error, property, item);
    gchar *name = g_strndup(item, (gsize)(equals - item));
    const gint c = get_class(property, g_strstrip(name), network, error);
    g_free(name);
    if (c >= 0)
        scores[c] = (gfloat)score;
    return c >= 0;
}

gboolean gst_vigil_class_list_scores(const gchar *property, const gchar *text,
                                     const GstVigilNetwork *network, gfloat **scores,
                                     GError **error)
{
    gboolean ok = TRUE;

    *scores = NULL;
    if (!is_set(text))
        return TRUE;
    gchar **items = g_strsplit(text, ",", -1);
    *scores = g_new(gfloat, (gsize)network->classes);
    for (gint c = 0; c < network->classes; c++)
        (*scores)[c] = NAN;
    for (guint i = 0; ok && items[i]; i++)
        ok = set_score(property, g_strstrip(items[i]), network, *scores, error);
    g_strfreev(items);
    if (!ok)
        g_clear_pointer(scores, g_free);
    return ok;
}
