/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening models: what weight files may hold, how they are recognised and refused. */
#include "core/model.h"
#include "session.h"
#include "tap.h"
#include "write_model.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASSES 3
#define SIDE 40

/* Out of memory, which is faster; the model is to be closed before the next call. */
static VigilModel *open_written(const WriteModel *written, VigilStatus *status,
                                VigilError *error)
{
    static unsigned char *bytes;
    VigilModel *model = NULL;
    size_t size;
    free(bytes);
    bytes = write_model(written, &size);
    *error = (VigilError) { 0 };
    *status = vigil_model_open_memory(bytes, size, "here", &model, error);
    return model;
}

static VigilModel *open_formula(const char *variant, int classes)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula(variant, 0, WRITE_GAIN, classes, &model, &e)) {
        printf("Bail out! %s: %s\n", variant, e.message);
        exit(1);
    }
    return model;
}

/* ---- Files that open ------------------------------------------------------------- */

static bool logits_of(const WriteModel *written, float logits[CLASSES])
{
    VigilStatus status;
    VigilError e;
    VigilModel *model = open_written(written, &status, &e);
    memset(logits, 0, CLASSES * sizeof *logits);
    if (!model) {
        tap_ok(false, "a file of %s: %s", vigil_dtype_name(written->dtype), e.message);
        return false;
    }
    run_once(model, SIDE, SIDE, 1, 5, logits);
    vigil_model_close(&model);
    return true;
}

static bool same(const float *a, const float *b)
{
    return isfinite(a[0]) && a[0] != 0 && !memcmp(a, b, CLASSES * sizeof *a);
}

/* Every kind of storage gives what the same values give in float32. */
static void check_storage(void)
{
    static const VigilDtype narrow[] = { VIGIL_F16, VIGIL_BF16 };
    WriteModel w = { .variant = "EMO_1M", .classes = CLASSES };
    float plain[CLASSES], wide[CLASSES], formula[CLASSES];
    VigilModel *model = open_formula("EMO_1M", CLASSES);
    run_once(model, SIDE, SIDE, 1, 5, formula);
    vigil_model_close(&model);
    tap_ok(logits_of(&w, plain) && same(plain, formula),
           "F32: the file of the formula's values is the formula's model");
    w.dtype = VIGIL_F64;
    tap_ok(logits_of(&w, wide) && same(wide, plain),
           "F64: the same values, bit by bit");
    for (int i = 0; i < 2; i++) {
        WriteModel rounded = { .variant = "EMO_1M",
                               .classes = CLASSES,
                               .rounded_to = narrow[i] };
        float first[CLASSES], second[CLASSES];
        w.dtype = narrow[i];
        bool opened = logits_of(&w, first) && logits_of(&rounded, second);
        tap_ok(opened && same(first, second) && memcmp(first, plain, sizeof plain),
               "%s: as float32 values rounded that way, %.9g, and not %.9g",
               vigil_dtype_name(narrow[i]), (double)first[0], (double)plain[0]);
    }
}

static void check_prefixes(void)
{
    static const char *const prefixes[] = { "module.", "model." };
    WriteModel w = { .variant = "EMO_1M", .classes = CLASSES };
    float plain[CLASSES], other[CLASSES];
    logits_of(&w, plain);
    for (int i = 0; i < 2; i++) {
        w.prefix = prefixes[i];
        tap_ok(logits_of(&w, other) && same(other, plain),
               "tensors may begin with '%s'", w.prefix);
    }
}

static void check_info(void)
{
    VigilError e = { 0 };
    VigilModel *model = NULL;
    WriteModel w = { .variant = "EMO_2M",
                     .classes = CLASSES,
                     .counter = "stage1.0.norm.num_batches_tracked" };
    char *path = write_model_file(&w);
    VigilStatus status = vigil_model_open(path, &model, &e);
    unlink(path);
    if (!tap_ok(status == VIGIL_OK, "a file of EMO_2M with a counter: '%s'", e.message))
        return;
    const VigilModelInfo *info = vigil_model_info(model);
    tap_ok(!strcmp(info->family, "emo") && !strcmp(info->variant, "EMO_2M") &&
               !strcmp(info->naming, "official") && info->classes == CLASSES &&
               !strcmp(info->file, path) && !info->labels && !info->label_set,
           "an %s of %d classes, without labels", info->variant, info->classes);
    tap_ok(info->parameters == 2377472 - 997 * 201,
           "%llu parameters: the published 2377472 without 997 classes",
           (unsigned long long)info->parameters);
    /* Norms vanish in merging, panels are padded. */
    tap_ok(info->memory_bytes > 4 * info->parameters * 9 / 10 &&
               info->memory_bytes < 4 * info->parameters * 5 / 4,
           "%zu bytes of packed weights for %llu of parameters", info->memory_bytes,
           4 * (unsigned long long)info->parameters);
    float logits[CLASSES];
    run_once(model, SIDE, SIDE, 1, 5, logits);
    tap_ok(isfinite(logits[0]), "it runs, though its file is gone: %.6g",
           (double)logits[0]);
    free(path);
    vigil_model_close(&model);
    tap_ok(!model, "closing clears the pointer");
    vigil_model_close(&model);
    vigil_model_close(NULL);
}

static void check_classes(void)
{
    static const int counts[] = { 1, 2, 10, 1000, 1001 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        WriteModel w = { .variant = "EMO_1M",
                         .classes = counts[i],
                         .dtype = VIGIL_F16 };
        VigilStatus status;
        VigilError e;
        VigilModel *model = open_written(&w, &status, &e);
        const VigilModelInfo *info = model ? vigil_model_info(model) : NULL;
        bool known = info && info->label_set && !strcmp(info->label_set, "imagenet1k");
        tap_ok(info && info->classes == counts[i] && known == (counts[i] == 1000) &&
                   (info->labels != NULL) == known,
               "%d classes%s %s", counts[i], known ? ", of ImageNet" : "", e.message);
        vigil_model_close(&model);
    }
}

/* ---- Metadata -------------------------------------------------------------------- */

static void check_labels(void)
{
    static const struct {
        const char *what, *metadata, *message;
    } rows[] = {
        { "as many as classes",
          "{\"labels\":\"[\\\"a b\\\",\\\"\xc3\xa9\\\",\\\"\\\"]\"}", NULL },
        { "too few", "{\"labels\":\"[\\\"a\\\",\\\"b\\\"]\"}",
          "'labels' has 2 names for 3 classes" },
        { "too many", "{\"labels\":\"[\\\"a\\\",\\\"b\\\",\\\"c\\\",\\\"d\\\"]\"}",
          "'labels' has 4 names for 3 classes" },
        { "none", "{\"labels\":\"[]\"}", "'labels' has 0 names for 3 classes" },
        { "a number", "{\"labels\":\"[\\\"a\\\",7,\\\"c\\\"]\"}",
          "'labels': entry 1 is not a string" },
        { "not JSON", "{\"labels\":\"a,b,c\"}", "'labels' is not valid JSON" },
        { "an object", "{\"labels\":\"{\\\"0\\\":\\\"a\\\"}\"}",
          "'labels' is not a JSON array" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        WriteModel w = { .variant = "EMO_1M",
                         .classes = CLASSES,
                         .metadata = rows[i].metadata };
        VigilStatus status;
        VigilError e;
        VigilModel *model = open_written(&w, &status, &e);
        if (rows[i].message) {
            tap_ok(status == VIGIL_ERROR_FORMAT && !model &&
                       strstr(e.message, rows[i].message),
                   "labels, %s: '%s'", rows[i].what, e.message);
            continue;
        }
        const VigilModelInfo *info = model ? vigil_model_info(model) : NULL;
        tap_ok(info && !strcmp(info->label_set, "metadata") &&
                   !strcmp(info->labels[0], "a b") &&
                   !strcmp(info->labels[1], "\xc3\xa9") && !*info->labels[2],
               "labels, %s: %s", rows[i].what, e.message);
        vigil_model_close(&model);
    }
}

static void check_window(void)
{
    static const char *const bad[] = { "1", "65", "seven", "", "7 ", "1e1" };
    WriteModel w = { .variant = "EMO_1M", .classes = CLASSES };
    float own[CLASSES], seven[CLASSES], two[CLASSES] = { 0 };
    char metadata[64];
    logits_of(&w, own);
    w.metadata = "{\"window\":\"7\"}";
    tap_ok(logits_of(&w, seven) && same(seven, own), "window 7 is the variant's own");
    w.metadata = "{\"window\":\"2\"}";
    bool opened = logits_of(&w, two);
    tap_ok(opened && isfinite(two[0]) && !same(two, own),
           "window 2 is another network: %.6g, %.6g", (double)two[0], (double)own[0]);
    w.metadata = metadata;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        VigilStatus status;
        VigilError e;
        snprintf(metadata, sizeof metadata, "{\"window\":\"%s\"}", bad[i]);
        VigilModel *model = open_written(&w, &status, &e);
        tap_ok(!model && status == VIGIL_ERROR_FORMAT &&
                   strstr(e.message, "'window' is '") &&
                   strstr(e.message, "should be a whole number from 2 to 64"),
               "window '%s': '%s'", bad[i], e.message);
        vigil_model_close(&model);
    }
}

/* ---- Files that are refused ------------------------------------------------------ */

static const struct {
    WriteModel w; /* variant and classes are filled in where there are none */
    VigilStatus status;
    const char *message[3];
} refused[] = {
    { { .omit = "stage2.1.v.conv.weight" },
      VIGIL_ERROR_UNSUPPORTED,
      { "fits no network; EMO_1M comes closest", "no tensor 'stage2.1.v.conv.weight'",
        "with shape [120, 48, 1, 1]" } },
    { { .halve = "stage3.4.proj.conv.weight" },
      VIGIL_ERROR_UNSUPPORTED,
      { "EMO_1M comes closest", "'stage3.4.proj.conv.weight' has shape [40, 240, 1, 1]",
        "EMO_1M needs [80, 240, 1, 1]" } },
    { { .prefix = "module.", .halve = "norm.norm.bias" },
      VIGIL_ERROR_UNSUPPORTED,
      { "EMO_1M comes closest", "'module.norm.norm.bias' has shape [84]",
        "EMO_1M needs [168]" } },
    { { .variant = "EMO_5M", .halve = "stage1.0.norm.weight" },
      VIGIL_ERROR_UNSUPPORTED,
      { "EMO_5M comes closest", "has shape [12]", "EMO_5M needs [24]" } },
    { { .omit = "head.weight" },
      VIGIL_ERROR_UNSUPPORTED,
      { "EMO_1M comes closest", "no tensor 'head.weight'", "[1000, 168]" } },
    { { .halve = "head.bias", .classes = 10 },
      VIGIL_ERROR_UNSUPPORTED,
      { "EMO_1M comes closest", "'head.bias' has shape [5]", "needs [10]" } },
    { { .integers = "stage1.1.norm.bias" },
      VIGIL_ERROR_UNSUPPORTED,
      { "'stage1.1.norm.bias' has type I32", "F16, BF16, F32 or F64" } },
    { { .extra = "distill.weight" },
      VIGIL_ERROR_SHAPE,
      { "tensor 'distill.weight' belongs to nothing in EMO_1M" } },
    { { .extra = "stage1.0.v.conv.weight2\\n\\u001b[2J" },
      VIGIL_ERROR_SHAPE,
      { "tensor 'stage1.0.v.conv.weight2??[2J' belongs to nothing" } },
    { { .prefix = "module.", .extra = "head.weight" },
      VIGIL_ERROR_SHAPE,
      { "tensor 'head.weight' belongs to nothing" } },
    { { .spoil = "stage3.0.v.conv.weight", .spoilt = INFINITY },
      VIGIL_ERROR_FORMAT,
      { "'stage3.0.v.conv.weight' has the value inf", "13823 of 13824",
        "not finite" } },
    { { .spoil = "head.bias", .spoilt = NAN },
      VIGIL_ERROR_FORMAT,
      { "'head.bias' has the value", "at element 2 of 3" } },
    { { .spoil = "stage3.2.v.conv.bias", .spoilt = 70000, .dtype = VIGIL_F16 },
      VIGIL_ERROR_FORMAT,
      { "'stage3.2.v.conv.bias' has the value inf", "at element 239 of 240" } },
    { { .spoil = "head.weight", .spoilt = -1e30f, .dtype = VIGIL_F16 },
      VIGIL_ERROR_FORMAT,
      { "'head.weight' has the value -inf", "at element 503 of 504" } },
    { { .spoil = "stage1.0.norm.running_var", .spoilt = -0.5f },
      VIGIL_ERROR_FORMAT,
      { "'stage1.0.norm.running_var' has the value -0.5 at element 23 of 24, which is "
        "not a variance" } },
};

static void check_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        WriteModel w = refused[i].w;
        VigilStatus status;
        VigilError e;
        w.variant = w.variant ? w.variant : "EMO_1M";
        w.classes = w.classes ? w.classes : CLASSES;
        VigilModel *model = open_written(&w, &status, &e);
        bool told = !strncmp(e.message, "here: ", 6);
        for (int k = 0; k < 3 && refused[i].message[k]; k++)
            told = told && strstr(e.message, refused[i].message[k]);
        tap_ok(!model && status == refused[i].status && e.status == status && told,
               "status %d, '%s'", status, e.message);
        vigil_model_close(&model);
    }
}

/* What training leaves behind may be ignored by the beginning of its name. */
static void check_ignored(void)
{
    static const char *const ignored[] = { "head.", "teacher." };
    WriteModel w = {
        .variant = "EMO_1M", .classes = 1, .prefix = "module.", .extra = "teacher.bias"
    };
    VigilSafetensors *file = NULL;
    VigilError e = { 0 };
    size_t size;
    unsigned char *bytes = write_model(&w, &size);
    if (vigil_safetensors_open_memory(bytes, size, "here", &file, &e)) {
        tap_ok(false, "'%s'", e.message);
        return;
    }
    VigilSource *source = vigil_source_file(file, "module.");
    VigilBinder binder = { .source = source, .what = "a test" };
    const VigilStored *t = vigil_safetensors_at(file, 0);
    for (size_t i = 0; (t = vigil_safetensors_at(file, i)); i++)
        if (!strstr(t->name, ".head.") && !strstr(t->name, "teacher"))
            vigil_bind_tensor(&binder, t->name + 7, t->rank, t->shape);
    t = vigil_source_leftover(source, NULL, 0);
    tap_ok(!binder.missed && t && !strcmp(t->name, "module.head.weight"),
           "the first that is left over is '%s'", t ? t->name : "none");
    t = vigil_source_leftover(source, ignored, 1);
    tap_ok(t && !strcmp(t->name, "teacher.bias"),
           "without 'head.', after the prefix, it is '%s'", t ? t->name : "none");
    t = vigil_source_leftover(source, ignored, 2);
    tap_ok(!t, "without 'teacher.', outside of the prefix, there is %s",
           t ? t->name : "none");
    vigil_source_free(&source);
    vigil_safetensors_close(&file);
    free(bytes);
}

static void check_memory(void)
{
    static const char other[] = "\x3a\0\0\0\0\0\0\0{\"a\\n\":{\"dtype\":\"F32\","
                                "\"shape\":[1],\"data_offsets\":[0,4]}}  \0\0\0";
    WriteModel w = { .variant = "EMO_1M", .classes = 1 };
    VigilModel *model = NULL;
    VigilError e = { 0 };
    size_t size;
    unsigned char *bytes = write_model(&w, &size);
    tap_ok(!vigil_model_open_memory(bytes, size, "here", &model, &e) && model &&
               !strcmp(vigil_model_info(model)->file, "here"),
           "a model out of memory: '%s'", e.message);
    vigil_model_close(&model);
    tap_ok(vigil_model_open_memory(bytes, size - 1, "here", &model, &e) ==
                   VIGIL_ERROR_FORMAT &&
               !model,
           "one byte short: '%s'", e.message);
    free(bytes);
    tap_ok(vigil_model_open_memory(other, sizeof other, "here", &model, &e) ==
                   VIGIL_ERROR_UNSUPPORTED &&
               !strcmp(e.message,
                       "here: no network here has tensors like these (the first is "
                       "'a?'); 'vigil-model list' tells what there is"),
           "another file: '%s'", e.message);
    tap_ok(vigil_model_open_memory("\2\0\0\0\0\0\0\0{}", 10, "here", &model, &e) ==
                   VIGIL_ERROR_UNSUPPORTED &&
               !strcmp(e.message, "here: there are no tensors"),
           "an empty file: '%s'", e.message);
}

/* ---- Names of shipped models ----------------------------------------------------- */

static char folder[] = "/tmp/vigil-models-XXXXXX";

static void check_lookup(const char *name, const char *found)
{
    VigilModel *model = NULL;
    VigilError e = { 0 };
    VigilStatus status = vigil_model_open(name, &model, &e);
    tap_ok(!status && !strcmp(vigil_model_info(model)->file, found), "%s is found %s",
           !name               ? "the default"
           : strchr(name, '/') ? "a path"
                               : name,
           e.message);
    vigil_model_close(&model);
}

static void check_missing(const char *name, const char *message)
{
    VigilModel *model = NULL;
    VigilError e = { 0 };
    VigilStatus status = vigil_model_open(name, &model, &e);
    if (!name && !status)
        tap_skip("a default model is installed: %s", vigil_model_info(model)->file);
    else
        tap_ok(status == VIGIL_ERROR_NOT_FOUND && !model && strstr(e.message, message),
               "status %d, %s ...", status, message);
    vigil_model_close(&model);
}

static void check_shipped(void)
{
    WriteModel w = { .variant = "EMO_1M", .classes = 1, .dtype = VIGIL_F16 };
    char path[128], other[128], search[128];
    char *file = write_model_file(&w);
    if (!mkdtemp(folder)) {
        tap_ok(false, "no folder %s", folder);
        return;
    }
    snprintf(path, sizeof path, "%s/cameras10-emo-1m.safetensors", folder);
    snprintf(search, sizeof search, "/nowhere::%s", folder);
    setenv("VIGIL_MODEL_PATH", search, 1);
    check_missing(NULL,
                  "no model file 'cameras10-emo-1m', and no shipped model of that "
                  "name in /nowhere::/tmp/vigil-models-");
    check_missing("", "no model file ''");
    check_missing("no-such\x7fmodel", "no model file 'no-such?model'");
    check_missing("./no-such", "./no-such: no such file");
    tap_ok(!rename(file, path), "the default is put there");
    check_lookup(NULL, path);
    check_lookup("cameras10-emo-1m", path);
    check_lookup("cameras10-emo-1m.safetensors", path);
    check_lookup(path, path);
    snprintf(other, sizeof other, "%s/a-folder", folder);
    mkdir(other, 0700);
    check_missing("a-folder", "no model file 'a-folder'");
    unsetenv("VIGIL_MODEL_PATH");
    check_missing("no-such-model", "no shipped model of that name in /");
    rmdir(other);
    unlink(path);
    rmdir(folder);
    free(file);
}

/* ---- Formula models, variants ---------------------------------------------------- */

static void check_formula(void)
{
    static const struct {
        const char *variant;
        double gain;
        int classes;
        VigilStatus status;
        const char *message;
    } rows[] = {
        { "EMO_7M", 1, 10, VIGIL_ERROR_NOT_FOUND, "no variant 'EMO_7M'" },
        { "emo_1m", 1, 10, VIGIL_ERROR_NOT_FOUND, "no variant 'emo_1m'" },
        { "EMO_1M", 1, 0, VIGIL_ERROR_ARGUMENT, "0 classes; may be 1 to 65536" },
        { "EMO_1M", 1, 65537, VIGIL_ERROR_ARGUMENT, "65537 classes" },
        { "EMO_1M", INFINITY, 10, VIGIL_ERROR_ARGUMENT, "a gain of inf" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilModel *model = NULL;
        VigilError e;
        VigilStatus status = vigil_model_open_formula(rows[i].variant, 0, rows[i].gain,
                                                      rows[i].classes, &model, &e);
        tap_ok(!model && status == rows[i].status && e.status == status &&
                   strstr(e.message, rows[i].message),
               "status %d, '%s'", status, e.message);
        status = vigil_model_open_formula(rows[i].variant, 0, rows[i].gain,
                                          rows[i].classes, &model, NULL);
        tap_ok(!model && status == rows[i].status, "the same without an error");
    }
}

static void check_variants(void)
{
    VigilVariant v = { .name = "" };
    VigilError e;
    size_t n = vigil_variant_count(), i = 0;
    VigilStatus status = VIGIL_OK;
    for (; i < n && status == VIGIL_OK && strcmp(v.name, "EMO_1M"); i++)
        status = vigil_variant_get(i, &v, &e);
    tap_ok(status == VIGIL_OK && n >= 4 && i <= n && v.parameters == 1361168 &&
               v.height == 224 && !strcmp(v.name, "EMO_1M"),
           "number %zu of %zu variants is %s of %llu parameters", i, n, v.name,
           (unsigned long long)v.parameters);
    tap_ok(vigil_variant_get(n, &v, &e) == VIGIL_ERROR_ARGUMENT &&
               strstr(e.message, "there are"),
           "past the last: '%s'", e.message);
}

int main(void)
{
    check_storage();
    check_prefixes();
    check_info();
    check_classes();
    check_labels();
    check_window();
    check_refused();
    check_ignored();
    check_memory();
    check_shipped();
    check_formula();
    check_variants();
    return tap_done();
}
