/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model infer: one picture through a network. */
#include "vigil-model-infer.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Tensors in the order of the papers: [1][c][h][w] -----------------------------
 */

static size_t tensor_elements(const VigilTensor *tensor)
{
    size_t n = 1;
    for (int i = 0; i < tensor->rank; i++)
        n *= (size_t)tensor->shape[i];
    return n;
}

/* Where element i of the printed order lies in a tensor [h][w][c]. */
static size_t stored_index(const VigilTensor *tensor, size_t i)
{
    if (tensor->rank != 3)
        return i;
    size_t channels = (size_t)tensor->shape[2];
    size_t pixels = (size_t)tensor->shape[0] * (size_t)tensor->shape[1];
    return i % pixels * channels + i / pixels;
}

static json_t *tensor_json(const VigilTensor *tensor)
{
    int shape[4], n = tap_shape(tensor->rank, tensor->shape, shape);
    size_t elements = tensor_elements(tensor);
    json_t *values = json_array();
    for (size_t i = 0; i < elements && values; i++)
        json_add(&values, json_number(tensor->data[stored_index(tensor, i)]));
    return json_pack("{s:o, s:o}", "shape", json_ints(shape, n), "values", values);
}

/* ---- Classification ---------------------------------------------------------------
 */

enum { DEFAULT_TOP = 5 };

static int find_top(Inference *f)
{
    int classes = f->info->classes, wanted = f->options->top;
    f->top = calloc((size_t)classes, sizeof *f->top);
    if (!f->top)
        return fail("out of memory");
    f->n_top = vigil_top_classes(vigil_session_output(f->session, 0)->data, classes,
                                 wanted ? wanted : DEFAULT_TOP, f->top);
    return STATUS_OK;
}

static json_t *top_json(const Inference *f)
{
    json_t *top = json_array();
    for (int i = 0; i < f->n_top; i++) {
        int index = f->top[i].index;
        const char *label = f->info->labels ? f->info->labels[index] : NULL;
        json_add(&top,
                 json_pack("{s:i, s:o, s:o}", "index", index, "label", json_text(label),
                           "score", json_number(f->top[i].score)));
    }
    return top;
}

static void print_class(const Inference *f, const VigilClass *class)
{
    char *label = f->info->labels ? clean_text(f->info->labels[class->index]) : NULL;
    printf("%6.4f  %5d  %s\n", class->score, class->index, label ? label : "-");
    g_free(label);
}

static int print_top(const Inference *f)
{
    for (int i = 0; i < f->n_top; i++)
        print_class(f, &f->top[i]);
    return STATUS_OK;
}

static const Task task_classification = {
    .options = "k",
    .find = find_top,
    .json = top_json,
    .key = "top",
    .print = print_top,
};

/* ---- Tasks ------------------------------------------------------------------------
 */

static const Task *const tasks[] = {
    [VIGIL_TASK_CLASSIFICATION] = &task_classification,
    [VIGIL_TASK_DETECTION] = &task_detection,
    [VIGIL_TASK_SEGMENTATION] = &task_segmentation,
};

/* Options of another task than the network's are refused. */
static int check_options(const Inference *f)
{
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        for (const char *c = tasks[i]->options; *c && i != f->info->task; c++)
            if (strchr(f->options->given, *c))
                return fail_usage("--%s is for %s; %s is a network for %s",
                                  option_name(*c), task_name((VigilTask)i),
                                  f->info->variant, task_name(f->info->task));
    return STATUS_OK;
}

/* ---- Opening and running ----------------------------------------------------------
 */

/* The rule none means: the network runs at the picture's size. */
static void follow_picture(const VigilModelInfo *info, const VigilImage *image,
                           VigilInputOptions *input)
{
    VigilResize rule = input->has_resize ? input->resize : info->input.resize;
    if (rule == VIGIL_RESIZE_NONE && !input->height) {
        input->height = image->height;
        input->width = image->width;
    }
}

/* With the names that --tap and --attention give. */
static int open_session(Inference *f)
{
    const Options *o = f->options;
    VigilError error;
    VigilSessionOptions session = { .input = o->input,
                                    .threads = o->threads,
                                    .precision = o->precision };
    const char **taps = calloc(o->n_taps + o->n_attention + 1, sizeof *taps);
    if (!taps)
        return fail("out of memory");
    for (size_t i = 0; i < o->n_taps; i++)
        taps[session.n_taps++] = o->taps[i];
    for (size_t i = 0; i < o->n_attention; i++)
        taps[session.n_taps++] = o->attention[i].name;
    session.taps = taps;
    follow_picture(f->info, &f->picture.image, &session.input);
    VigilStatus status = vigil_session_open(f->model, &session, &f->session, &error);
    free(taps);
    return status == VIGIL_OK ? STATUS_OK : fail("%s", error.message);
}

static int open_all(Inference *f)
{
    VigilError error;
    if (vigil_model_open(f->options->operand[0], &f->model, &error) != VIGIL_OK)
        return fail("%s", error.message);
    f->info = vigil_model_info(f->model);
    int status = check_options(f);
    if (status == STATUS_OK)
        status = picture_load(f->options->operand[1], &f->picture);
    return status ? status : open_session(f);
}

static int fill_input(Inference *f)
{
    VigilPreprocess *preprocess = NULL;
    VigilError error;
    VigilStatus status = vigil_preprocess_open(&preprocess, &error);
    if (status == VIGIL_OK)
        status = vigil_preprocess_run(
            preprocess, &f->picture.image, NULL, vigil_session_input_rules(f->session),
            vigil_session_input(f->session), &f->placed, &error);
    vigil_preprocess_close(&preprocess);
    return status == VIGIL_OK ? STATUS_OK
                              : fail("%s: %s", f->options->operand[1], error.message);
}

static int check_output(const VigilModelInfo *info, const VigilTensor *output)
{
    size_t n = tensor_elements(output);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(output->data[i]))
            return info->task == VIGIL_TASK_CLASSIFICATION
                       ? fail("%s: the logit of class %zu is not finite: the weights "
                              "are damaged",
                              info->file, i)
                       : fail("%s: the output %s is not finite: the weights are "
                              "damaged",
                              info->file, output->name);
    return STATUS_OK;
}

int run_network(const VigilModelInfo *info, VigilSession *session)
{
    int status = STATUS_OK;
    const VigilTensor *output;
    vigil_session_run(session);
    for (size_t i = 0;
         status == STATUS_OK && (output = vigil_session_output(session, i)) != NULL;
         i++)
        status = check_output(info, output);
    return status;
}

/* ---- JSON ------------------------------------------------------------------------ */

static json_t *taps_json(const Inference *f)
{
    json_t *taps = json_object();
    for (size_t i = 0; i < f->options->n_taps && taps; i++) {
        const char *name = f->options->taps[i];
        json_set(&taps, name, tensor_json(vigil_session_tap(f->session, name)));
    }
    return taps;
}

static json_t *outputs_json(const Inference *f)
{
    json_t *outputs = json_object();
    const VigilTensor *output;
    for (size_t i = 0; outputs && (output = vigil_session_output(f->session, i)); i++)
        json_set(&outputs, output->name, tensor_json(output));
    return outputs;
}

static int print_json(const Inference *f)
{
    const Options *options = f->options;
    const Task *task = tasks[f->info->task];
    const VigilTensor *first = vigil_session_output(f->session, 0);
    bool classification = f->info->task == VIGIL_TASK_CLASSIFICATION;
    json_t *root = json_pack(
        "{s:o, s:o, s:{s:i, s:i}, s:s, s:o, s:o}", "file", json_text(f->info->file),
        "image", json_text(options->operand[1]), "picture", "height",
        f->picture.image.height, "width", f->picture.image.width, "task",
        task_name(f->info->task), "input",
        json_input(vigil_session_input_rules(f->session)), task->key, task->json(f));
    if (options->raw && classification)
        json_set(&root, "logits", json_floats(first->data, tensor_elements(first)));
    else if (options->raw)
        json_set(&root, "outputs", outputs_json(f));
    if (options->n_taps)
        json_set(&root, "taps", taps_json(f));
    return json_print(root, !options->raw && !options->n_taps);
}

/* ---- Text ------------------------------------------------------------------------ */

static void print_tap(const VigilTensor *tensor)
{
    char shape[64];
    size_t n = tensor_elements(tensor);
    double sum = 0, squares = 0, smallest = INFINITY, largest = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double v = tensor->data[i];
        sum += v;
        squares += v * v;
        smallest = fmin(smallest, v);
        largest = fmax(largest, v);
    }
    printf("%-28s  %-16s  %12.6g  %12.6g  %12.6g  %12.6g\n", tensor->name,
           shape_text(tensor->rank, tensor->shape, shape), smallest, largest,
           sum / (double)n, sqrt(squares / (double)n));
}

static void print_heads(const char *first)
{
    printf("\n%-28s  %-16s  %12s  %12s  %12s  %12s\n", first, "SHAPE", "MIN", "MAX",
           "MEAN", "RMS");
}

static void print_raw(const Inference *f)
{
    const VigilTensor *output = vigil_session_output(f->session, 0);
    if (f->info->task == VIGIL_TASK_CLASSIFICATION) {
        printf("\n%5s  %s\n", "CLASS", "LOGIT");
        for (int i = 0; i < f->info->classes; i++)
            printf("%5d  %.9g\n", i, output->data[i]);
        return;
    }
    print_heads("OUTPUT");
    for (size_t i = 0; (output = vigil_session_output(f->session, i)) != NULL; i++)
        print_tap(output);
}

static int print_text(const Inference *f)
{
    const Options *options = f->options;
    tasks[f->info->task]->print(f);
    if (options->raw)
        print_raw(f);
    if (options->n_taps)
        print_heads("TAP");
    for (size_t i = 0; i < options->n_taps; i++)
        print_tap(vigil_session_tap(f->session, options->taps[i]));
    return STATUS_OK;
}

int command_infer(const Options *options)
{
    Inference f = { .options = options };
    int status = open_all(&f);
    if (status == STATUS_OK)
        status = fill_input(&f);
    if (status == STATUS_OK)
        status = run_network(f.info, f.session);
    if (status == STATUS_OK)
        status = tasks[f.info->task]->find(&f);
    for (size_t i = 0; status == STATUS_OK && i < options->n_attention; i++)
        status =
            attention_write(&options->attention[i], f.session, &f.picture, &f.placed);
    if (status == STATUS_OK)
        status = options->json ? print_json(&f) : print_text(&f);
    free(f.top);
    free(f.detections);
    free(f.mask);
    free(f.pixels);
    picture_clear(&f.picture);
    vigil_session_close(&f.session);
    vigil_model_close(&f.model);
    return status;
}
