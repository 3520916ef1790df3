#include "core/attention.h"
#include "core/input.h"
#include "core/quantise.h"
#include "core/session.h"
#include "core/threads.h"

#include <stdlib.h>
#include <string.h>

struct VigilSession {
    VigilModel *model;
    VigilNet *net;
    VigilInput input;
    VigilTensor *taps, *outputs;
    size_t n_taps, n_outputs;
    int threads;
    VigilPrecision precision;
};

static VigilTensor tensor_of(const VigilNet *net, VigilValue v, const char *name)
{
    VigilTensor t = { .name = name, .data = vigil_net_data(net, v) };
    t.rank = vigil_shape_dims(vigil_net_shape(net, v), t.shape);
    return t;
}

static VigilStatus find_taps(VigilSession *s, const VigilSessionOptions *o,
                             VigilError *error)
{
    size_t n = o->n_taps;
    VigilAttentionInfo info;
    VigilValue map;
    if (o->attention)
        n += vigil_attention_count(s->net);
    s->taps = calloc(n + 1, sizeof *s->taps);
    if (!s->taps)
        return vigil_fail_memory(error, n * sizeof *s->taps, "taps");
    for (size_t i = 0; i < o->n_taps; i++) {
        VigilValue v = vigil_net_find(s->net, o->taps[i]);
        if (v == VIGIL_NONE)
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "%s has no tap '%s'; 'vigil-model info --layers "
                              "--attention' lists what there is",
                              s->model->arch.row->name, o->taps[i]);
        s->taps[s->n_taps++] =
            tensor_of(s->net, v, vigil_net_own_name(s->net, o->taps[i]));
    }
    while (s->n_taps < n) {
        map = vigil_attention_at(s->net, s->n_taps - o->n_taps, &info);
        s->taps[s->n_taps++] = tensor_of(s->net, map, info.name);
    }
    return VIGIL_OK;
}

static VigilStatus find_outputs(VigilSession *s, VigilError *error)
{
    const char *name;
    while (vigil_net_output_at(s->net, s->n_outputs, NULL) != VIGIL_NONE)
        s->n_outputs++;
    s->outputs = calloc(s->n_outputs + 1, sizeof *s->outputs);
    if (!s->outputs)
        return vigil_fail_memory(error, s->n_outputs * sizeof *s->outputs, "outputs");
    for (size_t i = 0; i < s->n_outputs; i++) {
        VigilValue v = vigil_net_output_at(s->net, i, &name);
        s->outputs[i] = tensor_of(s->net, v, name);
    }
    return VIGIL_OK;
}

/* What the caller or else the file asks for. */
static VigilStatus find_arithmetic(VigilSession *s, const VigilSessionOptions *o,
                                   VigilArithmetic *out, VigilError *error)
{
    const VigilModel *m = s->model;
    if ((int)o->precision < 0 || o->precision > VIGIL_PRECISION_INT8)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "precision %d; there are 0 to %d", (int)o->precision,
                          VIGIL_PRECISION_INT8);
    s->precision = o->precision ? o->precision : m->info.precision;
    if (o->calibrate)
        s->precision = VIGIL_PRECISION_FLOAT32;
    *out = o->calibrate                           ? VIGIL_OBSERVED
           : s->precision == VIGIL_PRECISION_INT8 ? VIGIL_IN_BYTES
                                                  : VIGIL_IN_FLOATS;
    if (*out != VIGIL_IN_BYTES || m->ranges)
        return VIGIL_OK;
    return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                      "%s was not calibrated, which precision int8 needs: "
                      "'vigil-model calibrate' makes a file that is",
                      *m->shown ? m->shown : m->path);
}

static VigilStatus open_session(VigilSession *s, const VigilSessionOptions *o,
                                VigilError *error)
{
    VigilArithmetic arithmetic;
    VigilStatus status = vigil_model_input(s->model, &o->input, &s->input, error);
    /* More would only cost scratch memory: the pool has no more. */
    int processors = vigil_processors();
    int threads = o->threads > 0 && o->threads < processors ? o->threads : processors;
    if (status == VIGIL_OK)
        status = find_arithmetic(s, o, &arithmetic, error);
    if (status == VIGIL_OK)
        status = vigil_model_build(s->model, s->input.height, s->input.width,
                                   arithmetic, o->taps, o->n_taps, &s->net, error);
    if (status == VIGIL_OK && o->attention)
        vigil_net_keep_attention(s->net);
    if (status == VIGIL_OK)
        status = vigil_net_plan(s->net, o->taps, o->n_taps, threads, error);
    s->threads = threads;
    if (status == VIGIL_OK)
        status = find_taps(s, o, error);
    if (status == VIGIL_OK)
        status = find_outputs(s, error);
    if (status == VIGIL_OK)
        vigil_start_workers(threads);
    return status;
}

VigilStatus vigil_session_open(VigilModel *model, const VigilSessionOptions *options,
                               VigilSession **session, VigilError *error)
{
    static const VigilSessionOptions defaults;
    const VigilSessionOptions *o = options ? options : &defaults;
    *session = NULL;
    if (o->threads < 0)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "%d threads; may be 0 or more",
                          o->threads);
    VigilSession *s = calloc(1, sizeof *s);
    if (!s)
        return vigil_fail_memory(error, sizeof *s, "a session");
    s->model = vigil_model_ref(model);
    VigilStatus status = open_session(s, o, error);
    if (status == VIGIL_OK)
        *session = s;
    else
        vigil_session_close(&s);
    return status;
}

void vigil_session_close(VigilSession **session)
{
    VigilSession *s = session ? *session : NULL;
    if (!s)
        return;
    *session = NULL;
    vigil_net_free(&s->net);
    vigil_model_close(&s->model);
    free(s->taps);
    free(s->outputs);
    free(s);
}

const VigilModel *vigil_session_model(const VigilSession *session)
{
    return session->model;
}

int vigil_session_threads(const VigilSession *session)
{
    return session->threads;
}

VigilStatus vigil_session_check_task(const VigilSession *session, VigilTask task,
                                     VigilError *error)
{
    static const char *const names[] = { "classification", "detection",
                                         "segmentation" };
    VigilTask own = session->model->arch.family->task;
    if (own == task)
        return VIGIL_OK;
    return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                      "%s is a network for %s, where one for %s is needed",
                      session->model->arch.row->name, names[own], names[task]);
}

const VigilInput *vigil_session_input_rules(const VigilSession *session)
{
    return &session->input;
}

float *vigil_session_input(VigilSession *session)
{
    return vigil_net_input_data(session->net);
}

void vigil_session_run(VigilSession *session)
{
    vigil_net_run(session->net);
}

const VigilTensor *vigil_session_output(const VigilSession *session, size_t i)
{
    return i < session->n_outputs ? &session->outputs[i] : NULL;
}

const VigilTensor *vigil_session_tap(const VigilSession *session, const char *name)
{
    for (size_t i = 0; i < session->n_taps; i++)
        if (!strcmp(session->taps[i].name, name))
            return &session->taps[i];
    return NULL;
}

bool vigil_session_attention(const VigilSession *session, size_t i,
                             VigilAttentionInfo *info)
{
    return vigil_attention_at(session->net, i, info) != VIGIL_NONE;
}

VigilStatus vigil_session_attention_map(const VigilSession *session, size_t i, int head,
                                        int token, const VigilPlacement *placed,
                                        float *map, VigilMapPlace *place,
                                        VigilError *error)
{
    VigilAttentionInfo info;
    VigilValue v = vigil_attention_at(session->net, i, &info);
    if (v == VIGIL_NONE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "attention %zu of %s, which has %zu of them, from 0", i,
                          session->model->arch.row->name,
                          vigil_attention_count(session->net));
    if (!info.tapped)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "%s was not asked for when the session was opened",
                          info.name);
    VigilStatus status = vigil_attention_image(&info, vigil_net_data(session->net, v),
                                               head, token, map, error);
    if (status == VIGIL_OK && place)
        *place = vigil_attention_place(vigil_net_grid(session->net, v), info.map_height,
                                       info.map_width, placed);
    return status;
}

uint64_t vigil_session_macs(const VigilSession *session)
{
    return vigil_net_macs(session->net);
}

size_t vigil_session_arena_bytes(const VigilSession *session)
{
    return vigil_net_arena_bytes(session->net);
}

bool vigil_session_layer(const VigilSession *session, size_t i, VigilLayer *layer)
{
    return vigil_net_layer(session->net, i, layer);
}

VigilPrecision vigil_session_precision(const VigilSession *session, int *layers)
{
    if (layers)
        *layers = vigil_net_quantised(session->net);
    return session->precision;
}

VigilStatus vigil_session_ranges(const VigilSession *session, char **json,
                                 VigilError *error)
{
    return vigil_net_observed(session->net, json, error);
}

void vigil_session_time_layers(VigilSession *session, bool on)
{
    vigil_net_time_layers(session->net, on);
}
