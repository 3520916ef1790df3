/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc without a camera: drivers are tables (tests/camera/fake.c), and
 * v4l2src is one of the test's own (camera-source.c).
 */
#ifndef VIGIL_TESTS_CAMERA_PLAY_H
#define VIGIL_TESTS_CAMERA_PLAY_H

#include "camera-source.h"
#include "fake.h"
#include "play.h"

/* "Test Cam" on the bus "usb-1", to be plugged in with the serial "S1", with a control
 * "brightness" of 0..64. */
extern FakeDriver camera_driver;

/* GStreamer and GLib's tests, with the element and its v4l2src. */
void camera_play_init(int *argc, char ***argv);
void camera_play_clear(void);

Play *camera_play(const gchar *settings, const gchar *after);
/* No descriptor of a camera is open then. */
void camera_play_free(Play *play);
/* The next element message is of the camera at a node that ends so. */
void camera_play_assert_message(Play *play, const gchar *name, const gchar *device,
                                const gchar *reason);

#endif
