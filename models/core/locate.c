#include "core/model.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_MODEL "cameras10-emo-1m"
#define SUFFIX ".safetensors"

/* *path becomes "folder/name.safetensors" or "folder/name" where that is a file. */
static VigilStatus try_folder(const char *folder, size_t length, const char *name,
                              char **path, VigilError *error)
{
    static const char *const suffixes[] = { SUFFIX, "" };
    struct stat info;
    for (int i = 0; i < 2; i++) {
        if (asprintf(path, "%.*s/%s%s", (int)length, folder, name, suffixes[i]) < 0) {
            *path = NULL;
            return vigil_fail_memory(error, length + strlen(name), "a file name");
        }
        if (!stat(*path, &info) && S_ISREG(info.st_mode))
            return VIGIL_OK;
        free(*path);
        *path = NULL;
    }
    return VIGIL_OK;
}

static VigilStatus search(const char *folders, const char *name, char **path,
                          VigilError *error)
{
    VigilStatus s = VIGIL_OK;
    while (folders && *folders && s == VIGIL_OK && !*path) {
        size_t n = strcspn(folders, ":");
        if (n)
            s = try_folder(folders, n, name, path, error);
        folders += n + (folders[n] == ':');
    }
    return s;
}

VigilStatus vigil_model_locate(const char *name, char **path, VigilError *error)
{
    const char *env = getenv("VIGIL_MODEL_PATH");
    bool as_is = name && (strchr(name, '/') || !access(name, F_OK));
    const char *wanted = name ? name : DEFAULT_MODEL;
    char shown[112], folders[192];
    VigilStatus s;
    *path = NULL;
    if (as_is) {
        *path = strdup(name);
        return *path ? VIGIL_OK : vigil_fail_memory(error, strlen(name), "a file name");
    }
    if ((s = search(env, wanted, path, error)) ||
        (s = search(VIGIL_MODEL_DIR, wanted, path, error)) || *path)
        return s;
    return vigil_fail(error, VIGIL_ERROR_NOT_FOUND,
                      "no model file '%s', and no shipped model of that name in %s%s%s",
                      vigil_printable(shown, sizeof shown, wanted),
                      env ? vigil_printable(folders, sizeof folders, env) : "",
                      env ? ":" : "", VIGIL_MODEL_DIR);
}
