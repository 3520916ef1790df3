#include "core/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MODEL "cameras10-emo-1m"
#define SUFFIX ".safetensors"

/* "folder/name.safetensors" or "folder/name" where it can be read. */
static bool try_folder(const char *folder, size_t length, const char *name, char **path)
{
    static const char *const suffixes[] = { SUFFIX, "" };
    for (int i = 0; i < 2; i++) {
        if (asprintf(path, "%.*s/%s%s", (int)length, folder, name, suffixes[i]) < 0) {
            *path = NULL;
            return false;
        }
        if (!access(*path, R_OK))
            return true;
        free(*path);
        *path = NULL;
    }
    return false;
}

static bool search(const char *folders, const char *name, char **path)
{
    while (folders && *folders) {
        size_t n = strcspn(folders, ":");
        if (n && try_folder(folders, n, name, path))
            return true;
        folders += n + (folders[n] == ':');
    }
    return false;
}

VigilStatus vigil_model_locate(const char *name, char **path, VigilError *error)
{
    const char *env = getenv("VIGIL_MODEL_PATH");
    bool as_is = name && (strchr(name, '/') || !access(name, F_OK));
    const char *wanted = name ? name : DEFAULT_MODEL;
    *path = NULL;
    if (!as_is && (search(env, wanted, path) || search(VIGIL_MODEL_DIR, wanted, path)))
        return VIGIL_OK;
    if (!as_is)
        return vigil_fail(
            error, VIGIL_ERROR_NOT_FOUND,
            "no model file '%s', and no shipped model of that name in %s%s%s", wanted,
            env ? env : "", env ? ":" : "", VIGIL_MODEL_DIR);
    *path = strdup(name);
    return *path ? VIGIL_OK : vigil_fail_memory(error, strlen(name), "a file name");
}
