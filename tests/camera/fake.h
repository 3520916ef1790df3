/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cameras that are not there: drivers made of tables, behind the table of system calls.
 * vigil_v4l2_system() is theirs.
 */
#ifndef VIGIL_TESTS_FAKE_CAMERA_H
#define VIGIL_TESTS_FAKE_CAMERA_H

#include "camera.h"

#include <linux/videodev2.h>

enum { FAKE_NODES = 8, FAKE_NOT_MINE = -2 };

/* A row of the modes of a driver; rows of one format follow each other. */
typedef struct FakeMode {
    uint32_t fourcc;
    struct v4l2_frmsizeenum size;        /* type 0: the driver enumerates no sizes */
    struct v4l2_frmivalenum interval[4]; /* up to the first of type 0 */
} FakeMode;

typedef struct FakeControl {
    struct v4l2_query_ext_ctrl told;
    const char *const *items; /* of a menu, by value; NULL entries are gaps */
    int64_t value;
} FakeControl;

typedef struct FakeDriver {
    const char *card, *driver, *bus;
    uint32_t caps;             /* 0: VIDEO_CAPTURE | STREAMING */
    int open_error, ask_error; /* errno; 0: none */
    const FakeMode *mode;
    size_t n_modes;
    FakeControl *control; /* by rising id */
    size_t n_controls;
    struct v4l2_pix_format set_to;
    struct v4l2_fract interval;
    int busy; /* errno of VIDIOC_S_FMT and VIDIOC_REQBUFS; 0: none */
    /* Goes first; FAKE_NOT_MINE: the table answers. */
    int (*odd)(unsigned long request, void *argument);
} FakeDriver;

#define FAKE_SIZE(w, h)                                                                \
    {                                                                                  \
        .type = V4L2_FRMSIZE_TYPE_DISCRETE, .discrete = { w, h }                       \
    }
#define FAKE_RATE(n)                                                                   \
    {                                                                                  \
        .type = V4L2_FRMIVAL_TYPE_DISCRETE, .discrete = { 1, n }                       \
    }

/* Plugs the driver in as /dev/videoN; serial: of the USB device, NULL: it is none.  It
 * must live until it is unplugged. */
void fake_plug(int number, FakeDriver *driver, const char *serial);
void fake_unplug(int number);
/* All, and their folders. */
void fake_clear(void);

/* Descriptors that are open. */
int fake_open_count(void);
/* A file below the folder of processes: "12/comm". */
void fake_process_file(const char *path, const char *text);
/* A link to the node as a descriptor: "12/fd/3". */
void fake_process_link(const char *path, int number);

#endif
