/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A web server for tests, on the loopback interface, in this process.
 */
#ifndef VIGIL_TESTS_WEB_H
#define VIGIL_TESTS_WEB_H

#include <gio/gio.h>

/* Serves: /camera (JPEG pictures without an end, in parts), /clip (a file of a known
 * length), /secret (401 without the user "u" and password "p"), /missing (404). */
void web_start(GBytes *picture, const gchar *clip);
void web_stop(void);
guint16 web_port(void);

/* How many more pictures of /camera come before the server closes the connection; -1:
 * it does not; of g_atomic_int_set(). */
extern gint web_pictures;

#endif
