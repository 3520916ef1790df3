/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: a network that is shown one picture after another. */
#include "vigil-model-eval.h"

#include <string.h>

static int open_model(const Options *options, EvalNetwork *network)
{
    VigilError error;
    *network = (EvalNetwork) { .options = options };
    if (vigil_model_open(options->operand[0], &network->model, &error) != VIGIL_OK)
        return fail("%s", error.message);
    network->info = vigil_model_info(network->model);
    return STATUS_OK;
}

static int open_session(EvalNetwork *network, bool calibrate)
{
    const Options *options = network->options;
    VigilError error;
    VigilSessionOptions session = { .input = options->input,
                                    .threads = options->threads,
                                    .precision = options->precision,
                                    .calibrate = calibrate };
    if (vigil_session_open(network->model, &session, &network->session, &error) !=
            VIGIL_OK ||
        vigil_preprocess_open(&network->preprocess, &error) != VIGIL_OK)
        return fail("%s", error.message);
    return STATUS_OK;
}

int eval_network_open(const Options *options, VigilTask task, EvalNetwork *network)
{
    int status = open_model(options, network);
    if (status == STATUS_OK && network->info->task != task)
        return fail_usage("eval: this is for %s; %s is a network for %s",
                          task_name(task), network->info->variant,
                          task_name(network->info->task));
    return status == STATUS_OK ? open_session(network, false) : status;
}

int eval_network_open_to_calibrate(const Options *options, EvalNetwork *network)
{
    int status = open_model(options, network);
    return status == STATUS_OK ? open_session(network, true) : status;
}

void eval_network_close(EvalNetwork *network)
{
    g_clear_pointer(&network->path, g_free);
    picture_clear(&network->picture);
    vigil_preprocess_close(&network->preprocess);
    vigil_session_close(&network->session);
    vigil_model_close(&network->model);
}

int eval_network_load(EvalNetwork *network, const char *path)
{
    if (network->path && !strcmp(network->path, path))
        return STATUS_OK;
    g_clear_pointer(&network->path, g_free);
    picture_clear(&network->picture);
    int status = picture_load(path, &network->picture);
    if (status == STATUS_OK)
        network->path = g_strdup(path);
    return status;
}

int eval_network_run(EvalNetwork *network, const VigilRegion *region)
{
    VigilError error;
    if (vigil_preprocess_run(network->preprocess, &network->picture.image, region,
                             vigil_session_input_rules(network->session),
                             vigil_session_input(network->session), &network->placed,
                             &error) != VIGIL_OK)
        return fail("%s: %s", network->path, error.message);
    return run_network(network->info, network->session);
}

const char *eval_network_label(const EvalNetwork *network, int class_index, char *text)
{
    if (network->info->labels)
        return network->info->labels[class_index];
    g_snprintf(text, 16, "%d", class_index);
    return text;
}
