/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a model: refused with a sentence, or opened and run.  The first byte
 * says what the others are:
 *
 *     0      a whole file
 *     1      the members of __metadata__ in a file of EMO_1M
 *     2      changes to that file: 3 bytes little-endian where, 1 byte what
 */
#include "fuzz.h"

#include "../core/write_model.h"
#include "core/model.h"

#define CLASSES 3

static void run(VigilModel *model)
{
    const VigilSessionOptions options = { .input = { .height = 32, .width = 33 },
                                          .threads = 1 };
    VigilSession *session;
    VigilError error = { 0 };
    if (vigil_session_open(model, &options, &session, &error)) {
        check_message(&error);
        return;
    }
    vigil_session_run(session);
    require(vigil_session_output(session, 0)->shape[0] ==
            vigil_model_info(model)->classes);
    vigil_session_close(&session);
}

static void try_file(const uint8_t *data, size_t size)
{
    VigilModel *model;
    VigilError error = { 0 };
    if (vigil_model_open_memory(data, size, "input", &model, &error)) {
        require(!model && error.status != VIGIL_ERROR_ARGUMENT);
        check_message(&error);
        return;
    }
    const VigilModelInfo *info = vigil_model_info(model);
    require(info->classes > 0 && info->input.height >= 32 && info->input.width >= 32 &&
            info->input.height <= 4096 && info->input.width <= 4096);
    for (int i = 0; info->labels && i < info->classes; i++)
        require(info->labels[i] != NULL);
    run(model);
    vigil_model_close(&model);
}

/* The file before its changes; made once. */
static const uint8_t *base_file(size_t *size)
{
    static const WriteModel written = {
        .variant = "EMO_1M", .classes = CLASSES, .dtype = VIGIL_F16, .metadata = "{}"
    };
    static uint8_t *file;
    static size_t bytes;
    if (!file)
        file = write_model(&written, &bytes);
    *size = bytes;
    return file;
}

static uint8_t *copy(size_t bytes)
{
    uint8_t *p = malloc(bytes);
    require(p != NULL);
    return p;
}

static void try_metadata(const uint8_t *data, size_t size)
{
    static const char before[] = "{\"__metadata__\":{";
    size_t base_size, head = 8 + sizeof before - 1;
    const uint8_t *base = base_file(&base_size);
    uint64_t length = size;
    for (int i = 0; i < 8; i++)
        length += (uint64_t)base[i] << 8 * i;
    uint8_t *file = copy(base_size + size);
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)(length >> 8 * i);
    memcpy(file + 8, before, sizeof before - 1);
    memcpy(file + head, data, size);
    memcpy(file + head + size, base + head, base_size - head);
    try_file(file, base_size + size);
    free(file);
}

static void try_changes(const uint8_t *data, size_t size)
{
    size_t base_size;
    const uint8_t *base = base_file(&base_size);
    uint8_t *file = copy(base_size);
    memcpy(file, base, base_size);
    for (; size >= 4; data += 4, size -= 4)
        file[(data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % base_size] =
            data[3];
    try_file(file, base_size);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (data[0] % 3 == 0)
        try_file(data + 1, size - 1);
    else if (data[0] % 3 == 1)
        try_metadata(data + 1, size - 1);
    else
        try_changes(data + 1, size - 1);
    return 0;
}
