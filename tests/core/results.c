/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detectors and segmenters: their files, and what their sessions' outputs become. */
#include "core/model.h"
#include "session.h"
#include "tap.h"
#include "vision/detect.h"
#include "write_model.h"

#include <math.h>
#include <string.h>

static VigilModel *open_formula(const char *variant, int classes)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula(variant, 0, WRITE_GAIN, classes, &model, &e)) {
        printf("Bail out! %s\n", e.message);
        exit(1);
    }
    return model;
}

static VigilSession *open_sized(VigilModel *model, int height, int width)
{
    VigilSessionOptions o = { .input = { .height = height, .width = width },
                              .threads = 2 };
    VigilSession *s = open_filled(model, &o, 5);
    vigil_session_run(s);
    return s;
}

/* ---- Files ------------------------------------------------------------------------
 */

static const struct {
    const char *variant, *family, *naming;
    VigilTask task;
    int height, width, classes;
    VigilResize resize;
    const char *labels;
} known[] = {
    { "ssdlite_emo_1M", "ssdlite-emo", "mmdetection", VIGIL_TASK_DETECTION, 320, 320,
      80, VIGIL_RESIZE_STRETCH, "coco80" },
    { "ssdlite_emo_2M", "ssdlite-emo", "mmdetection", VIGIL_TASK_DETECTION, 320, 320, 3,
      VIGIL_RESIZE_STRETCH, NULL },
    { "retinanet_emo_1M", "retinanet-emo", "mmdetection", VIGIL_TASK_DETECTION, 800,
      1344, 2, VIGIL_RESIZE_LETTERBOX, NULL },
    { "deeplabv3_emo_1M", "deeplabv3-emo", "mmsegmentation", VIGIL_TASK_SEGMENTATION,
      512, 512, 7, VIGIL_RESIZE_LETTERBOX, NULL },
    { "pspnet_emo_1M", "pspnet-emo", "mmsegmentation", VIGIL_TASK_SEGMENTATION, 512,
      512, 150, VIGIL_RESIZE_LETTERBOX, "ade20k150" },
};

static VigilModel *open_written(const WriteModel *written, VigilError *error)
{
    static unsigned char *bytes;
    VigilModel *model = NULL;
    size_t size;
    free(bytes);
    bytes = write_model(written, &size);
    *error = (VigilError) { 0 };
    vigil_model_open_memory(bytes, size, "here", &model, error);
    return model;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void check_recognised(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        WriteModel w = { .variant = known[i].variant,
                         .classes = known[i].classes,
                         .dtype = VIGIL_F16 };
        VigilError e;
        VigilModel *model = open_written(&w, &e);
        if (!tap_ok(model, "a file of %s %s", w.variant, e.message))
            continue;
        const VigilModelInfo *info = vigil_model_info(model);
        tap_ok(!strcmp(info->variant, known[i].variant) &&
                   !strcmp(info->family, known[i].family) &&
                   !strcmp(info->naming, known[i].naming) &&
                   info->task == known[i].task && info->classes == known[i].classes,
               "is %s of %s, %d classes", info->variant, info->family, info->classes);
        tap_ok(info->input.height == known[i].height &&
                   info->input.width == known[i].width &&
                   info->input.resize == known[i].resize &&
                   info->input.filter == VIGIL_FILTER_POINT_BILINEAR,
               "its input is %d x %d", info->input.height, info->input.width);
        tap_ok(same_text(info->label_set, known[i].labels), "its labels are %s",
               info->label_set ? info->label_set : "not known");
        vigil_model_close(&model);
    }
}

static void check_leftovers(void)
{
    static const struct {
        const char *variant, *extra;
        bool taken;
    } rows[] = {
        { "pspnet_emo_1M", "auxiliary_head.conv_seg.bias", true },
        { "pspnet_emo_1M", "decode_head.extra.bias", false },
        { "ssdlite_emo_1M", "auxiliary_head.conv_seg.bias", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = { .variant = rows[i].variant,
                         .classes = 2,
                         .dtype = VIGIL_F16,
                         .extra = rows[i].extra };
        VigilError e;
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model == !rows[i].taken &&
                   (rows[i].taken || strstr(e.message, rows[i].extra)),
               "%s in a file of %s is %s: %s", rows[i].extra, rows[i].variant,
               rows[i].taken ? "for training only" : "refused", e.message);
        vigil_model_close(&model);
    }
}

/* ---- Detections -------------------------------------------------------------------
 */

static bool sorted_and_inside(const VigilDetection *d, int n, float above)
{
    for (int i = 0; i < n; i++)
        if (d[i].score <= above || (i && d[i].score > d[i - 1].score) || d[i].x < 0 ||
            d[i].y < 0 || d[i].x + d[i].width > 1 + 1e-6f ||
            d[i].y + d[i].height > 1 + 1e-6f)
            return false;
    return true;
}

static void check_detector(const char *variant, int classes, int height, int width)
{
    VigilModel *model = open_formula(variant, classes);
    VigilSession *s = open_sized(model, height, width);
    VigilDetector *d = NULL;
    const VigilDetection *found;
    bool wanted[80] = { [1] = true };
    VigilError e;
    if (!tap_ok(!vigil_detector_open(s, NULL, &d, &e), "a detector of %s", variant))
        exit(1);
    int all = vigil_detector_run(d, NULL, &found);
    tap_ok(all > 5 && sorted_and_inside(found, all, 0.02f),
           "%d detections, best first, inside the picture", all);
    float middle = found[all / 2].score;
    VigilDetectOptions o = { .has_threshold = true, .threshold = middle };
    vigil_detector_configure(d, &o, &e);
    int fewer = vigil_detector_run(d, NULL, &found);
    tap_ok(fewer <= all / 2 && sorted_and_inside(found, fewer, middle),
           "%d of them above %g", fewer, middle);
    o = (VigilDetectOptions) { .max_detections = 3 };
    vigil_detector_configure(d, &o, &e);
    tap_ok(vigil_detector_run(d, NULL, &found) == 3, "at most 3 where 3 are asked for");
    o = (VigilDetectOptions) { .class_wanted = wanted };
    vigil_detector_configure(d, &o, &e);
    int n = vigil_detector_run(d, NULL, &found);
    bool one = n > 0;
    for (int i = 0; i < n; i++)
        one = one && found[i].class_index == 1;
    tap_ok(one, "%d of class 1 where that is the only one wanted", n);
    VigilPlacement left = {
        .src_width = 1, .src_height = 1, .dst_width = width / 2, .dst_height = height
    };
    vigil_detector_configure(d, NULL, &e);
    n = vigil_detector_run(d, &left, &found);
    bool clipped = n > 0;
    for (int i = 0; i < n; i++)
        clipped = clipped && found[i].x + found[i].width <= 0.5f + 1e-6f;
    tap_ok(clipped, "boxes end where the picture does");
    o = (VigilDetectOptions) { .has_threshold = true, .threshold = 2 };
    tap_ok(vigil_detector_configure(d, &o, &e) == VIGIL_ERROR_ARGUMENT, "refused: %s",
           e.message);
    VigilDetector *refused = d;
    tap_ok(vigil_detector_open(s, &o, &refused, &e) == VIGIL_ERROR_ARGUMENT && !refused,
           "and when it is opened");
    vigil_detector_close(&d);
    vigil_detector_close(&d);
    vigil_session_close(&s);
    vigil_model_close(&model);
}

/* A file may say how large its anchors are. */
static void check_anchor_sizes(void)
{
    static const struct {
        const char *variant, *metadata, *says; /* NULL: accepted */
    } rows[] = {
        { "ssdlite_emo_1M", "0.02 0.04 0.06 0.08 0.10 0.12 2", NULL },
        { "ssd_mobilevit_xxs", "0.02 0.04 0.06 0.08 0.10 0.12 2", NULL },
        { "EMO_1M", "of no use", NULL },
        { "ssdlite_emo_1M", "0.02 0.04 0.06 0.08 0.10 0.12", "7 decimal numbers" },
        { "ssdlite_emo_1M", "0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8", "7 decimal numbers" },
        { "ssdlite_emo_1M", "0.1 0.2 0.3 0.4 0.5 0.5 0.7", "rising" },
        { "ssdlite_emo_1M", "0 0.2 0.3 0.4 0.5 0.6 0.7", "above 0" },
        { "ssdlite_emo_1M", "-1 0.2 0.3 0.4 0.5 0.6 0.7", "above 0" },
        { "ssdlite_emo_1M", "0.1 0.2 0.3 0.4 0.5 0.6 2.1", "up to 2" },
        { "retinanet_emo_1M", "0.1 0.2 0.3 0.4 0.5 0.6", "of SSD" },
        { "e2e_mobile_former_151m", "0.1 0.2", "of SSD" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char metadata[96];
        WriteModel w = { .variant = rows[i].variant,
                         .classes = 2,
                         .dtype = VIGIL_F16,
                         .metadata = metadata };
        VigilError e;
        snprintf(metadata, sizeof metadata, "{\"anchor_sizes\":\"%s\"}",
                 rows[i].metadata);
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model == !!rows[i].says &&
                   (model || (strstr(e.message, "'anchor_sizes' is '") &&
                              strstr(e.message, rows[i].says))),
               "%s with anchors '%s': %s", rows[i].variant, rows[i].metadata,
               e.message);
        vigil_model_close(&model);
    }
}

/* The width of the first anchors of the first and of the last level, as the model's
 * rules lay them over an input of 64 x 128. */
static void check_anchor_widths(void)
{
    WriteModel w = { .variant = "ssdlite_emo_1M",
                     .classes = 2,
                     .dtype = VIGIL_F16,
                     .metadata =
                         "{\"anchor_sizes\":\"0.0625 0.25 0.3 0.4 0.5 0.75 0.9\"}" };
    static const VigilMapSize maps[] = { { 4, 8 }, { 2, 4 }, { 1, 2 },
                                         { 1, 1 }, { 1, 1 }, { 1, 1 } };
    VigilAnchor a[6 * (32 + 8 + 2 + 3)];
    VigilError e;
    VigilModel *model = open_written(&w, &e);
    if (!tap_ok(model, "anchors of its own %s", e.message))
        return;
    vigil_anchors_fill(vigil_model_detect_rules(model)->anchors, 64, 128, maps, a);
    const VigilAnchor *last = a + 6 * (32 + 8 + 2 + 2);
    tap_ok(a[0].width == 0.0625f && a[0].height == 0.0625f && a[1].width == 0.125f &&
               fabsf(a[2].width - 0.0625f * sqrtf(2)) < 1e-6f && last->width == 0.75f &&
               last[1].width == sqrtf(0.75f * 0.9f) && last[4].width == 1,
           "have these sizes, at most the whole input");
    tap_ok(a[0].x == 0.0625f && a[0].y == 0.125f && a[6].x == 0.1875f &&
               last->x == 0.5f,
           "and lie in the middle of even cells");
    vigil_model_close(&model);
}

/* ---- Masks ------------------------------------------------------------------------
 */

/* Logit c of the mask's pixel (i, j), straight from the definition; NAN where the pixel
 * was not shown. */
static double logit_at(const VigilTensor *low, const VigilInput *in,
                       const VigilPlacement *p, int i, int j, int c)
{
    double y = (i + 0.5 - p->src_y) * p->dst_height / p->src_height + p->dst_y;
    double x = (j + 0.5 - p->src_x) * p->dst_width / p->src_width + p->dst_x, sum = 0;
    if (y < p->dst_y || y > p->dst_y + p->dst_height || x < p->dst_x ||
        x > p->dst_x + p->dst_width)
        return NAN;
    y = fmin(fmax(y * low->shape[0] / in->height - 0.5, 0), low->shape[0] - 1);
    x = fmin(fmax(x * low->shape[1] / in->width - 0.5, 0), low->shape[1] - 1);
    for (int a = 0; a < low->shape[0]; a++)
        for (int b = 0; b < low->shape[1]; b++)
            sum += fmax(1 - fabs(y - a), 0) * fmax(1 - fabs(x - b), 0) *
                   low->data[(a * low->shape[1] + b) * low->shape[2] + c];
    return sum;
}

static void check_mask(VigilSegmenter *g, VigilSession *s, const VigilPlacement *placed,
                       int height, int width, const char *what)
{
    const VigilTensor *low = vigil_session_output(s, 0);
    const VigilInput *in = vigil_session_input_rules(s);
    VigilPlacement whole = { .src_width = width,
                             .src_height = height,
                             .dst_width = in->width,
                             .dst_height = in->height };
    uint16_t *mask = calloc((size_t)height * width, sizeof *mask);
    int wrong = 0, none = 0, seen[16] = { 0 }, classes = 0;
    vigil_segmenter_run(g, placed, height, width, mask);
    for (int i = 0; i < height * width; i++) {
        double own = -INFINITY, most = -INFINITY;
        for (int c = 0; c < low->shape[2]; c++) {
            double v =
                logit_at(low, in, placed ? placed : &whole, i / width, i % width, c);
            own = c == mask[i] ? v : own;
            most = fmax(most, v);
        }
        bool shown = most > -INFINITY;
        wrong += shown ? !(own >= most - 1e-5) : mask[i] != VIGIL_NO_CLASS;
        none += mask[i] == VIGIL_NO_CLASS;
        if (mask[i] < 16)
            seen[mask[i]] = 1;
    }
    for (int c = 0; c < 16; c++)
        classes += seen[c];
    tap_ok(!wrong && classes > 1 && (none > 0) == (strstr(what, "cut") != NULL),
           "%s, %d x %d: %d pixels wrong, %d not shown, %d classes", what, height,
           width, wrong, none, classes);
    free(mask);
}

static void check_placed(VigilSegmenter *g, VigilSession *s, VigilResize rule,
                         int height, int width, const char *what)
{
    VigilPreprocess *p = NULL;
    VigilPlacement placed;
    VigilInput in = *vigil_session_input_rules(s);
    size_t n = (size_t)height * width;
    uint8_t *gray = calloc(n, 1);
    float *tensor = malloc((size_t)in.height * in.width * 3 * sizeof *tensor);
    VigilImage image = { .width = width,
                         .height = height,
                         .color = VIGIL_COLOR_GRAY,
                         .component[0] = { gray, width, 1, 0, 0 },
                         .full_range = true,
                         .pixel_aspect = 1 };
    in.resize = rule;
    in.resize_shorter = in.height < in.width ? in.height : in.width;
    bool good = !vigil_preprocess_open(&p, NULL) &&
                !vigil_preprocess_run(p, &image, NULL, &in, tensor, &placed, NULL);
    if (tap_ok(good, "a picture for %s", what))
        check_mask(g, s, &placed, height, width, what);
    vigil_preprocess_close(&p);
    free(tensor);
    free(gray);
}

static void check_segmenter(const char *variant)
{
    VigilModel *model = open_formula(variant, 7);
    VigilSession *s = open_sized(model, 128, 96);
    VigilSegmenter *g = NULL;
    VigilError e;
    if (!tap_ok(!vigil_segmenter_open(s, &g, &e), "a segmenter of %s", variant))
        exit(1);
    check_mask(g, s, NULL, 128, 96, "the input");
    check_mask(g, s, NULL, 50, 70, "the input at another size");
    check_placed(g, s, VIGIL_RESIZE_STRETCH, 60, 110, "a stretched picture");
    check_placed(g, s, VIGIL_RESIZE_LETTERBOX, 60, 110, "a letterboxed picture");
    check_placed(g, s, VIGIL_RESIZE_CROP, 60, 110, "a picture that was cut");
    vigil_segmenter_close(&g);
    vigil_segmenter_close(&g);
    vigil_session_close(&s);
    vigil_model_close(&model);
}

/* ---- Other tasks ------------------------------------------------------------------
 */

static void check_tasks(void)
{
    static const char *const variants[] = { "EMO_1M", "ssdlite_emo_1M",
                                            "pspnet_emo_1M" };
    for (int i = 0; i < 3; i++) {
        VigilModel *model = open_formula(variants[i], 2);
        VigilSession *s = open_sized(model, 64, 64);
        VigilDetector *d = NULL;
        VigilSegmenter *g = NULL;
        VigilError e = { 0 }, f = { 0 };
        VigilStatus detector = vigil_detector_open(s, NULL, &d, &e);
        VigilStatus segmenter = vigil_segmenter_open(s, &g, &f);
        tap_ok(detector == (i == 1 ? VIGIL_OK : VIGIL_ERROR_ARGUMENT) &&
                   !d == (i != 1) && (i == 1 || strstr(e.message, variants[i])),
               "%s detects or says: %s", variants[i], e.message);
        tap_ok(segmenter == (i == 2 ? VIGIL_OK : VIGIL_ERROR_ARGUMENT) &&
                   !g == (i != 2) && (i == 2 || strstr(f.message, variants[i])),
               "%s segments or says: %s", variants[i], f.message);
        vigil_detector_close(&d);
        vigil_segmenter_close(&g);
        vigil_session_close(&s);
        vigil_model_close(&model);
    }
}

int main(void)
{
    check_recognised();
    check_leftovers();
    check_detector("ssdlite_emo_1M", 3, 96, 160);
    check_detector("retinanet_emo_1M", 2, 64, 96);
    check_anchor_sizes();
    check_anchor_widths();
    check_segmenter("pspnet_emo_1M");
    check_segmenter("deeplabv3_emo_1M");
    check_tasks();
    return tap_done();
}
