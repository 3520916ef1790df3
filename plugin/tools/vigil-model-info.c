/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model info: what a weight file holds and wants. */
#include "vigil-model.h"

#include <glib.h>
#include <inttypes.h>

enum { LABELS_SHOWN = 12, LINE = 72, INDENT = 15 };

static json_t *labels_json(const VigilModelInfo *info)
{
    if (!info->labels)
        return json_null();
    json_t *labels = json_array();
    for (int i = 0; i < info->classes; i++)
        json_add(&labels, json_text(info->labels[i]));
    return labels;
}

static json_t *layers_json(const VigilSession *session)
{
    json_t *layers = json_array();
    VigilLayer layer;
    for (size_t i = 0; vigil_session_layer(session, i, &layer); i++) {
        int shape[4], n = tap_shape(layer.rank, layer.shape, shape);
        json_add(&layers, json_pack("{s:o, s:s, s:o, s:I, s:I}", "name",
                                    json_text(layer.name), "kind", layer.kind, "shape",
                                    json_ints(shape, n), "macs", (json_int_t)layer.macs,
                                    "parameters", (json_int_t)layer.parameters));
    }
    return layers;
}

static int print_json(const VigilModelInfo *info, const VigilSession *session,
                      const Options *options)
{
    json_t *root = json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:i, s:o, s:o, s:I, s:I}",
        "precision", json_precision(info, session, options), "file",
        json_text(info->file), "family", info->family, "variant", info->variant, "task",
        task_name(info->task), "naming", info->naming, "parameters",
        (json_int_t)info->parameters, "macs", (json_int_t)vigil_session_macs(session),
        "input", json_input(&info->input), "classes", info->classes, "labels",
        labels_json(info), "label_set", json_text(info->label_set), "memory_bytes",
        (json_int_t)info->memory_bytes, "session_bytes",
        (json_int_t)vigil_session_arena_bytes(session));
    if (options->layers)
        json_set(&root, "layers", layers_json(session));
    if (options->list_attention)
        json_set(&root, "attention", attentions_json(session));
    return json_print(root, true);
}

static void print_triple(const char *name, const float v[3], VigilOrigin origin)
{
    char text[64];
    snprintf(text, sizeof text, "%.6g %.6g %.6g", v[0], v[1], v[2]);
    printf("%-*s%-24s(%s)\n", INDENT, name, text, origin_name(origin));
}

static void print_resize(const VigilInput *input)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s", resize_name(input->resize));
    if (input->resize == VIGIL_RESIZE_CROP)
        n += snprintf(text + n, sizeof text - (size_t)n, " from %d",
                      input->resize_shorter);
    if (input->resize != VIGIL_RESIZE_NONE)
        snprintf(text + n, sizeof text - (size_t)n, ", %s", filter_name(input->filter));
    printf("%-*s%-24s(%s)\n", INDENT, "resize", text,
           origin_name(input->origin.resize));
}

static void print_input(const VigilInput *input)
{
    char size[32];
    snprintf(size, sizeof size, "%dx%d", input->height, input->width);
    printf("%-*s%-24s(%s)\n", INDENT, "input", size, origin_name(input->origin.size));
    printf("%-*s%-24s(%s)\n", INDENT, "channel order",
           channel_order_name(input->channel_order),
           origin_name(input->origin.channel_order));
    print_triple("mean", input->mean, input->origin.mean);
    print_triple("std", input->std, input->origin.std);
    print_resize(input);
}

/* The first few names, wrapped under each other. */
static void print_labels(const VigilModelInfo *info)
{
    int shown = info->classes < LABELS_SHOWN ? info->classes : LABELS_SHOWN;
    int column = 0;
    printf("%-*s", INDENT, "labels");
    if (!info->labels) {
        printf("not known\n");
        return;
    }
    for (int i = 0; i < shown; i++) {
        char *label = clean_text(info->labels[i]);
        int width = (int)g_utf8_strlen(label, -1) + 2;
        bool wrap = column && column + width > LINE - INDENT;
        if (wrap)
            printf(",\n%*s", INDENT, "");
        printf("%s%s", column && !wrap ? ", " : "", label);
        column = wrap ? width : column + width;
        g_free(label);
    }
    printf("%s\n", shown < info->classes ? ", ..." : "");
}

static void print_layers(const VigilSession *session)
{
    LayerWidths w = layer_widths(session);
    char shape[64];
    VigilLayer layer;
    printf("\n%-*s  %-*s  %-*s  %12s  %10s\n", w.name, "LAYER", w.kind, "KIND", w.shape,
           "SHAPE", "MACS", "PARAMETERS");
    for (size_t i = 0; vigil_session_layer(session, i, &layer); i++)
        printf("%-*s  %-*s  %-*s  %12" PRIu64 "  %10" PRIu64 "\n", w.name, layer.name,
               w.kind, layer.kind, w.shape, shape_text(layer.rank, layer.shape, shape),
               layer.macs, layer.parameters);
}

static void print_text(const VigilModelInfo *info, const VigilSession *session,
                       const Options *options)
{
    char precision[64], *file = clean_text(info->file);
    printf("%-*s%s\n", INDENT, "file", file);
    printf("%-*s%s\n", INDENT, "family", info->family);
    printf("%-*s%s\n", INDENT, "variant", info->variant);
    printf("%-*s%s\n", INDENT, "task", task_name(info->task));
    printf("%-*s%s\n", INDENT, "naming", info->naming);
    printf("%-*s%" PRIu64 "\n", INDENT, "parameters", info->parameters);
    printf("%-*s%" PRIu64 "\n", INDENT, "macs", vigil_session_macs(session));
    print_input(&info->input);
    if (info->label_set)
        printf("%-*s%d (%s)\n", INDENT, "classes", info->classes, info->label_set);
    else
        printf("%-*s%d\n", INDENT, "classes", info->classes);
    print_labels(info);
    printf("%-*s%-24s(%s)\n", INDENT, "precision",
           precision_text(info, session, precision),
           origin_name(precision_origin(info, options)));
    printf("%-*s%.1f MiB of weights, %.1f MiB per session\n", INDENT, "memory",
           (double)info->memory_bytes / (1 << 20),
           (double)vigil_session_arena_bytes(session) / (1 << 20));
    if (options->layers)
        print_layers(session);
    if (options->list_attention)
        print_attentions(session);
    g_free(file);
}

int command_info(const Options *options)
{
    VigilModel *model = NULL;
    VigilSession *session = NULL;
    VigilSessionOptions one_thread = { .threads = 1, .precision = options->precision };
    VigilError error;
    int status = STATUS_OK;
    if (vigil_model_open(options->operand[0], &model, &error) != VIGIL_OK ||
        vigil_session_open(model, &one_thread, &session, &error) != VIGIL_OK)
        status = fail("%s", error.message);
    else if (options->json)
        status = print_json(vigil_model_info(model), session, options);
    else
        print_text(vigil_model_info(model), session, options);
    vigil_session_close(&session);
    vigil_model_close(&model);
    return status;
}
