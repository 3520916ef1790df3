/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vigil-model calibrate: shows a network pictures and writes its file again, with the
 * ranges of values that int8 needs in its __metadata__.  Tensors stay as they are, so
 * that the file runs in float32, too.
 */
#include "core/json.h"
#include "vigil-model-eval.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8u /* of the length of a header */

typedef struct Calibration {
    const Options *options;
    EvalNetwork network;
    GPtrArray *pictures; /* of owned paths, sorted */
    size_t shown, skipped;
    json_t *ranges; /* from keys to pairs */
    int int8_layers;
} Calibration;

/* ---- Pictures -------------------------------------------------------------------- */

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_picture(const char *name)
{
    static const char *const endings[] = { ".jpg", ".jpeg", ".png" };
    char *lower = g_ascii_strdown(name, -1);
    bool found = false;
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        found |= g_str_has_suffix(lower, endings[i]);
    g_free(lower);
    return found;
}

static int list_pictures(Calibration *c)
{
    const char *folder = c->options->images, *name;
    GError *error = NULL;
    GDir *dir = g_dir_open(folder, 0, &error);
    c->pictures = g_ptr_array_new_with_free_func(g_free);
    if (!dir) {
        int status = fail("%s", error->message);
        g_error_free(error);
        return status;
    }
    while ((name = g_dir_read_name(dir)))
        if (is_picture(name))
            g_ptr_array_add(c->pictures, g_build_filename(folder, name, NULL));
    g_dir_close(dir);
    g_ptr_array_sort(c->pictures, by_name);
    if (!c->pictures->len)
        return fail("%s: no picture (.jpg, .jpeg, .png) is there", folder);
    if (c->options->limit && c->pictures->len > (guint)c->options->limit)
        g_ptr_array_set_size(c->pictures, c->options->limit);
    return STATUS_OK;
}

static int show_pictures(Calibration *c)
{
    Progress progress;
    int status = STATUS_OK;
    progress_begin(&progress, c->options, c->pictures->len);
    for (guint i = 0; status == STATUS_OK && i < c->pictures->len; i++) {
        status = eval_network_load(&c->network, c->pictures->pdata[i]);
        if (status == STATUS_OK) {
            status = eval_network_run(&c->network, NULL);
            c->shown++;
        } else if (c->options->skip_broken) {
            status = STATUS_OK;
            c->skipped++;
        }
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* ---- Ranges ---------------------------------------------------------------------- */

static int take_ranges(Calibration *c)
{
    VigilError error;
    char *text = NULL;
    VigilStatus status = vigil_session_ranges(c->network.session, &text, &error);
    if (status == VIGIL_OK)
        status = vigil_json_parse(text, strlen(text), "what was counted", &c->ranges,
                                  &error);
    free(text);
    return status == VIGIL_OK ? STATUS_OK : fail("%s", error.message);
}

/* The weight whose input has the range. */
static const char *weight_of(const char *key)
{
    return strrchr(key, '|') + 1;
}

static int exclude(Calibration *c)
{
    for (size_t i = 0; i < c->options->n_excluded; i++) {
        const char *wanted = c->options->excluded[i], *key;
        size_t before = json_object_size(c->ranges);
        json_t *range;
        void *next;
        json_object_foreach_safe(c->ranges, next, key,
                                 range) if (!strcmp(weight_of(key), wanted))
            json_object_del(c->ranges, key);
        if (json_object_size(c->ranges) == before)
            return fail_usage("--exclude %s: no layer that can be in int8 has a weight "
                              "of this name",
                              wanted);
    }
    return STATUS_OK;
}

/* ---- The file -------------------------------------------------------------------- */

static json_t *metadata_of(json_t *header)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    if (metadata)
        return metadata;
    json_object_set_new(header, "__metadata__", json_object());
    return json_object_get(header, "__metadata__");
}

/* Sets a member of a header's __metadata__; false without memory. */
static bool set_text(json_t *header, const char *key, const char *text)
{
    json_t *metadata = metadata_of(header);
    return text && metadata && !json_object_set_new(metadata, key, json_string(text));
}

/* The header of the new file as text, filled up to a multiple of 8; NULL without
 * memory. */
static GString *new_header(const Calibration *c, json_t *header)
{
    const VigilPrecision precision = c->options->precision;
    char *ranges = json_dumps(c->ranges, JSON_COMPACT | JSON_REAL_PRECISION(9));
    char *text = NULL;
    if (set_text(header, "int8_ranges", ranges) &&
        set_text(header, "precision",
                 precision_name(precision ? precision : VIGIL_PRECISION_INT8)))
        text = json_dumps(header, JSON_COMPACT);
    GString *out = text ? g_string_new(text) : NULL;
    while (out && out->len % 8)
        g_string_append_c(out, ' ');
    free(text);
    free(ranges);
    return out;
}

static int save(const char *path, const GString *header, const char *data, size_t bytes)
{
    GError *error = NULL;
    GString *file = g_string_sized_new(LENGTH_BYTES + header->len + bytes);
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        g_string_append_c(file, (char)((guint64)header->len >> 8 * i));
    g_string_append_len(file, header->str, (gssize)header->len);
    g_string_append_len(file, data, (gssize)bytes);
    int status = STATUS_OK;
    if (!g_file_set_contents(path, file->str, (gssize)file->len, &error)) {
        status = fail("%s", error->message);
        g_error_free(error);
    }
    g_string_free(file, TRUE);
    return status;
}

/* The file was opened before, which is why its lengths are right. */
static int write_file(const Calibration *c)
{
    const char *path = c->network.info->file;
    char *text;
    size_t bytes, length = 0;
    json_t *header = NULL;
    VigilError error;
    int status = text_read(path, &text, &bytes);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        length |= (size_t)(unsigned char)text[i] << 8 * i;
    const char *data = text + LENGTH_BYTES + length;
    if (vigil_json_parse(text + LENGTH_BYTES, length, path, &header, &error) !=
        VIGIL_OK) {
        status = fail("%s", error.message);
    } else {
        GString *changed = new_header(c, header);
        status = changed ? save(c->options->out, changed, data,
                                bytes - LENGTH_BYTES - length)
                         : fail("out of memory");
        if (changed)
            g_string_free(changed, TRUE);
    }
    json_decref(header);
    free(text);
    return status;
}

/* Opens what was written: it can be, and how many layers are in int8 here. */
static int check_file(Calibration *c)
{
    VigilModel *model = NULL;
    VigilSession *session = NULL;
    VigilSessionOptions options = { .input = c->options->input,
                                    .threads = 1,
                                    .precision = VIGIL_PRECISION_INT8 };
    VigilError error;
    int status = STATUS_OK;
    if (vigil_model_open(c->options->out, &model, &error) != VIGIL_OK ||
        vigil_session_open(model, &options, &session, &error) != VIGIL_OK)
        status = fail("%s", error.message);
    else
        vigil_session_precision(session, &c->int8_layers);
    vigil_session_close(&session);
    vigil_model_close(&model);
    return status;
}

/* ---- The command ------------------------------------------------------------------
 */

static int print_result(const Calibration *c)
{
    int layers = (int)json_object_size(c->ranges);
    if (c->options->json)
        return json_print(json_pack("{s:o, s:I, s:I, s:i, s:i, s:s}", "file",
                                    json_text(c->options->out), "pictures",
                                    (json_int_t)c->shown, "skipped",
                                    (json_int_t)c->skipped, "calibrated_layers", layers,
                                    "int8_layers", c->int8_layers, "isa", vigil_isa()),
                          true);
    printf("%zu pictures, %zu skipped; %d layers calibrated, %d of them faster in int8 "
           "at the level %s\n",
           c->shown, c->skipped, layers, c->int8_layers, vigil_isa());
    return STATUS_OK;
}

static int check_options(const Options *options)
{
    if (!options->images)
        return fail_usage("calibrate: --images is missing");
    if (!options->out)
        return fail_usage("calibrate: --out is missing");
    return STATUS_OK;
}

int command_calibrate(const Options *options)
{
    Calibration c = { .options = options };
    int status = check_options(options);
    if (status == STATUS_OK)
        status = list_pictures(&c);
    if (status == STATUS_OK)
        status = eval_network_open_to_calibrate(options, &c.network);
    if (status == STATUS_OK)
        status = show_pictures(&c);
    if (status == STATUS_OK && !c.shown)
        status = fail("%s: no picture could be read", options->images);
    if (status == STATUS_OK)
        status = take_ranges(&c);
    if (status == STATUS_OK)
        status = exclude(&c);
    if (status == STATUS_OK)
        status = write_file(&c);
    if (status == STATUS_OK)
        status = check_file(&c);
    if (status == STATUS_OK)
        status = print_result(&c);
    json_decref(c.ranges);
    g_clear_pointer(&c.pictures, g_ptr_array_unref);
    eval_network_close(&c.network);
    return status;
}
