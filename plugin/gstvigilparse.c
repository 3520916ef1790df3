/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilparse.h"

static const gchar *skip_spaces(const gchar *text)
{
    while (g_ascii_isspace(*text))
        text++;
    return text;
}

gboolean gst_vigil_parse_numbers(const gchar *text, gdouble *values, guint n)
{
    for (guint i = 0; i < n; i++) {
        gchar *end = NULL;

        values[i] = g_ascii_strtod(text, &end);
        if (end == text)
            return FALSE;
        text = skip_spaces(end);
        if (*text != (i + 1 < n ? ',' : '\0'))
            return FALSE;
        text += i + 1 < n;
    }
    return TRUE;
}

static gboolean parse_length(const gchar **text, gint *length)
{
    gchar *end = NULL;

    if (!g_ascii_isdigit(**text))
        return FALSE;
    const guint64 value = g_ascii_strtoull(*text, &end, 10);
    if (value < 1 || value > G_MAXUINT16)
        return FALSE;
    *length = (gint)value;
    *text = end;
    return TRUE;
}

gboolean gst_vigil_parse_size(const gchar *text, gint *height, gint *width)
{
    if (!parse_length(&text, height) || *text++ != 'x')
        return FALSE;
    return parse_length(&text, width) && !*text;
}
