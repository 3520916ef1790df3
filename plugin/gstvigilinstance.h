/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Model instances: elements of the process that name the same model-instance-id have
 * one model, and the settings of the first of them that opened it.  An instance lasts
 * as long as somebody is part of it.  Safe from any thread.
 */
#ifndef GST_VIGIL_INSTANCE_H
#define GST_VIGIL_INSTANCE_H

#include "gstvigilnetwork.h"

G_BEGIN_DECLS

struct _GstVigilInstance {
    VigilModel *model;                /* never NULL */
    GstVigilNetworkSettings settings; /* of the first; never change */
    guint members;                    /* under a lock of the file's own */
};

/* Becomes part of the instance that settings->instance_id names; where there is none,
 * opens the model and founds it.  NULL: the model cannot be opened, or the settings
 * name another than the instance has: *error names both files. */
GstVigilInstance *gst_vigil_instance_join(const GstVigilNetworkSettings *settings,
                                          GError **error);

/* Sets the pointer to NULL; a pointer to NULL does nothing. */
void gst_vigil_instance_leave(GstVigilInstance **instance);

G_END_DECLS

#endif
