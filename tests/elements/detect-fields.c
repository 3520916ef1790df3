/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The shipped detector and interlaced video: one field is looked at, the one that was
 * taken first, and boxes are told in the whole frame.
 */
#include "person.h"

#include <string.h>

/* GStreamer's own conversion of interlaced frames wants multiples of 4. */
#define WIDTH 148
#define HEIGHT 148
#define CAPS "video/x-raw,format=%s,width=148,height=148,framerate=25/1"
#define MOVED 40 /* pixels that the person is further right in the other field */
/* In pixels: the network sees a field that is alone a quarter of its line higher or
 * lower. */
#define FIELD_LINE 2

static const gchar *const formats[] = { "I420", "NV12", "YUY2", "P010_10LE", "RGB" };

typedef struct Weave {
    GstMapInfo photo;
    guint parity; /* lines of this one have the person where it is */
} Weave;

static void paint_woven(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Weave *weave = data;
    const guint from = y % 2 == weave->parity ? x : (x + WIDTH - MOVED) % WIDTH;

    memcpy(rgb, weave->photo.data + y * GST_ROUND_UP_4(3 * WIDTH) + 3 * from, 3);
}

/* The photograph in one field, and in the other one moved aside. */
static GstBuffer *woven(const GstVideoInfo *info, guint parity)
{
    GstBuffer *photo = person_rgb(WIDTH, HEIGHT);
    Weave weave = { .parity = parity };
    GstVideoInfo rgb;

    g_assert_true(gst_buffer_map(photo, &weave.photo, GST_MAP_READ));
    GstBuffer *both = frame_paint(WIDTH, HEIGHT, paint_woven, &weave);
    gst_buffer_unmap(photo, &weave.photo);
    gst_buffer_unref(photo);
    gst_video_info_set_interlaced_format(&rgb, GST_VIDEO_FORMAT_RGB,
                                         GST_VIDEO_INTERLACE_MODE_INTERLEAVED, WIDTH,
                                         HEIGHT);
    GstBuffer *frame = frame_convert(both, &rgb, info, 0);
    gst_buffer_unref(both);
    return frame;
}

static void set_first(GstBuffer *frame, guint parity)
{
    if (parity == 0)
        GST_BUFFER_FLAG_SET(frame, GST_VIDEO_BUFFER_FLAG_TFF);
}

static void copy_field(GstVideoFrame *field, GstVideoFrame *both, guint parity)
{
    for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(field); p++) {
        const gint from = GST_VIDEO_FRAME_PLANE_STRIDE(both, p);
        const gint to = GST_VIDEO_FRAME_PLANE_STRIDE(field, p);
        const guint lines = (guint)GST_VIDEO_FRAME_COMP_HEIGHT(field, p);

        for (guint y = 0; y < lines; y++)
            memcpy((guint8 *)GST_VIDEO_FRAME_PLANE_DATA(field, p) + y * (guint)to,
                   (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(both, p) +
                       (2 * y + parity) * (guint)from,
                   (gsize)MIN(from, to));
    }
}

/* The lines of the field with the person, as a frame of half the height. */
static GstBuffer *field_alone(const gchar *format, guint parity, GstVideoInfo *half)
{
    gchar *caps = g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,"
                                  "framerate=25/1,pixel-aspect-ratio=1/2",
                                  format, WIDTH, HEIGHT / 2);
    gchar *whole_caps = g_strdup_printf(CAPS ",interlace-mode=interleaved", format);
    const GstVideoInfo whole = frame_info(whole_caps);
    GstBuffer *both = woven(&whole, parity);
    GstVideoFrame from, to;

    *half = frame_info(caps);
    GstBuffer *field = gst_buffer_new_allocate(NULL, half->size, NULL);
    g_assert_true(gst_video_frame_map(&from, &whole, both, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&to, half, field, GST_MAP_WRITE));
    copy_field(&to, &from, parity);
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
    gst_buffer_unref(both);
    g_free(whole_caps);
    g_free(caps);
    GST_BUFFER_PTS(field) = 0;
    return field;
}

/* A box in a field taken for a frame of its own, as one of the frame: line y of the
 * field is line 2 y + parity. */
static Person in_frame(Person field, guint parity)
{
    field.top = 2 * field.top + (gfloat)parity - 0.5F;
    field.bottom = 2 * field.bottom + (gfloat)parity - 0.5F;
    return field;
}

static Person find_alone(const gchar *format, guint parity)
{
    GstVideoInfo half;
    GstBuffer *frame = field_alone(format, parity, &half);
    GstCaps *caps = gst_video_info_to_caps(&half);
    gchar *text = gst_caps_to_string(caps);
    const Person person = person_find(text, frame);

    g_free(text);
    gst_caps_unref(caps);
    return in_frame(person, parity);
}

/* Half of the lines tell score and edges only roughly, but which field it is. */
static void assert_near(const Person *got, const gchar *what)
{
    const GstVideoInfo info = frame_info("video/x-raw,format=RGB,width=148,height=148,"
                                         "framerate=25/1");
    static Person whole;

    if (whole.score == 0)
        whole = person_find("video/x-raw,format=RGB,width=148,height=148,"
                            "framerate=25/1",
                            person_frame(&info, 0));
    person_assert_same(got, &whole, MOVED / 4, 0.25F, what);
}

static void test_interleaved(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(formats) * 2; i++) {
        const guint parity = i % 2;
        gchar *caps =
            g_strdup_printf(CAPS ",interlace-mode=interleaved", formats[i / 2]);
        const GstVideoInfo info = frame_info(caps);
        GstBuffer *frame = woven(&info, parity);

        set_first(frame, parity);
        const Person got = person_find(caps, frame);
        assert_near(&got, caps);
        g_free(caps);
    }
}

/* Where the caps tell the order, they decide. */
static void test_field_order(void)
{
    static const gchar *const order[] = { "top-field-first", "bottom-field-first" };

    for (guint parity = 0; parity < 2; parity++) {
        gchar *caps = g_strdup_printf(CAPS ",interlace-mode=interleaved,field-order=%s",
                                      "NV12", order[parity]);
        const GstVideoInfo info = frame_info(caps);
        GstBuffer *frame = woven(&info, parity);

        set_first(frame, !parity);
        const Person got = person_find(caps, frame);
        const Person want = find_alone("NV12", parity);
        person_assert_same(&got, &want, 1, 0.03F, caps);
        g_free(caps);
    }
}

/* In mixed video each frame says of itself whether it is interlaced. */
static void test_mixed(void)
{
    gchar *caps = g_strdup_printf(CAPS ",interlace-mode=mixed", "NV12");
    gchar *interleaved = g_strdup_printf(CAPS ",interlace-mode=interleaved", "NV12");
    const GstVideoInfo info = frame_info(interleaved);
    gchar *plain = g_strdup_printf(CAPS, "NV12");
    const GstVideoInfo plain_info = frame_info(plain);
    const Person want = person_find(plain, person_frame(&plain_info, 0));
    GstBuffer *frame = woven(&info, 0);

    GST_BUFFER_FLAG_SET(frame,
                        GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF);
    const Person woven_person = person_find(caps, frame);
    const Person alone = find_alone("NV12", 0);
    person_assert_same(&woven_person, &alone, 1, 0.03F, "mixed, interlaced");
    const Person whole = person_find(caps, person_frame(&plain_info, 0));
    person_assert_same(&whole, &want, 0, 0, "mixed, progressive");
    g_free(plain);
    g_free(interleaved);
    g_free(caps);
}

/* The same box as where the field is a video of its own. */
static void test_same_as_alone(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(formats) * 2; i++) {
        const guint parity = i % 2;
        const gchar *format = formats[i / 2];
        gchar *caps = g_strdup_printf(CAPS ",interlace-mode=interleaved", format);
        const GstVideoInfo info = frame_info(caps);
        GstBuffer *frame = woven(&info, parity);

        set_first(frame, parity);
        const Person got = person_find(caps, frame);
        const Person want = find_alone(format, parity);
        person_assert_same(&got, &want, FIELD_LINE, 0.03F, caps);
        g_free(caps);
    }
}

/* One field a buffer, and two in one with a meta for each. */
static void test_apart(void)
{
    static const struct {
        const gchar *feature, *mode;
    } cases[] = { { "(format:Interlaced)", "alternate" }, { "", "fields" } };

    for (guint i = 0; i < G_N_ELEMENTS(cases) * 2; i++) {
        const guint parity = i % 2;
        GstVideoInfo half;
        GstBuffer *frame = field_alone("NV12", parity, &half);
        gchar *caps = g_strdup_printf(
            "video/x-raw%s,format=NV12,width=148,height=148,framerate=25/1,"
            "interlace-mode=%s",
            cases[i / 2].feature, cases[i / 2].mode);

        if (i / 2 == 1) {
            gst_buffer_add_video_meta_full(frame, GST_VIDEO_FRAME_FLAG_NONE,
                                           GST_VIDEO_FORMAT_NV12, WIDTH, HEIGHT / 2, 2,
                                           half.offset, half.stride);
        }
        GST_BUFFER_FLAG_SET(frame, GST_VIDEO_BUFFER_FLAG_INTERLACED |
                                       GST_VIDEO_BUFFER_FLAG_ONEFIELD);
        set_first(frame, parity);
        const Person got = person_find(caps, frame);
        const Person want = find_alone("NV12", parity);
        person_assert_same(&got, &want, 1, 0.03F, caps);
        g_free(caps);
    }
}

static void test_fields_without_meta(void)
{
    const gchar *caps = "video/x-raw,format=NV12,width=148,height=148,framerate=25/1,"
                        "interlace-mode=fields";
    const GstVideoInfo info = frame_info(caps);
    GstHarness *h = classifier_harness(person_detector(), caps);
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(h->element, bus);
    g_assert_false(frame_is_analysed(
        h, gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&info), NULL)));
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "interlace-mode=fields"));
    g_free(text);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static Person find_cropped(const gchar *mode, GstBuffer *frame,
                           const GstVideoInfo *info)
{
    gchar *caps = g_strdup_printf("video/x-raw,format=NV12,width=120,height=139,"
                                  "framerate=25/1,interlace-mode=%s",
                                  mode);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(frame);

    crop->x = 17;
    crop->y = 5;
    crop->width = 120;
    crop->height = 139;
    gst_buffer_add_video_meta_full(frame, GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_FORMAT_NV12, WIDTH, HEIGHT, 2,
                                   (gsize *)info->offset, (gint *)info->stride);
    const Person person = person_find(caps, frame);
    g_free(caps);
    return person;
}

/* What a crop meta leaves of an interlaced frame is that part of its field. */
static void test_crop(void)
{
    gchar *plain = g_strdup_printf(CAPS, "NV12");
    gchar *interleaved = g_strdup_printf(CAPS ",interlace-mode=interleaved", "NV12");
    const GstVideoInfo info = frame_info(plain), woven_info = frame_info(interleaved);
    const Person want = find_cropped("progressive", person_frame(&info, 0), &info);

    for (guint parity = 0; parity < 2; parity++) {
        GstBuffer *frame = woven(&woven_info, parity);
        set_first(frame, parity);
        const Person got = find_cropped("interleaved", frame, &woven_info);
        person_assert_same(&got, &want, 4, 0.25F, "cropped");
    }
    g_free(interleaved);
    g_free(plain);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/fields/interleaved", test_interleaved);
    g_test_add_func("/detect/fields/order", test_field_order);
    g_test_add_func("/detect/fields/mixed", test_mixed);
    g_test_add_func("/detect/fields/same-as-alone", test_same_as_alone);
    g_test_add_func("/detect/fields/apart", test_apart);
    g_test_add_func("/detect/fields/without-meta", test_fields_without_meta);
    g_test_add_func("/detect/fields/crop", test_crop);
    return g_test_run();
}
