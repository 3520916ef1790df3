/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties of vigilclassify: defaults, ranges, flags, what they do, and what is said
 * when they cannot be used.
 */
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "frames.h"

/* ---- Defaults ------------------------------------------------------------------- */

static const struct {
    const gchar *name, *value; /* as gst_value_serialize() writes it */
    GParamFlags mutability;
} defaults[] = {
    { "model", "NULL", GST_PARAM_MUTABLE_PLAYING },
    { "model-instance-id", "NULL", GST_PARAM_MUTABLE_READY },
    { "labels-file", "NULL", GST_PARAM_MUTABLE_READY },
    { "labels", "NULL", GST_PARAM_MUTABLE_READY },
    { "input-size", "NULL", GST_PARAM_MUTABLE_READY },
    { "resize", "model", GST_PARAM_MUTABLE_READY },
    { "channel-order", "model", GST_PARAM_MUTABLE_READY },
    { "precision", "auto", GST_PARAM_MUTABLE_READY },
    { "mean", "NULL", GST_PARAM_MUTABLE_READY },
    { "std", "NULL", GST_PARAM_MUTABLE_READY },
    { "threads", "0", GST_PARAM_MUTABLE_READY },
    { "inference-interval", "1", GST_PARAM_MUTABLE_PLAYING },
    { "regions", "NULL", GST_PARAM_MUTABLE_PLAYING },
    { "mode", "auto", GST_PARAM_MUTABLE_PLAYING },
    { "max-fps", "0", GST_PARAM_MUTABLE_PLAYING },
    { "qos", "true", GST_PARAM_MUTABLE_PLAYING },
    { "top-k", "1", GST_PARAM_MUTABLE_PLAYING },
    { "threshold", "0", GST_PARAM_MUTABLE_PLAYING },
    { "post-messages", "false", GST_PARAM_MUTABLE_PLAYING },
    { "inference-region", "full-frame", GST_PARAM_MUTABLE_PLAYING },
    { "object-class", "NULL", GST_PARAM_MUTABLE_PLAYING },
    { "reclassify-interval", "1", GST_PARAM_MUTABLE_PLAYING },
    { "max-rois", "16", GST_PARAM_MUTABLE_PLAYING },
};

static void test_defaults(void)
{
    GstElement *element = gst_element_factory_make("vigilclassify", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(defaults); i++) {
        GParamSpec *spec =
            g_object_class_find_property(G_OBJECT_GET_CLASS(element), defaults[i].name);
        GValue value = G_VALUE_INIT;

        g_assert_nonnull(spec);
        g_assert_cmpint(spec->flags &
                            (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED |
                             GST_PARAM_MUTABLE_PLAYING),
                        ==, defaults[i].mutability);
        g_assert_cmpuint(strlen(g_param_spec_get_blurb(spec)), >, 20);
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), defaults[i].name, &value);
        gchar *text = gst_value_serialize(&value);
        if (G_VALUE_HOLDS_STRING(&value) && !g_value_get_string(&value))
            text = (g_free(text), g_strdup("NULL"));
        g_assert_cmpstr(text, ==, defaults[i].value);
        g_assert_true(g_param_value_defaults(spec, &value));
        g_free(text);
        g_value_unset(&value);
    }
    gst_object_unref(element);
}

static void test_ranges(void)
{
    static const struct {
        const gchar *name, *least, *most, *below, *above;
    } ranges[] = {
        { "threads", "0", "1024", NULL, "1025" },
        { "inference-interval", "1", "4294967295", "0", NULL },
        { "max-fps", "0", "1000", "-0.01", "1001" },
        { "top-k", "1", "100", "0", "101" },
        { "threshold", "0", "1", "-0.01", "1.01" },
    };
    GstElement *element = gst_element_factory_make("vigilclassify", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        GParamSpec *spec =
            g_object_class_find_property(G_OBJECT_GET_CLASS(element), ranges[i].name);
        const gchar *texts[] = { ranges[i].least, ranges[i].most, ranges[i].below,
                                 ranges[i].above };
        for (guint k = 0; k < 4; k++) {
            GValue value = G_VALUE_INIT;
            if (!texts[k])
                continue;
            g_value_init(&value, spec->value_type);
            g_assert_true(gst_value_deserialize(&value, texts[k]));
            g_assert_cmpint(g_param_value_validate(spec, &value), ==, k >= 2);
            g_value_unset(&value);
        }
    }
    gst_object_unref(element);
}

static void test_texts_are_kept(void)
{
    static const gchar *const names[] = { "model",      "labels-file", "labels",
                                          "input-size", "mean",        "std",
                                          "regions" };
    GstElement *element = gst_element_factory_make("vigilclassify", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        gchar *text = NULL;
        g_object_set(element, names[i], "0.1,0.2,0.3,0.4", NULL);
        g_object_get(element, names[i], &text, NULL);
        g_assert_cmpstr(text, ==, "0.1,0.2,0.3,0.4");
        g_free(text);
    }
    gst_object_unref(element);
}

/* ---- What is refused ------------------------------------------------------------ */

static gchar *write_file(const gchar *name, const gchar *text, gssize size)
{
    gchar *path = g_strdup_printf("%s/%d-%s", g_get_tmp_dir(), (int)getpid(), name);

    g_assert_true(g_file_set_contents(path, text, size, NULL));
    return path;
}

static void test_bad_texts(void)
{
    static const struct {
        const gchar *name, *text, *words[4];
    } cases[] = {
        { "model", "/no/such/file", { "/no/such/file", "property model" } },
        { "model", "no-such-model", { "no-such-model", "shipped model" } },
        { "model", "/", { "/" } },
        { "labels-file", "/no/such/file", { "/no/such/file", "No such file" } },
        { "labels-file", "/dev/zero", { "/dev/zero", "not a regular file" } },
        { "labels", "coco80", { "coco80", "80 labels", "10 classes" } },
        { "labels", "imagenet2k", { "imagenet2k", "imagenet1k, coco80" } },
        { "input-size", "96", { "input-size", "\"96\"", "HEIGHTxWIDTH" } },
        { "input-size", "96x", { "96x" } },
        { "input-size", "96x96x3", { "96x96x3" } },
        { "input-size", "-96x96", { "-96x96" } },
        { "input-size", "16x96", { "16 x 96", "32" } },
        { "input-size", "96x99999", { "96x99999" } },
        { "mean", "1,2", { "mean", "\"1,2\"", "three numbers" } },
        { "mean", "123.7,116.3,103.5", { "mean", "-10..10", "from 0 to 1" } },
        { "mean", "nan,0,0", { "mean", "nan,0,0" } },
        { "std", "1,1,1,1", { "std", "1,1,1,1" } },
        { "std", "0.2,0,0.2", { "std", "above 0" } },
        { "std", "a,b,c", { "std", "a,b,c" } },
        { "regions", "0,0,1", { "\"0,0,1\"", "four numbers" } },
        { "regions", "0,0,0.5,0.5;x", { "\"x\"", "four numbers" } },
        { "regions", "0,0,nan,1", { "nan", "0..1" } },
        { "regions", "0,0,inf,1", { "inf", "0..1" } },
        { "regions", "-0.1,0,0.5,1", { "-0.1", "0..1" } },
        { "regions", "0.6,0,0.5,1", { "x + width" } },
        { "regions", "0,0.6,1,0.5", { "y + height" } },
        { "regions", "0,0,0,1", { "no area" } },
        { "regions", "=0,0,1,1", { "empty name" } },
        { "regions", "a=0,0,1,1;a=0,0,1,1", { "earlier" } },
        { "regions", "0,0,1,1;;0,0,1,1", { "four numbers" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        element_assert_refused(classifier_new(cases[i].name, cases[i].text, NULL),
                               cases[i].words);
}

static void test_bad_model_files(void)
{
    static const struct {
        const gchar *text;
        gssize size;
    } files[] = {
        { "", 0 },
        { "garbage", 7 },
        { "\x08\0\0\0\0\0\0\0{}      ", 16 },
        { "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        gchar *path =
            write_file("vigil-test.safetensors", files[i].text, files[i].size);
        const gchar *words[] = { path, NULL };
        element_assert_refused(classifier_new("model", path, NULL), words);
        g_unlink(path);
        g_free(path);
    }
}

static void test_bad_labels_files(void)
{
    static const struct {
        const gchar *text, *words[4];
    } files[] = {
        { "", { "0 labels", "10 classes" } },
        { "a\nb\nc\n", { "3 labels", "10 classes" } },
        { "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", { "11 labels", "10 classes" } },
        { "0\n1\n\n3\n4\n5\n6\n7\n8\n9\n", { "line 3" } },
        { "0\n1\n\xff\n3\n4\n5\n6\n7\n8\n9\n", { "UTF-8" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        gchar *path = write_file("vigil-test-labels.txt", files[i].text, -1);
        element_assert_refused(classifier_new("labels-file", path, NULL),
                               files[i].words);
        g_unlink(path);
        g_free(path);
    }
}

/* After an error the element can be put right and used. */
static void test_recovery(void)
{
    GstElement *element = classifier_new("regions", "nonsense", "mean", "x", NULL);
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "regions", "0,0,1,1", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "mean", NULL, NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    GstBuffer *out =
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0));
    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    gst_buffer_unref(out);
}

/* ---- What they do --------------------------------------------------------------- */

static Scores scores_with(const gchar *name, const gchar *text)
{
    GstElement *element = classifier_plain();
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    gst_util_set_object_arg(G_OBJECT(element), name, text);
    return scores_read(
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0)));
}

static void test_input_settings(void)
{
    static const struct {
        const gchar *name, *same, *other;
    } settings[] = {
        { "input-size", "96x96", "128x96" },
        { "resize", "stretch", "letterbox" },
        { "channel-order", "rgb", "bgr" },
        { "mean", "0.485,0.456,0.406", "0.7,0.456,0.2" },
        { "std", "0.229,0.224,0.225", "0.5,0.224,0.1" },
        { "precision", "float32", NULL },
        { "threads", "1", NULL },
    };
    const Scores plain = scores_with("threads", "0");

    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        const Scores same = scores_with(settings[i].name, settings[i].same);
        g_assert_cmpfloat(scores_apart(&same, &plain), <, 1e-5);
        if (!settings[i].other)
            continue;
        const Scores other = scores_with(settings[i].name, settings[i].other);
        g_assert_cmpfloat(scores_apart(&other, &plain), >, SCORE_TOLERANCE);
    }
}

/* mean and std are red, green, blue whatever the order of the tensor. */
static void test_mean_follows_the_colours(void)
{
    GstElement *element =
        classifier_new("mean", "0.485,0.456,0.406", "std", "0.229,0.224,0.225", NULL);
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    gst_util_set_object_arg(G_OBJECT(element), "channel-order", "bgr");
    const Scores given = scores_read(
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0)));
    const Scores plain = scores_with("channel-order", "bgr");
    g_assert_cmpfloat(scores_apart(&given, &plain), <, 1e-5);
}

static gchar *label_of(GstBuffer *out)
{
    gchar *label = g_strdup(frame_class(out, 0)->label);

    gst_buffer_unref(out);
    return label;
}

static void test_labels_file(void)
{
    /* a byte order mark, CRLF, spaces around, UTF-8 and empty lines at the end */
    gchar *path =
        write_file("vigil-test-labels.txt",
                   "\xef\xbb\xbfnull\r\n eins \nzwei\ndrei\nvier\nf\xc3\xbcnf\n"
                   "sechs\nsieben\nacht\nneun\n\n\n",
                   -1);
    static const gchar *const german[] = { "null", "eins",  "zwei",   "drei", "vier",
                                           "fünf", "sechs", "sieben", "acht", "neun" };
    const GstVideoInfo info = frame_info(STREAM_CAPS);
    GstBuffer *out = classify_once(classifier_new("labels-file", path, NULL),
                                   STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0));
    const gint best = frame_class(out, 0)->index;
    gchar *label = label_of(out);

    g_assert_cmpstr(label, ==, german[best]);
    g_free(label);
    label = label_of(classify_once(classifier_plain(), STREAM_CAPS,
                                   frame_new(&info, PICTURE_COLOR, 0)));
    g_assert_cmpstr(label, !=, german[best]); /* the model's own are English */
    g_free(label);
    g_unlink(path);
    g_free(path);
}

/* Regions set while playing count from the next frame; bad ones change nothing. */
static void test_regions_while_playing(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBus *bus = gst_bus_new();
    static const struct {
        const gchar *text;
        guint results;
    } steps[] = { { "0,0,1,1;0,0,.5,.5;0,0,.2,.2", 3 }, { "bad", 3 }, { NULL, 1 } };

    gst_element_set_bus(h->element, bus);
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_object_set(h->element, "regions", steps[i].text, NULL);
        GstBuffer *out = gst_harness_push_and_pull(h, frame_at(i));
        g_assert_cmpuint(gst_vigil_meta_get_n_results(frame_meta(out)), ==,
                         steps[i].results);
        gst_buffer_unref(out);
    }
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "\"bad\""));
    g_free(text);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* A setting of the session that is changed in READY counts from PAUSED on. */
static void test_settings_in_ready(void)
{
    GstElement *element = classifier_plain();
    const GstVideoInfo info = frame_info(STREAM_CAPS);
    const Scores want = scores_with("channel-order", "bgr");

    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_util_set_object_arg(G_OBJECT(element), "channel-order", "bgr");
    const Scores got = scores_read(
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0)));
    g_assert_cmpfloat(scores_apart(&got, &want), <, 1e-5);
}

/* The model of the tests with a coarse range for one layer, as a new file. */
static gchar *calibrated_model(void)
{
    static const gchar member[] = "\"int8_ranges\": "
                                  "\"{\\\"|||stage4.0.v.conv\\\":[-50,50]}\", ";
    static const gchar start[] = "{\"__metadata__\": {";
    gchar *data;
    gsize size, at = 8 + sizeof start - 1;

    g_assert_true(
        g_file_get_contents(g_getenv("VIGIL_TEST_MODEL"), &data, &size, NULL));
    g_assert_true(!memcmp(data + 8, start, sizeof start - 1));
    GString *file = g_string_new_len(data, (gssize)size);
    g_string_insert(file, (gssize)at, member);
    for (guint i = 0, carry = sizeof member - 1; i < 8; i++, carry >>= 8) {
        carry += (guchar)file->str[i];
        file->str[i] = (gchar)carry;
    }
    gchar *path =
        write_file("vigil-test-int8.safetensors", file->str, (gssize)file->len);
    g_string_free(file, TRUE);
    g_free(data);
    return path;
}

static Scores scores_of(const gchar *model, const gchar *precision)
{
    GstElement *element = classifier_new("model", model, NULL);
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    gst_util_set_object_arg(G_OBJECT(element), "precision", precision);
    return scores_read(
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0)));
}

/* int8 changes little, and nothing where the processor is not faster so. */
static void test_precision(void)
{
    static const gchar *const words[] = { "calibrated", "vigil-model calibrate",
                                          "property", NULL };
    GstElement *element = classifier_plain();
    gchar *model = calibrated_model();
    const Scores plain = scores_of(model, "float32"), same = scores_of(model, "auto"),
                 coarse = scores_of(model, "int8");

    g_assert_cmpfloat(scores_apart(&plain, &same), ==, 0);
    g_assert_cmpfloat(scores_apart(&plain, &coarse), <, 0.1);
    gst_util_set_object_arg(G_OBJECT(element), "precision", "int8");
    element_assert_refused(element, words);
    g_unlink(model);
    g_free(model);
}

/* No model set: the shipped one, by that or by its name. */
static void test_default_model(void)
{
    static const gchar *const names[] = { NULL, "", "cameras10-emo-1m" };
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        GstBuffer *out = classify_once(classifier_new("model", names[i], NULL),
                                       STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0));
        g_assert_cmpuint(gst_vigil_result_get_n_classes(
                             gst_vigil_meta_get_result(frame_meta(out), 0)),
                         ==, 10);
        g_assert_nonnull(frame_class(out, 0)->label);
        g_assert_cmpstr(gst_vigil_meta_get_model(frame_meta(out)), ==,
                        "cameras10-emo-1m");
        gst_buffer_unref(out);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/defaults", test_defaults);
    g_test_add_func("/classify/ranges", test_ranges);
    g_test_add_func("/classify/default-model", test_default_model);
    g_test_add_func("/classify/texts", test_texts_are_kept);
    g_test_add_func("/classify/refused/texts", test_bad_texts);
    g_test_add_func("/classify/refused/models", test_bad_model_files);
    g_test_add_func("/classify/refused/labels", test_bad_labels_files);
    g_test_add_func("/classify/refused/recovery", test_recovery);
    g_test_add_func("/classify/input", test_input_settings);
    g_test_add_func("/classify/input/mean", test_mean_follows_the_colours);
    g_test_add_func("/classify/precision", test_precision);
    g_test_add_func("/classify/labels-file", test_labels_file);
    g_test_add_func("/classify/regions/playing", test_regions_while_playing);
    g_test_add_func("/classify/ready", test_settings_in_ready);
    return g_test_run();
}
