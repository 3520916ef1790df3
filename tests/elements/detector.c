/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include "detector.h"

static const gchar *const labels[DETECT_CLASSES] = { "zero", "one", "two", "three",
                                                     "traffic light" };

GstElement *detector_new(const gchar *first_property, ...)
{
    GstElement *element = gst_element_factory_make("vigildetect", "detect");
    va_list args;

    g_assert_nonnull(element);
    g_object_set(element, "model", g_getenv("VIGIL_TEST_DETECTOR"), "threshold",
                 DETECT_THRESHOLD, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "mode", "sync"); /* a harness is live */
    va_start(args, first_property);
    g_object_set_valist(G_OBJECT(element), first_property, args);
    va_end(args);
    return element;
}

Found found_read(GstBuffer *buffer)
{
    GstVigilMeta *meta = frame_meta(buffer);
    Found found = { .n = gst_vigil_meta_get_n_results(meta) };

    g_assert_cmpint(gst_vigil_meta_get_task(meta), ==, GST_VIGIL_TASK_DETECTION);
    g_assert_cmpuint(found.n, <=, G_N_ELEMENTS(found.item));
    for (guint i = 0; i < found.n; i++) {
        GstVigilResult *result = gst_vigil_meta_get_result(meta, i);
        VigilDetection *d = &found.item[i];
        const gchar *label = NULL;
        g_assert_false(gst_vigil_result_is_full_frame(result));
        g_assert_true(
            gst_vigil_result_get_detection(result, &label, &d->class_index, &d->score));
        g_assert_cmpint(d->class_index, >=, 0);
        g_assert_cmpint(d->class_index, <, DETECT_CLASSES);
        g_assert_cmpstr(label, ==, labels[d->class_index]);
        gst_vigil_result_get_region(result, &d->x, &d->y, &d->width, &d->height);
    }
    return found;
}

Found found_once(GstElement *element, const gchar *caps, GstBuffer *frame)
{
    GstBuffer *out = classify_once(element, caps, frame);
    const Found found = found_read(out);

    gst_buffer_unref(out);
    return found;
}

void found_assert_same(const Found *a, const Found *b, gfloat tolerance,
                       const gchar *what)
{
    gfloat most = 0;

    g_test_message("%s: %u and %u boxes", what, a->n, b->n);
    g_assert_cmpuint(a->n, >, 0);
    g_assert_cmpuint(a->n, ==, b->n);
    for (guint i = 0; i < a->n; i++) {
        const VigilDetection *p = &a->item[i], *q = &b->item[i];
        g_assert_cmpint(p->class_index, ==, q->class_index);
        most = MAX(most, fabsf(p->score - q->score));
        most = MAX(most, fabsf(p->x - q->x));
        most = MAX(most, fabsf(p->y - q->y));
        most = MAX(most, fabsf(p->x + p->width - q->x - q->width));
        most = MAX(most, fabsf(p->y + p->height - q->y - q->height));
    }
    g_test_message("%s: %g apart", what, (double)most);
    g_assert_cmpfloat(most, <=, tolerance);
}

static void look(VigilSession *session, const VigilImage *image,
                 const VigilRegion *region, const VigilDetectOptions *options,
                 Found *found)
{
    const VigilInput *input = vigil_session_input_rules(session);
    VigilPreprocess *preprocess = NULL;
    VigilDetector *detector = NULL;
    const VigilDetection *d = NULL;
    VigilPlacement placed;

    g_assert_cmpint(vigil_preprocess_open(&preprocess, NULL), ==, VIGIL_OK);
    g_assert_cmpint(vigil_preprocess_run(preprocess, image, region, input,
                                         vigil_session_input(session), &placed, NULL),
                    ==, VIGIL_OK);
    vigil_session_run(session);
    g_assert_cmpint(vigil_detector_open(session, options, &detector, NULL), ==,
                    VIGIL_OK);
    const int n = vigil_detector_run(detector, &placed, &d);
    for (int i = 0; i < n; i++)
        if (vigil_detection_to_picture(&d[i], input, &placed, image->width,
                                       image->height, &found->item[found->n]))
            found->n++;
    vigil_detector_close(&detector);
    vigil_preprocess_close(&preprocess);
}

Found engine_look(GstBuffer *frame, guint width, guint height,
                  const VigilRegion *region, const VigilSessionOptions *options,
                  const VigilDetectOptions *detect_options)
{
    const ptrdiff_t stride = GST_ROUND_UP_4(3 * width);
    VigilModel *model = NULL;
    VigilSession *session = NULL;
    Found found = { 0 };
    GstMapInfo map;

    g_assert_true(gst_buffer_map(frame, &map, GST_MAP_READ));
    VigilImage image = { .width = (int)width,
                         .height = (int)height,
                         .color = VIGIL_COLOR_RGB,
                         .pixel_aspect = 1 };
    for (guint c = 0; c < 3; c++)
        image.component[c] = (VigilComponent) { .data = map.data + c,
                                                .row_stride = stride,
                                                .pixel_stride = 3 };
    g_assert_cmpint(vigil_model_open(g_getenv("VIGIL_TEST_DETECTOR"), &model, NULL), ==,
                    VIGIL_OK);
    g_assert_cmpint(vigil_session_open(model, options, &session, NULL), ==, VIGIL_OK);
    look(session, &image, region, detect_options, &found);
    vigil_session_close(&session);
    vigil_model_close(&model);
    gst_buffer_unmap(frame, &map);
    return found;
}
