/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Parsing of property texts, with the decimal point whatever the locale says.
 */
#ifndef GST_VIGIL_PARSE_H
#define GST_VIGIL_PARSE_H

#include <glib.h>

G_BEGIN_DECLS

/* Exactly n numbers with commas between them; spaces around each are allowed.  Values
 * may be infinite or not a number: the caller knows the range. */
gboolean gst_vigil_parse_numbers(const gchar *text, gdouble *values, guint n);

/* "HEIGHTxWIDTH" in pixels, each 1..65535. */
gboolean gst_vigil_parse_size(const gchar *text, gint *height, gint *width);

G_END_DECLS

#endif
