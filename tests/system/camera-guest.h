/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests in the guest share.  camera.sh has loaded the kernel's test driver
 * vivid there, with two cameras.  They are unplugged for a moment, by the driver's
 * control "disconnect", and really, by taking the driver off its device.
 */
#ifndef VIGIL_TESTS_CAMERA_GUEST_H
#define VIGIL_TESTS_CAMERA_GUEST_H

#include <gst/gst.h>

#define FIRST "bus:platform:vivid-000"
#define SECOND "bus:platform:vivid-001" /* its frames have several planes */
#define PATIENCE (15 * GST_SECOND)

/* ---- A pipeline that is watched -------------------------------------------------- */

typedef struct {
    GstElement *pipeline, *src;
    GMutex lock; /* of what follows */
    guint frames, backwards, discont;
    GstClockTime last;
    guint8 pixel[3]; /* of the middle of the last frame, where it is RGB */
    guint width;
} Play;

/* vigilcamerasrc, called "src", at 320x180 and 30 frames/s; `after`: what follows, with
 * its " ! ". */
Play *play_new(const gchar *settings, const gchar *after);
/* Stops it; the camera must be closed then. */
void play_free(Play *play);

/* Plays, and frames come. */
void play_start(Play *play);
guint play_frames(Play *play);
/* n more frames come, and no error. */
void play_wait_frames(Play *play, guint n);
/* Playing, with times that follow each other and the clock. */
void play_check(Play *play);

/* The next element message of that name, to be freed; errors and ends are none. */
GstStructure *play_wait_message(Play *play, const gchar *name);
/* The text of the error that comes, to be freed; there is one. */
gchar *play_wait_error(Play *play);
/* The message with the fields of the camera at that bus; reason may be NULL. */
void play_check_loss(Play *play, const gchar *bus, const gchar *reason);
void play_check_return(Play *play, const gchar *bus);

/* The node in use, to be freed. */
gchar *play_device(Play *play);
guint64 play_losses(Play *play);

/* ---- Counting -------------------------------------------------------------------- */

typedef struct {
    guint descriptors, threads;
    guint frames; /* memory of cameras, a descriptor each, not counted above */
} Held;

/* What this process has. */
Held held_now(void);
/* Waits until it has no more than that; of frames no more than a stream's more, as
 * their number changes while it flows. */
void held_check(const Held *before);

/* ---- The driver ------------------------------------------------------------------ */

/* The node of a camera told as FIRST or SECOND, to be freed. */
gchar *device_of(const gchar *camera);

/* As the property "controls". */
void set_controls(const gchar *device, const gchar *controls);
void press(const gchar *device, const gchar *button);

/* "unbind" or "bind": takes the driver off the first camera, or gives it back. */
void drive(const gchar *file);

/* ---- Commands -------------------------------------------------------------------- */

/* The command fails, or does not, and says all of the words. */
void assert_says(const gchar *command, gboolean fails, const gchar *words[]);

/* ---- Tests in files of their own ------------------------------------------------- */

void dmabuf_add_tests(void);
void formats_add_tests(void);
void faults_add_tests(void);

#endif
