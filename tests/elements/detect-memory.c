/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The shipped detector and the ways in which a frame can lie in memory: the same bytes
 * give the same box wherever they are, and what a GstVideoMeta says is not believed.
 */
#include "person.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/allocators/gstfdmemory.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIDE "width=150,height=150,framerate=25/1"

static const gchar *const formats[] = { "NV12", "I420", "P010_10LE", "Y210", "RGB" };

static gchar *caps_of(const gchar *format)
{
    return g_strdup_printf("video/x-raw,format=%s," SIDE, format);
}

static GstMemory *copy_bytes(const guint8 *bytes, gsize size)
{
    guint8 *copy = g_memdup2(bytes, size);

    return gst_memory_new_wrapped((GstMemoryFlags)0, copy, size, 0, size, copy, g_free);
}

static GstVideoMeta *add_meta(GstBuffer *buffer, const GstVideoInfo *info,
                              const gsize *offset, const gint *stride)
{
    return gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        (guint)GST_VIDEO_INFO_WIDTH(info), (guint)GST_VIDEO_INFO_HEIGHT(info),
        GST_VIDEO_INFO_N_PLANES(info), (gsize *)offset, (gint *)stride);
}

/* ---- Frames made anew from the bytes of a plain one ------------------------------ */

typedef GstBuffer *(*Relay)(const GstVideoInfo *info, const guint8 *bytes);

static gsize plane_end(const GstVideoInfo *info, guint plane)
{
    return plane + 1 < GST_VIDEO_INFO_N_PLANES(info) ? info->offset[plane + 1]
                                                     : info->size;
}

/* A memory for each plane. */
static GstBuffer *planes_apart(const GstVideoInfo *info, const guint8 *bytes)
{
    GstBuffer *buffer = gst_buffer_new();

    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(info); i++)
        gst_buffer_append_memory(
            buffer,
            copy_bytes(bytes + info->offset[i], plane_end(info, i) - info->offset[i]));
    add_meta(buffer, info, info->offset, info->stride);
    return buffer;
}

/* Planes go over from one memory into the next. */
static GstBuffer *planes_cut(const GstVideoInfo *info, const guint8 *bytes)
{
    const gsize cut[] = { 0, 1001, info->size / 2, info->size - 333, info->size };
    GstBuffer *buffer = gst_buffer_new();

    for (guint i = 0; i + 1 < G_N_ELEMENTS(cut); i++)
        gst_buffer_append_memory(buffer,
                                 copy_bytes(bytes + cut[i], cut[i + 1] - cut[i]));
    add_meta(buffer, info, info->offset, info->stride);
    return buffer;
}

/* Several memories and no meta. */
static GstBuffer *memories_without_meta(const GstVideoInfo *info, const guint8 *bytes)
{
    GstBuffer *buffer = planes_cut(info, bytes);

    gst_buffer_remove_meta(buffer, (GstMeta *)gst_buffer_get_video_meta(buffer));
    return buffer;
}

/* Other bytes before, between and behind the planes, which begin at an odd address, the
 * last one first. */
static GstBuffer *planes_shifted(const GstVideoInfo *info, const guint8 *bytes)
{
    const guint n = GST_VIDEO_INFO_N_PLANES(info);
    gsize offset[GST_VIDEO_MAX_PLANES], at = 101;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size + 1000, NULL);

    gst_buffer_memset(buffer, 0, 0xaa, info->size + 1000);
    for (guint i = n; i-- > 0;) {
        offset[i] = at;
        at += gst_buffer_fill(buffer, at, bytes + info->offset[i],
                              plane_end(info, i) - info->offset[i]);
        at += 57;
    }
    add_meta(buffer, info, offset, info->stride);
    return buffer;
}

static guint plane_rows(const GstVideoInfo *info, guint plane)
{
    gint component[GST_VIDEO_MAX_COMPONENTS];

    gst_video_format_info_component(info->finfo, plane, component);
    return (guint)GST_VIDEO_INFO_COMP_HEIGHT(info, component[0]);
}

/* The last row first, as a negative stride says. */
static GstBuffer *rows_backwards(const GstVideoInfo *info, const guint8 *bytes)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
    gsize offset[GST_VIDEO_MAX_PLANES];
    gint stride[GST_VIDEO_MAX_PLANES];

    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(info); i++) {
        const guint rows = plane_rows(info, i);
        const gsize step = (gsize)info->stride[i];
        for (guint y = 0; y < rows; y++)
            gst_buffer_fill(buffer, info->offset[i] + (rows - 1 - y) * step,
                            bytes + info->offset[i] + y * step, step);
        offset[i] = info->offset[i] + (rows - 1) * step;
        stride[i] = -info->stride[i];
    }
    add_meta(buffer, info, offset, stride);
    return buffer;
}

static gint shared_bytes(const guint8 *bytes, gsize size)
{
    const gint fd = memfd_create("frame", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, size), ==, (gssize)size);
    return fd;
}

/* What v4l2src exports with io-mode=dmabuf, but for the driver. */
static GstBuffer *on_dmabuf(const GstVideoInfo *info, const guint8 *bytes)
{
    GstAllocator *allocator = gst_dmabuf_allocator_new();
    GstBuffer *buffer = gst_buffer_new();

    gst_buffer_append_memory(
        buffer, gst_dmabuf_allocator_alloc(allocator, shared_bytes(bytes, info->size),
                                           info->size));
    g_assert_true(gst_is_dmabuf_memory(gst_buffer_peek_memory(buffer, 0)));
    add_meta(buffer, info, info->offset, info->stride);
    gst_object_unref(allocator);
    return buffer;
}

static const struct {
    const gchar *what;
    Relay relay;
} relays[] = {
    { "a memory for each plane", planes_apart },
    { "planes that go over into the next memory", planes_cut },
    { "memories without a meta", memories_without_meta },
    { "offsets", planes_shifted },
    { "negative strides", rows_backwards },
    { "DMABuf", on_dmabuf },
};

/* The bytes of a frame, one after the other. */
static GBytes *bytes_of(GstBuffer *buffer)
{
    gpointer bytes;
    gsize size;

    gst_buffer_extract_dup(buffer, 0, G_MAXSIZE, &bytes, &size);
    return g_bytes_new_take(bytes, size);
}

static void check_relay(const gchar *what, const gchar *caps, GstBuffer *frame,
                        const Person *want)
{
    GBytes *before = bytes_of(frame);
    GstBuffer *out = person_look(caps, frame);
    GBytes *after = bytes_of(out);
    const Person got = person_read(out);

    person_assert_same(&got, want, 1e-3F, 1e-5F, what);
    g_assert_true(g_bytes_equal(before, after));
    g_bytes_unref(before);
    g_bytes_unref(after);
    gst_buffer_unref(out);
}

static void test_relays(void)
{
    for (guint f = 0; f < G_N_ELEMENTS(formats); f++) {
        gchar *caps = caps_of(formats[f]);
        const GstVideoInfo info = frame_info(caps);
        GstBuffer *plain = person_frame(&info, 0);
        GBytes *bytes = bytes_of(plain);
        const Person want = person_find(caps, plain);

        for (guint i = 0; i < G_N_ELEMENTS(relays); i++) {
            gchar *what = g_strdup_printf("%s, %s", formats[f], relays[i].what);
            check_relay(what, caps,
                        relays[i].relay(&info, g_bytes_get_data(bytes, NULL)), &want);
            g_free(what);
        }
        g_bytes_unref(bytes);
        g_free(caps);
    }
}

/* What lies beside the samples in their words does not count. */
static void test_unused_bits(void)
{
    static const struct {
        const gchar *format;
        guint16 unused;
    } cases[] = { { "P010_10LE", 0x003f }, { "I420_10LE", 0xfc00 },
                  { "P012_LE", 0x000f },   { "I422_12LE", 0xf000 },
                  { "Y210", 0x003f },      { "RGB15", 0x8000 } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *caps = caps_of(cases[i].format);
        const GstVideoInfo info = frame_info(caps);
        GstBuffer *frame = person_frame(&info, 0);
        GstMapInfo map;

        g_assert_true(gst_buffer_map(frame, &map, GST_MAP_READWRITE));
        for (gsize at = 0; at + 1 < map.size; at += 2)
            GST_WRITE_UINT16_LE(map.data + at,
                                GST_READ_UINT16_LE(map.data + at) & ~cases[i].unused);
        gst_buffer_unmap(frame, &map);
        GstBuffer *dirty = gst_buffer_copy_deep(frame);
        const Person want = person_find(caps, frame);
        g_assert_true(gst_buffer_map(dirty, &map, GST_MAP_READWRITE));
        for (gsize at = 0; at + 1 < map.size; at += 2)
            GST_WRITE_UINT16_LE(map.data + at, GST_READ_UINT16_LE(map.data + at) |
                                                   (cases[i].unused & (at * 40503u)));
        gst_buffer_unmap(dirty, &map);
        const Person got = person_find(caps, dirty);
        person_assert_same(&got, &want, 0, 0, caps);
        g_free(caps);
    }
}

/* ---- Frames that are refused ----------------------------------------------------- */

/* The frame passes without results, a warning has all the words, and the next frame is
 * looked at. */
static void check_refused(const gchar *caps, GstBuffer *frame,
                          const gchar *const *words)
{
    const GstVideoInfo info = frame_info(caps);
    GstHarness *h = classifier_harness(person_detector(), caps);
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(h->element, bus);
    g_assert_false(frame_is_analysed(h, frame));
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_test_message("%s", text);
    for (guint i = 0; words[i]; i++)
        if (!strstr(text, words[i]))
            g_error("\"%s\" does not say \"%s\"", text, words[i]);
    g_free(text);
    g_assert_true(frame_is_analysed(h, person_frame(&info, 0)));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static void test_too_small(void)
{
    static const gchar *const cut_words[] = { "150x150 NV12", "34197 of 33000", NULL };
    static const gchar *const far_words[] = { "plane 1", "150x150 NV12", "1000000",
                                              NULL };
    static const gchar *const back_words[] = { "plane 0", "-", "34200", NULL };
    static const gchar *const size_words[] = { "148x150 NV12", "150x150 NV12", NULL };
    static const gchar *const format_words[] = { "NV21", "NV12", NULL };
    const gchar *caps = "video/x-raw,format=NV12," SIDE;
    const GstVideoInfo info = frame_info(caps);
    const gsize far[GST_VIDEO_MAX_PLANES] = { 0, 1000000 };
    const gint back[GST_VIDEO_MAX_PLANES] = { -152, 152 };
    GstVideoInfo other = info;

    GstBuffer *frame = person_frame(&info, 0);
    gst_buffer_set_size(frame, 33000);
    add_meta(frame, &info, info.offset, info.stride);
    check_refused(caps, frame, cut_words);
    frame = person_frame(&info, 0);
    add_meta(frame, &info, far, info.stride);
    check_refused(caps, frame, far_words);
    frame = person_frame(&info, 0);
    add_meta(frame, &info, info.offset, back);
    check_refused(caps, frame, back_words);
    frame = person_frame(&info, 0);
    other.width = 148;
    add_meta(frame, &other, info.offset, info.stride);
    check_refused(caps, frame, size_words);
    frame = person_frame(&info, 0);
    other.finfo = gst_video_format_get_info(GST_VIDEO_FORMAT_NV21);
    other.width = 150;
    add_meta(frame, &other, info.offset, info.stride);
    check_refused(caps, frame, format_words);
}

/* An offset that only a sum with where red lies brings back into the memory, of which
 * there are two, so that they are put together. */
static void test_far_offset(void)
{
    static const gchar *const words[] = { "plane 0", "150x150 xRGB", "90000", NULL };
    const gchar *caps = "video/x-raw,format=xRGB," SIDE;
    const GstVideoInfo info = frame_info(caps);
    const gsize far[GST_VIDEO_MAX_PLANES] = { G_MAXSIZE };
    GstBuffer *frame = person_frame(&info, 0);
    GBytes *bytes = bytes_of(frame);

    gst_buffer_unref(frame);
    frame = memories_without_meta(&info, g_bytes_get_data(bytes, NULL));
    add_meta(frame, &info, far, info.stride);
    check_refused(caps, frame, words);
    g_bytes_unref(bytes);
}

/* ---- DMABuf caps ----------------------------------------------------------------- */

#if GST_CHECK_VERSION(1, 24, 0)

#define DRM_CAPS "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=%s," SIDE

static void test_drm_caps(void)
{
    static const struct {
        const gchar *format, *drm;
    } cases[] = { { "NV12", "NV12" }, { "YUY2", "YUYV" }, { "P010_10LE", "P010" } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *plain = caps_of(cases[i].format);
        gchar *drm = g_strdup_printf(DRM_CAPS, cases[i].drm);
        const GstVideoInfo info = frame_info(plain);
        GstBuffer *frame = person_frame(&info, 0);
        GBytes *bytes = bytes_of(frame);
        const Person want = person_find(plain, frame);

        check_relay(drm, drm, on_dmabuf(&info, g_bytes_get_data(bytes, NULL)), &want);
        g_bytes_unref(bytes);
        g_free(drm);
        g_free(plain);
    }
}

/* Pixels in tiles, here of Intel, are not negotiated. */
static void test_drm_tiles(void)
{
    gchar *caps = g_strdup_printf(DRM_CAPS, "NV12:0x0100000000000002");
    GstHarness *h = classifier_harness(person_detector(), caps);

    g_assert_cmpint(gst_harness_push(h, gst_buffer_new_allocate(NULL, 34200, NULL)), ==,
                    GST_FLOW_NOT_NEGOTIATED);
    gst_harness_teardown(h);
    g_free(caps);
}

#endif

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/memory/everywhere", test_relays);
    g_test_add_func("/detect/memory/unused-bits", test_unused_bits);
    g_test_add_func("/detect/memory/too-small", test_too_small);
    g_test_add_func("/detect/memory/far-offset", test_far_offset);
#if GST_CHECK_VERSION(1, 24, 0)
    g_test_add_func("/detect/memory/drm-caps", test_drm_caps);
    g_test_add_func("/detect/memory/drm-tiles", test_drm_tiles);
#endif
    return g_test_run();
}
