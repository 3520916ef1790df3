/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include "gstvigillabels.h"

__attribute__((format(printf, 3, 4))) static gboolean
refuse(GError **error, GstResourceError code, const gchar *format, ...)
{
    va_list args;

    va_start(args, format);
    gchar *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, GST_RESOURCE_ERROR, (gint)code, message);
    g_free(message);
    return FALSE;
}

/* Devices and pipes would never end. */
static gboolean check_file(const gchar *file, GError **error)
{
    GStatBuf status;

    if (g_stat(file, &status) != 0)
        return refuse(error,
                      errno == ENOENT ? GST_RESOURCE_ERROR_NOT_FOUND
                                      : GST_RESOURCE_ERROR_OPEN_READ,
                      "The labels file \"%s\" cannot be opened: %s.", file,
                      g_strerror(errno));
    if (!S_ISREG(status.st_mode))
        return refuse(error, GST_RESOURCE_ERROR_OPEN_READ,
                      "The labels file \"%s\" is not a regular file.", file);
    if (status.st_size > GST_VIGIL_LABELS_MAX_SIZE)
        return refuse(error, GST_RESOURCE_ERROR_READ,
                      "The labels file \"%s\" has %" G_GINT64_FORMAT
                      " bytes; %d is the limit.",
                      file, (gint64)status.st_size, GST_VIGIL_LABELS_MAX_SIZE);
    return TRUE;
}

/* Removes the spaces at both ends of every line, and the empty lines at the end. */
static guint trim_lines(gchar **lines)
{
    guint n = 0;

    for (guint i = 0; lines[i]; i++)
        if (*g_strstrip(lines[i]))
            n = i + 1;
    for (guint i = n; lines[i]; i++) {
        g_free(lines[i]);
        lines[i] = NULL;
    }
    return n;
}

static gboolean check_lines(const gchar *file, gchar **lines, guint n, guint classes,
                            GError **error)
{
    if (n != classes)
        return refuse(error, GST_RESOURCE_ERROR_SETTINGS,
                      "The labels file \"%s\" has %u labels, the model has %u classes.",
                      file, n, classes);
    for (guint i = 0; i < n; i++)
        if (!*lines[i])
            return refuse(error, GST_RESOURCE_ERROR_SETTINGS,
                          "The labels file \"%s\" has no label in line %u.", file,
                          i + 1);
    return TRUE;
}

static gchar **split_text(const gchar *file, const gchar *text, gsize size,
                          guint classes, GError **error)
{
    static const gchar mark[] = "\xEF\xBB\xBF";

    if (!g_utf8_validate(text, (gssize)size, NULL)) {
        refuse(error, GST_RESOURCE_ERROR_READ,
               "The labels file \"%s\" is not UTF-8 text.", file);
        return NULL;
    }
    if (g_str_has_prefix(text, mark))
        text += strlen(mark);
    gchar **lines = g_strsplit(text, "\n", -1);
    const guint n = trim_lines(lines);
    if (!check_lines(file, lines, n, classes, error)) {
        g_strfreev(lines);
        return NULL;
    }
    return lines;
}

gchar **gst_vigil_labels_read(const gchar *file, guint classes, GError **error)
{
    GError *cause = NULL;
    gchar *text = NULL;
    gsize size = 0;

    if (!check_file(file, error))
        return NULL;
    if (!g_file_get_contents(file, &text, &size, &cause)) {
        refuse(error, GST_RESOURCE_ERROR_OPEN_READ,
               "The labels file \"%s\" cannot be read: %s.", file, cause->message);
        g_error_free(cause);
        return NULL;
    }
    gchar **lines = split_text(file, text, size, classes, error);
    g_free(text);
    return lines;
}
