/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenario.h"

#include "core/json.h"
#include "core/safetensors.h"
#include "core/write_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- JSON whose tokens grow in every place --------------------------------------- */

static VigilStatus json(uint64_t *digest, VigilError *error)
{
    static const char text[] =
        "[12345678901234567,{\"a\\u00e9\\nkey of more than sixteen "
        "bytes\":[-1.5e-300]},"
        "\"\\ud83d\\ude00 and then some more text until it is long enough\",true,"
        "-0.12345678901234567890123456789012345678901234567890123456789012345678901]";
    json_t *value;
    VigilStatus status = vigil_json_parse(text, strlen(text), "text", &value, error);
    if (status)
        return status;
    char again[400];
    size_t length = json_dumpb(value, again, sizeof again, JSON_COMPACT);
    json_decref(value);
    if (!length || length > sizeof again) /* writing needs memory, too */
        return vigil_fail_memory(error, sizeof again, "text");
    *digest = digest_bytes(1, again, length);
    return VIGIL_OK;
}

/* ---- A weight file: 24 tensors of four kinds, metadata -------------------------- */

#define TENSORS 24

/* Written at the first run, which is not counted. */
static const char *weight_file(void)
{
    static char path[64];
    static const char *const dtypes[] = { "F32", "F16", "BF16", "F64" };
    static const int sizes[] = { 4, 2, 2, 8 };
    static char header[8192];
    if (*path)
        return path;
    size_t used = (size_t)sprintf(header, "{\"__metadata__\":{\"family\":\"emo\"}");
    size_t end = 0;
    for (int i = 0; i < TENSORS; i++) {
        size_t begin = end;
        end += 24 * (size_t)sizes[i % 4];
        used += (size_t)sprintf(header + used,
                                ",\"stage%d.a_name_longer_than_sixteen_bytes.weight\":"
                                "{\"dtype\":\"%s\",\"shape\":[2,3,4],\"data_offsets\":"
                                "[%zu,%zu]}",
                                i, dtypes[i % 4], begin, end);
    }
    used += (size_t)sprintf(header + used, "}");
    strcpy(path, "/tmp/vigil-faults-XXXXXX");
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    uint64_t length = used;
    if (!f || fwrite(&length, 8, 1, f) != 1 || fwrite(header, used, 1, f) != 1)
        exit(2);
    for (size_t i = 0; i < end; i++)
        fputc((int)(i * 7 % 64), f);
    if (fclose(f))
        exit(2);
    return path;
}

static void remove_weight_file(void)
{
    unlink(weight_file());
}

static VigilStatus read_all(const VigilSafetensors *file, uint64_t *digest,
                            VigilError *error)
{
    *digest = digest_bytes(1, vigil_safetensors_metadata(file, "family"), 4);
    for (size_t i = 0; i < vigil_safetensors_count(file); i++) {
        float values[24];
        const VigilStored *tensor = vigil_safetensors_at(file, i);
        VigilStatus status = vigil_safetensors_read(file, tensor, values, error);
        if (status)
            return status;
        *digest = digest_bytes(*digest, tensor->name, strlen(tensor->name));
        *digest = digest_bytes(*digest, values, sizeof values);
    }
    return VIGIL_OK;
}

static VigilStatus safetensors(uint64_t *digest, VigilError *error)
{
    static bool registered;
    VigilSafetensors *file;
    const char *path = weight_file();
    if (!registered)
        registered = !atexit(remove_weight_file);
    VigilStatus status = vigil_safetensors_open(path, &file, error);
    if (status)
        return status;
    status = read_all(file, digest, error);
    vigil_safetensors_close(&file);
    return status;
}

/* ---- A network: model, session, one run ----------------------------------------- */

static VigilStatus use_session(VigilModel *model, const char *tap, uint64_t *digest,
                               VigilError *error)
{
    const VigilSessionOptions options = { .input = { .height = 32, .width = 32 },
                                          .taps = &tap,
                                          .n_taps = 1 };
    VigilSession *session;
    VigilStatus status = vigil_session_open(model, &options, &session, error);
    if (status)
        return status;
    float *input = vigil_session_input(session);
    for (int i = 0; i < 32 * 32 * 3; i++)
        input[i] = (float)(i % 7) / 8;
    vigil_session_run(session);
    const VigilTensor *logits = vigil_session_output(session, 0);
    *digest = digest_bytes(1, logits->data, (size_t)logits->shape[0] * sizeof(float));
    vigil_session_close(&session);
    return VIGIL_OK;
}

static VigilStatus use_formula(const char *variant, const char *tap, uint64_t *digest,
                               VigilError *error)
{
    VigilModel *model;
    VigilStatus status = vigil_model_open_formula(variant, 1, 1.25, 3, &model, error);
    if (status)
        return status;
    status = use_session(model, tap, digest, error);
    vigil_model_close(&model);
    return status;
}

static VigilStatus formula(uint64_t *digest, VigilError *error)
{
    return use_formula("EMO_1M", "stage2.1", digest, error);
}

/* Tokens, and convolutions in groups. */
static VigilStatus grouped(uint64_t *digest, VigilError *error)
{
    return use_formula("mobile_former_26m", "features.2", digest, error);
}

/* Counts the values of a session of EMO_1M and hands out their ranges. */
static VigilStatus count_ranges(VigilModel *model, char **json, VigilError *error)
{
    const VigilSessionOptions options = { .input = { .height = 32, .width = 32 },
                                          .calibrate = true };
    VigilSession *session;
    VigilStatus status = vigil_session_open(model, &options, &session, error);
    if (status)
        return status;
    for (int i = 0; i < 32 * 32 * 3; i++)
        vigil_session_input(session)[i] = (float)(i % 5) / 4 - 1;
    vigil_session_run(session);
    status = vigil_session_ranges(session, json, error);
    vigil_session_close(&session);
    return status;
}

static VigilStatus calibrated(uint64_t *digest, VigilError *error)
{
    VigilModel *model;
    char *json = NULL;
    VigilStatus status = vigil_model_open_formula("EMO_1M", 1, 1.25, 3, &model, error);
    if (status)
        return status;
    status = count_ranges(model, &json, error);
    if (status == VIGIL_OK)
        *digest = digest_bytes(1, json, strlen(json));
    free(json);
    vigil_model_close(&model);
    return status;
}

/* A calibrated file, written at the first run, which is not counted. */
static const char *calibrated_file(void)
{
    static char *path, metadata[16384];
    VigilModel *model;
    char *json, *at = metadata;
    if (path)
        return path;
    if (vigil_model_open_formula("EMO_1M", 1, 1.25, 3, &model, NULL) ||
        count_ranges(model, &json, NULL) || 2 * strlen(json) + 64 > sizeof metadata)
        exit(2);
    at += sprintf(at, "{\"precision\":\"int8\",\"int8_ranges\":\"");
    for (const char *c = json; *c; c++)
        at += sprintf(at, *c == '"' ? "\\\"" : "%c", *c);
    strcpy(at, "\"}");
    path = write_model_file(
        &(WriteModel) { .variant = "EMO_1M", .classes = 3, .metadata = metadata });
    free(json);
    vigil_model_close(&model);
    return path;
}

static void remove_calibrated_file(void)
{
    unlink(calibrated_file());
}

static VigilStatus int8(uint64_t *digest, VigilError *error)
{
    static bool registered;
    VigilModel *model;
    const char *path = calibrated_file();
    if (!registered)
        registered = !atexit(remove_calibrated_file);
    VigilStatus status = vigil_model_open(path, &model, error);
    if (status)
        return status;
    status = use_session(model, "norm", digest, error);
    vigil_model_close(&model);
    return status;
}

/* The default classifier, found through VIGIL_MODEL_PATH. */
static VigilStatus shipped(uint64_t *digest, VigilError *error)
{
    VigilModel *model;
    VigilStatus status = vigil_model_open(NULL, &model, error);
    if (status)
        return status;
    status = use_session(model, "stage2.1", digest, error);
    vigil_model_close(&model);
    return status;
}

/* ---- Results --------------------------------------------------------------------- */

/* Opened at the first run, which is not counted, and kept. */
static VigilSession *session_of(const char *variant, VigilSession **session)
{
    VigilModel *model;
    VigilSessionOptions options = { .input = { .height = 64, .width = 64 } };
    if (*session)
        return *session;
    if (vigil_model_open_formula(variant, 1, 1.25, 3, &model, NULL) ||
        vigil_session_open(model, &options, session, NULL))
        exit(2);
    vigil_model_close(&model);
    float *input = vigil_session_input(*session);
    for (int i = 0; i < 64 * 64 * 3; i++)
        input[i] = (float)(i % 7) / 8;
    vigil_session_run(*session);
    return *session;
}

static VigilStatus detector(uint64_t *digest, VigilError *error)
{
    static VigilSession *session;
    const VigilDetection *found;
    VigilDetector *d;
    VigilStatus status =
        vigil_detector_open(session_of("ssdlite_emo_1M", &session), NULL, &d, error);
    if (status)
        return status;
    size_t n = (size_t)vigil_detector_run(d, NULL, &found);
    *digest = digest_bytes(n, found, n * sizeof *found);
    vigil_detector_close(&d);
    return VIGIL_OK;
}

static VigilStatus segmenter(uint64_t *digest, VigilError *error)
{
    static VigilSession *session;
    static uint16_t mask[64 * 64];
    VigilSegmenter *s;
    VigilStatus status =
        vigil_segmenter_open(session_of("pspnet_emo_1M", &session), &s, error);
    if (status)
        return status;
    vigil_segmenter_run(s, NULL, 64, 64, mask);
    *digest = digest_bytes(1, mask, sizeof mask);
    vigil_segmenter_close(&s);
    return VIGIL_OK;
}

/* ---- The list ------------------------------------------------------------------- */

/* Networks may succeed: the processor quota is read through stdio, which falls back on
 * the affinity mask; and sorting does without its buffer. */
const Scenario scenarios[] = {
    { "json", json },
    { "safetensors", safetensors },
    { "formula", formula, .may_succeed = true },
    { "grouped", grouped, .may_succeed = true },
    { "shipped", shipped, .may_succeed = true },
    { "calibrated", calibrated, .may_succeed = true },
    { "int8", int8, .may_succeed = true },
    { "detector", detector },
    { "segmenter", segmenter },
    { NULL },
};
