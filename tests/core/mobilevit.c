/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MobileViT's files: who wrote them, how they are recognised, what their taps show. */
#include "core/model.h"
#include "core/op.h"
#include "core/recognise.h"
#include "session.h"
#include "tap.h"
#include "write_model.h"

#include <math.h>
#include <string.h>

#define CLASSES 3

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

/* ---- Recognising ------------------------------------------------------------------
 */

/* Published preprocessing: architectures differ in nothing else that a user sees. */
static const struct {
    const char *network, *family;
    int classes;
    VigilChannelOrder order;
    int shorter;
    VigilFilter filter;
    const char *prefix;
} known[] = {
    { "mobilevit_xxs@timm", "mobilevit", 3, VIGIL_RGB, 284, VIGIL_FILTER_BICUBIC, "" },
    { "mobilevit_xxs@ml-cvnets", "mobilevit", 2, VIGIL_BGR, 288,
      VIGIL_FILTER_POINT_BILINEAR, "module." },
    { "mobilevit_xxs@transformers", "mobilevit", 5, VIGIL_BGR, 288,
      VIGIL_FILTER_BILINEAR, "" },
    { "mobilevit_xs@ml-cvnets", "mobilevit", 1000, VIGIL_BGR, 288,
      VIGIL_FILTER_POINT_BILINEAR, "" },
    { "mobilevit_s@transformers", "mobilevit", 3, VIGIL_BGR, 288, VIGIL_FILTER_BILINEAR,
      "" },
    { "mobilevitv2_050@timm", "mobilevitv2", 1000, VIGIL_RGB, 288, VIGIL_FILTER_BICUBIC,
      "" },
    { "mobilevitv2_050@ml-cvnets", "mobilevitv2", 7, VIGIL_RGB, 288,
      VIGIL_FILTER_BICUBIC, "" },
    { "mobilevitv2_050@transformers", "mobilevitv2", 2, VIGIL_BGR, 288,
      VIGIL_FILTER_BILINEAR, "model." },
    { "mobilevitv2_075@timm", "mobilevitv2", 1, VIGIL_RGB, 288, VIGIL_FILTER_BICUBIC,
      "" },
    { "mobilevitv3_xxs@ml-cvnets", "mobilevitv3", 3, VIGIL_BGR, 288,
      VIGIL_FILTER_POINT_BILINEAR, "" },
    { "mobilevitv3_xxs_l2@ml-cvnets", "mobilevitv3", 3, VIGIL_BGR, 288,
      VIGIL_FILTER_POINT_BILINEAR, "module." },
    { "mobilevitv3_xs_l2@ml-cvnets", "mobilevitv3", 9, VIGIL_BGR, 288,
      VIGIL_FILTER_POINT_BILINEAR, "" },
    { "mobilevitv3_050@ml-cvnets", "mobilevitv3", 1000, VIGIL_RGB, 288,
      VIGIL_FILTER_BICUBIC, "" },
};

static void check_recognised(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        WriteModel w = { .variant = known[i].network,
                         .classes = known[i].classes,
                         .dtype = VIGIL_F16,
                         .prefix = known[i].prefix };
        char network[64] = "";
        VigilError e;
        VigilModel *model = open_written(&w, &e);
        if (!tap_ok(model, "a file of %s %s", w.variant, e.message))
            continue;
        const VigilModelInfo *info = vigil_model_info(model);
        const VigilInput *in = &info->input;
        bool plain = true;
        for (int c = 0; c < 3; c++)
            plain = plain && in->mean[c] == 0 && in->std[c] == 1;
        snprintf(network, sizeof network, "%s@%s", info->variant, info->naming);
        tap_ok(!strcmp(network, w.variant) && !strcmp(info->family, known[i].family) &&
                   info->classes == w.classes && !info->labels == (w.classes != 1000),
               "is %s of family %s, %d classes", network, info->family, info->classes);
        tap_ok(in->height == 256 && in->width == 256 && plain &&
                   in->channel_order == known[i].order &&
                   in->resize == VIGIL_RESIZE_CROP &&
                   in->resize_shorter == known[i].shorter &&
                   in->filter == known[i].filter,
               "order %d, shorter side to %d, filter %d, 0 to 1", in->channel_order,
               in->resize_shorter, in->filter);
        vigil_model_close(&model);
    }
}

static void check_refused(void)
{
    static const struct {
        WriteModel w;
        const char *message[2];
    } rows[] = {
        { { .variant = "mobilevit_xxs@transformers",
            .omit = "mobilevit.encoder.layer.2.transformer.layer.1.attention.attention."
                    "key.weight" },
          { "no tensor "
            "'mobilevit.encoder.layer.2.transformer.layer.1.attention.attention.key."
            "weight'",
            "[64, 64]" } },
        { { .variant = "mobilevit_xxs@transformers",
            .halve =
                "mobilevit.encoder.layer.4.transformer.layer.2.attention.attention."
                "value.bias" },
          { "attention.value.bias' has shape [48]", "mobilevit_xxs needs [96]" } },
        { { .variant = "mobilevitv3_xxs", .omit = "layer_4.1.global_rep.4.bias" },
          { "mobilevitv3_xxs comes closest",
            "no tensor 'layer_4.1.global_rep.4.bias'" } },
        { { .variant = "mobilevitv2_050@timm",
            .halve = "stages.2.1.transformer.0.attn.qkv_proj.weight" },
          { "has shape [64, 64, 1, 1]", "mobilevitv2_050 needs [129, 64, 1, 1]" } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = rows[i].w;
        VigilError e;
        w.classes = CLASSES;
        VigilModel *model = open_written(&w, &e);
        tap_ok(!model && strstr(e.message, rows[i].message[0]) &&
                   strstr(e.message, rows[i].message[1]),
               "'%s'", e.message);
        vigil_model_close(&model);
    }
}

/* ---- Results ----------------------------------------------------------------------
 */

static bool logits_of(const WriteModel *written, int threads, float logits[CLASSES])
{
    VigilError e;
    VigilModel *model = open_written(written, &e);
    memset(logits, 0, CLASSES * sizeof *logits);
    if (!model)
        return tap_ok(false, "a file of %s: %s", written->variant, e.message);
    run_once(model, 56, 88, threads, 5, logits); /* odd maps in layers 4 and 5 */
    vigil_model_close(&model);
    return true;
}

/* Every kind of storage gives what the same values give in float32, and any number of
 * threads what one gives. */
static void check_storage(const char *network)
{
    static const VigilDtype narrow[] = { VIGIL_F16, VIGIL_BF16 };
    WriteModel plain = { .variant = network, .classes = CLASSES };
    float one[CLASSES], four[CLASSES] = { 0 }, stored[CLASSES], rounded[CLASSES];
    bool ran = logits_of(&plain, 1, one) && logits_of(&plain, 4, four);
    tap_ok(ran && isfinite(one[0]) && !memcmp(one, four, sizeof one),
           "%s: 1 and 4 threads give %.9g and %.9g", network, (double)one[0],
           (double)four[0]);
    for (int i = 0; i < 2; i++) {
        WriteModel first = { .variant = network,
                             .classes = CLASSES,
                             .dtype = narrow[i] };
        WriteModel second = { .variant = network,
                              .classes = CLASSES,
                              .rounded_to = narrow[i] };
        ran = logits_of(&first, 2, stored) && logits_of(&second, 2, rounded);
        tap_ok(ran && !memcmp(stored, rounded, sizeof stored) &&
                   memcmp(stored, one, sizeof one),
               "%s in %s: as float32 values rounded that way, %.9g", network,
               vigil_dtype_name(narrow[i]), (double)stored[0]);
    }
}

/* ---- Taps -------------------------------------------------------------------------
 */

/* A layer's own name and that of its last block show the same map. */
static void check_aliases(void)
{
    static const char *const taps[] = { "stages.2", "stages.2.1", "stages.1.2" };
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula("mobilevit_xxs@timm", 0, WRITE_GAIN, CLASSES, &model,
                                 &e)) {
        tap_ok(false, "'%s'", e.message);
        return;
    }
    VigilSessionOptions o = { .input = { .height = 64, .width = 64 },
                              .taps = taps,
                              .n_taps = 3 };
    VigilSession *s = open_filled(model, &o, 1);
    vigil_session_run(s);
    const VigilTensor *layer = vigil_session_tap(s, taps[0]),
                      *block = vigil_session_tap(s, taps[1]);
    tap_ok(layer && block && layer->data == block->data &&
               !strcmp(layer->name, taps[0]) && !strcmp(block->name, taps[1]) &&
               vigil_session_tap(s, taps[2]) && !vigil_session_tap(s, "stages.1"),
           "a layer and its last block are one map under two names");
    vigil_session_close(&s);
    vigil_model_close(&model);
}

/* Whatever a scheme calls its modules, layers are found by one name. */
static void check_common_names(const char *network, const char *stem,
                               const char *layer3)
{
    VigilArchitecture arch;
    VigilNetConfig config = { 64, 64, CLASSES, 0 };
    VigilNet *net = vigil_find_variant(network, &arch)
                        ? vigil_describe(&arch, &config, NULL)
                        : NULL;
    tap_ok(net && vigil_net_find(net, "conv_1") != VIGIL_NONE &&
               vigil_net_find(net, "conv_1") == vigil_net_find(net, stem) &&
               vigil_net_find(net, "layer_3") != VIGIL_NONE &&
               vigil_net_find(net, "layer_3") == vigil_net_find(net, layer3) &&
               !strcmp(vigil_net_own_name(net, "layer_3"), "layer_3"),
           "%s: conv_1 is %s, layer_3 is %s", network, stem, layer3);
    vigil_net_free(&net);
}

/* What the attention weights of layer 4 relate at 240 x 208, where its map is 15 x 13:
 * pixels of the map as it is unfolded. */
static void check_kind(const char *network, const char *tap, VigilAttentionKind kind,
                       VigilShape shape)
{
    VigilArchitecture arch;
    VigilNetConfig config = { 240, 208, CLASSES, 0 };
    VigilError e = { 0 };
    VigilNet *net =
        vigil_find_variant(network, &arch) ? vigil_describe(&arch, &config, &e) : NULL;
    VigilValue v = net ? vigil_net_find(net, tap) : VIGIL_NONE;
    if (tap_ok(v != VIGIL_NONE, "%s has %s %s", network, tap, e.message)) {
        const VigilMap *m = &net->map[v];
        tap_ok(m->kind == kind && m->map_height == 16 && m->map_width == 14 &&
                   m->shape.windows == shape.windows && m->shape.h == shape.h &&
                   m->shape.w == shape.w && m->shape.c == shape.c,
               "[%d][%d][%d][%d] of kind %d over %d x %d", m->shape.windows, m->shape.h,
               m->shape.w, m->shape.c, m->kind, m->map_height, m->map_width);
    }
    vigil_net_free(&net);
}

int main(void)
{
    check_recognised();
    check_refused();
    check_storage("mobilevit_xxs@transformers");
    check_storage("mobilevitv2_050@timm");
    check_storage("mobilevitv3_xxs");
    check_aliases();
    check_common_names("mobilevit_xxs@timm", "stem", "stages.2");
    check_common_names("mobilevitv2_050@ml-cvnets", "conv_1", "layer_3.1");
    check_common_names("mobilevit_xxs@transformers", "mobilevit.conv_stem",
                       "mobilevit.encoder.layer.2");
    check_kind("mobilevit_xxs@timm", "stages.3.1.transformer.0.attn.attention",
               VIGIL_ATTENTION_PATCHES,
               (VigilShape) { .windows = 4, .h = 4, .w = 56, .c = 56 });
    check_kind("mobilevitv3_050", "layer_4.1.global_rep.0.pre_norm_attn.1.attention",
               VIGIL_ATTENTION_SCORES,
               (VigilShape) { .windows = 4, .h = 1, .w = 1, .c = 56 });
    return tap_done();
}
