/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Elements that share a model by their model-instance-id.
 */
#include <glib/gstdio.h>
#include <unistd.h>
#include "frames.h"

#define SHIPPED "cameras10-emo-1m"

/* The first of an instance, with the test model and as it is told. */
static GstHarness *first_new(const gchar *id, const gchar *name, const gchar *text)
{
    GstElement *element = classifier_new("model-instance-id", id, NULL);

    gst_util_set_object_arg(G_OBJECT(element), name, text);
    return classifier_harness(element, STREAM_CAPS);
}

/* Another one, which names no model. */
static GstElement *further_new(const gchar *id)
{
    return classifier_new("model", NULL, "model-instance-id", id, NULL);
}

static Scores scores_of_harness(GstHarness *h)
{
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    return scores_read(
        gst_harness_push_and_pull(h, frame_new(&info, PICTURE_COLOR, 0)));
}

static Scores scores_of_element(GstElement *element)
{
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    return scores_read(
        classify_once(element, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0)));
}

/* ---- What is shared ------------------------------------------------------------- */

/* The further one's own settings do not count. */
static void test_settings_of_the_first(void)
{
    static const struct {
        const gchar *name, *text;
    } settings[] = {
        { "input-size", "128x96" }, { "resize", "letterbox" },
        { "channel-order", "bgr" }, { "mean", "0.7,0.456,0.2" },
        { "std", "0.5,0.224,0.1" },
    };
    const Scores plain = scores_of_element(classifier_plain());

    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        GstHarness *h = first_new("gate", settings[i].name, settings[i].text);
        GstElement *other = further_new("gate");
        g_object_set(other, "std", "0.229,0.224,0.225", "input-size", "96x96", NULL);
        const Scores first = scores_of_harness(h), further = scores_of_element(other);
        g_assert_cmpfloat(scores_apart(&first, &further), ==, 0);
        g_assert_cmpfloat(scores_apart(&first, &plain), >, SCORE_TOLERANCE);
        gst_harness_teardown(h);
    }
}

static void test_own_settings(void)
{
    GstHarness *h = first_new("gate", "top-k", "10");
    GstElement *other = further_new("gate");
    const GstVideoInfo info = frame_info(STREAM_CAPS);

    g_object_set(other, "top-k", 3u, NULL);
    GstBuffer *out =
        classify_once(other, STREAM_CAPS, frame_new(&info, PICTURE_COLOR, 0));
    GstVigilResult *result = gst_vigil_meta_get_result(frame_meta(out), 0);
    g_assert_cmpuint(gst_vigil_result_get_n_classes(result), ==, 3);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

static void write_model(const gchar *path, const gchar *from)
{
    gchar *bytes = NULL;
    gsize size = 0;

    g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
    g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
    g_free(bytes);
}

/* The model stays that of the first though the file is another now. */
static void test_file_is_replaced(void)
{
    gchar *path = g_strdup_printf("%s/vigil-instance-%d.safetensors", g_get_tmp_dir(),
                                  (int)getpid());
    gchar *shipped =
        g_strdup_printf("%s/%s.safetensors", g_getenv("VIGIL_MODEL_PATH"), SHIPPED);

    write_model(path, g_getenv("VIGIL_TEST_MODEL"));
    GstHarness *h = first_new("gate", "model", path);
    const Scores first = scores_of_harness(h);
    write_model(path, shipped);
    const Scores shared = scores_of_element(
        classifier_new("model", path, "model-instance-id", "gate", NULL));
    const Scores own = scores_of_element(classifier_new("model", path, NULL));
    g_assert_cmpfloat(scores_apart(&first, &shared), ==, 0);
    g_assert_cmpfloat(scores_apart(&first, &own), >, SCORE_TOLERANCE);
    gst_harness_teardown(h);
    const Scores later = scores_of_element(
        classifier_new("model", path, "model-instance-id", "gate", NULL));
    g_assert_cmpfloat(scores_apart(&later, &own), ==, 0);
    g_unlink(path);
    g_free(shipped);
    g_free(path);
}

/* Two ids are two instances, and none is none. */
static void test_ids_apart(void)
{
    GstHarness *gate = first_new("gate", "input-size", "128x96");
    GstHarness *yard = first_new("yard", "input-size", "96x128");
    GstHarness *none = first_new("", "input-size", "96x96");
    const Scores a = scores_of_harness(gate), b = scores_of_harness(yard),
                 c = scores_of_harness(none);

    g_assert_cmpfloat(scores_apart(&a, &b), >, 0);
    g_assert_cmpfloat(scores_apart(&a, &c), >, 0);
    g_assert_cmpfloat(scores_apart(&b, &c), >, 0);
    gst_harness_teardown(none);
    gst_harness_teardown(yard);
    gst_harness_teardown(gate);
}

/* ---- What is refused ------------------------------------------------------------ */

static void test_another_model(void)
{
    GstHarness *h = first_new("gate", "top-k", "10");
    const gchar *words[] = { SHIPPED ".safetensors", "\"gate\"",
                             g_getenv("VIGIL_TEST_MODEL"), "model-instance-id", NULL };
    const gchar *missing[] = { "/no/such/file", NULL };
    const Scores before = scores_of_harness(h);

    element_assert_refused(
        classifier_new("model", SHIPPED, "model-instance-id", "gate", NULL), words);
    element_assert_refused(
        classifier_new("model", "/no/such/file", "model-instance-id", "gate", NULL),
        missing);
    const Scores after = scores_of_harness(h);
    g_assert_cmpfloat(scores_apart(&before, &after), ==, 0);
    gst_harness_teardown(h);
    scores_of_element(
        classifier_new("model", SHIPPED, "model-instance-id", "gate", NULL));
}

static void test_another_task(void)
{
    GstHarness *h = first_new("gate", "top-k", "10");
    const gchar *words[] = { g_getenv("VIGIL_TEST_MODEL"), "another task",
                             "vigilclassify", NULL };
    GstElement *detector = gst_element_factory_make("vigildetect", NULL);

    g_object_set(detector, "model-instance-id", "gate", NULL);
    element_assert_refused(detector, words);
    gst_harness_teardown(h);
}

/* A first one that fails leaves nothing behind. */
static void test_first_fails(void)
{
    const gchar *words[] = { "input-size", "7x7x7", NULL };

    element_assert_refused(
        classifier_new("model-instance-id", "gate", "input-size", "7x7x7", NULL),
        words);
    GstHarness *h = first_new("gate", "model", SHIPPED);
    scores_of_harness(h);
    gst_harness_teardown(h);
}

static void test_another_name_of_the_file(void)
{
    gchar *path = g_strdup_printf("%s/vigil-instance-%d-link.safetensors",
                                  g_get_tmp_dir(), (int)getpid());

    g_assert_cmpint(symlink(g_getenv("VIGIL_TEST_MODEL"), path), ==, 0);
    GstHarness *h = first_new("gate", "input-size", "128x96");
    const Scores first = scores_of_harness(h);
    const Scores linked = scores_of_element(
        classifier_new("model", path, "model-instance-id", "gate", NULL));
    g_assert_cmpfloat(scores_apart(&first, &linked), ==, 0);
    gst_harness_teardown(h);
    g_unlink(path);
    g_free(path);
}

/* ---- Many at once --------------------------------------------------------------- */

static gpointer open_and_close(gpointer data)
{
    guint failed = 0;

    for (guint i = 0; i < 4; i++) {
        GstElement *element = classifier_new("model-instance-id", "gate", NULL);
        failed +=
            gst_element_set_state(element, GST_STATE_READY) != GST_STATE_CHANGE_SUCCESS;
        gst_element_set_state(element, GST_STATE_NULL);
        gst_object_unref(element);
    }
    return GUINT_TO_POINTER(failed);
}

static void test_many_threads(void)
{
    GThread *threads[8];
    guint failed = 0;

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("open", open_and_close, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        failed += GPOINTER_TO_UINT(g_thread_join(threads[i]));
    g_assert_cmpuint(failed, ==, 0);
    /* The id is free again. */
    scores_of_element(
        classifier_new("model", SHIPPED, "model-instance-id", "gate", NULL));
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/instance/settings-of-the-first", test_settings_of_the_first);
    g_test_add_func("/instance/own-settings", test_own_settings);
    g_test_add_func("/instance/file-is-replaced", test_file_is_replaced);
    g_test_add_func("/instance/ids-apart", test_ids_apart);
    g_test_add_func("/instance/another-model", test_another_model);
    g_test_add_func("/instance/another-task", test_another_task);
    g_test_add_func("/instance/first-fails", test_first_fails);
    g_test_add_func("/instance/another-name", test_another_name_of_the_file);
    g_test_add_func("/instance/many-threads", test_many_threads);
    return g_test_run();
}
