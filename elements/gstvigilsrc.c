/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vigilsrc
 * @title: vigilsrc
 * @see_also: vigilcamerasrc, uridecodebin, rtspsrc, souphttpsrc
 *
 * The video of a network camera, or of a file, decoded: #GstVigilSrc:uri is of
 * `rtsp://`, `rtsps://`, `http://`, `https://` or `file://`.  Of its streams the first
 * video is taken; others are neither decoded nor, with RTSP, asked for.
 *
 * A network camera is a live source, and that it is away is no error, at the beginning
 * neither.  When it refuses, ends, breaks or gives no frame for
 * #GstVigilSourceBin:timeout, a warning and an element message "source-lost" are
 * posted, the pipeline plays on, without frames, and it is tried until it is back. Then
 * its frames go on in the running time that has come meanwhile, perhaps with other
 * caps, and a message "source-found" is posted with the first one.  Both have the
 * fields "uri", without user and password, and "reason", strings.  What is wrong with
 * this machine, as a decoder that is missing, is an error; with
 * #GstVigilSrc:wait-for-source=false everything is until the first frame has come.
 *
 * A file is no live source; it ends, or with #GstVigilSrc:loop begins again, and its
 * times go on.
 *
 * User and password come from the URI, from #GstVigilSrc:user-id and
 * #GstVigilSrc:user-pw, from an environment variable or from a file.  They are in no
 * message, log line or property of this element; #GstVigilSrc:uri is read without them.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 vigilsrc uri=rtsp://192.168.1.20/stream1 credentials-file=gate.txt !
 * vigildetect ! vigiloverlay ! videoconvert ! autovideosink
 * ]| Finds objects in what a network camera sees; gate.txt is a line USER:PASSWORD.
 * |[
 * gst-launch-1.0 vigilsrc uri=file:///srv/clips/gate.mp4 loop=true ! vigilclassify !
 * vigiloverlay ! videoconvert ! autovideosink
 * ]| Classifies a clip again and again.
 */
#include "gstvigilsrc-private.h"

#include <gst/pbutils/pbutils.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

GST_DEBUG_CATEGORY(gst_vigil_src_debug);
#define GST_CAT_DEFAULT gst_vigil_src_debug

G_DEFINE_TYPE_WITH_CODE(GstVigilSrc, gst_vigil_src, GST_TYPE_VIGIL_SOURCE_BIN,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_src_debug, "vigilsrc", 0,
                                                "network cameras and files"))
GST_ELEMENT_REGISTER_DEFINE(vigilsrc, "vigilsrc", GST_RANK_NONE, GST_TYPE_VIGIL_SRC)

/* ---- Opening --------------------------------------------------------------------- */

static gboolean check_file(const GstVigilAddress *address, GError **error)
{
    struct stat status;
    const gboolean there = stat(address->path, &status) == 0;

    if (there && S_ISDIR(status.st_mode))
        errno = EISDIR;
    else if (there && access(address->path, R_OK) == 0)
        return TRUE;
    const int problem = errno;
    g_set_error(error, GST_RESOURCE_ERROR,
                problem == ENOENT   ? GST_RESOURCE_ERROR_NOT_FOUND
                : problem == EACCES ? GST_RESOURCE_ERROR_NOT_AUTHORIZED
                                    : GST_RESOURCE_ERROR_OPEN_READ,
                "The file \"%s\" cannot be read: %s.", address->path,
                g_strerror(problem));
    return FALSE;
}

static gboolean check_element(const GstVigilAddress *address, GError **error)
{
    const gchar *name = gst_vigil_address_element(address);
    GstElementFactory *factory = gst_element_factory_find(name);

    if (!factory)
        g_set_error(
            error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
            "There is no %s to read \"%s\" with: install the Debian package %s.", name,
            address->shown, gst_vigil_address_package(address));
    const gboolean there = factory != NULL;
    gst_clear_object(&factory);
    return there;
}

static gboolean check(GstVigilSrc *self, GError **error)
{
    const GstVigilAddress *address = &self->address;
    gchar *user = NULL, *password = NULL;

    GST_OBJECT_LOCK(self);
    gchar *uri = g_strdup(self->settings.uri ? self->settings.uri : "");
    GST_OBJECT_UNLOCK(self);
    gst_vigil_address_clear(&self->address);
    if (!uri[0])
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                    "There is nothing to play: set uri.");
    const gboolean ready =
        uri[0] && gst_vigil_address_parse(uri, &self->address, error) &&
        check_element(address, error) &&
        (address->path ? check_file(address, error)
                       : gst_vigil_src_credentials(self, &user, &password, error));
    g_free(uri);
    g_free(user);
    g_free(password);
    return ready;
}

static gboolean open_source(GstVigilSourceBin *source)
{
    static const GstVigilTiming timing[] = {
        [GST_VIGIL_PROTOCOL_RTSP] = GST_VIGIL_TIMING_CLOCK,
        [GST_VIGIL_PROTOCOL_HTTP] = GST_VIGIL_TIMING_ARRIVAL,
        [GST_VIGIL_PROTOCOL_FILE] = GST_VIGIL_TIMING_FOLLOW,
    };
    GstVigilSrc *self = GST_VIGIL_SRC(source);
    GError *error = NULL;

    if (!check(self, &error)) {
        gst_vigil_source_bin_post(source, GST_MESSAGE_ERROR, error, error->message);
        g_error_free(error);
        return FALSE;
    }
    gst_vigil_source_bin_set_nature(source, !self->address.path,
                                    timing[self->address.protocol],
                                    self->settings.latency * GST_MSECOND);
    GST_INFO_OBJECT(self, "%s", self->address.shown);
    return TRUE;
}

/* A stream whose length was known has ended; one that had none was cut off. */
static GstVigilEnding ends(GstVigilSourceBin *source, guint sent, gboolean fresh)
{
    GstVigilSrc *self = GST_VIGIL_SRC(source);
    const GstVigilProtocol protocol = self->address.protocol;

    GST_OBJECT_LOCK(self);
    const gboolean loop = self->settings.loop, finite = self->finite;
    GST_OBJECT_UNLOCK(self);
    if (protocol == GST_VIGIL_PROTOCOL_RTSP ||
        (protocol == GST_VIGIL_PROTOCOL_HTTP && !finite) || (loop && fresh))
        return GST_VIGIL_ENDING_LOSS;
    return loop ? GST_VIGIL_ENDING_AGAIN : GST_VIGIL_ENDING_END;
}

static GstStructure *message(GstVigilSourceBin *source, gboolean found)
{
    return gst_structure_new(found ? "source-found" : "source-lost", "uri",
                             G_TYPE_STRING, GST_VIGIL_SRC(source)->address.shown, NULL);
}

/* ---- Type ------------------------------------------------------------------------ */

static void gst_vigil_src_finalize(GObject *object)
{
    GstVigilSrc *self = GST_VIGIL_SRC(object);

    gst_vigil_src_clear_settings(&self->settings);
    gst_vigil_address_clear(&self->address);
    g_free(self->password);
    G_OBJECT_CLASS(gst_vigil_src_parent_class)->finalize(object);
}

static void gst_vigil_src_class_init(GstVigilSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstVigilSourceBinClass *source_class = GST_VIGIL_SOURCE_BIN_CLASS(klass);

    object_class->set_property = gst_vigil_src_set_property;
    object_class->get_property = gst_vigil_src_get_property;
    object_class->finalize = gst_vigil_src_finalize;
    gst_vigil_src_install_properties(object_class);
    gst_pb_utils_init();

    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Vigil network camera or file", "Source/Video",
        "Plays the video of a network camera, and survives its loss, or of a file",
        "The gst-vigil authors");
    source_class->open = open_source;
    source_class->make_chain = gst_vigil_src_make_chain;
    source_class->ends = ends;
    source_class->explain = gst_vigil_src_explain;
    source_class->is_final = gst_vigil_src_is_final;
    source_class->longest_wait = gst_vigil_src_longest_wait;
    source_class->sentence = gst_vigil_src_sentence;
    source_class->message = message;
    source_class->filter = gst_vigil_src_filter;
}

static void gst_vigil_src_init(GstVigilSrc *self)
{
    gst_vigil_src_init_settings(&self->settings);
}
