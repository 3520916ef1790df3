/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model list: the networks that can be run. */
#include "vigil-model.h"

#include <inttypes.h>

static json_t *variant_json(const VigilVariant *v)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:{s:i, s:i}}", "family", v->family,
                     "variant", v->name, "task", task_name(v->task), "parameters",
                     (json_int_t)v->parameters, "macs", (json_int_t)v->macs, "input",
                     "height", v->height, "width", v->width);
}

static void print_variant(const VigilVariant *v)
{
    char size[32];
    snprintf(size, sizeof size, "%dx%d", v->height, v->width);
    printf("%-23s  %-32s  %-14s  %10" PRIu64 "  %12" PRIu64 "  %9s\n", v->family,
           v->name, task_name(v->task), v->parameters, v->macs, size);
}

int command_list(const Options *options)
{
    json_t *root = options->json ? json_array() : NULL;
    VigilVariant variant;
    VigilError error;
    if (!options->json)
        printf("%-23s  %-32s  %-14s  %10s  %12s  %9s\n", "FAMILY", "VARIANT", "TASK",
               "PARAMETERS", "MACS", "INPUT");
    for (size_t i = 0; i < vigil_variant_count(); i++) {
        if (vigil_variant_get(i, &variant, &error) != VIGIL_OK) {
            json_decref(root);
            return fail("%s", error.message);
        }
        if (options->json)
            json_add(&root, variant_json(&variant));
        else
            print_variant(&variant);
    }
    return options->json ? json_print(root, true) : STATUS_OK;
}
