/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of Mobile-Former and of detectors over it: how they are recognised, in what
 * types they come, and what they are called inside. */
#include "core/attention.h"
#include "core/model.h"
#include "core/recognise.h"
#include "session.h"
#include "tap.h"
#include "write_model.h"

#include <math.h>
#include <string.h>

#define CLASSES 3
#define SIDE 64

/* Out of memory; the model is to be closed before the next call. */
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

/* Published parameters, and channels of the last layer. */
static const struct {
    const char *variant;
    uint64_t parameters, hidden;
} variants[] = {
    { "mobile_former_26m", 3232788, 1024 },   { "mobile_former_52m", 3469092, 1024 },
    { "mobile_former_96m", 4585252, 1280 },   { "mobile_former_151m", 7595828, 1280 },
    { "mobile_former_214m", 9425920, 1600 },  { "mobile_former_294m", 11422648, 1920 },
    { "mobile_former_508m", 13976976, 1920 },
};

/* With as many classes as published, and with a head for others. */
static void check_recognised(size_t i, int classes)
{
    WriteModel w = { .variant = variants[i].variant,
                     .classes = classes,
                     .prefix = i % 2 ? "module." : NULL };
    VigilError e;
    VigilModel *model = open_written(&w, &e);
    if (!tap_ok(model, "%s, %d classes: '%s'", w.variant, classes, e.message))
        return;
    const VigilModelInfo *info = vigil_model_info(model);
    uint64_t parameters =
        variants[i].parameters - (uint64_t)(1000 - classes) * (variants[i].hidden + 1);
    tap_ok(!strcmp(info->variant, w.variant) &&
               !strcmp(info->family, "mobile_former") &&
               !strcmp(info->naming, "official") && info->classes == classes &&
               info->parameters == parameters &&
               (info->label_set != NULL) == (classes == 1000),
           "is %s, %llu parameters, labels %s", info->variant,
           (unsigned long long)info->parameters,
           info->label_set ? info->label_set : "unknown");
    vigil_model_close(&model);
}

static void check_input(void)
{
    WriteModel w = { .variant = "mobile_former_52m", .classes = 1 };
    VigilError e;
    VigilModel *model = open_written(&w, &e);
    if (!tap_ok(model, "a file: '%s'", e.message))
        return;
    const VigilInput *in = &vigil_model_info(model)->input;
    tap_ok(in->height == 224 && in->width == 224 && in->resize_shorter == 256 &&
               in->resize == VIGIL_RESIZE_CROP && in->filter == VIGIL_FILTER_BILINEAR &&
               in->channel_order == VIGIL_RGB && in->mean[0] == 0.485f &&
               in->std[2] == 0.225f,
           "%d x %d of a shorter side of %d", in->height, in->width,
           in->resize_shorter);
    vigil_model_close(&model);
}

static bool logits_of(const WriteModel *written, float logits[CLASSES])
{
    VigilError e;
    VigilModel *model = open_written(written, &e);
    memset(logits, 0, CLASSES * sizeof *logits);
    if (!model) {
        tap_ok(false, "a file of %s: %s", vigil_dtype_name(written->dtype), e.message);
        return false;
    }
    run_once(model, SIDE, SIDE, 1, 5, logits);
    vigil_model_close(&model);
    return true;
}

/* Packed weights, in bytes. */
static size_t held(const WriteModel *written)
{
    VigilError e;
    VigilModel *model = open_written(written, &e);
    size_t bytes = model ? vigil_model_info(model)->memory_bytes : 0;
    vigil_model_close(&model);
    return bytes;
}

/* Layers of a few tokens keep weights of 16 bits as they are, whatever type the file
 * has. */
static void check_held(void)
{
    const WriteModel wide = { .variant = "mobile_former_26m", .classes = CLASSES };
    WriteModel half = wide, rounded = wide, brain = wide;
    half.dtype = rounded.rounded_to = VIGIL_F16;
    brain.dtype = VIGIL_BF16;
    size_t all = held(&wide), less = held(&half);
    tap_ok(less > all / 2 && less < all * 3 / 4 && held(&rounded) == less &&
               held(&brain) >= less,
           "weights of 16 bits take %zu bytes of %zu", less, all);
}

static bool same(const float *a, const float *b)
{
    return isfinite(a[0]) && a[0] != 0 && !memcmp(a, b, CLASSES * sizeof *a);
}

/* Narrow types give what their rounded values give in float32. */
static void check_storage(void)
{
    static const VigilDtype narrow[] = { VIGIL_F16, VIGIL_BF16 };
    const WriteModel wide = { .variant = "mobile_former_26m", .classes = CLASSES };
    float plain[CLASSES], first[CLASSES], second[CLASSES];
    bool opened = logits_of(&wide, plain);
    for (int i = 0; i < 2; i++) {
        WriteModel stored = wide, rounded = wide;
        stored.dtype = rounded.rounded_to = narrow[i];
        opened = opened && logits_of(&stored, first) && logits_of(&rounded, second);
        tap_ok(opened && same(first, second) && !same(first, plain),
               "%s: as float32 values rounded that way, %.9g, and not %.9g",
               vigil_dtype_name(narrow[i]), (double)first[0], (double)plain[0]);
    }
}

/* What tells the smallest two apart is named when it fits neither. */
static void check_refused(void)
{
    static const struct {
        WriteModel w;
        const char *message;
    } rows[] = {
        { { .variant = "mobile_former_26m", .halve = "features.1.conv1.0.weight" },
          "mobile_former_26m comes closest" },
        { { .variant = "mobile_former_52m", .omit = "tokens.weight" },
          "no tensor 'tokens.weight', which mobile_former_52m needs with shape "
          "[3, 128]" },
        { { .variant = "mobile_former_52m", .extra = "features.0.hyper1.hyper.0.bias" },
          "belongs to nothing in mobile_former_52m" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = rows[i].w;
        VigilError e;
        w.classes = CLASSES;
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model && strstr(e.message, rows[i].message), "'%s'", e.message);
        vigil_model_close(&model);
    }
}

/* ---- Taps -------------------------------------------------------------------------
 */

/* A block gives a map and tokens; the attention of a module has the module's name. */
static void check_pairs(void)
{
    static const char *const same[][2] = {
        { "features.1[0]", "features.1" },
        { "features.1[1]", "features.1.tokens" },
        { "features.1.local_global", "features.1.local_global.attention" },
        { "local_global[0]", "local_global.tokens" },
        { "local_global", "local_global.attention" },
    };
    VigilArchitecture arch;
    VigilNetConfig config = { SIDE, SIDE, CLASSES, 0 };
    VigilNet *net = vigil_find_variant("mobile_former_52m", &arch)
                        ? vigil_describe(&arch, &config, NULL)
                        : NULL;
    for (size_t i = 0; net && i < sizeof same / sizeof *same; i++) {
        VigilValue v = vigil_net_find(net, same[i][0]);
        tap_ok(v != VIGIL_NONE && v == vigil_net_find(net, same[i][1]), "%s is %s",
               same[i][0], same[i][1]);
    }
    tap_ok(net != NULL, "a network of mobile_former_52m");
    vigil_net_free(&net);
}

/* ---- Detectors --------------------------------------------------------------------
 */

static const struct {
    const char *variant, *family, *naming;
    int classes;
} detectors[] = {
    { "retinanet_mobile_former_26m", "retinanet-mobile-former", "mmdetection", 2 },
    { "e2e_mobile_former_151m", "e2e-mobile-former", "vigil", 80 },
};

static void check_detectors(void)
{
    for (size_t i = 0; i < sizeof detectors / sizeof *detectors; i++) {
        WriteModel w = { .variant = detectors[i].variant,
                         .classes = detectors[i].classes,
                         .dtype = VIGIL_F16 };
        VigilError e;
        VigilModel *model = open_written(&w, &e);
        if (!tap_ok(model, "a file of %s: '%s'", w.variant, e.message))
            continue;
        const VigilModelInfo *info = vigil_model_info(model);
        tap_ok(!strcmp(info->variant, w.variant) &&
                   !strcmp(info->family, detectors[i].family) &&
                   !strcmp(info->naming, detectors[i].naming) &&
                   info->task == VIGIL_TASK_DETECTION && info->classes == w.classes &&
                   (info->label_set != NULL) == (w.classes == 80),
               "is %s of %s, %d classes", info->variant, info->family, info->classes);
        tap_ok(info->input.height == 800 && info->input.width == 1344 &&
                   info->input.resize == VIGIL_RESIZE_LETTERBOX &&
                   info->input.filter == VIGIL_FILTER_BILINEAR &&
                   info->input.mean[0] == 0.485f,
               "its input is %d x %d", info->input.height, info->input.width);
        vigil_model_close(&model);
    }
}

static void check_detectors_refused(void)
{
    static const struct {
        WriteModel w;
        const char *message;
    } rows[] = {
        { { .variant = "e2e_mobile_former_151m", .omit = "head.queries.weight" },
          "no tensor 'head.queries.weight', which e2e_mobile_former_151m needs with "
          "shape [100, 256]" },
        { { .variant = "e2e_mobile_former_151m",
            .extra = "head.features.0.lateral.0.weight" },
          "belongs to nothing in e2e_mobile_former_151m" },
        { { .variant = "retinanet_mobile_former_26m",
            .extra = "backbone.local_global.q.bias" },
          "belongs to nothing in retinanet_mobile_former_26m" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = rows[i].w;
        VigilError e;
        w.classes = CLASSES;
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model && strstr(e.message, rows[i].message), "'%s'", e.message);
        vigil_model_close(&model);
    }
}

/* Every attention of backbone and head is there, and the head's maps lie where the
 * backbone's of their size do. */
static void check_head_maps(void)
{
    static const struct {
        const char *of_head, *of_backbone;
    } rows[] = {
        { "head.features.0", "backbone.features.11" },
        { "head.features.5", "backbone.features.8" },
        { "head.features.8", "backbone.features.4" },
    };
    VigilArchitecture arch;
    VigilNetConfig config = { 100, 130, CLASSES, 0 };
    VigilNet *net = vigil_find_variant("e2e_mobile_former_294m", &arch)
                        ? vigil_describe(&arch, &config, NULL)
                        : NULL;
    if (!tap_ok(net, "a network of e2e_mobile_former_294m"))
        return;
    size_t n = vigil_attention_count(net);
    tap_ok(n == 11 * 3 + 9 * 3 + 1, "%zu attentions", n);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilValue a = vigil_net_find(net, rows[i].of_head);
        VigilValue b = vigil_net_find(net, rows[i].of_backbone);
        if (!tap_ok(a != VIGIL_NONE && b != VIGIL_NONE, "%s, %s", rows[i].of_head,
                    rows[i].of_backbone))
            continue;
        VigilGrid g = vigil_net_grid(net, a), h = vigil_net_grid(net, b);
        VigilShape s = vigil_net_shape(net, a), t = vigil_net_shape(net, b);
        tap_ok(s.h == t.h && s.w == t.w && g.y == h.y && g.x == h.x &&
                   g.step_y == h.step_y && g.step_x == h.step_x,
               "%s: %d x %d, from %g, %g every %g, %g", rows[i].of_head, s.h, s.w, g.y,
               g.x, g.step_y, g.step_x);
    }
    vigil_net_free(&net);
}

int main(void)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        if (i < 2)
            check_recognised(i, 1000);
        check_recognised(i, 7);
    }
    check_input();
    check_storage();
    check_held();
    check_refused();
    check_pairs();
    check_detectors();
    check_detectors_refused();
    check_head_maps();
    return tap_done();
}
