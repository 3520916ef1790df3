/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What vigilsrc plays: a URI taken apart, and texts without what is secret in it.
 */
#ifndef GST_VIGIL_ADDRESS_H
#define GST_VIGIL_ADDRESS_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum _GstVigilProtocol {
    GST_VIGIL_PROTOCOL_RTSP,
    GST_VIGIL_PROTOCOL_HTTP,
    GST_VIGIL_PROTOCOL_FILE,
} GstVigilProtocol;

typedef struct _GstVigilAddress {
    GstVigilProtocol protocol;
    gboolean secure;        /* by TLS */
    gchar *uri;             /* without user and password */
    gchar *shown;           /* the same, and without secrets among its parameters */
    gchar *user, *password; /* decoded; NULL: it has none */
    gchar *host;            /* of a network; NULL: a file */
    guint16 port;           /* the usual one where it has none */
    gchar *path;            /* of a file; NULL: a network */
} GstVigilAddress;

/* Takes a URI apart.  FALSE: *error is a sentence, without secrets; nothing is to be
 * cleared then. */
gboolean gst_vigil_address_parse(const gchar *uri, GstVigilAddress *address,
                                 GError **error);
void gst_vigil_address_clear(GstVigilAddress *address);

/* What may be shown of a URI, which may be bad; to be freed. */
gchar *gst_vigil_address_show(const gchar *uri);

/* A text without users and passwords in URIs, values of parameters that are called like
 * a secret, and this password; to be freed.  Both may be NULL. */
gchar *gst_vigil_address_scrub(const gchar *text, const gchar *password);

/* The element that reads from it, and the Debian package that has it. */
const gchar *gst_vigil_address_element(const GstVigilAddress *address);
const gchar *gst_vigil_address_package(const GstVigilAddress *address);

G_END_DECLS

#endif
