/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: how right a network is on pictures of which the answer is known. */
#include "vigil-model-eval.h"

#include <string.h>

#define PICTURES "srcqTNbg"

/* The option `key` asks for the mode; the first that was given decides. */
static const struct Mode {
    char key;
    const char *needs, *may; /* letters of option_specs[] beside the key */
    bool network;
    int (*run)(const Options *options);
} modes[] = {
    { 'D', "o", "PSRNj", false, eval_boxes },
    { 'o', "i", "PSRdumj" PICTURES, true, eval_boxes },
    { 'L', "", "SRj" PICTURES, true, eval_classes },
    { 'G', "i", "xj" PICTURES, true, eval_masks },
};

static const struct Mode *find_mode(const Options *options)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strchr(options->given, modes[i].key))
            return &modes[i];
    return NULL;
}

static int check_options(const Options *options, const struct Mode *mode)
{
    const char *key = option_name(mode->key);
    for (const char *c = mode->needs; *c; c++)
        if (!strchr(options->given, *c))
            return fail_usage("eval: --%s needs --%s", key, option_name(*c));
    for (const char *c = options->given; *c; c++)
        if (*c != mode->key && !strchr(mode->needs, *c) && !strchr(mode->may, *c))
            return fail_usage("eval: --%s does not go with --%s", option_name(*c), key);
    if (mode->network && !options->operand[0])
        return fail_usage("eval: FILE is missing");
    if (!mode->network && options->operand[0])
        return fail_usage("eval: --%s takes no network: unexpected argument '%s'", key,
                          options->operand[0]);
    return STATUS_OK;
}

int command_eval(const Options *options)
{
    const struct Mode *mode = find_mode(options);
    if (!mode)
        return fail_usage("eval: needs --coco, --classification or --masks");
    int status = check_options(options, mode);
    return status ? status : mode->run(options);
}
