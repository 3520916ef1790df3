/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json.h"
#include "core/text.h"

#include <pthread.h>

static json_malloc_t inner_malloc;
static json_free_t inner_free;
static pthread_once_t hooked = PTHREAD_ONCE_INIT;

/* Of the parse under way on this thread: the size that could not be had, or 0. */
static _Thread_local size_t refused;

static void *counted_malloc(size_t bytes)
{
    void *p = inner_malloc(bytes);
    if (!p)
        refused = bytes ? bytes : 1;
    return p;
}

/* The hooks that were there stay in charge of the memory itself: values made before
 * this call, or by the application, are freed as they were made. */
static void hook(void)
{
    json_get_alloc_funcs(&inner_malloc, &inner_free);
    json_set_alloc_funcs(counted_malloc, inner_free);
}

VigilStatus vigil_json_parse(const char *text, size_t bytes, const char *what,
                             json_t **value, VigilError *error)
{
    json_error_t problem;
    pthread_once(&hooked, hook);
    refused = 0;
    *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &problem);
    if (refused) {
        json_decref(*value);
        *value = NULL;
        return vigil_fail_memory(error, refused, what);
    }
    if (*value)
        return VIGIL_OK;
    char reason[96];
    return vigil_fail(error, VIGIL_ERROR_FORMAT, "%s is not valid JSON at byte %d: %s",
                      what, problem.position,
                      vigil_printable(reason, sizeof reason, problem.text));
}
