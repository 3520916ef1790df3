/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: names of classes that differ between annotations and networks. */
#include "vigil-model-eval.h"

#include <string.h>

/* Of root or its entry `name`; *map stays NULL where there is none. */
static int read_part(const char *path, json_t *entry, const char *key, json_t **map)
{
    const char *name;
    json_t *value, *part = json_object_get(entry, key);
    if (part && !json_is_object(part))
        return fail("%s: \"%s\" must be an object", path, key);
    json_object_foreach(part, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return fail("%s: \"%s\": '%s' must be a string or null", path, key, name);
    }
    *map = part;
    return STATUS_OK;
}

static int read_entry(const char *path, json_t *entry, ClassMap *map)
{
    int status = read_part(path, entry, "gt", &map->gt);
    if (status == STATUS_OK)
        status = read_part(path, entry, "det", &map->det);
    if (status == STATUS_OK && !map->gt)
        status = fail("%s: has no \"gt\"", path);
    if (!json_object_size(map->det))
        map->det = map->gt;
    return status;
}

int class_map_load(const char *option, ClassMap *map)
{
    const char *colon = strstr(option, ".json:");
    const char *name = colon ? colon + strlen(".json:") : NULL;
    char *path =
        name ? g_strndup(option, (size_t)(name - option) - 1) : g_strdup(option);
    int status = json_load_path(path, &map->root);
    json_t *entry = name && *name ? json_object_get(map->root, name) : map->root;
    if (status == STATUS_OK && !entry)
        status = fail("%s: has no entry '%s'", path, name);
    if (status == STATUS_OK)
        status = read_entry(option, entry, map);
    g_free(path);
    return status;
}

void class_map_clear(ClassMap *map)
{
    json_decref(map->root);
    *map = (ClassMap) { 0 };
}
