/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multiplications in bytes: how far from exact, which operations, what files say. */
#include "core/quantise.h"
#include "core/model.h"
#include "op_case.h"
#include "write_model.h"

#include <stdio.h>

/* ---- Ranges of a file -------------------------------------------------------------
 */

/* A file without tensors and with this value of int8_ranges, in JSON's quotes. */
static VigilStatus read_ranges(const char *value, VigilRanges **ranges, VigilError *e)
{
    char bytes[2048];
    VigilSafetensors *file = NULL;
    size_t n =
        (size_t)snprintf(bytes + 8, sizeof bytes - 8,
                         "{\"__metadata__\":{\"" VIGIL_RANGES_KEY "\":\"%s\"}}", value);
    memset(bytes, 0, 8);
    bytes[0] = (char)n;
    bytes[1] = (char)(n >> 8);
    VigilStatus s = vigil_safetensors_open_memory(bytes, n + 8, "test", &file, e);
    if (s == VIGIL_OK)
        s = vigil_ranges_read(file, ranges, e);
    vigil_safetensors_close(&file);
    return s;
}

static void check_reading(void)
{
    static const char *const refused[] = {
        "[]",
        "[[0,1]]",
        "{",
        "{\\\"a\\\":1}",
        "{\\\"a\\\":[1]}",
        "{\\\"a\\\":[-1,1,1]}",
        "{\\\"a\\\":[\\\"0\\\",1]}",
        "{\\\"a\\\":[0.5,1]}",
        "{\\\"a\\\":[-2,-1]}",
        "{\\\"a\\\":[0,0]}",
        "{\\\"a\\\":[-1e-8,1e-8]}",
        "{\\\"a\\\":[0,1000001]}",
        "{\\\"a\\\":[-1e300,1]}",
        "{\\\"a\\\":[0,1e999]}",
        "{\\\"a\\\":[0,NaN]}",
        "{\\\"a\\\":[0,1],\\\"a\\\":[0,1]}",
    };
    VigilRanges *ranges = NULL;
    VigilError e = { 0 };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        VigilStatus s = read_ranges(refused[i], &ranges, &e);
        tap_ok(s == VIGIL_ERROR_FORMAT && !ranges &&
                   !strncmp(e.message, "test: __metadata__ 'int8_ranges'", 32),
               "%s is refused: %s", refused[i], s ? e.message : "it was not");
    }
    tap_ok(
        read_ranges("{\\\"|||b\\\":[-0.5,1],\\\"|||a\\\":[0,1000000],\\\"c\\\":[-3,0]}",
                    &ranges, &e) == VIGIL_OK,
        "ranges are read: %s", e.message);
    const VigilRange *a = vigil_ranges_find(ranges, "|||a"),
                     *b = vigil_ranges_find(ranges, "|||b"),
                     *c = vigil_ranges_find(ranges, "c");
    tap_ok(a && b && c && a->high == 1e6f && b->low == -0.5f && c->low == -3 &&
               !vigil_ranges_find(ranges, "|||") && !vigil_ranges_find(NULL, "c"),
           "ranges are found by their keys");
    tap_ok(vigil_range_zero(*a) == 0 && vigil_range_zero(*b) == 85 &&
               vigil_range_zero(*c) == 255,
           "the byte of 0 lies where the range has it");
    vigil_ranges_free(&ranges);
}

/* ---- One operation ----------------------------------------------------------------
 */

typedef struct Product {
    int h, w, in, out, threads;
    bool residual;
    VigilActivation activation;
} Product;

/* x [h][w][in], then the operation to y, then something else. */
static VigilNet *product_net(const Product *p, VigilStore *store,
                             const VigilRanges *ranges)
{
    static const char *const keep[] = { "x", "y", "r" };
    VigilNetConfig config = { p->h, p->w, 1, 0 };
    VigilNet *net = vigil_net_new(&config);
    VigilError e = { 0 };
    VigilValue x = vigil_net_conv(net, vigil_net_input(net),
                                  &(VigilConv) { .name = "start", .out = p->in });
    VigilValue r = vigil_net_conv(net, x, &(VigilConv) { .name = "r", .out = p->out });
    VigilConv op = { .name = "op", .out = p->out, .bias = true };
    op.activation = p->activation;
    vigil_net_name(net, x, "x");
    vigil_net_name(net, r, "r");
    VigilValue y = vigil_net_conv(net, x, &op);
    if (p->residual)
        y = vigil_net_add(net, r, y);
    vigil_net_output(net, vigil_net_softmax(net, vigil_net_name(net, y, "y")), "out");
    build_check(vigil_net_fuse(net, keep, 3, &e), &e);
    vigil_net_quantise(net, ranges, true);
    build_unmerged_keeping(net, store, keep, 3, p->threads);
    vigil_net_run(net);
    return net;
}

static const float *values(const VigilNet *net, const char *name)
{
    return vigil_net_data(net, vigil_net_find(net, name));
}

/* A range as wide as the values. */
static VigilRanges *range_of(const float *x, size_t n)
{
    float low = 0, high = 0;
    char text[128];
    VigilRanges *ranges = NULL;
    VigilError e = { 0 };
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    snprintf(text, sizeof text, "{\\\"|||op\\\":[%.9g,%.9g]}", (double)low,
             (double)high);
    build_check(read_ranges(text, &ranges, &e), &e);
    return ranges;
}

/*
 * The greatest error as a share of its bound.  With x' and w' for what bytes stand for,
 *     w' x' - w x = w' (x' - x) + (w' - w) x,
 * where x' is off by half a step and w' by half of a 64th of the greatest of its row.
 * Activations here do not stretch.
 */
static double worst_share(const Product *p, const VigilNet *net, double step)
{
    uint64_t shape[] = { (uint64_t)p->out, (uint64_t)p->in, 1, 1 };
    float *w = weights("op.weight", 4, shape), *bias = vector("op", "bias", p->out);
    const float *x = values(net, "x"), *y = values(net, "y"), *r = values(net, "r");
    double worst = 0;
    for (int i = 0; i < p->h * p->w * p->out; i++) {
        const float *row = w + (size_t)(i % p->out) * p->in;
        const float *pixel = x + (size_t)(i / p->out) * p->in;
        double sum = bias[i % p->out], most = 0, bound = 0;
        for (int k = 0; k < p->in; k++)
            most = fmax(most, fabs(row[k]));
        for (int k = 0; k < p->in; k++) {
            sum += (double)row[k] * pixel[k];
            bound +=
                (fabs(row[k]) + most / 128) * step / 2 + fabs(pixel[k]) * most / 128;
        }
        if (p->activation == VIGIL_RELU)
            sum = fmax(sum, 0);
        sum += p->residual ? r[i] : 0;
        worst = fmax(worst, fabs(y[i] - sum) / (bound + 1e-5 * (1 + fabs(sum))));
    }
    free(w);
    free(bias);
    return worst;
}

static bool is_bytes(const VigilNet *net, const char *name)
{
    VigilLayer layer;
    for (size_t i = 0; vigil_net_layer(net, i, &layer); i++)
        if (!strcmp(layer.name, name))
            return !strcmp(layer.kind, "conv 1x1 int8");
    return false;
}

static void check_product(const Product *p)
{
    VigilStore *store = vigil_store_new();
    VigilNet *exact = product_net(p, store, NULL);
    VigilRanges *ranges =
        range_of(values(exact, "x"), (size_t)p->h * p->w * (size_t)p->in);
    VigilNet *net = product_net(p, store, ranges);
    const VigilRange *range = vigil_ranges_find(ranges, "|||op");
    double share = worst_share(p, net, (double)vigil_range_step(*range));
    tap_ok(vigil_net_quantised(exact) == 0 && vigil_net_quantised(net) == 1 &&
               is_bytes(net, "y") && share > 0.01 && share <= 1,
           "%d x %d x %d to %d, activation %d, residual %d: off by %.2f of the bound",
           p->h, p->w, p->in, p->out, (int)p->activation, p->residual, share);
    vigil_net_free(&exact);
    vigil_net_free(&net);
    vigil_ranges_free(&ranges);
    vigil_store_free(&store);
}

static void check_products(void)
{
    static const Product products[] = {
        { 2, 3, 3, 2, 1 },
        { 1, 1, 70, 33, 1, .residual = true },
        { 5, 3, 7, 9, 1, .activation = VIGIL_RELU },
        { 9, 15, 64, 48, 2, .residual = true },
        { 13, 11, 131, 17, 3, true, VIGIL_RELU },
        { 20, 20, 24, 96, 2, .activation = VIGIL_RELU },
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        check_product(&products[i]);
}

/* ---- Chains and threads -----------------------------------------------------------
 */

/* Expanded, spread, brought back: a chain in strips where these are small. */
static VigilNet *block_net(VigilStore *store, const VigilRanges *ranges, size_t strip,
                           int threads)
{
    VigilNetConfig config = { 21, 17, 1, .strip_bytes = strip };
    VigilNet *net = vigil_net_new(&config);
    VigilError e = { 0 };
    VigilValue x =
        vigil_net_conv(net, vigil_net_input(net),
                       &(VigilConv) { .name = "start", .out = 12, .kernel = 3 });
    VigilConv expand = { .name = "expand", .out = 50, .activation = VIGIL_SILU };
    VigilConv spread = { .name = "spread", .kernel = 3, .depthwise = true };
    VigilConv project = { .name = "project", .out = 12 };
    VigilValue y = vigil_net_conv(net, x, &expand);
    y = vigil_net_conv(net, y, &spread);
    y = vigil_net_add(net, x, vigil_net_conv(net, y, &project));
    vigil_net_output(net, vigil_net_softmax(net, y), "out");
    build_check(vigil_net_fuse(net, NULL, 0, &e), &e);
    vigil_net_quantise(net, ranges, true);
    build_unmerged_keeping(net, store, NULL, 0, threads);
    vigil_net_run(net);
    return net;
}

static void check_block(void)
{
    static const char text[] =
        "{\\\"|||expand\\\":[-3,4],\\\"|||project\\\":[-0.7,5],\\\"|||no\\\":[0,1]}";
    VigilStore *store = vigil_store_new();
    VigilRanges *ranges = NULL;
    VigilError e = { 0 };
    build_check(read_ranges(text, &ranges, &e), &e);
    VigilNet *plain = block_net(store, ranges, (size_t)1 << 30, 1);
    const float *want = vigil_net_data(plain, vigil_net_output_at(plain, 0, NULL));
    size_t size =
        vigil_shape_size(vigil_net_shape(plain, vigil_net_output_at(plain, 0, NULL)));
    for (int i = 0; i < 6; i++) {
        size_t strip = (size_t)(i % 2 ? 1 : 6000);
        VigilNet *net = block_net(store, ranges, strip, 1 + i / 2);
        const float *got = vigil_net_data(net, vigil_net_output_at(net, 0, NULL));
        tap_ok(vigil_net_quantised(net) == 2 && !memcmp(got, want, size * sizeof *got),
               "strips of %zu bytes, %d threads: the same bits", strip, 1 + i / 2);
        vigil_net_free(&net);
    }
    vigil_net_free(&plain);
    vigil_ranges_free(&ranges);
    vigil_store_free(&store);
}

/* ---- Whole models -----------------------------------------------------------------
 */

enum { CLASSES = 9, SIDE = 64 };

static VigilModel *open_model(const char *metadata, VigilStatus *status, VigilError *e)
{
    static unsigned char *bytes;
    const WriteModel w = { .variant = "EMO_1M",
                           .classes = CLASSES,
                           .metadata = metadata };
    VigilModel *model = NULL;
    size_t size;
    free(bytes);
    bytes = metadata ? write_model(&w, &size) : NULL;
    *e = (VigilError) { 0 };
    if (bytes)
        *status = vigil_model_open_memory(bytes, size, "here", &model, e);
    return model;
}

static VigilSession *open_session(VigilModel *model, VigilPrecision precision,
                                  bool calibrate)
{
    VigilSessionOptions o = { .input = { .height = SIDE, .width = SIDE },
                              .threads = 2,
                              .precision = precision,
                              .calibrate = calibrate };
    VigilSession *session = open_filled(model, &o, 3);
    vigil_session_run(session);
    return session;
}

/* Ranges from the picture that all sessions here see, escaped for __metadata__. */
static char *calibrate(const char *precision)
{
    VigilStatus status;
    VigilError e;
    char *json = NULL, *text = NULL;
    size_t bytes = 0;
    VigilModel *model = open_model("{}", &status, &e);
    build_check(status, &e);
    VigilSession *session = open_session(model, VIGIL_PRECISION_AUTO, true);
    build_check(vigil_session_ranges(session, &json, &e), &e);
    FILE *out = open_memstream(&text, &bytes);
    fprintf(out, "{\"precision\":\"%s\",\"" VIGIL_RANGES_KEY "\":\"", precision);
    for (const char *c = json; *c; c++)
        fprintf(out, *c == '"' ? "\\\"" : "%c", *c);
    fprintf(out, "\"}");
    fclose(out);
    free(json);
    vigil_session_close(&session);
    vigil_model_close(&model);
    return text;
}

/* Distance of the logits of two sessions, as a share of their size. */
static double apart(const VigilSession *a, const VigilSession *b)
{
    const float *x = vigil_session_output(a, 0)->data,
                *y = vigil_session_output(b, 0)->data;
    double sum = 0, size = 0;
    for (int i = 0; i < CLASSES; i++) {
        sum += (x[i] - y[i]) * (double)(x[i] - y[i]);
        size += (double)x[i] * x[i];
    }
    return sqrt(sum / size);
}

/* With layers in bytes only where the level has kernels that pay. */
static void check_calibrated(void)
{
    char *metadata = calibrate("int8");
    VigilStatus status;
    VigilError e;
    int layers = -1, none = -1;
    VigilModel *model = open_model(metadata, &status, &e);
    build_check(status, &e);
    const VigilModelInfo *info = vigil_model_info(model);
    tap_ok(info->calibrated && info->precision == VIGIL_PRECISION_INT8 &&
               info->precision_origin == VIGIL_ORIGIN_METADATA,
           "a calibrated file says what it is");
    VigilSession *bytes = open_session(model, VIGIL_PRECISION_AUTO, false),
                 *floats = open_session(model, VIGIL_PRECISION_FLOAT32, false);
    bool pays = vigil_kernels()->bytes_pay(560, 168);
    VigilPrecision in_bytes = vigil_session_precision(bytes, &layers),
                   in_floats = vigil_session_precision(floats, &none);
    tap_ok(in_bytes == VIGIL_PRECISION_INT8 && in_floats == VIGIL_PRECISION_FLOAT32 &&
               (layers > 0) == pays && !none,
           "%d layers in bytes at the level %s", layers, vigil_isa());
    double distance = apart(floats, bytes);
    tap_ok(pays ? distance > 0 && distance < 0.1 : distance == 0,
           "logits are apart by %.3g of their size", distance);
    vigil_session_close(&bytes);
    vigil_session_close(&floats);
    vigil_model_close(&model);
    free(metadata);
}

static void check_refused(void)
{
    VigilStatus status;
    VigilError e;
    VigilSession *session = NULL;
    VigilSessionOptions o = { .precision = VIGIL_PRECISION_INT8 };
    VigilModel *model = open_model("{}", &status, &e);
    build_check(status, &e);
    tap_ok(!vigil_model_info(model)->calibrated &&
               vigil_model_info(model)->precision == VIGIL_PRECISION_FLOAT32 &&
               vigil_model_info(model)->precision_origin == VIGIL_ORIGIN_SCHEME,
           "a file that says nothing is float32");
    status = vigil_session_open(model, &o, &session, &e);
    tap_ok(status == VIGIL_ERROR_ARGUMENT && !session && strstr(e.message, "here") &&
               strstr(e.message, "vigil-model calibrate"),
           "int8 needs calibration: %s", e.message);
    o.precision = 3;
    status = vigil_session_open(model, &o, &session, &e);
    tap_ok(status == VIGIL_ERROR_ARGUMENT && strstr(e.message, "precision 3"),
           "precision 3 is refused: %s", e.message);
    vigil_model_close(&model);
    model = open_model("{\"precision\":\"int8\"}", &status, &e);
    tap_ok(!model && status == VIGIL_ERROR_FORMAT && strstr(e.message, "'precision'"),
           "int8 without ranges is refused: %s", e.message);
    model = open_model("{\"precision\":\"int4\"}", &status, &e);
    tap_ok(!model && status == VIGIL_ERROR_FORMAT && strstr(e.message, "int4"),
           "int4 is refused: %s", e.message);
    model = open_model("{\"precision\":\"float32\"}", &status, &e);
    tap_ok(model && vigil_model_info(model)->precision_origin == VIGIL_ORIGIN_METADATA,
           "float32 may be said");
    o = (VigilSessionOptions) { .threads = 1 };
    build_check(vigil_session_open(model, &o, &session, &e), &e);
    char *json;
    tap_ok(vigil_session_ranges(session, &json, &e) == VIGIL_ERROR_ARGUMENT && !json,
           "nothing was counted: %s", e.message);
    vigil_session_close(&session);
    vigil_model_close(&model);
    open_model(NULL, &status, &e);
}

int main(void)
{
    check_reading();
    check_products();
    check_block();
    check_calibrated();
    check_refused();
    return tap_done();
}
