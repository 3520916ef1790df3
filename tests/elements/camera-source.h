/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A v4l2src of the test's own: frames every 5 ms as long as its driver is plugged in
 * (tests/camera/fake.c), and the same error as v4l2src when it is not.  Raw frames are
 * of 640x480, JPEG pictures of 1280x720.
 */
#ifndef VIGIL_TESTS_CAMERA_SOURCE_H
#define VIGIL_TESTS_CAMERA_SOURCE_H

#include <gst/gst.h>

/* Registers it in the place of v4l2src. */
void camera_source_init(void);
void camera_source_clear(void);

/* While it is set, no frames come, and no error; of g_atomic_int_set(). */
extern gint camera_source_silent;

/* How many times it does so, of g_atomic_int_set(). */
extern gint camera_source_steps_back; /* a frame has the time of a second ago */
extern gint camera_source_ends;       /* its stream ends */
extern gint camera_source_fails;      /* instead of a frame there is an error */
extern gint camera_source_refuses;    /* it does not leave NULL */

#endif
