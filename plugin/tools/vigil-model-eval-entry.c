/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects in lists of JSON files that are not trusted. */
#include "vigil-model-eval.h"

#include <stdarg.h>

int fail_entry(const JsonEntry *entry, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = g_strdup_vprintf(format, args);
    va_end(args);
    fail("%s: %s[%zu]: %s", entry->path, entry->list, entry->index, message);
    g_free(message);
    return STATUS_FAILED;
}

int entries_read(const char *path, const char *list, json_t *array,
                 int (*read)(const JsonEntry *entry, void *data), void *data)
{
    JsonEntry entry = { .path = path, .list = list };
    int status = STATUS_OK;
    if (!json_is_array(array))
        return fail("%s: %s must be an array", path, list);
    json_array_foreach(array, entry.index, entry.value)
    {
        status = json_is_object(entry.value) ? read(&entry, data)
                                             : fail_entry(&entry, "must be an object");
        if (status != STATUS_OK)
            return status;
    }
    return status;
}

int entry_integer(const JsonEntry *entry, const char *key, json_int_t *value)
{
    json_t *member = json_object_get(entry->value, key);
    if (!json_is_integer(member))
        return fail_entry(entry, "%s %s", key,
                          member ? "must be an integer" : "is missing");
    *value = json_integer_value(member);
    return STATUS_OK;
}

int entry_text(const JsonEntry *entry, const char *key, const char **value)
{
    json_t *member = json_object_get(entry->value, key);
    if (!json_is_string(member))
        return fail_entry(entry, "%s %s", key,
                          member ? "must be a string" : "is missing");
    *value = json_string_value(member);
    return STATUS_OK;
}

/* Numbers of JSON are finite. */
int entry_box(const JsonEntry *entry, ApBox *box)
{
    json_t *member = json_object_get(entry->value, "bbox");
    double *const sides[] = { &box->x, &box->y, &box->width, &box->height };
    bool good = json_array_size(member) == 4;
    for (size_t i = 0; i < 4 && good; i++) {
        json_t *number = json_array_get(member, i);
        good = json_is_number(number);
        *sides[i] = json_number_value(number);
    }
    if (!good)
        return fail_entry(entry, "bbox must be four numbers: x, y, width, height");
    if (box->width < 0 || box->height < 0)
        return fail_entry(entry, "bbox has a negative size: %g x %g", box->width,
                          box->height);
    return STATUS_OK;
}

int entry_number(const JsonEntry *entry, const char *key, double *value)
{
    json_t *member = json_object_get(entry->value, key);
    if (member && !json_is_number(member))
        return fail_entry(entry, "%s must be a number", key);
    if (member)
        *value = json_number_value(member);
    return STATUS_OK;
}

int entry_flag(const JsonEntry *entry, const char *key, bool *value)
{
    json_t *member = json_object_get(entry->value, key);
    if (member && !json_is_number(member) && !json_is_boolean(member))
        return fail_entry(entry, "%s must be 0, 1, false or true", key);
    *value = json_is_true(member) || json_number_value(member) != 0;
    return STATUS_OK;
}
