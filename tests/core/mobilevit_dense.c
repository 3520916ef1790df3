/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of detectors and segmenters on MobileViT: how they are recognised, and what
 * their backbones look like at each stride. */
#include "backbones/features.h"
#include "core/model.h"
#include "core/recognise.h"
#include "tap.h"
#include "vision/detect.h"
#include "write_model.h"

#include <stdlib.h>
#include <string.h>

/* Out of memory; the model is to be closed before the next call. */
static VigilModel *open_written(const WriteModel *written, VigilError *error)
{
    static unsigned char *bytes;
    VigilModel *model = NULL;
    size_t size;
    free(bytes);
    bytes = written ? write_model(written, &size) : NULL;
    *error = (VigilError) { 0 };
    if (bytes)
        vigil_model_open_memory(bytes, size, "here", &model, error);
    return model;
}

/* ---- Recognising ------------------------------------------------------------------
 */

/* What comes with a checkpoint beside its tensors. */
typedef struct Published {
    const char *family;
    VigilTask task;
    int size;
    VigilChannelOrder order;
    VigilResize resize;
    int shorter;
    VigilFilter filter;
    const VigilDetectRules *detect;
    bool align_corners;
} Published;

#define DETECTS VIGIL_TASK_DETECTION, 320
#define SEGMENTS VIGIL_TASK_SEGMENTATION, 512
#define POINT VIGIL_FILTER_POINT_BILINEAR
#define BILINEAR VIGIL_FILTER_BILINEAR
#define CROP VIGIL_RESIZE_CROP
#define STRETCH VIGIL_RESIZE_STRETCH

static const Published ssd_v1 = {
    "ssd-mobilevit", DETECTS, VIGIL_BGR, STRETCH, 320, POINT, &vigil_detect_cvnets_v1
};
static const Published ssd_v2 = {
    "ssd-mobilevit", DETECTS, VIGIL_RGB, STRETCH, 320, BILINEAR, &vigil_detect_cvnets_v2
};
static const Published deeplabv3_v1 = {
    "deeplabv3-mobilevit", SEGMENTS, VIGIL_BGR, STRETCH, 512, POINT
};
static const Published deeplabv3_v2 = {
    "deeplabv3-mobilevit", SEGMENTS, VIGIL_RGB, STRETCH, 512, BILINEAR,
    .align_corners = true
};
static const Published hf_v1 = {
    "deeplabv3-mobilevit", SEGMENTS, VIGIL_BGR, CROP, 544, BILINEAR
};
static const Published hf_v2 = {
    "deeplabv3-mobilevit", SEGMENTS, VIGIL_BGR, CROP, 544, BILINEAR,
    .align_corners = true
};
static const Published pspnet = {
    "pspnet-mobilevit",   SEGMENTS, VIGIL_RGB, STRETCH, 512, BILINEAR,
    .align_corners = true
};

static const struct {
    WriteModel w;
    const char *network, *label_set;
    const Published *as;
} known[] = {
    { { .variant = "ssd_mobilevit_xxs", .classes = 80 },
      "ssd_mobilevit_xxs@ml-cvnets",
      "coco80",
      &ssd_v1 },
    { { .variant = "ssd_mobilevit_xs", .classes = 1, .prefix = "module." },
      "ssd_mobilevit_xs@ml-cvnets",
      NULL,
      &ssd_v1 },
    { { .variant = "ssd_mobilevitv3_xxs", .classes = 7 },
      "ssd_mobilevitv3_xxs@ml-cvnets",
      NULL,
      &ssd_v1 },
    { { .variant = "ssd_mobilevitv2_050", .classes = 20 },
      "ssd_mobilevitv2_050@ml-cvnets",
      NULL,
      &ssd_v2 },
    { { .variant = "ssd_mobilevitv3_050", .classes = 80 },
      "ssd_mobilevitv3_050@ml-cvnets",
      "coco80",
      &ssd_v2 },
    { { .variant = "deeplabv3_mobilevit_xxs", .classes = 21 },
      "deeplabv3_mobilevit_xxs@ml-cvnets",
      "voc21",
      &deeplabv3_v1 },
    { { .variant = "deeplabv3_mobilevit_xxs@transformers", .classes = 2 },
      "deeplabv3_mobilevit_xxs@transformers",
      NULL,
      &hf_v1 },
    { { .variant = "deeplabv3_mobilevitv3_xxs", .classes = 21 },
      "deeplabv3_mobilevitv3_xxs@ml-cvnets",
      "voc21",
      &deeplabv3_v1 },
    { { .variant = "deeplabv3_mobilevitv2_050_voc",
        .classes = 21,
        .extra = "seg_head.aux_head.2.block.conv.bias" },
      "deeplabv3_mobilevitv2_050_voc@ml-cvnets",
      "voc21",
      &deeplabv3_v2 },
    /* What was trained on the two data sets differs in nothing but the classes. */
    { { .variant = "deeplabv3_mobilevitv2_050_voc@transformers", .classes = 150 },
      "deeplabv3_mobilevitv2_050_ade20k@transformers",
      "ade20k150",
      &hf_v2 },
    { { .variant = "pspnet_mobilevitv2_050_ade20k", .classes = 9 },
      "pspnet_mobilevitv2_050_voc@ml-cvnets",
      NULL,
      &pspnet },
    { { .variant = "pspnet_mobilevitv3_050_voc",
        .classes = 21,
        .metadata = "{\"variant\":\"pspnet_mobilevitv3_050_ade20k\"}" },
      "pspnet_mobilevitv3_050_ade20k@ml-cvnets",
      NULL,
      &pspnet },
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void check_input(const VigilInput *in, const Published *p)
{
    bool plain = true;
    for (int c = 0; c < 3; c++)
        plain = plain && in->mean[c] == 0 && in->std[c] == 1;
    tap_ok(in->height == p->size && in->width == p->size && plain &&
               in->channel_order == p->order && in->resize == p->resize &&
               in->resize_shorter == p->shorter && in->filter == p->filter,
           "%d x %d, order %d, rule %d, shorter side to %d, filter %d, 0 to 1",
           in->height, in->width, in->channel_order, in->resize, in->resize_shorter,
           in->filter);
}

static void check_recognised(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        WriteModel w = known[i].w;
        const Published *p = known[i].as;
        char network[64] = "";
        VigilError e;
        w.dtype = VIGIL_F16;
        VigilModel *model = open_written(&w, &e);
        if (!tap_ok(model, "a file of %s %s", w.variant, e.message))
            continue;
        const VigilModelInfo *info = vigil_model_info(model);
        snprintf(network, sizeof network, "%s@%s", info->variant, info->naming);
        tap_ok(!strcmp(network, known[i].network) && !strcmp(info->family, p->family) &&
                   info->task == p->task && info->classes == w.classes,
               "is %s of family %s, %d classes", network, info->family, info->classes);
        tap_ok(same_text(info->label_set, known[i].label_set), "labels: %s",
               info->label_set ? info->label_set : "not known");
        check_input(&info->input, p);
        tap_ok(model->arch.scheme->detect == p->detect &&
                   model->arch.scheme->align_corners == p->align_corners,
               "what comes after the network");
        vigil_model_close(&model);
    }
}

static void check_refused(void)
{
    static const struct {
        WriteModel w;
        const char *message[2];
    } rows[] = {
        { { .variant = "ssd_mobilevit_xxs",
            .omit = "extra_layers.os_-1.1.block.conv.weight" },
          { "ssd_mobilevit_xxs comes closest",
            "no tensor 'extra_layers.os_-1.1.block.conv.weight'" } },
        { { .variant = "ssd_mobilevit_xxs",
            .halve = "ssd_heads.5.loc_cls_layer.block.conv.weight" },
          { "has shape [16, 64, 1, 1]", "ssd_mobilevit_xxs needs [32, 64, 1, 1]" } },
        { { .variant = "deeplabv3_mobilevit_xxs@transformers",
            .omit = "segmentation_head.aspp.convs.4.conv_1x1.normalization.bias" },
          { "deeplabv3_mobilevit_xxs comes closest",
            "'segmentation_head.aspp.convs.4.conv_1x1.normalization.bias'" } },
        { { .variant = "pspnet_mobilevitv2_050_voc",
            .extra = "seg_head.aspp.aspp_layer.project.block.norm.bias" },
          { "tensor 'seg_head.aspp.aspp_layer.project.block.norm.bias' belongs to "
            "nothing in",
            "pspnet_mobilevitv2_050" } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = rows[i].w;
        VigilError e;
        w.classes = 3;
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model && strstr(e.message, rows[i].message[0]) &&
                   strstr(e.message, rows[i].message[1]),
               "'%s'", e.message);
        vigil_model_close(&model);
    }
}

/* ---- Backbones --------------------------------------------------------------------
 */

static bool same_maps(const char *variant, const char *naming, int output_stride,
                      const int stride[5])
{
    VigilNetConfig config = { .height = 64, .width = 128 };
    VigilNet *net = vigil_net_new(&config);
    VigilFeatures f;
    VigilError e = { 0 };
    bool same = true;
    vigil_mobilevit_features(net, variant, naming, output_stride, &f);
    vigil_net_status(net, &e);
    for (int i = 0; i < 5; i++) {
        VigilShape s = vigil_net_shape(net, f.stage[i]);
        VigilGrid g = vigil_net_grid(net, f.stage[i]);
        same = same && s.h == 64 / stride[i] && s.w == 128 / stride[i] &&
               g.step_y == stride[i] && g.step_x == stride[i];
    }
    vigil_net_free(&net);
    return same && e.status == VIGIL_OK;
}

static void check_strides(void)
{
    static const char *const variants[][2] = { { "mobilevit_xxs", "timm" },
                                               { "mobilevitv2_050", "transformers" },
                                               { "mobilevitv3_xs", "ml-cvnets" },
                                               { "mobilevitv3_075", "ml-cvnets" } };
    static const int whole[] = { 2, 4, 8, 16, 32 }, half[] = { 2, 4, 8, 16, 16 },
                     quarter[] = { 2, 4, 8, 8, 8 };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const char *const *v = variants[i];
        tap_ok(same_maps(v[0], v[1], 32, whole), "%s at stride 32", v[0]);
        tap_ok(same_maps(v[0], v[1], 16, half), "%s at stride 16", v[0]);
        tap_ok(same_maps(v[0], v[1], 8, quarter), "%s at stride 8", v[0]);
    }
}

static void check_no_backbone(void)
{
    static const struct {
        const char *variant, *naming;
        int stride;
        VigilStatus status;
        const char *message;
    } rows[] = {
        { "mobilevit_m", "timm", 32, VIGIL_ERROR_NOT_FOUND, "'mobilevit_m'" },
        { "mobilevitv3_050", "timm", 32, VIGIL_ERROR_NOT_FOUND, "the names of timm" },
        { "mobilevit_s", "timm", 4, VIGIL_ERROR_ARGUMENT,
          "mobilevit_s at stride 4; may be 32, 16 or 8" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilNet *net = vigil_net_new(&(VigilNetConfig) { 64, 64 });
        VigilFeatures f;
        VigilError e = { 0 };
        vigil_mobilevit_features(net, rows[i].variant, rows[i].naming, rows[i].stride,
                                 &f);
        tap_ok(vigil_net_status(net, &e) == rows[i].status &&
                   strstr(e.message, rows[i].message) && f.stage[4] == VIGIL_NONE,
               "'%s'", e.message);
        vigil_net_free(&net);
    }
}

int main(void)
{
    VigilError e;
    check_recognised();
    check_refused();
    check_strides();
    check_no_backbone();
    open_written(NULL, &e);
    return tap_done();
}
