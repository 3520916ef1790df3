#include "core/model.h"
#include "core/input.h"
#include "core/json.h"
#include "core/metadata.h"
#include "core/opened.h"
#include "core/quantise.h"
#include "core/recognise.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Building ----------------------------------------------------------------------
 */

/* Parameters per operation, for listings, are counted by a pass that only checks. */
static void count_parameters(VigilModel *model, VigilNet *net)
{
    VigilBinder check = { .mode = VIGIL_BIND_CHECK,
                          .source = model->source,
                          .what = model->arch.row->name };
    vigil_net_bind(net, &check);
}

static VigilStatus choose_arithmetic(const VigilModel *model, VigilNet *net,
                                     VigilArithmetic arithmetic, VigilError *error)
{
    if (arithmetic == VIGIL_IN_BYTES)
        vigil_net_quantise(net, model->ranges, false);
    if (arithmetic == VIGIL_OBSERVED)
        vigil_net_observe(net);
    return vigil_net_status(net, error);
}

VigilStatus vigil_model_build(VigilModel *model, int height, int width,
                              VigilArithmetic arithmetic, const char *const *keep,
                              size_t n_keep, VigilNet **out, VigilError *error)
{
    VigilNetConfig config = { height, width, model->info.classes, model->window };
    VigilError e = { 0 };
    VigilNet *net = vigil_describe(&model->arch, &config, &e);
    if (!net)
        return vigil_fail(error, e.status, "%s", e.message);
    VigilBinder load = { .mode = VIGIL_BIND_LOAD,
                         .source = model->source,
                         .store = model->store,
                         .what = model->arch.row->name };
    VigilStatus s = vigil_net_fuse(net, keep, n_keep, error);
    if (s == VIGIL_OK)
        s = choose_arithmetic(model, net, arithmetic, error);
    if (s == VIGIL_OK) {
        pthread_mutex_lock(&model->lock);
        count_parameters(model, net);
        vigil_net_bind(net, &load);
        pthread_mutex_unlock(&model->lock);
        if ((s = load.status) != VIGIL_OK)
            vigil_fail(error, s, "%s", load.error.message);
    }
    if (s == VIGIL_OK)
        *out = net;
    else
        vigil_net_free(&net);
    return s;
}

static VigilStatus check_leftovers(const VigilModel *model, VigilError *error)
{
    char name[112];
    const VigilStored *t = vigil_source_leftover(
        model->source, model->arch.scheme->ignored, model->arch.scheme->n_ignored);
    if (!t)
        return VIGIL_OK;
    return vigil_fail(error, VIGIL_ERROR_SHAPE,
                      "%s: tensor '%s' belongs to nothing in %s, which fits otherwise",
                      model->shown, vigil_printable(name, sizeof name, t->name),
                      model->arch.row->name);
}

/* ---- Metadata ----------------------------------------------------------------------
 */

static VigilStatus copy_labels(VigilModel *model, const json_t *list, VigilError *error)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list))
        return vigil_fail(error, VIGIL_ERROR_FORMAT,
                          "%s: __metadata__ 'labels' is not a JSON array",
                          model->shown);
    if (n != (size_t)model->info.classes)
        return vigil_fail(error, VIGIL_ERROR_FORMAT,
                          "%s: __metadata__ 'labels' has %zu names for %d classes",
                          model->shown, n, model->info.classes);
    model->labels = calloc(n, sizeof *model->labels);
    for (size_t i = 0; model->labels && i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return vigil_fail(error, VIGIL_ERROR_FORMAT,
                              "%s: __metadata__ 'labels': entry %zu is not a string",
                              model->shown, i);
        if (!(model->labels[i] = strdup(text)))
            return vigil_fail_memory(error, strlen(text), "a label");
    }
    if (!model->labels)
        return vigil_fail_memory(error, n * sizeof(char *), "labels");
    model->info.labels = (const char *const *)model->labels;
    model->info.label_set = "metadata";
    return VIGIL_OK;
}

static VigilStatus read_labels(VigilModel *model, VigilError *error)
{
    const char *text = vigil_safetensors_metadata(model->file, "labels");
    char what[256];
    json_t *list = NULL;
    if (!text)
        return VIGIL_OK;
    snprintf(what, sizeof what, "%s: __metadata__ 'labels'", model->shown);
    VigilStatus s = vigil_json_parse(text, strlen(text), what, &list, error);
    if (s == VIGIL_OK)
        s = copy_labels(model, list, error);
    json_decref(list);
    return s;
}

static VigilStatus read_window(VigilModel *model, VigilError *error)
{
    return vigil_metadata_whole(model->file, "window", 2, 64, &model->window, error);
}

/* SSD may have been trained with anchors of other sizes: one more number than levels,
 * fractions of the input. */
static VigilStatus read_anchors(VigilModel *model, VigilError *error)
{
    static const char key[] = "anchor_sizes";
    const VigilDetectRules *rules = model->arch.scheme->detect;
    float sizes[VIGIL_MAX_LEVELS + 1];
    bool found;
    if (!rules)
        return VIGIL_OK;
    int levels = rules->anchors->levels;
    VigilStatus s =
        vigil_metadata_numbers(model->file, key, levels + 1, sizes, &found, error);
    if (s != VIGIL_OK || !found)
        return s;
    model->anchors = *rules->anchors;
    if (!vigil_anchors_resize(&model->anchors, sizes))
        return vigil_metadata_refuse(
            model->file, key, "rising numbers above 0 and up to 2, of SSD", error);
    model->detect = *rules;
    model->detect.anchors = &model->anchors;
    return VIGIL_OK;
}

const VigilDetectRules *vigil_model_detect_rules(const VigilModel *model)
{
    return model->detect.anchors ? &model->detect : model->arch.scheme->detect;
}

/* Whether sessions that are not asked multiply in bytes, and by which ranges. */
static VigilStatus read_precision(VigilModel *model, VigilError *error)
{
    static const char key[] = "precision";
    static const char *const names[] = { "auto", "float32", "int8", NULL };
    int named = VIGIL_PRECISION_AUTO;
    VigilStatus s = vigil_ranges_read(model->file, &model->ranges, error);
    if (s == VIGIL_OK)
        s = vigil_metadata_choice(model->file, key, names, &named, error);
    if (s != VIGIL_OK)
        return s;
    if (named == VIGIL_PRECISION_INT8 && !model->ranges)
        return vigil_metadata_refuse(model->file, key,
                                     "float32 in a file without '" VIGIL_RANGES_KEY "'",
                                     error);
    model->info.calibrated = model->ranges != NULL;
    if (named != VIGIL_PRECISION_AUTO) {
        model->info.precision = (VigilPrecision)named;
        model->info.precision_origin = VIGIL_ORIGIN_METADATA;
    }
    return VIGIL_OK;
}

/* ---- Opening -----------------------------------------------------------------------
 */

static VigilModel *new_model(VigilError *error)
{
    VigilModel *m = calloc(1, sizeof *m);
    if (m && !(m->store = vigil_store_new())) {
        free(m);
        m = NULL;
    }
    if (!m) {
        vigil_fail_memory(error, sizeof *m, "a model");
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    m->references = 1;
    m->info.precision = VIGIL_PRECISION_FLOAT32;
    return m;
}

static void fill_info(VigilModel *m)
{
    m->info.file = m->path;
    m->info.family = m->arch.family->name;
    m->info.variant = m->arch.row->name;
    m->info.naming = m->arch.scheme->name;
    m->info.task = m->arch.family->task;
    if (!m->info.labels && m->arch.family->label_set &&
        m->info.classes == m->arch.family->label_count) {
        int n;
        m->info.labels = vigil_labels_builtin(m->arch.family->label_set, &n);
        m->info.label_set = m->arch.family->label_set;
    }
    m->info.memory_bytes = vigil_store_bytes(m->store);
}

/* Packs every weight, so that a file that is broken anywhere is refused here. */
static VigilStatus pack(VigilModel *m, VigilError *error)
{
    VigilNet *net = NULL;
    VigilStatus s = vigil_model_build(m, m->info.input.height, m->info.input.width,
                                      VIGIL_IN_FLOATS, NULL, 0, &net, error);
    vigil_net_free(&net);
    return s;
}

/* With m->file open. */
static VigilStatus open_stored(VigilModel *m, VigilError *error)
{
    vigil_printable(m->shown, sizeof m->shown, m->path);
    VigilStatus s = vigil_recognise(m, error);
    if (s != VIGIL_OK)
        return s;
    vigil_input_default(&m->arch, &m->info.input);
    if ((s = vigil_input_metadata(m->file, &m->info.input, error)) ||
        (s = read_window(m, error)) || (s = read_anchors(m, error)) ||
        (s = read_labels(m, error)) || (s = read_precision(m, error)) ||
        (s = pack(m, error)) || (s = check_leftovers(m, error)))
        return s;
    fill_info(m);
    return VIGIL_OK;
}

/* Hands the model to the caller, or closes it. */
static VigilStatus finish(VigilModel *m, VigilStatus s, VigilModel **model)
{
    if (s == VIGIL_OK)
        *model = m;
    else
        vigil_model_close(&m);
    return s;
}

/* Takes over `path`. */
static VigilStatus open_file(char *path, VigilModel **model, VigilError *error)
{
    VigilModel *m = new_model(error);
    if (!m) {
        free(path);
        return VIGIL_ERROR_NO_MEMORY;
    }
    m->path = path;
    VigilStatus s = vigil_safetensors_open(m->path, &m->file, error);
    if (s == VIGIL_OK)
        s = open_stored(m, error);
    if (s == VIGIL_OK)
        m = vigil_opened_add(m);
    return finish(m, s, model);
}

VigilStatus vigil_model_open(const char *name, VigilModel **model, VigilError *error)
{
    char *path;
    *model = NULL;
    VigilStatus s = vigil_model_locate(name, &path, error);
    if (s != VIGIL_OK)
        return s;
    if (!(*model = vigil_opened_find(path)))
        return open_file(path, model, error);
    free(path);
    return VIGIL_OK;
}

VigilStatus vigil_model_open_memory(const void *data, size_t bytes, const char *name,
                                    VigilModel **model, VigilError *error)
{
    *model = NULL;
    VigilModel *m = new_model(error);
    VigilStatus s;
    if (!m)
        return VIGIL_ERROR_NO_MEMORY;
    if (!(m->path = strdup(name)))
        s = vigil_fail_memory(error, strlen(name) + 1, "a file name");
    else if ((s = vigil_safetensors_open_memory(data, bytes, name, &m->file, error)) ==
             VIGIL_OK)
        s = open_stored(m, error);
    return finish(m, s, model);
}

static VigilStatus open_formula(VigilModel *m, const char *variant, uint64_t seed,
                                double gain, int classes, VigilError *error)
{
    VigilMatch match;
    VigilStatus s;
    if (!vigil_find_variant(variant, &m->arch))
        return vigil_fail(error, VIGIL_ERROR_NOT_FOUND,
                          "no variant '%s'; 'vigil-model list' tells what there is",
                          variant);
    if (!isfinite(gain))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "a gain of %g; it must be finite", gain);
    if (classes < 1 || classes > VIGIL_MAX_CLASSES)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "%d classes; may be 1 to %d",
                          classes, VIGIL_MAX_CLASSES);
    m->source = vigil_source_formula(seed, gain);
    m->path = strdup("formula");
    if (!m->source || !m->path)
        return vigil_fail_memory(error, sizeof(void *), "a weight source");
    m->info.classes = classes;
    if ((s = vigil_check_variant(&m->arch, m->source, classes, &match, error)))
        return s;
    m->info.parameters = match.binder.parameters;
    vigil_input_default(&m->arch, &m->info.input);
    if ((s = pack(m, error)))
        return s;
    fill_info(m);
    return VIGIL_OK;
}

VigilStatus vigil_model_open_formula(const char *variant, uint64_t seed, double gain,
                                     int classes, VigilModel **model, VigilError *error)
{
    *model = NULL;
    VigilModel *m = new_model(error);
    if (!m)
        return VIGIL_ERROR_NO_MEMORY;
    return finish(m, open_formula(m, variant, seed, gain, classes, error), model);
}

VigilModel *vigil_model_ref(VigilModel *model)
{
    atomic_fetch_add(&model->references, 1);
    return model;
}

void vigil_model_close(VigilModel **model)
{
    VigilModel *m = model ? *model : NULL;
    if (!m)
        return;
    *model = NULL;
    if (!vigil_opened_drop(m))
        return;
    for (int i = 0; m->labels && i < m->info.classes; i++)
        free(m->labels[i]);
    free(m->labels);
    vigil_ranges_free(&m->ranges);
    vigil_source_free(&m->source);
    vigil_safetensors_close(&m->file);
    vigil_store_free(&m->store);
    pthread_mutex_destroy(&m->lock);
    free(m->path);
    free(m);
}

const VigilModelInfo *vigil_model_info(const VigilModel *model)
{
    return &model->info;
}

VigilStatus vigil_model_input(const VigilModel *model, const VigilInputOptions *options,
                              VigilInput *input, VigilError *error)
{
    *input = model->info.input;
    return vigil_input_options(options, input, error);
}
