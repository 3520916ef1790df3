/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigilcamerasrc share.
 *
 * The chain is a bin of v4l2src, a capsfilter and perhaps a decoder, for one opening of
 * the camera; the pad of vigilcamerasrc has the chain's as its target.  When the camera
 * is lost the watcher, a thread of its own, throws the chain away and looks for the
 * camera until it can put a new one in its place.  What flows through a chain's probes
 * makes one stream of all.
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
    GstBin parent;
    GstPad *src; /* ghost pad, the bin's */

    /* Under the object lock. */
    GstVigilCameraSettings settings;
    VigilCamera camera;       /* while `opened` */
    VigilCameraChoice choice; /* the mode it was opened with */
    gboolean opened;          /* from READY up */
    guint64 frames, losses;
    GstClockTime least, most; /* latency as v4l2src told last; NONE: not known */

    /* Set when it is opened, before there is a watcher. */
    VigilSelector selector;
    VigilCameraWish wish;

    GMutex swap;       /* held while the chain is replaced or changes its state */
    GstElement *chain; /* NULL while the camera is lost; of the holder of `swap` */

    GThread *watcher; /* from PAUSED up; of the thread that changes states */
    GMutex lock;      /* of what follows, and of `cond` */
    GCond cond;
    gboolean watching;    /* errors of the chain are losses: from PAUSED up */
    gboolean stopping;    /* the watcher shall end */
    gboolean lost;        /* the chain shall be thrown away, or there is none */
    gchar *reason;        /* why, as the chain said; may be NULL */
    gboolean returned;    /* a new chain is there whose first frame is awaited */
    GstClockTime lost_at; /* monotonic time */
    gboolean ending;      /* EOS was sent to the element, or all frames have come */
    gboolean ended;       /* EOS has gone out */
    guint sent;           /* frames of all chains */

    /* Of the streaming thread; chains never run at the same time. */
    gboolean started, has_segment; /* what a stream begins with was passed on */
    GstClockTime last_pts;
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

/* The same for one that was lost and found again as `camera`; *error tells why not. */
gboolean gst_vigil_camera_src_prepare_again(GstVigilCameraSrc *self,
                                            const VigilCamera *camera,
                                            VigilCameraChoice *choice,
                                            VigilCameraError *error);

/* Sets the controls of an open camera as the property has them. */
void gst_vigil_camera_src_update_controls(GstVigilCameraSrc *self);

/* The element that decodes a format, not to be freed; NULL: none is installed, or the
 * format is raw. */
const gchar *gst_vigil_camera_decoder(VigilCameraCoding coding);

/* Code of a GST_RESOURCE_ERROR. */
GstResourceError gst_vigil_camera_error_code(VigilCameraStatus status);

/* ---- gstvigilcamerasrc-chain.c --------------------------------------------------- */

/* Makes a chain for the camera and its choice, and the target of the pad of it.  Its
 * state is NULL.  FALSE: an element is missing, and an error was posted.  Under `swap`.
 */
gboolean gst_vigil_camera_src_add_chain(GstVigilCameraSrc *self);

/* Stops the chain and throws it away; nothing where there is none.  Under `swap`. */
void gst_vigil_camera_src_remove_chain(GstVigilCameraSrc *self);

/* ---- gstvigilcamerasrc-watch.c --------------------------------------------------- */

/* Tells the watcher that the camera is lost, once for a chain.  reason may be NULL. */
void gst_vigil_camera_src_lose(GstVigilCameraSrc *self, const gchar *reason);

/* TRUE: the message is of the chain, and the application shall not see it.  It says
 * that the camera is lost, which the watcher now knows; or, before the first frame,
 * that it does not start, which is told as an error of the element. */
gboolean gst_vigil_camera_src_takes_message(GstVigilCameraSrc *self,
                                            GstMessage *message);

/* What the last frame met that left the chain. */
GstFlowReturn gst_vigil_camera_src_flow_behind(GstElement *chain);

/* Posts "camera-found" when the first frame after a loss comes. */
void gst_vigil_camera_src_first_frame(GstVigilCameraSrc *self);

void gst_vigil_camera_src_start_watching(GstVigilCameraSrc *self);
/* Returns when the watcher has ended.  Errors of the chain are losses still, until the
 * loss is forgotten: when the chain has stopped. */
void gst_vigil_camera_src_stop_watching(GstVigilCameraSrc *self);
void gst_vigil_camera_src_forget_loss(GstVigilCameraSrc *self);

/* EOS was sent to the element: the chain lets it pass, and where there is none the
 * watcher sends it. */
void gst_vigil_camera_src_end(GstVigilCameraSrc *self);

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_camera_src_debug);

G_END_DECLS

#endif
