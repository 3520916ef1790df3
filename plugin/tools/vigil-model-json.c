/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON through jansson. */
#include "vigil-model.h"

#include "core/json.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    char *clean = clean_text(text);
    json_t *value = json_string(clean);
    g_free(clean);
    return value;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_setting(float value)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == value)
            break;
    }
    return json_number(strtod(text, NULL));
}

void json_add(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) == 0)
        return;
    json_decref(*array);
    *array = NULL;
}

void json_set(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

json_t *json_floats(const float *values, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n && array; i++)
        json_add(&array, json_number(values[i]));
    return array;
}

json_t *json_ints(const int *values, int n)
{
    json_t *array = json_array();
    for (int i = 0; i < n && array; i++)
        json_add(&array, json_integer(values[i]));
    return array;
}

static json_t *settings(const float values[3])
{
    json_t *array = json_array();
    for (int i = 0; i < 3; i++)
        json_add(&array, json_setting(values[i]));
    return array;
}

json_t *json_input(const VigilInput *input)
{
    json_t *origin = json_pack(
        "{s:s, s:s, s:s, s:s, s:s}", "size", origin_name(input->origin.size),
        "channel_order", origin_name(input->origin.channel_order), "mean",
        origin_name(input->origin.mean), "std", origin_name(input->origin.std),
        "resize", origin_name(input->origin.resize));
    json_t *shorter = input->resize == VIGIL_RESIZE_CROP
                          ? json_integer(input->resize_shorter)
                          : json_null();
    return json_pack("{s:i, s:i, s:s, s:o, s:o, s:s, s:o, s:s, s:o}", "height",
                     input->height, "width", input->width, "channel_order",
                     channel_order_name(input->channel_order), "mean",
                     settings(input->mean), "std", settings(input->std), "resize",
                     resize_name(input->resize), "resize_shorter", shorter, "filter",
                     filter_name(input->filter), "origin", origin);
}

json_t *json_precision(const VigilModelInfo *info, const VigilSession *session,
                       const Options *options)
{
    int layers;
    VigilPrecision precision = vigil_session_precision(session, &layers);
    return json_pack("{s:s, s:s, s:b, s:i}", "name", precision_name(precision),
                     "origin", origin_name(precision_origin(info, options)),
                     "calibrated", info->calibrated, "int8_layers", layers);
}

#define REAL_DIGITS JSON_REAL_PRECISION(9)

int json_save(json_t *root, const char *path)
{
    if (!root)
        return fail("out of memory while building the JSON output");
    errno = 0;
    int failed = json_dump_file(root, path, REAL_DIGITS);
    json_decref(root);
    return failed ? fail("%s: %s", path, errno ? strerror(errno) : "cannot be written")
                  : STATUS_OK;
}

/* A broken stream is reported when it is closed, for all kinds of output. */
int json_print(json_t *root, bool indented)
{
    if (!root)
        return fail("out of memory while building the JSON output");
    int failed =
        json_dumpf(root, stdout, REAL_DIGITS | (indented ? JSON_INDENT(2) : 0));
    json_decref(root);
    putchar('\n');
    if (failed && !ferror(stdout))
        return fail("out of memory while printing the JSON output");
    return STATUS_OK;
}

int json_load_path(const char *path, json_t **root)
{
    char *text;
    size_t bytes;
    VigilError error;
    *root = NULL;
    int status = text_read(path, &text, &bytes);
    if (status == STATUS_OK &&
        vigil_json_parse(text, bytes, path, root, &error) != VIGIL_OK)
        status = fail("%s", error.message);
    free(text);
    return status;
}
