/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties of vigildetect: defaults, ranges, flags, what they do, and what is said
 * when they cannot be used.
 */
#include <string.h>
#include "detector.h"

/* ---- Defaults ------------------------------------------------------------------- */

static const struct {
    const gchar *name, *value; /* as gst_value_serialize() writes it */
    const gchar *least, *most, *below, *above;
} defaults[] = {
    { "threshold", "0.5", "-1", "1", "-1.01", "1.01" },
    { "iou-threshold", "-1", "-1", "1", "-1.01", "1.01" },
    { "max-detections", "0", "0", "16384", NULL, "16385" },
    { "object-class", NULL, NULL, NULL, NULL, NULL },
    { "class-thresholds", NULL, NULL, NULL, NULL, NULL },
    { "min-area", "0", "0", "1", "-0.01", "1.01" },
    { "max-area", "1", "0", "1", "-0.01", "1.01" },
    { "tiles", NULL, NULL, NULL, NULL, NULL },
    { "tile-overlap", "0.20000000298023224", "0", "0.9", "-0.01", "0.91" },
    { "tile-full-frame", "true", NULL, NULL, NULL, NULL },
    { "post-messages", "false", NULL, NULL, NULL, NULL },
};

static void check_default(GstElement *element, GParamSpec *spec, const gchar *want)
{
    GValue value = G_VALUE_INIT;

    g_assert_true(spec->flags & GST_PARAM_MUTABLE_PLAYING);
    g_assert_cmpuint(strlen(g_param_spec_get_blurb(spec)), >, 20);
    g_value_init(&value, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    if (G_VALUE_HOLDS_STRING(&value)) {
        g_assert_cmpstr(g_value_get_string(&value), ==, want);
    } else {
        gchar *text = gst_value_serialize(&value);
        g_assert_cmpstr(text, ==, want);
        g_free(text);
    }
    g_assert_true(g_param_value_defaults(spec, &value));
    g_value_unset(&value);
}

static void test_defaults(void)
{
    GstElement *element = gst_element_factory_make("vigildetect", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(defaults); i++) {
        GParamSpec *spec =
            g_object_class_find_property(G_OBJECT_GET_CLASS(element), defaults[i].name);
        g_assert_nonnull(spec);
        check_default(element, spec, defaults[i].value);
        const gchar *texts[] = { defaults[i].least, defaults[i].most, defaults[i].below,
                                 defaults[i].above };
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

static void test_values_are_kept(void)
{
    GstElement *element =
        detector_new("threshold", 0.25F, "iou-threshold", 0.75F, "max-detections", 7u,
                     "object-class", "one,two", "class-thresholds", "one=0.5",
                     "min-area", 0.125F, "max-area", 0.5F, "post-messages", TRUE, NULL);
    gfloat threshold, iou, min_area, max_area;
    gchar *classes, *thresholds;
    gboolean post;
    guint most;

    g_object_get(element, "threshold", &threshold, "iou-threshold", &iou,
                 "max-detections", &most, "object-class", &classes, "class-thresholds",
                 &thresholds, "min-area", &min_area, "max-area", &max_area,
                 "post-messages", &post, NULL);
    g_assert_cmpfloat(threshold, ==, 0.25F);
    g_assert_cmpfloat(iou, ==, 0.75F);
    g_assert_cmpuint(most, ==, 7);
    g_assert_cmpstr(classes, ==, "one,two");
    g_assert_cmpstr(thresholds, ==, "one=0.5");
    g_assert_cmpfloat(min_area, ==, 0.125F);
    g_assert_cmpfloat(max_area, ==, 0.5F);
    g_assert_true(post);
    g_free(classes);
    g_free(thresholds);
    gst_object_unref(element);
}

/* ---- What is refused ------------------------------------------------------------ */

/* No model set: the shipped one, by that or by its name. */
static void test_default_model(void)
{
    static const gchar *const names[] = { NULL, "", "cameras3-ssdlite-emo-1m" };
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        GstElement *element = detector_new("model", names[i], "threshold", 0.0F, NULL);
        GstBuffer *out =
            classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0));
        GstVigilMeta *meta = frame_meta(out);
        g_assert_cmpstr(gst_vigil_meta_get_model(meta), ==, "cameras3-ssdlite-emo-1m");
        g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), >, 0);
        for (guint k = 0; k < gst_vigil_meta_get_n_results(meta); k++) {
            const gchar *label = NULL;
            gst_vigil_result_get_detection(gst_vigil_meta_get_result(meta, k), &label,
                                           NULL, NULL);
            g_assert_true(!strcmp(label, "person") || !strcmp(label, "vehicle") ||
                          !strcmp(label, "animal"));
        }
        gst_buffer_unref(out);
    }
}

static void test_bad_texts(void)
{
    static const struct {
        const gchar *name, *text, *words[5];
    } cases[] = {
        { "model", "/no/such/file", { "/no/such/file", "property model" } },
        { "object-class", "person", { "object-class", "\"person\"", "traffic light" } },
        { "object-class", "one,,two", { "object-class", "\"\"", "zero, one" } },
        { "object-class", "5", { "\"5\"" } },
        { "object-class", "-1", { "\"-1\"" } },
        { "object-class", "99999999999999999999999", { "9999" } },
        { "class-thresholds", "one", { "class-thresholds", "\"one\"", "NAME=SCORE" } },
        { "class-thresholds", "one=", { "\"one=\"" } },
        { "class-thresholds", "one=2", { "\"one=2\"", "0..1" } },
        { "class-thresholds", "one=nan", { "\"one=nan\"" } },
        { "class-thresholds", "won=0.5", { "\"won\"", "one" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        element_assert_refused(detector_new(cases[i].name, cases[i].text, NULL),
                               cases[i].words);
}

static void test_bad_areas(void)
{
    static const gchar *const words[] = { "min-area is 0.5", "max-area, 0.25", NULL };

    element_assert_refused(detector_new("min-area", 0.5F, "max-area", 0.25F, NULL),
                           words);
}

static void test_other_tasks(void)
{
    static const gchar *const not_here[] = { "classify.safetensors", "EMO_1M",
                                             "for classification, not for detection",
                                             NULL };
    static const gchar *const not_there[] = { "detect.safetensors", "ssdlite_emo_1M",
                                              "for detection, not for classification",
                                              NULL };

    element_assert_refused(detector_new("model", g_getenv("VIGIL_TEST_MODEL"), NULL),
                           not_here);
    element_assert_refused(
        classifier_new("model", g_getenv("VIGIL_TEST_DETECTOR"), NULL), not_there);
}

/* After an error the element can be put right and used. */
static void test_recovery(void)
{
    GstElement *element = detector_new("object-class", "nobody", NULL);

    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "object-class", "two", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    g_object_set(element, "object-class", "nobody", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_set(element, "object-class", NULL, NULL);
    const Found found = found_once(element, STREAM_CAPS, frame_at(0));
    g_assert_cmpuint(found.n, >, 0);
}

/* ---- What they do --------------------------------------------------------------- */

typedef gboolean (*Keep)(const VigilDetection *d);

static Found filter(const Found *all, Keep keep)
{
    Found some = { 0 };

    for (guint i = 0; i < all->n; i++)
        if (keep(&all->item[i]))
            some.item[some.n++] = all->item[i];
    g_assert_cmpuint(some.n, >, 0);
    g_assert_cmpuint(some.n, <, all->n);
    return some;
}

static gboolean is_sure(const VigilDetection *d)
{
    return d->score > 0.6F;
}

static gboolean is_one_or_light(const VigilDetection *d)
{
    return d->class_index == 1 || d->class_index == 4;
}

static gboolean reaches_its_own(const VigilDetection *d)
{
    return d->score > (d->class_index == 1   ? 0.4F
                       : d->class_index == 2 ? 1.0F
                                             : DETECT_THRESHOLD);
}

static gboolean is_large(const VigilDetection *d)
{
    return d->width * d->height >= 0.05F;
}

static gboolean is_small(const VigilDetection *d)
{
    return d->width * d->height <= 0.05F;
}

static const struct {
    const gchar *name, *value;
    Keep keep;
} filters[] = {
    { "threshold", "0.6", is_sure },
    { "object-class", "one, traffic light", is_one_or_light },
    { "object-class", "4,1", is_one_or_light },
    { "class-thresholds", "one=0.4, 2=1", reaches_its_own },
    { "min-area", "0.05", is_large },
    { "max-area", "0.05", is_small },
};

/* No box drives out another, so that a filter removes what it says and nothing else;
 * with borders around the picture and in regions apart, too. */
static void test_filters(void)
{
    static const struct {
        const gchar *resize, *regions;
    } views[] = { { "stretch", NULL },
                  { "letterbox", NULL },
                  { "letterbox", "0,0,0.5,1;0.5,0,0.5,0.5" } };

    for (guint v = 0; v < G_N_ELEMENTS(views); v++) {
        GstElement *element = detector_new("iou-threshold", 1.0F, "max-detections",
                                           900u, "regions", views[v].regions, NULL);
        gst_util_set_object_arg(G_OBJECT(element), "resize", views[v].resize);
        gst_object_ref(element);
        GstHarness *h = classifier_harness(element, STREAM_CAPS);
        GstBuffer *out = gst_harness_push_and_pull(h, frame_at(0));
        const Found all = found_read(out);
        gst_buffer_unref(out);
        g_assert_cmpuint(all.n, <, 900);
        for (guint i = 0; i < G_N_ELEMENTS(filters); i++) {
            const Found want = filter(&all, filters[i].keep);
            GValue before = G_VALUE_INIT;
            g_object_get_property(G_OBJECT(element), filters[i].name, &before);
            gst_util_set_object_arg(G_OBJECT(element), filters[i].name,
                                    filters[i].value);
            out = gst_harness_push_and_pull(h, frame_at(1 + i));
            const Found got = found_read(out);
            found_assert_same(&got, &want, 0, filters[i].name);
            gst_buffer_unref(out);
            g_object_set_property(G_OBJECT(element), filters[i].name, &before);
            g_value_unset(&before);
        }
        gst_harness_teardown(h);
        gst_object_unref(element);
    }
}

static void test_most(void)
{
    const Found all = found_once(detector_new(NULL, NULL), STREAM_CAPS, frame_at(0));
    const Found got =
        found_once(detector_new("max-detections", 2u, NULL), STREAM_CAPS, frame_at(0));
    Found want = all;

    want.n = 2;
    found_assert_same(&got, &want, 0, "the two best");
}

static void test_iou_threshold(void)
{
    const Found less =
        found_once(detector_new("iou-threshold", 0.1F, NULL), STREAM_CAPS, frame_at(0));
    const Found more =
        found_once(detector_new("iou-threshold", 0.9F, NULL), STREAM_CAPS, frame_at(0));

    g_assert_cmpuint(less.n, <, more.n);
}

/* A warning is posted once, what was in use stays, and goes on when it is put right. */
static void test_bad_while_playing(void)
{
    GstHarness *h =
        classifier_harness(detector_new("object-class", "one", NULL), STREAM_CAPS);
    GstBus *bus = gst_bus_new();
    Found found[4];
    static const gchar *const steps[] = { "one", "nobody", "nobody", "two" };

    gst_element_set_bus(h->element, bus);
    for (guint i = 0; i < 4; i++) {
        if (i != 2)
            g_object_set(h->element, "object-class", steps[i], NULL);
        GstBuffer *out = gst_harness_push_and_pull(h, frame_at(i));
        found[i] = found_read(out);
        gst_buffer_unref(out);
        gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
        if (i == 1)
            g_assert_nonnull(strstr(text, "\"nobody\""));
        else
            g_assert_cmpstr(text, ==, "");
        g_free(text);
    }
    found_assert_same(&found[1], &found[0], 0, "what was in use");
    found_assert_same(&found[2], &found[0], 0, "what is still in use");
    g_assert_cmpuint(found[3].n, >, 0);
    g_assert_cmpint(found[3].item[0].class_index, ==, 2);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* Another model is opened well, but has no such class: the old one runs on, also where
 * it does not have what was set meanwhile. */
static void model_without_the_class(const gchar *meanwhile, const gchar *named)
{
    GstHarness *h =
        classifier_harness(detector_new("object-class", "one", NULL), STREAM_CAPS);
    GstBus *bus = gst_bus_new();
    gchar *text = NULL;
    guint n = 0;
    Found before, after;

    gst_element_set_bus(h->element, bus);
    GstBuffer *out = gst_harness_push_and_pull(h, frame_at(n++));
    before = found_read(out);
    gst_buffer_unref(out);
    if (meanwhile) {
        g_object_set(h->element, "object-class", meanwhile, NULL);
        gst_buffer_unref(gst_harness_push_and_pull(h, frame_at(n++)));
        text = bus_text(bus, GST_MESSAGE_WARNING);
        g_assert_nonnull(strstr(text, named));
    }
    g_object_set(h->element, "model", "cameras3-ssdlite-emo-1m", NULL);
    do {
        g_clear_pointer(&text, g_free);
        g_usleep(10000);
        out = gst_harness_push_and_pull(h, frame_at(n++));
        after = found_read(out);
        gst_buffer_unref(out);
        found_assert_same(&after, &before, 0, "what is in use");
        text = bus_text(bus, GST_MESSAGE_WARNING);
    } while (!*text && n < 3000);
    g_assert_nonnull(strstr(text, "The model in use stays"));
    g_assert_nonnull(strstr(text, named));
    g_free(text);
    g_object_get(h->element, "model", &text, NULL);
    g_assert_cmpstr(text, ==, g_getenv("VIGIL_TEST_DETECTOR"));
    g_free(text);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static void test_model_without_the_class(void)
{
    model_without_the_class(NULL, "\"one\"");
    model_without_the_class("nobody", "\"nobody\"");
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/defaults", test_defaults);
    g_test_add_func("/detect/kept", test_values_are_kept);
    g_test_add_func("/detect/default-model", test_default_model);
    g_test_add_func("/detect/refused/texts", test_bad_texts);
    g_test_add_func("/detect/refused/areas", test_bad_areas);
    g_test_add_func("/detect/refused/tasks", test_other_tasks);
    g_test_add_func("/detect/refused/recovery", test_recovery);
    g_test_add_func("/detect/filters", test_filters);
    g_test_add_func("/detect/most", test_most);
    g_test_add_func("/detect/iou-threshold", test_iou_threshold);
    g_test_add_func("/detect/bad-while-playing", test_bad_while_playing);
    g_test_add_func("/detect/model-without-the-class", test_model_without_the_class);
    return g_test_run();
}
