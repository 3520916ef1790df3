/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Network: a model, a session of it and the labels, opened from an element's settings.
 */
#ifndef GST_VIGIL_NETWORK_H
#define GST_VIGIL_NETWORK_H

#include <gst/gst.h>
#include "vigil.h"

G_BEGIN_DECLS

/**
 * GstVigilResizeMode:
 * @GST_VIGIL_RESIZE_MODEL: what the model was trained with
 * @GST_VIGIL_RESIZE_STRETCH: both axes on their own
 * @GST_VIGIL_RESIZE_LETTERBOX: aspect ratio kept, with borders
 * @GST_VIGIL_RESIZE_CROP: aspect ratio kept, the centre
 * @GST_VIGIL_RESIZE_NONE: not resized
 */
typedef enum {
    GST_VIGIL_RESIZE_MODEL,
    GST_VIGIL_RESIZE_STRETCH,
    GST_VIGIL_RESIZE_LETTERBOX,
    GST_VIGIL_RESIZE_CROP,
    GST_VIGIL_RESIZE_NONE,
} GstVigilResizeMode;

#define GST_TYPE_VIGIL_RESIZE_MODE (gst_vigil_resize_mode_get_type())
GType gst_vigil_resize_mode_get_type(void);

/**
 * GstVigilChannelOrder:
 * @GST_VIGIL_CHANNEL_ORDER_MODEL: what the model was trained with
 * @GST_VIGIL_CHANNEL_ORDER_RGB: red first
 * @GST_VIGIL_CHANNEL_ORDER_BGR: blue first
 */
typedef enum {
    GST_VIGIL_CHANNEL_ORDER_MODEL,
    GST_VIGIL_CHANNEL_ORDER_RGB,
    GST_VIGIL_CHANNEL_ORDER_BGR,
} GstVigilChannelOrder;

#define GST_TYPE_VIGIL_CHANNEL_ORDER (gst_vigil_channel_order_get_type())
GType gst_vigil_channel_order_get_type(void);

/**
 * GstVigilPrecision:
 * @GST_VIGIL_PRECISION_AUTO: what the model file says, else float32
 * @GST_VIGIL_PRECISION_FLOAT32: 32-bit floats
 * @GST_VIGIL_PRECISION_INT8: bytes where that is faster
 */
typedef enum {
    GST_VIGIL_PRECISION_AUTO,
    GST_VIGIL_PRECISION_FLOAT32,
    GST_VIGIL_PRECISION_INT8,
} GstVigilPrecision;

#define GST_TYPE_VIGIL_PRECISION (gst_vigil_precision_get_type())
GType gst_vigil_precision_get_type(void);

/* The settings as the properties hold them; texts may be NULL, which is the same as "".
 */
typedef struct _GstVigilNetworkSettings {
    gchar *model;       /* file, or name of a shipped model; NULL: the default one */
    gchar *labels_file; /* one label a line; NULL: `labels` */
    gchar *labels;      /* built-in set; NULL: what the model says */
    gchar *input_size;  /* "HEIGHTxWIDTH" */
    gchar *mean, *std;  /* "RED,GREEN,BLUE" */
    GstVigilResizeMode resize;
    GstVigilChannelOrder channel_order;
    GstVigilPrecision precision;
    guint threads;             /* 0: as many as there are processors */
    gchar *instance_id;        /* of elements that share a model; NULL: none */
    gboolean model_is_default; /* nobody chose it */
} GstVigilNetworkSettings;

void gst_vigil_network_settings_copy(GstVigilNetworkSettings *to,
                                     const GstVigilNetworkSettings *from);
void gst_vigil_network_settings_clear(GstVigilNetworkSettings *settings);

typedef struct _GstVigilInstance GstVigilInstance; /* gstvigilinstance.h */

typedef struct _GstVigilNetwork {
    VigilModel *model;
    VigilSession *session;
    GstVigilInstance *instance; /* NULL: of its own */
    gchar *source;              /* what the settings name as model */
    gchar *name;                /* file name without folder and ending */
    gint classes;
    const gchar *const *labels; /* [classes]; NULL: not known */
    gchar **own_labels;         /* what `labels` points to when read from a file */
    GstClockTime run_time;      /* of one run, measured at open, ns */
} GstVigilNetwork;

/* Opens a model by its file or name, as vigil_model_open(); NULL: as below. */
VigilModel *gst_vigil_network_open_model(const gchar *name, GError **error);

/* Opens the model, checks that it is for `task`, finds its labels, makes a session
 * ready and runs it once; with an instance_id whose model is open, that one, with the
 * settings that it was opened with.  NULL: *error, in a domain of GStreamer, is one
 * sentence that names the file or property at fault and one that says what to do. */
GstVigilNetwork *gst_vigil_network_open(const GstVigilNetworkSettings *settings,
                                        VigilTask task, GError **error);

/* Frees it and sets the pointer to NULL; NULL and pointers to NULL do nothing. */
void gst_vigil_network_close(GstVigilNetwork **network);

/* The label of a class; NULL: not known. */
const gchar *gst_vigil_network_label(const GstVigilNetwork *network, gint index);

G_END_DECLS

#endif
