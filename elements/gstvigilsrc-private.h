/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigilsrc share.
 *
 * A chain of it is a bin of the element that reads the protocol and a decodebin.  These
 * are what uridecodebin makes, too, but that wants the password in its URI, or set on a
 * source that is in the pipeline already: `gst-launch-1.0 -v` would print it.  And
 * uridecodebin3 shows streams before anybody can say that they are not wanted.
 */
#ifndef GST_VIGIL_SRC_PRIVATE_H
#define GST_VIGIL_SRC_PRIVATE_H

#include "gstvigiladdress.h"
#include "gstvigilsrc.h"

G_BEGIN_DECLS

typedef enum _GstVigilTransport {
    GST_VIGIL_TRANSPORT_AUTO, /* UDP, then multicast, then TCP */
    GST_VIGIL_TRANSPORT_TCP,
    GST_VIGIL_TRANSPORT_UDP,
    GST_VIGIL_TRANSPORT_MULTICAST,
} GstVigilTransport;

/* As the properties hold them. */
typedef struct _GstVigilSrcSettings {
    gchar *uri; /* may hold a password */
    gchar *user, *password, *password_variable, *credentials_file;
    GstVigilTransport transport;
    guint latency; /* ms */
    gboolean loop, wait, verify;
} GstVigilSrcSettings;

struct _GstVigilSrc {
    GstVigilSourceBin parent;

    GstVigilSrcSettings settings; /* under the object lock */
    gchar *password;              /* in use, for scrubbing; under the object lock */

    GstVigilAddress address; /* from READY up; set before there is a watcher */

    /* Of the chain: under the object lock. */
    gint stream;         /* of rtspsrc, the one that is asked for; -1: none */
    gconstpointer video; /* the demuxer's pad whose stream is decoded */
    gboolean shown;      /* it has decoded video */
    gboolean finite;     /* of a length that was known when it began */
};

/* ---- gstvigilsrc-properties.c ---------------------------------------------------- */

void gst_vigil_src_set_property(GObject *object, guint id, const GValue *value,
                                GParamSpec *pspec);
void gst_vigil_src_get_property(GObject *object, guint id, GValue *value,
                                GParamSpec *pspec);
void gst_vigil_src_install_properties(GObjectClass *klass);
void gst_vigil_src_init_settings(GstVigilSrcSettings *settings);
void gst_vigil_src_clear_settings(GstVigilSrcSettings *settings);

/* ---- gstvigilsrc-chain.c --------------------------------------------------------- */

/* User and password as the properties have them, else the URI, to be freed; both may be
 * NULL.  FALSE: a file or a variable is not there, *error is a sentence. */
gboolean gst_vigil_src_credentials(GstVigilSrc *self, gchar **user, gchar **password,
                                   GError **error);

/* A floating chain; NULL: *error tells why not. */
GstElement *gst_vigil_src_make_chain(GstVigilSourceBin *source, GError **error);

/* ---- gstvigilsrc-failure.c ------------------------------------------------------- */

/* Functions of the class. */
gchar *gst_vigil_src_explain(GstVigilSourceBin *source, const GError *error,
                             gboolean again);
gboolean gst_vigil_src_is_final(GstVigilSourceBin *source, const GError *error,
                                guint sent);
gint64 gst_vigil_src_longest_wait(GstVigilSourceBin *source, const GError *error);
gchar *gst_vigil_src_sentence(GstVigilSourceBin *source, const gchar *why,
                              gboolean again, gboolean final);
GstMessage *gst_vigil_src_filter(GstVigilSourceBin *source, GstMessage *message);

/* The Debian package with a decoder, depayloader or demuxer of such caps. */
const gchar *gst_vigil_src_package(const GstCaps *caps);

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_src_debug);

G_END_DECLS

#endif
