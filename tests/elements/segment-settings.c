/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties of vigilsegment, and what the inference elements say of models that are
 * not for them.
 */
#include "segmenter.h"
#include <glib/gstdio.h>
#include <string.h>

static void test_defaults(void)
{
    GstElement *element = gst_element_factory_make("vigilsegment", NULL);
    GParamSpec *spec =
        g_object_class_find_property(G_OBJECT_GET_CLASS(element), "post-messages");
    gboolean post = TRUE;

    g_assert_true(spec->flags & GST_PARAM_MUTABLE_PLAYING);
    g_object_get(element, "post-messages", &post, NULL);
    g_assert_false(post);
    g_object_set(element, "post-messages", TRUE, NULL);
    g_object_get(element, "post-messages", &post, NULL);
    g_assert_true(post);
    gst_object_unref(element);
}

static void test_bad_texts(void)
{
    static const struct {
        const gchar *name, *text, *words[4];
    } cases[] = {
        { "model", "/no/such/file", { "/no/such/file", "property model" } },
        { "labels", "voc21", { "\"voc21\" has 21 labels", "4 classes" } },
        { "labels-file", "/no/such/labels", { "labels file \"/no/such/labels\"" } },
        { "input-size", "96", { "input-size", "\"96\"", "HEIGHTxWIDTH" } },
        { "regions", "0,0,2,1", { "0,0,2,1" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        element_assert_refused(segmenter_new(cases[i].name, cases[i].text, NULL),
                               cases[i].words);
}

/* Every element refuses the models of both other tasks, naming both tasks and the
 * element that is meant. */
static void test_other_tasks(void)
{
    static const struct {
        const gchar *element, *model, *words[5];
    } cases[] = {
        { "vigilclassify",
          "VIGIL_TEST_DETECTOR",
          { "detect.safetensors", "ssdlite_emo_1M",
            "for detection, not for classification", "vigildetect runs it" } },
        { "vigilclassify",
          "VIGIL_TEST_SEGMENTER",
          { "segment.safetensors", "deeplabv3_mobilevit_xxs",
            "for segmentation, not for classification", "vigilsegment runs it" } },
        { "vigildetect",
          "VIGIL_TEST_MODEL",
          { "classify.safetensors", "EMO_1M", "for classification, not for detection",
            "vigilclassify runs it" } },
        { "vigildetect",
          "VIGIL_TEST_SEGMENTER",
          { "segment.safetensors", "deeplabv3_mobilevit_xxs",
            "for segmentation, not for detection", "vigilsegment runs it" } },
        { "vigilsegment",
          "VIGIL_TEST_MODEL",
          { "classify.safetensors", "EMO_1M",
            "for classification, not for segmentation", "vigilclassify runs it" } },
        { "vigilsegment",
          "VIGIL_TEST_DETECTOR",
          { "detect.safetensors", "ssdlite_emo_1M",
            "for detection, not for segmentation", "vigildetect runs it" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstElement *element = gst_element_factory_make(cases[i].element, NULL);
        g_object_set(element, "model", g_getenv(cases[i].model), NULL);
        element_assert_refused(element, cases[i].words);
    }
}

static void test_labels_file(void)
{
    static const Grid grid = { 128, 96, 1, 1, "r" };
    gchar *name = NULL;
    const int fd = g_file_open_tmp("vigil-labels-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_file_set_contents(name, "azul\nverde\nrojo\noscuro\n", -1, NULL));
    gchar *caps = grid_caps(&grid);
    GstBuffer *out = classify_once(segmenter_new("labels-file", name, NULL), caps,
                                   grid_frame(&grid));
    g_assert_cmpstr(gst_vigil_mask_get_class(mask_of(out, 0), 0)->label, ==, "rojo");
    gst_buffer_unref(out);
    g_assert_true(g_close(fd, NULL));
    g_assert_cmpint(g_remove(name), ==, 0);
    g_free(caps);
    g_free(name);
}

/* No model set: the shipped one, by that or by its name. */
static void test_default_model(void)
{
    static const gchar *const names[] = { NULL, "", "streets11-deeplabv3-emo-1m" };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        GstBuffer *out = classify_once(segmenter_new("model", names[i], NULL),
                                       STREAM_CAPS, frame_at(0));
        GstVigilMask *mask = mask_of(out, 0);
        guint width, height;
        gst_vigil_mask_get_size(mask, &width, &height);
        g_assert_cmpuint(width, ==, 512);
        g_assert_cmpuint(height, ==, 384);
        g_assert_nonnull(gst_vigil_mask_get_class(mask, 0)->label);
        g_assert_cmpstr(gst_vigil_meta_get_model(frame_meta(out)), ==,
                        "streets11-deeplabv3-emo-1m");
        gst_buffer_unref(out);
    }
}

/* After an error the element can be put right and used. */
static void test_recovery(void)
{
    GstElement *element = segmenter_new("model", g_getenv("VIGIL_TEST_DETECTOR"), NULL);

    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_object_set(element, "model", g_getenv("VIGIL_TEST_SEGMENTER"), NULL);
    GstBuffer *out = classify_once(element, STREAM_CAPS, frame_at(0));
    g_assert_cmpuint(gst_vigil_mask_get_n_classes(mask_of(out, 0)), >, 0);
    gst_buffer_unref(out);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/defaults", test_defaults);
    g_test_add_func("/segment/default-model", test_default_model);
    g_test_add_func("/segment/refused/texts", test_bad_texts);
    g_test_add_func("/segment/refused/tasks", test_other_tasks);
    g_test_add_func("/segment/labels-file", test_labels_file);
    g_test_add_func("/segment/refused/recovery", test_recovery);
    return g_test_run();
}
