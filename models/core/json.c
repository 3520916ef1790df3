/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json.h"
#include "core/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static json_malloc_t inner_malloc;
static json_free_t inner_free;
static pthread_once_t hooked = PTHREAD_ONCE_INIT;

/* Of the parse under way on this thread. */
static _Thread_local struct {
    bool active;
    size_t refused; /* the first size that could not be had, or 0 */
} parse;

/* Once one allocation has failed all do, so that a string that lost a character to it
 * is not looked at again. */
static void *watched_malloc(size_t bytes)
{
    void *p = parse.active && parse.refused ? NULL : inner_malloc(bytes);
    if (!p && parse.active && !parse.refused)
        parse.refused = bytes ? bytes : 1;
    return p;
}

/* The hooks that were there stay in charge of the memory itself: values made before
 * this call, or by the application, are freed as they were made. */
static void hook(void)
{
    json_get_alloc_funcs(&inner_malloc, &inner_free);
    json_set_alloc_funcs(watched_malloc, inner_free);
}

/* ["xx...x",TEXT]: reading the first string makes the buffer for tokens long enough for
 * all in TEXT.  Growing it while in a number, jansson would trip over its own assertion
 * when there is no memory; in a string it fails cleanly. */
static char *frame(const char *text, size_t bytes, size_t *prefix, size_t *total)
{
    size_t twice;
    if (!vigil_size_mul(bytes, 2, &twice) || !vigil_size_add(twice, 5, total))
        return NULL;
    char *framed = malloc(*total);
    if (!framed)
        return NULL;
    *prefix = bytes + 4;
    memcpy(framed, "[\"", 2);
    memset(framed + 2, 'x', bytes);
    memcpy(framed + 2 + bytes, "\",", 2);
    if (bytes)
        memcpy(framed + *prefix, text, bytes);
    framed[*prefix + bytes] = ']';
    return framed;
}

static VigilStatus fail_syntax(const json_error_t *problem, size_t prefix, size_t bytes,
                               const char *what, VigilError *error)
{
    char reason[96];
    if (json_error_code(problem) == json_error_end_of_input_expected)
        return vigil_fail(error, VIGIL_ERROR_FORMAT,
                          "%s is not valid JSON: it has one ']' too many", what);
    size_t end = (size_t)problem->position > prefix ? problem->position - prefix : 0;
    if (end > bytes)
        return vigil_fail(error, VIGIL_ERROR_FORMAT,
                          "%s is not valid JSON: it ends too early, at byte %zu", what,
                          bytes);
    return vigil_fail(error, VIGIL_ERROR_FORMAT, "%s is not valid JSON at byte %zu: %s",
                      what, end, vigil_printable(reason, sizeof reason, problem->text));
}

/* The second of two elements, if it is an object or array. */
static json_t *unframe(json_t *framed)
{
    json_t *value = json_array_get(framed, 1);
    if (json_array_size(framed) != 2 ||
        !(json_is_object(value) || json_is_array(value)))
        return NULL;
    return json_incref(value);
}

VigilStatus vigil_json_parse(const char *text, size_t bytes, const char *what,
                             json_t **value, VigilError *error)
{
    json_error_t problem;
    size_t prefix, total;
    *value = NULL;
    pthread_once(&hooked, hook);
    char *framed = frame(text, bytes, &prefix, &total);
    if (!framed)
        return vigil_fail_memory(error, bytes, what);
    parse.active = true;
    parse.refused = 0;
    json_t *root = json_loadb(framed, total, JSON_REJECT_DUPLICATES, &problem);
    parse.active = false;
    free(framed);
    VigilStatus status = VIGIL_OK;
    if (parse.refused)
        status = vigil_fail_memory(error, parse.refused, what);
    else if (!root)
        status = fail_syntax(&problem, prefix, bytes, what, error);
    else if (!(*value = unframe(root)))
        status = vigil_fail(error, VIGIL_ERROR_FORMAT,
                            "%s is not one JSON object or array", what);
    json_decref(root);
    return status;
}
