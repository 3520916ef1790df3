/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes at all as a weight file: refused with a sentence, or read to the end. */
#include "fuzz.h"

#include "core/safetensors.h"

static void read_tensor(const VigilSafetensors *file, const VigilStored *tensor)
{
    VigilError error = { 0 };
    require(vigil_safetensors_find(file, tensor->name) == tensor);
    if (!vigil_dtype_is_float(tensor->dtype)) {
        require(vigil_safetensors_read(file, tensor, NULL, &error) ==
                VIGIL_ERROR_FORMAT);
        check_message(&error);
        return;
    }
    /* The elements are in the input, so that there are never too many. */
    float *values = malloc((size_t)tensor->elements * sizeof *values + 1);
    require(values && !vigil_safetensors_read(file, tensor, values, &error));
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VigilSafetensors *file;
    VigilError error = { 0 };
    if (vigil_safetensors_open_memory(data, size, "input", &file, &error)) {
        require(!file);
        check_message(&error);
        return 0;
    }
    uint64_t bytes = 0;
    for (size_t i = 0; i < vigil_safetensors_count(file); i++) {
        const VigilStored *tensor = vigil_safetensors_at(file, i);
        require(tensor->bytes <= size && tensor->offset <= size - tensor->bytes);
        bytes += tensor->bytes;
        read_tensor(file, tensor);
    }
    require(bytes < size);
    const char *family = vigil_safetensors_metadata(file, "family");
    require(!family || strlen(family) < size);
    require(!vigil_safetensors_find(file, "__metadata__"));
    vigil_safetensors_close(&file);
    return 0;
}
