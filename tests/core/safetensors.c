/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of weight files: what it accepts, and how it refuses the rest. */
#include "core/safetensors.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory: length, header, then `data` bytes counting up from 0. */
typedef struct Bytes {
    size_t count;
    uint8_t *data;
} Bytes;

static Bytes make_file(const char *header, size_t header_bytes, size_t data)
{
    Bytes bytes = { 8 + header_bytes + data, malloc(8 + header_bytes + data) };
    for (int i = 0; i < 8; i++)
        bytes.data[i] = (uint8_t)((uint64_t)header_bytes >> (8 * i));
    memcpy(bytes.data + 8, header, header_bytes);
    for (size_t i = 0; i < data; i++)
        bytes.data[8 + header_bytes + i] = (uint8_t)i;
    return bytes;
}

static VigilStatus open_header(const char *header, size_t data, Bytes *bytes,
                               VigilSafetensors **file, VigilError *error)
{
    *bytes = make_file(header, strlen(header), data);
    return vigil_safetensors_open_memory(bytes->data, bytes->count, "test", file,
                                         error);
}

/* ---- Files that are refused ----------------------------------------------------- */

#define TENSOR(dtype, shape, begin, end)                                               \
    "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end  \
    "]}"

static const struct {
    const char *what, *header;
    size_t data;
    const char *message; /* part of it */
} refused[] = {
    { "no header", "", 0, "its header is not a JSON object" },
    { "only spaces", "    ", 0, "its header is not a JSON object" },
    { "an array", "[1]", 0, "its header is not a JSON object" },
    { "space before the object", " {}", 0, "its header is not a JSON object" },
    { "newline after the object", "{}\n", 0, "its header is not a JSON object" },
    { "two objects", "{}{}", 0, "the header is not valid JSON at byte" },
    { "broken JSON", "{\"a\":}", 0, "the header is not valid JSON at byte" },
    { "broken UTF-8", "{\"\xff\":1}", 0, "the header is not valid JSON at byte" },
    { "tensor name twice",
      "{\"a\":" TENSOR("U8", "1", "0", "1") ",\"a\":" TENSOR("U8", "1", "1", "2") "}",
      2, "duplicate object key" },
    { "key of a tensor twice",
      "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}"
      "}",
      1, "duplicate object key" },
    { "NUL in a name", "{\"a\\u0000b\":" TENSOR("U8", "1", "0", "1") "}", 1,
      "the header is not valid JSON at byte" },
    { "NUL in metadata", "{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0,
      "the header is not valid JSON at byte" },
    { "metadata is an array", "{\"__metadata__\":[]}", 0,
      "__metadata__ is not a JSON object" },
    { "metadata is null", "{\"__metadata__\":null}", 0,
      "__metadata__ is not a JSON object" },
    { "metadata holds a number", "{\"__metadata__\":{\"epoch\":3}}", 0,
      "'epoch' in __metadata__ is not a string" },
    { "tensor is a number", "{\"a\":1}", 0, "'a' is not described by a JSON object" },
    { "no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
      "'a' has no string 'dtype'" },
    { "dtype is a number", "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}",
      1, "'a' has no string 'dtype'" },
    { "unknown dtype", "{\"a\":" TENSOR("F12", "1", "0", "1") "}", 1,
      "'a' has unknown dtype 'F12'" },
    { "dtype in lower case", "{\"a\":" TENSOR("f32", "1", "0", "4") "}", 4,
      "'a' has unknown dtype 'f32'" },
    { "no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1,
      "'a' has no array 'shape'" },
    { "shape is a number",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1,
      "'a' has no array 'shape'" },
    { "negative shape", "{\"a\":" TENSOR("U8", "2,-3", "0", "1") "}", 1,
      "'a' has shape[1] = -3, below 0" },
    { "real shape", "{\"a\":" TENSOR("U8", "1.0", "0", "1") "}", 1,
      "'a' has a shape[0] that is not an integer" },
    { "text in a shape", "{\"a\":" TENSOR("U8", "\"1\"", "0", "1") "}", 1,
      "'a' has a shape[0] that is not an integer" },
    { "true in a shape", "{\"a\":" TENSOR("U8", "true", "0", "1") "}", 1,
      "'a' has a shape[0] that is not an integer" },
    { "shape past 64 bits",
      "{\"a\":" TENSOR("U8", "18446744073709551616", "0", "1") "}", 1,
      "the header is not valid JSON at byte" },
    { "nine dimensions", "{\"a\":" TENSOR("U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1,
      "'a' has 9 dimensions, more than 8" },
    { "product overflows",
      "{\"a\":" TENSOR("U8", "4294967296,4294967296", "0", "1") "}", 1,
      "'a' has a shape whose product up to shape[1] = 4294967296 does not fit" },
    { "bytes overflow", "{\"a\":" TENSOR("F32", "4611686018427387905", "0", "4") "}", 4,
      "'a' has 4611686018427387905 elements of 32 bits, which does not fit" },
    { "half a byte", "{\"a\":" TENSOR("F4", "3", "0", "1") "}", 1,
      "'a' has 3 elements of 4 bits, not a whole number of bytes" },
    { "no offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1,
      "'a' has no array 'data_offsets' of 2" },
    { "one offset", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1,
      "'a' has no array 'data_offsets' of 2" },
    { "three offsets",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1,
      "'a' has no array 'data_offsets' of 2" },
    { "negative offset", "{\"a\":" TENSOR("U8", "1", "-1", "0") "}", 1,
      "'a' has data_offsets[0] = -1, below 0" },
    { "real offset", "{\"a\":" TENSOR("U8", "1", "0", "1e0") "}", 1,
      "'a' has a data_offsets[1] that is not an integer" },
    { "end before begin", "{\"a\":" TENSOR("U8", "1", "1", "0") "}", 1,
      "'a' ends at byte 0, before it begins at 1" },
    { "too few bytes", "{\"a\":" TENSOR("F32", "3,2", "0", "20") "}", 24,
      "'a' has 20 bytes where its shape and dtype F32 need 24" },
    { "bytes for rank 0", "{\"a\":" TENSOR("F32", "", "0", "0") "}", 0,
      "'a' has 0 bytes where its shape and dtype F32 need 4" },
    { "past the end", "{\"a\":" TENSOR("F32", "3", "0", "12") "}", 11,
      "'a' ends at byte 12 of the data, which has 11" },
    { "far past the end",
      "{\"a\":" TENSOR("U8", "1", "9223372036854775806", "9223372036854775807") "}", 1,
      "'a' ends at byte 9223372036854775807 of the data, which has 1" },
    { "overlap",
      "{\"a\":" TENSOR("U8", "4", "0", "4") ",\"b\":" TENSOR("U8", "4", "3", "7") "}",
      7, "'b' begins at byte 3 of the data, inside 'a' which ends at 4" },
    { "same place",
      "{\"a\":" TENSOR("U8", "4", "0", "4") ",\"b\":" TENSOR("U8", "4", "0", "4") "}",
      4, "begins at byte 0 of the data, inside" },
    { "empty tensor inside another",
      "{\"a\":" TENSOR("U8", "4", "0", "4") ",\"b\":" TENSOR("U8", "0", "2", "2") "}",
      4, "'b' begins at byte 2 of the data, inside 'a' which ends at 4" },
    { "hole",
      "{\"a\":" TENSOR("U8", "4", "0", "4") ",\"b\":" TENSOR("U8", "4", "6", "10") "}",
      10, "'b' begins at byte 6 of the data; those from 4 on belong to no tensor" },
    { "hole in front", "{\"a\":" TENSOR("U8", "4", "1", "5") "}", 5,
      "'a' begins at byte 1 of the data; those from 0 on belong to no tensor" },
    { "trailing bytes", "{\"a\":" TENSOR("U8", "4", "0", "4") "}", 5,
      "the tensors end at byte 4 of the data, which has 5" },
    { "data without tensors", "{}", 1,
      "the tensors end at byte 0 of the data, which has 1" },
    { "unknown key",
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1,
      "'a' has the unknown key 'x'" },
    { "control characters in a name", "{\"a\\nb\\u001b\":1}", 0,
      "'a?b?' is not described by a JSON object" },
};

static void check_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        VigilSafetensors *file;
        VigilError error = { 0 };
        Bytes bytes;
        VigilStatus status =
            open_header(refused[i].header, refused[i].data, &bytes, &file, &error);
        tap_ok(status == VIGIL_ERROR_FORMAT && error.status == status && !file &&
                   strstr(error.message, refused[i].message) &&
                   !strncmp(error.message, "test: ", 6),
               "%s: status %d, '%s'", refused[i].what, status, error.message);
        vigil_safetensors_close(&file);
        free(bytes.data);
    }
}

/* Beginnings that are no whole file. */
static const struct {
    const char *what;
    uint8_t bytes[10];
    size_t count;
    const char *message;
} beginnings[] = {
    { "empty file", { 0 }, 0, "it has 0 bytes, fewer than 8" },
    { "seven bytes", { 2 }, 7, "it has 7 bytes, fewer than 8" },
    { "no header after its length", { 2 }, 8, "should have 2 bytes, 0 follow" },
    { "header cut short", { 2, 0, 0, 0, 0, 0, 0, 0, '{' }, 9, "2 bytes, 1 follow" },
    { "header above the limit",
      { 1, 0, 0x40 },
      10,
      "4194305 bytes is above the limit" },
    { "length of 2^64 - 1",
      { 255, 255, 255, 255, 255, 255, 255, 255, '{', '}' },
      10,
      "18446744073709551615 bytes is above the limit" },
    { "a pickle",
      { 0x80, 2, 0x8a, 10, 'l', 0xfc, 0x9c, 'F', 0xf9, ' ' },
      10,
      "convert it with vigil-convert" },
    { "a zip archive",
      { 'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0 },
      10,
      "convert it with vigil-convert" },
};

static void check_beginnings(void)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        VigilSafetensors *file;
        VigilError error = { 0 };
        VigilStatus status = vigil_safetensors_open_memory(
            beginnings[i].bytes, beginnings[i].count, "test", &file, &error);
        tap_ok(status == VIGIL_ERROR_FORMAT && !file &&
                   strstr(error.message, beginnings[i].message),
               "%s: status %d, '%s'", beginnings[i].what, status, error.message);
    }
}

/* However long the names are, the message ends with what is wrong. */
static void check_long_names(void)
{
    char header[4096], path[3001];
    char name[2001];
    VigilSafetensors *file;
    VigilError error = { 0 };
    memset(name, 'n', sizeof name - 1);
    memset(path, 'p', sizeof path - 1);
    name[sizeof name - 1] = path[sizeof path - 1] = '\0';
    snprintf(header, sizeof header, "{\"%s\":" TENSOR("F32", "3", "0", "12") "}", name);
    Bytes bytes = make_file(header, strlen(header), 11);
    vigil_safetensors_open_memory(bytes.data, bytes.count, path, &file, &error);
    const char *end = "ends at byte 12 of the data, which has 11";
    size_t length = strlen(error.message);
    tap_ok(!file && length > strlen(end) &&
               !strcmp(error.message + length - strlen(end), end),
           "long names leave room for the numbers: %zu characters", length);
    tap_ok(vigil_safetensors_open_memory(bytes.data, bytes.count, path, &file, NULL) ==
               VIGIL_ERROR_FORMAT,
           "the error may be NULL");
    free(bytes.data);
}

/* ---- Files that are accepted ---------------------------------------------------- */

static void check_every_dtype(void)
{
    static const struct {
        const char *name;
        size_t bytes; /* of 4 elements */
    } dtypes[] = {
        { "BOOL", 4 },    { "F4", 2 },   { "F6_E2M3", 3 },     { "F6_E3M2", 3 },
        { "U8", 4 },      { "I8", 4 },   { "F8_E5M2", 4 },     { "F8_E4M3", 4 },
        { "F8_E8M0", 4 }, { "I16", 8 },  { "F8_E4M3FNUZ", 4 }, { "F8_E5M2FNUZ", 4 },
        { "U16", 8 },     { "F16", 8 },  { "BF16", 8 },        { "I32", 16 },
        { "U32", 16 },    { "F32", 16 }, { "F64", 32 },        { "C64", 32 },
        { "I64", 32 },    { "U64", 32 },
    };
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        char header[200];
        VigilSafetensors *file;
        VigilError error = { 0 };
        Bytes bytes;
        float out[4] = { -1, -1, -1, -1 };
        snprintf(header, sizeof header,
                 "{\"t\":{\"dtype\":\"%s\",\"shape\":[2,2],\"data_offsets\":[0,%zu]}}",
                 dtypes[i].name, dtypes[i].bytes);
        VigilStatus status =
            open_header(header, dtypes[i].bytes, &bytes, &file, &error);
        const VigilStored *t = status ? NULL : vigil_safetensors_at(file, 0);
        tap_ok(t && !strcmp(vigil_dtype_name(t->dtype), dtypes[i].name) &&
                   t->bytes == dtypes[i].bytes && t->elements == 4 && t->rank == 2,
               "%s is accepted%s%s", dtypes[i].name, status ? ": " : "", error.message);
        if (t && !vigil_dtype_is_float(t->dtype)) {
            status = vigil_safetensors_read(file, t, out, &error);
            tap_ok(status == VIGIL_ERROR_FORMAT && out[0] == -1 &&
                       strstr(error.message, "tensor 't' has dtype"),
                   "%s is not read as float: '%s'", dtypes[i].name, error.message);
        }
        vigil_safetensors_close(&file);
        free(bytes.data);
    }
}

static void check_contents(void)
{
    static const char header[] =
        "{\"z\":" TENSOR("F32", "2", "14", "22") ",\"\xc3\xa9t\xc3\xa9\":" TENSOR(
            "U8", "2,1,3", "0",
            "6") ",\"__metadata__\":{\"family\":\"emo\",\"labels\":\"[\\\"a\\\"]\"}"
                 ",\"scalar\":" TENSOR("F64", "", "6", "14") ",\"none\":" TENSOR(
                     "F32", "0,5", "22", "22") ",\"\":" TENSOR("F16", "0", "6",
                                                               "6") "}     ";
    static const char *const order[] = { "z", "\xc3\xa9t\xc3\xa9", "scalar", "none",
                                         "" };
    VigilSafetensors *file;
    VigilError error = { 0 };
    Bytes bytes;
    if (!tap_ok(!open_header(header, 22, &bytes, &file, &error), "a file of five: '%s'",
                error.message))
        return;
    tap_ok(vigil_safetensors_count(file) == 5 && !vigil_safetensors_at(file, 5),
           "there are five");
    for (size_t i = 0; i < 5; i++)
        tap_ok(!strcmp(vigil_safetensors_at(file, i)->name, order[i]) &&
                   vigil_safetensors_find(file, order[i]) ==
                       vigil_safetensors_at(file, i),
               "'%s' is number %zu and found by name", order[i], i);
    tap_ok(!vigil_safetensors_find(file, "zz") && !vigil_safetensors_find(file, "a") &&
               !vigil_safetensors_find(file, "__metadata__"),
           "other names are not found");
    const VigilStored *t = vigil_safetensors_find(file, order[1]);
    tap_ok(t->rank == 3 && t->shape[0] == 2 && t->shape[1] == 1 && t->shape[2] == 3 &&
               t->elements == 6 && t->offset == 0 && t->bytes == 6,
           "shape and place are kept");
    t = vigil_safetensors_find(file, "scalar");
    tap_ok(t->rank == 0 && t->elements == 1 && t->bytes == 8, "rank 0 has one element");
    t = vigil_safetensors_find(file, "none");
    tap_ok(t->elements == 0 && !vigil_safetensors_read(file, t, NULL, &error),
           "an empty tensor is read as nothing");
    tap_ok(!strcmp(vigil_safetensors_metadata(file, "family"), "emo") &&
               !strcmp(vigil_safetensors_metadata(file, "labels"), "[\"a\"]") &&
               !vigil_safetensors_metadata(file, "task"),
           "metadata is found by key");
    tap_ok(!strcmp(vigil_safetensors_path(file), "test"), "the name is kept");
    vigil_safetensors_close(&file);
    tap_ok(!file, "closing clears the pointer");
    vigil_safetensors_close(&file);
    vigil_safetensors_close(NULL);
    free(bytes.data);
}

static void check_no_tensors(void)
{
    VigilSafetensors *file;
    VigilError error = { 0 };
    Bytes bytes;
    tap_ok(!open_header("{}", 0, &bytes, &file, &error) &&
               !vigil_safetensors_count(file) && !vigil_safetensors_at(file, 0) &&
               !vigil_safetensors_find(file, "") &&
               !vigil_safetensors_metadata(file, "x"),
           "a file may be empty of tensors: '%s'", error.message);
    vigil_safetensors_close(&file);
    free(bytes.data);
}

int main(void)
{
    check_refused();
    check_beginnings();
    check_long_names();
    check_every_dtype();
    check_contents();
    check_no_tensors();
    return tap_done();
}
