/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Labels: the names of a model's classes, from a file of one name a line.
 */
#ifndef GST_VIGIL_LABELS_H
#define GST_VIGIL_LABELS_H

#include <glib.h>

G_BEGIN_DECLS

/* Larger files are refused unread, bytes. */
#define GST_VIGIL_LABELS_MAX_SIZE (4 * 1024 * 1024)

/* The lines of a UTF-8 text file, spaces at their ends removed: exactly `classes` of
 * them.  A byte order mark, CRLF and empty lines at the end are allowed.  To be freed
 * with g_strfreev(); NULL: *error (GST_RESOURCE_ERROR) names the file and both counts.
 */
gchar **gst_vigil_labels_read(const gchar *file, guint classes, GError **error);

G_END_DECLS

#endif
