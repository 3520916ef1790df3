/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages, and text from files made safe to print. */
#include "vigil-model.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT ((size_t)1 << 30)

char *clean_text(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_sized_new(strlen(valid));
    for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar point = g_utf8_get_char(c);
        g_string_append_unichar(out, g_unichar_iscntrl(point) ? '?' : point);
    }
    g_free(valid);
    return g_string_free(out, FALSE);
}

__attribute__((format(printf, 1, 0))) static void print_error(const char *format,
                                                              va_list args)
{
    char *message = g_strdup_vprintf(format, args);
    char *clean = clean_text(message);
    fprintf(stderr, "vigil-model: %s\n", clean);
    g_free(clean);
    g_free(message);
}

int fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_error(format, args);
    va_end(args);
    return STATUS_FAILED;
}

int fail_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_error(format, args);
    va_end(args);
    return STATUS_USAGE;
}

static int read_all(FILE *file, const char *path, char **text, size_t *bytes)
{
    size_t capacity = 0;
    *bytes = 0;
    do {
        capacity = capacity * 2 + 65536;
        char *grown = realloc(*text, capacity + 1);
        if (!grown)
            return fail("%s: out of memory: %zu bytes", path, capacity + 1);
        *text = grown;
        errno = 0;
        *bytes += fread(*text + *bytes, 1, capacity - *bytes, file);
        if (ferror(file))
            return fail("%s: %s", path, strerror(errno));
        if (*bytes > MAX_TEXT)
            return fail("%s: is larger than %zu bytes", path, MAX_TEXT);
    } while (*bytes == capacity);
    (*text)[*bytes] = '\0';
    return STATUS_OK;
}

int text_read(const char *path, char **text, size_t *bytes)
{
    *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail("%s: %s", path, strerror(errno));
    int status = read_all(file, path, text, bytes);
    fclose(file);
    if (status != STATUS_OK) {
        free(*text);
        *text = NULL;
    }
    return status;
}

VigilOrigin precision_origin(const VigilModelInfo *info, const Options *options)
{
    return options->precision ? VIGIL_ORIGIN_OPTION : info->precision_origin;
}

const char *precision_text(const VigilModelInfo *info, const VigilSession *session,
                           char *text)
{
    int layers;
    VigilPrecision precision = vigil_session_precision(session, &layers);
    if (precision == VIGIL_PRECISION_INT8)
        sprintf(text, "int8 in %d layers", layers);
    else
        sprintf(text, "%s%s", precision_name(precision),
                info->calibrated ? ", or int8" : "");
    return text;
}

int tap_shape(int rank, const int *shape, int out[4])
{
    switch (rank) {
    case 1:
        out[0] = 1, out[1] = shape[0];
        return 2;
    case 3:
        out[0] = 1, out[1] = shape[2], out[2] = shape[0], out[3] = shape[1];
        return 4;
    default:
        memcpy(out, shape, (size_t)rank * sizeof *out);
        return rank;
    }
}

const char *shape_text(int rank, const int *shape, char *text)
{
    int sides[4], n = tap_shape(rank, shape, sides);
    char *at = text;
    *at = '\0';
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s%d", i ? "x" : "", sides[i]);
    return text;
}

static int wider(int width, const char *text)
{
    int length = (int)strlen(text);
    return length > width ? length : width;
}

LayerWidths layer_widths(const VigilSession *session)
{
    LayerWidths widths = { strlen("LAYER"), strlen("KIND"), strlen("SHAPE") };
    char shape[64];
    VigilLayer layer;
    for (size_t i = 0; vigil_session_layer(session, i, &layer); i++) {
        widths.name = wider(widths.name, layer.name);
        widths.kind = wider(widths.kind, layer.kind);
        widths.shape = wider(widths.shape, shape_text(layer.rank, layer.shape, shape));
    }
    return widths;
}
