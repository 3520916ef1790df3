/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files for tests of vigilsrc, made where they are needed.
 */
#ifndef VIGIL_TESTS_URI_FILES_H
#define VIGIL_TESTS_URI_FILES_H

#include <gst/gst.h>

/* A folder of its own with clip.avi (10 pictures of 160x120, 10 a second, and sound),
 * sound.wav and text.txt. */
void uri_files_init(void);
void uri_files_clear(void);

/* To be freed. */
gchar *uri_files_path(const gchar *name);
/* "uri=file:///...", to be freed. */
gchar *uri_files_setting(const gchar *name);
/* A JPEG picture of 160x120, to be unreferenced. */
GBytes *uri_files_picture(void);

#endif
