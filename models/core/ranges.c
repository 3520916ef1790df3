#include "core/ranges.h"
#include "core/json.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    char *key; /* owned */
    VigilRange range;
} Entry;

struct VigilRanges {
    size_t n;
    Entry entry[]; /* sorted */
};

int vigil_range_zero(VigilRange range)
{
    return (int)lrintf(-range.low / vigil_range_step(range));
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->key, ((const Entry *)b)->key);
}

static bool read_range(const json_t *pair, VigilRange *out)
{
    const json_t *low = json_array_get(pair, 0), *high = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_number(low) || !json_is_number(high))
        return false;
    double l = json_number_value(low), h = json_number_value(high);
    *out = (VigilRange) { (float)l, (float)h };
    return l <= 0 && h >= 0 && l >= (double)-VIGIL_RANGES_LIMIT &&
           h <= (double)VIGIL_RANGES_LIMIT && h - l >= (double)VIGIL_RANGES_LEAST;
}

static VigilStatus refuse(const char *what, const char *key, VigilError *error)
{
    char shown[112];
    return vigil_fail(error, VIGIL_ERROR_FORMAT,
                      "%s: '%s' should have two numbers, from -1000000 to 0 and from 0 "
                      "to 1000000, at least a millionth apart",
                      what, vigil_printable(shown, sizeof shown, key));
}

static VigilStatus fill(VigilRanges *r, json_t *object, const char *what,
                        VigilError *error)
{
    const char *key;
    json_t *pair;
    json_object_foreach(object, key, pair)
    {
        Entry *e = &r->entry[r->n];
        if (!read_range(pair, &e->range))
            return refuse(what, key, error);
        if (!(e->key = strdup(key)))
            return vigil_fail_memory(error, strlen(key) + 1, what);
        r->n++;
    }
    qsort(r->entry, r->n, sizeof *r->entry, by_key);
    return VIGIL_OK;
}

VigilStatus vigil_ranges_read(const VigilSafetensors *file, VigilRanges **ranges,
                              VigilError *error)
{
    const char *text = vigil_safetensors_metadata(file, VIGIL_RANGES_KEY);
    char path[112], what[192];
    json_t *object = NULL;
    *ranges = NULL;
    if (!text)
        return VIGIL_OK;
    snprintf(what, sizeof what, "%s: __metadata__ '" VIGIL_RANGES_KEY "'",
             vigil_printable(path, sizeof path, vigil_safetensors_path(file)));
    VigilStatus s = vigil_json_parse(text, strlen(text), what, &object, error);
    if (s != VIGIL_OK)
        return s;
    size_t n = json_object_size(object);
    VigilRanges *r = calloc(1, sizeof *r + n * sizeof *r->entry);
    if (!json_is_object(object))
        s = vigil_fail(error, VIGIL_ERROR_FORMAT, "%s is not a JSON object", what);
    else if (!r)
        s = vigil_fail_memory(error, n * sizeof *r->entry, what);
    else
        s = fill(r, object, what, error);
    json_decref(object);
    if (s == VIGIL_OK)
        *ranges = r;
    else
        vigil_ranges_free(&r);
    return s;
}

void vigil_ranges_free(VigilRanges **ranges)
{
    for (size_t i = 0; *ranges && i < (*ranges)->n; i++)
        free((*ranges)->entry[i].key);
    free(*ranges);
    *ranges = NULL;
}

const VigilRange *vigil_ranges_find(const VigilRanges *ranges, const char *key)
{
    Entry wanted = { .key = (char *)key };
    const Entry *found =
        ranges ? bsearch(&wanted, ranges->entry, ranges->n, sizeof wanted, by_key)
               : NULL;
    return found ? &found->range : NULL;
}
