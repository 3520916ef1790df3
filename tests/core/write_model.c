/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "write_model.h"
#include "core/formula.h"
#include "core/recognise.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- The tensors of a variant ---------------------------------------------------- */

void write_tensors(const char *variant, int classes, VigilBindVisit visit,
                   void *context)
{
    VigilArchitecture arch;
    if (!vigil_find_variant(variant, &arch))
        return;
    VigilNetConfig config = { arch.row->size, arch.row->size, classes, 0 };
    VigilSource *source = vigil_source_formula(0, WRITE_GAIN);
    VigilNet *net = vigil_describe(&arch, &config, NULL);
    if (!source || !net)
        give_up("describing a network");
    VigilBinder binder = { .mode = VIGIL_BIND_CHECK,
                           .source = source,
                           .what = variant,
                           .visit = visit,
                           .visit_context = context };
    vigil_net_bind(net, &binder);
    vigil_net_free(&net);
    vigil_source_free(&source);
}

/* ---- Values ---------------------------------------------------------------------- */

/* To `bits` bits after the leading one; below 2^lowest in steps as wide as there. */
static float round_mantissa(float value, int bits, int lowest)
{
    int e;
    frexpf(value, &e); /* value = f 2^e, 0.5 <= f < 1 */
    e = e - 1 < lowest ? lowest : e - 1;
    return ldexpf(nearbyintf(ldexpf(value, bits - e)), e - bits);
}

float write_rounded(VigilDtype dtype, float value)
{
    if (dtype == VIGIL_F16) {
        float v = round_mantissa(value, 10, -14);
        return fabsf(v) > 65504 ? copysignf(INFINITY, v) : v;
    }
    return dtype == VIGIL_BF16 ? round_mantissa(value, 7, -126) : value;
}

/* Of a value that a float16 can hold. */
static uint16_t half_bits(float value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    float a = fabsf(value);
    int e;
    if (isnan(value) || isinf(value))
        return sign | (isnan(value) ? 0x7e00 : 0x7c00);
    if (a < 0x1p-14f)
        return sign | (uint16_t)(a * 0x1p24f);
    frexpf(a, &e);
    return sign | (uint16_t)((e + 14) << 10 | ((int)ldexpf(a, 11 - e) & 0x3ff));
}

static void put_value(VigilDtype dtype, float value, unsigned char *out)
{
    uint64_t bits = 0;
    double wide = value;
    float v = write_rounded(dtype, value);
    size_t bytes = vigil_dtype_bits(dtype) / 8;
    if (dtype == VIGIL_F64)
        memcpy(&bits, &wide, 8);
    else if (dtype == VIGIL_F16)
        bits = half_bits(v);
    else
        memcpy(&bits, &v, 4);
    if (dtype == VIGIL_BF16)
        bits >>= 16;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(bits >> 8 * i);
}

/* ---- The file -------------------------------------------------------------------- */

typedef struct Writer {
    const WriteModel *model;
    FILE *header, *data;
    size_t at;
    const char *comma;
} Writer;

static bool is(const char *name, const char *other)
{
    return other && !strcmp(name, other);
}

static void put_entry(Writer *w, const char *prefix, const char *name, const char *type,
                      int rank, const uint64_t *shape, size_t bytes)
{
    fprintf(w->header, "%s\"%s%s\":{\"dtype\":\"%s\",\"shape\":[", w->comma, prefix,
            name, type);
    for (int i = 0; i < rank; i++)
        fprintf(w->header, "%s%" PRIu64, i ? "," : "", shape[i]);
    fprintf(w->header, "],\"data_offsets\":[%zu,%zu]}", w->at, w->at + bytes);
    w->at += bytes;
    w->comma = ",";
}

static void put_tensor(void *context, const char *name, int rank, const uint64_t *shape)
{
    Writer *w = context;
    const WriteModel *m = w->model;
    VigilDtype dtype = is(name, m->integers) ? VIGIL_I32
                       : m->dtype            ? m->dtype
                                             : VIGIL_F32;
    uint64_t own[4] = { 0 }, n = 1;
    if (is(name, m->omit))
        return;
    memcpy(own, shape, (size_t)rank * sizeof *own);
    own[0] /= is(name, m->halve) ? 2 : 1;
    for (int i = 0; i < rank; i++)
        n *= own[i];
    size_t size = vigil_dtype_bits(dtype) / 8;
    float *value = malloc(n * sizeof *value);
    unsigned char *bytes = calloc(n, size);
    if (!value || !bytes)
        give_up("malloc");
    if (m->fill)
        m->fill(name, rank, own, value);
    else
        vigil_formula_fill(name, rank, own, 0, WRITE_GAIN, value);
    if (is(name, m->spoil))
        value[n - 1] = m->spoilt;
    for (uint64_t i = 0; dtype != VIGIL_I32 && i < n; i++)
        put_value(dtype, write_rounded(m->rounded_to, value[i]), bytes + i * size);
    fwrite(bytes, size, n, w->data);
    free(value);
    free(bytes);
    put_entry(w, m->prefix ? m->prefix : "", name, vigil_dtype_name(dtype), rank, own,
              n * size);
}

static void put_further(Writer *w)
{
    static const unsigned char zeros[8];
    const uint64_t two[] = { 2 };
    if (w->model->extra) {
        put_entry(w, "", w->model->extra, "F32", 1, two, 8);
        fwrite(zeros, 8, 1, w->data);
    }
    if (w->model->counter) {
        put_entry(w, "", w->model->counter, "I64", 0, NULL, 8);
        fwrite(zeros, 8, 1, w->data);
    }
}

unsigned char *write_model(const WriteModel *model, size_t *size)
{
    char *header = NULL, *data = NULL;
    size_t header_size = 0, data_size = 0;
    Writer w = { .model = model,
                 .header = open_memstream(&header, &header_size),
                 .data = open_memstream(&data, &data_size),
                 .comma = "" };
    if (!w.header || !w.data)
        give_up("open_memstream");
    fputc('{', w.header);
    if (model->metadata) {
        fprintf(w.header, "\"__metadata__\":%s", model->metadata);
        w.comma = ",";
    }
    write_tensors(model->variant, model->classes, put_tensor, &w);
    put_further(&w);
    fputc('}', w.header);
    if (fclose(w.header) || fclose(w.data))
        give_up("fclose");
    *size = 8 + header_size + data_size;
    unsigned char *file = malloc(*size);
    if (!file)
        give_up("malloc");
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)header_size >> 8 * i);
    memcpy(file + 8, header, header_size);
    memcpy(file + 8 + header_size, data, data_size);
    free(header);
    free(data);
    return file;
}

char *write_model_file(const WriteModel *model)
{
    size_t size;
    unsigned char *bytes = write_model(model, &size);
    char *path = strdup("/tmp/vigil-model-XXXXXX");
    int fd = path ? mkstemp(path) : -1;
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f || fwrite(bytes, size, 1, f) != 1 || fclose(f))
        give_up(path);
    free(bytes);
    return path;
}
