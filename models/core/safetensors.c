/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/safetensors.h"
#include "core/json.h"
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct VigilSafetensors {
    VigilReader reader;
    uint64_t data;       /* where the data section begins in the file */
    uint64_t data_bytes; /* of the data section */
    json_t *header;      /* owns the names */
    const json_t *metadata;
    size_t count;
    VigilStored *stored;         /* [count] in the order of the header */
    const VigilStored **by_name; /* [count] */
};

/* ---- Messages ------------------------------------------------------------------- */

/* Names as they may appear in a message, short enough that the numbers after them stay
 * inside VigilError.message. */
typedef struct Printable {
    char text[112];
} Printable;

static const char *show(Printable *printable, const char *name)
{
    return vigil_printable(printable->text, sizeof printable->text, name);
}

#define SHOW(name) show(&(Printable) { .text = "" }, name)

/* "FILE: MESSAGE". */
#define BAD_FILE(file, error, format, ...)                                             \
    vigil_fail(error, VIGIL_ERROR_FORMAT, "%s: " format, SHOW((file)->reader.path),    \
               ##__VA_ARGS__)

/* "FILE: tensor 'NAME' MESSAGE". */
#define BAD_TENSOR(file, tensor, error, format, ...)                                   \
    BAD_FILE(file, error, "tensor '%s' " format, SHOW((tensor)->name), ##__VA_ARGS__)

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

/* ---- Header: one tensor --------------------------------------------------------- */

static VigilStatus parse_dtype(const VigilSafetensors *file, VigilStored *tensor,
                               const json_t *value, VigilError *error)
{
    const char *name = json_string_value(value);
    if (!name)
        return BAD_TENSOR(file, tensor, error, "has no string 'dtype'");
    if (!vigil_dtype_find(name, &tensor->dtype))
        return BAD_TENSOR(file, tensor, error, "has unknown dtype '%s'", SHOW(name));
    return VIGIL_OK;
}

/* Item i of the array `key`: an integer that is not negative. */
static VigilStatus parse_length(const VigilSafetensors *file, const VigilStored *tensor,
                                const char *key, const json_t *array, size_t i,
                                uint64_t *out, VigilError *error)
{
    const json_t *value = json_array_get(array, i);
    if (!json_is_integer(value))
        return BAD_TENSOR(file, tensor, error, "has a %s[%zu] that is not an integer",
                          key, i);
    json_int_t length = json_integer_value(value);
    if (length < 0)
        return BAD_TENSOR(file, tensor, error,
                          "has %s[%zu] = %" JSON_INTEGER_FORMAT ", below 0", key, i,
                          length);
    *out = (uint64_t)length;
    return VIGIL_OK;
}

static VigilStatus parse_shape(const VigilSafetensors *file, VigilStored *tensor,
                               const json_t *array, VigilError *error)
{
    if (!json_is_array(array))
        return BAD_TENSOR(file, tensor, error, "has no array 'shape'");
    size_t rank = json_array_size(array);
    if (rank > VIGIL_MAX_RANK)
        return BAD_TENSOR(file, tensor, error, "has %zu dimensions, more than %d", rank,
                          VIGIL_MAX_RANK);
    tensor->rank = (int)rank;
    tensor->elements = 1;
    for (size_t i = 0; i < rank; i++) {
        VigilStatus status =
            parse_length(file, tensor, "shape", array, i, &tensor->shape[i], error);
        if (status)
            return status;
        if (__builtin_mul_overflow(tensor->elements, tensor->shape[i],
                                   &tensor->elements))
            return BAD_TENSOR(file, tensor, error,
                              "has a shape whose product up to shape[%zu] = %" PRIu64
                              " does not fit 64 bits",
                              i, tensor->shape[i]);
    }
    return VIGIL_OK;
}

/* Bytes the shape asks for. */
static VigilStatus tensor_bytes(const VigilSafetensors *file, const VigilStored *tensor,
                                uint64_t *bytes, VigilError *error)
{
    uint64_t bits;
    if (__builtin_mul_overflow(tensor->elements,
                               (uint64_t)vigil_dtype_bits(tensor->dtype), &bits))
        return BAD_TENSOR(file, tensor, error,
                          "has %" PRIu64 " elements of %zu bits, which does not fit 64 "
                          "bits",
                          tensor->elements, vigil_dtype_bits(tensor->dtype));
    if (bits % 8)
        return BAD_TENSOR(file, tensor, error,
                          "has %" PRIu64 " elements of %zu bits, not a whole number of "
                          "bytes",
                          tensor->elements, vigil_dtype_bits(tensor->dtype));
    *bytes = bits / 8;
    return VIGIL_OK;
}

static VigilStatus parse_offsets(const VigilSafetensors *file, VigilStored *tensor,
                                 const json_t *array, VigilError *error)
{
    uint64_t begin, end, wanted = 0;
    VigilStatus status;
    if (!json_is_array(array) || json_array_size(array) != 2)
        return BAD_TENSOR(file, tensor, error, "has no array 'data_offsets' of 2");
    if ((status =
             parse_length(file, tensor, "data_offsets", array, 0, &begin, error)) ||
        (status = parse_length(file, tensor, "data_offsets", array, 1, &end, error)) ||
        (status = tensor_bytes(file, tensor, &wanted, error)))
        return status;
    if (end < begin)
        return BAD_TENSOR(file, tensor, error,
                          "ends at byte %" PRIu64 ", before it begins at %" PRIu64, end,
                          begin);
    if (end - begin != wanted)
        return BAD_TENSOR(file, tensor, error,
                          "has %" PRIu64 " bytes where its shape and dtype %s need "
                          "%" PRIu64,
                          end - begin, vigil_dtype_name(tensor->dtype), wanted);
    if (end > file->data_bytes)
        return BAD_TENSOR(file, tensor, error,
                          "ends at byte %" PRIu64 " of the data, which has %" PRIu64,
                          end, file->data_bytes);
    tensor->offset = begin;
    tensor->bytes = wanted;
    return VIGIL_OK;
}

static VigilStatus refuse_other_keys(const VigilSafetensors *file,
                                     const VigilStored *tensor, json_t *entry,
                                     VigilError *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value)
    {
        if (strcmp(key, "dtype") && strcmp(key, "shape") && strcmp(key, "data_offsets"))
            return BAD_TENSOR(file, tensor, error, "has the unknown key '%s'",
                              SHOW(key));
    }
    return VIGIL_OK;
}

static VigilStatus parse_tensor(const VigilSafetensors *file, VigilStored *tensor,
                                json_t *entry, VigilError *error)
{
    VigilStatus status;
    if (!json_is_object(entry))
        return BAD_TENSOR(file, tensor, error, "is not described by a JSON object");
    if ((status = refuse_other_keys(file, tensor, entry, error)) ||
        (status = parse_dtype(file, tensor, json_object_get(entry, "dtype"), error)) ||
        (status = parse_shape(file, tensor, json_object_get(entry, "shape"), error)) ||
        (status = parse_offsets(file, tensor, json_object_get(entry, "data_offsets"),
                                error)))
        return status;
    return VIGIL_OK;
}

/* ---- Header: all of it ---------------------------------------------------------- */

static VigilStatus check_metadata(const VigilSafetensors *file, json_t *metadata,
                                  VigilError *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return BAD_FILE(file, error, "__metadata__ is not a JSON object");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return BAD_FILE(file, error, "'%s' in __metadata__ is not a string",
                            SHOW(key));
    }
    return VIGIL_OK;
}

static VigilStatus parse_entries(VigilSafetensors *file, VigilError *error)
{
    const char *key;
    json_t *entry;
    size_t entries = json_object_size(file->header);
    file->stored = calloc(entries + 1, sizeof *file->stored);
    file->by_name = calloc(entries + 1, sizeof *file->by_name);
    if (!file->stored || !file->by_name)
        return vigil_fail_memory(error, (entries + 1) * sizeof *file->stored,
                                 "the list of tensors");
    json_object_foreach(file->header, key, entry)
    {
        VigilStatus status;
        if (!strcmp(key, "__metadata__")) {
            file->metadata = entry;
            status = check_metadata(file, entry, error);
        } else {
            VigilStored *tensor = &file->stored[file->count++];
            tensor->name = key;
            status = parse_tensor(file, tensor, entry, error);
        }
        if (status)
            return status;
    }
    return VIGIL_OK;
}

static int compare_names(const void *a, const void *b)
{
    const VigilStored *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* By place in the data section; empty tensors before the one that begins there. */
static int compare_places(const void *a, const void *b)
{
    const VigilStored *x = *(const VigilStored *const *)a;
    const VigilStored *y = *(const VigilStored *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static VigilStatus check_follows(const VigilSafetensors *file,
                                 const VigilStored *previous, const VigilStored *tensor,
                                 uint64_t end, VigilError *error)
{
    if (tensor->offset < end)
        return BAD_TENSOR(file, tensor, error,
                          "begins at byte %" PRIu64 " of the data, inside '%s' which "
                          "ends at %" PRIu64,
                          tensor->offset, SHOW(previous->name), end);
    if (tensor->offset > end)
        return BAD_TENSOR(file, tensor, error,
                          "begins at byte %" PRIu64 " of the data; those from %" PRIu64
                          " on belong to no tensor",
                          tensor->offset, end);
    return VIGIL_OK;
}

/* Tensors lie end to end and fill the data section.  Uses by_name for its own order. */
static VigilStatus check_places(VigilSafetensors *file, VigilError *error)
{
    uint64_t end = 0;
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_places);
    for (size_t i = 0; i < file->count; i++) {
        const VigilStored *tensor = file->by_name[i];
        VigilStatus status =
            check_follows(file, i ? file->by_name[i - 1] : NULL, tensor, end, error);
        if (status)
            return status;
        end += tensor->bytes;
    }
    if (end != file->data_bytes)
        return BAD_FILE(file, error,
                        "the tensors end at byte %" PRIu64 " of the data, which has "
                        "%" PRIu64,
                        end, file->data_bytes);
    return VIGIL_OK;
}

static VigilStatus parse_header(VigilSafetensors *file, const char *text, size_t bytes,
                                VigilError *error)
{
    size_t length = bytes;
    while (length && text[length - 1] == ' ')
        length--;
    if (length < 2 || text[0] != '{' || text[length - 1] != '}')
        return BAD_FILE(file, error,
                        "not a safetensors file: its header is not a JSON object");
    char what[160];
    snprintf(what, sizeof what, "%s: the header", SHOW(file->reader.path));
    VigilStatus status;
    if ((status = vigil_json_parse(text, length, what, &file->header, error)) ||
        (status = parse_entries(file, error)))
        return status;
    for (size_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->stored[i];
    if ((status = check_places(file, error)))
        return status;
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_names);
    return VIGIL_OK;
}

/* A zip archive, or the opcodes PROTO and LONG1 of a pickle: what torch.save() writes.
 */
static bool is_pickle(const uint8_t raw[8])
{
    return !memcmp(raw, "PK\3\4", 4) || !memcmp(raw, "\x80\x02\x8a\x0a", 4);
}

/* Checks the header length against the file and the limit. */
static VigilStatus read_header_length(VigilSafetensors *file, uint64_t *length,
                                      VigilError *error)
{
    uint8_t raw[8];
    const uint64_t bytes = file->reader.bytes;
    if (bytes < sizeof raw)
        return BAD_FILE(
            file, error,
            "not a safetensors file: it has %" PRIu64 " bytes, fewer than 8", bytes);
    VigilStatus status = vigil_reader_read(&file->reader, 0, raw, sizeof raw,
                                           "the header length", error);
    if (status)
        return status;
    *length = load_le64(raw);
    if (is_pickle(raw))
        return BAD_FILE(
            file, error,
            "a PyTorch file, not safetensors: convert it with vigil-convert");
    if (*length > VIGIL_MAX_HEADER)
        return BAD_FILE(file, error,
                        "not a safetensors file: a header of %" PRIu64
                        " bytes is above the limit of %zu",
                        *length, VIGIL_MAX_HEADER);
    if (*length > bytes - sizeof raw)
        return BAD_FILE(file, error,
                        "the header should have %" PRIu64 " bytes, %" PRIu64
                        " follow its length",
                        *length, bytes - sizeof raw);
    file->data = sizeof raw + *length;
    file->data_bytes = bytes - file->data;
    return VIGIL_OK;
}

static VigilStatus load_header(VigilSafetensors *file, VigilError *error)
{
    uint64_t length;
    VigilStatus status = read_header_length(file, &length, error);
    if (status)
        return status;
    char *text = malloc((size_t)length + 1);
    if (!text)
        return vigil_fail_memory(error, (size_t)length + 1, "a header");
    status =
        vigil_reader_read(&file->reader, 8, text, (size_t)length, "the header", error);
    if (!status)
        status = parse_header(file, text, (size_t)length, error);
    free(text);
    return status;
}

/* ---- Opening and closing -------------------------------------------------------- */

/* Takes over what `reader` holds, whatever comes of it. */
static VigilStatus open_reader(VigilReader *reader, VigilSafetensors **out,
                               VigilError *error)
{
    VigilSafetensors *file = calloc(1, sizeof *file);
    if (!file) {
        vigil_reader_close(reader);
        return vigil_fail_memory(error, sizeof *file, "a file");
    }
    file->reader = *reader;
    VigilStatus status = load_header(file, error);
    if (status)
        vigil_safetensors_close(&file);
    *out = file;
    return status;
}

VigilStatus vigil_safetensors_open(const char *path, VigilSafetensors **file,
                                   VigilError *error)
{
    VigilReader reader;
    *file = NULL;
    VigilStatus status = vigil_reader_open(&reader, path, error);
    return status ? status : open_reader(&reader, file, error);
}

VigilStatus vigil_safetensors_open_memory(const void *data, size_t bytes,
                                          const char *name, VigilSafetensors **file,
                                          VigilError *error)
{
    VigilReader reader;
    *file = NULL;
    VigilStatus status = vigil_reader_open_memory(&reader, data, bytes, name, error);
    return status ? status : open_reader(&reader, file, error);
}

void vigil_safetensors_close(VigilSafetensors **out)
{
    VigilSafetensors *file = out ? *out : NULL;
    if (!file)
        return;
    *out = NULL;
    json_decref(file->header);
    free(file->by_name);
    free(file->stored);
    vigil_reader_close(&file->reader);
    free(file);
}

/* ---- Looking around ------------------------------------------------------------- */

const char *vigil_safetensors_path(const VigilSafetensors *file)
{
    return file->reader.path;
}

const VigilFileIdentity *vigil_safetensors_identity(const VigilSafetensors *file)
{
    return &file->reader.identity;
}

size_t vigil_safetensors_count(const VigilSafetensors *file)
{
    return file->count;
}

const VigilStored *vigil_safetensors_at(const VigilSafetensors *file, size_t i)
{
    return i < file->count ? &file->stored[i] : NULL;
}

const VigilStored *vigil_safetensors_find(const VigilSafetensors *file,
                                          const char *name)
{
    size_t low = 0, high = file->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);
        if (!order)
            return file->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *vigil_safetensors_metadata(const VigilSafetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

/* ---- Reading as float32 --------------------------------------------------------- */

VigilStatus vigil_safetensors_read(const VigilSafetensors *file,
                                   const VigilStored *tensor, float *out,
                                   VigilError *error)
{
    if (!vigil_dtype_is_float(tensor->dtype))
        return BAD_TENSOR(file, tensor, error,
                          "has dtype %s, not F64, F32, F16 or BF16",
                          vigil_dtype_name(tensor->dtype));
    char what[sizeof(Printable) + 16];
    snprintf(what, sizeof what, "tensor '%s'", SHOW(tensor->name));
    uint8_t block[8192];
    const size_t size = vigil_dtype_bits(tensor->dtype) / 8,
                 whole = sizeof block / size;
    for (uint64_t done = 0; done < tensor->elements;) {
        uint64_t rest = tensor->elements - done;
        size_t n = rest < whole ? (size_t)rest : whole;
        uint64_t offset = file->data + tensor->offset + done * size;
        VigilStatus status =
            vigil_reader_read(&file->reader, offset, block, n * size, what, error);
        if (status)
            return status;
        vigil_dtype_to_float(tensor->dtype, block, out + done, n);
        done += n;
    }
    return VIGIL_OK;
}
