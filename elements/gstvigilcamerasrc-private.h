/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigilcamerasrc share.
 *
 * A chain of it is a bin of v4l2src, a capsfilter and perhaps a decoder.  The first one
 * is made in the change to READY, so that what is wrong with the camera is told there.
 */
#ifndef GST_VIGIL_CAMERA_SRC_PRIVATE_H
#define GST_VIGIL_CAMERA_SRC_PRIVATE_H

#include "camera.h"
#include "gstvigilcamerasrc.h"

G_BEGIN_DECLS

/* As the properties hold them. */
typedef struct _GstVigilCameraSettings {
    gchar *camera, *controls;
    gint width, height;      /* pixels; 0: the camera's choice */
    gint rate_num, rate_den; /* frames a second; 0/1: the camera's choice */
    gint num_buffers;        /* -1: without end */
} GstVigilCameraSettings;

struct _GstVigilCameraSrc {
    GstVigilSourceBin parent;

    /* Under the object lock. */
    GstVigilCameraSettings settings;
    VigilCamera camera;       /* while `opened` */
    VigilCameraChoice choice; /* the mode it was opened with */
    gboolean opened;          /* from READY up */

    /* Set when it is opened, before there is a watcher. */
    VigilSelector selector;
    VigilCameraWish wish;
    gboolean chosen; /* camera and choice are those of the next chain */

    VigilCameraList others; /* there beside the camera that was lost; of the watcher */
};

/* ---- gstvigilcamerasrc-properties.c ---------------------------------------------- */

void gst_vigil_camera_src_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec);
void gst_vigil_camera_src_get_property(GObject *object, guint id, GValue *value,
                                       GParamSpec *pspec);
void gst_vigil_camera_src_install_properties(GObjectClass *klass);

/* ---- gstvigilcamerasrc-open.c ---------------------------------------------------- */

/* Finds the camera, chooses its mode for what is wished and what follows the pad, and
 * sets its controls.  FALSE: an error was posted. */
gboolean gst_vigil_camera_src_find(GstVigilCameraSrc *self);

/* The same for one that was lost; *error tells why not. */
gboolean gst_vigil_camera_src_find_again(GstVigilCameraSrc *self, GError **error);

/* Sets the controls of an open camera as the property has them. */
void gst_vigil_camera_src_update_controls(GstVigilCameraSrc *self);

/* The element that decodes a format, not to be freed; NULL: none is installed, or the
 * format is raw. */
const gchar *gst_vigil_camera_decoder(VigilCameraCoding coding);

/* ---- gstvigilcamerasrc-chain.c --------------------------------------------------- */

/* A floating chain for the camera and its choice; NULL: an element is missing, as
 * *error tells. */
GstElement *gst_vigil_camera_src_make_chain(GstVigilCameraSrc *self, GError **error);

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_camera_src_debug);

G_END_DECLS

#endif
