/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives a fuzz target every file of a folder: replay FOLDER. */
#include "fuzz.h"
#include "tap.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    if (f && !fseek(f, 0, SEEK_END) && ftell(f) >= 0) {
        *size = (size_t)ftell(f);
        rewind(f);
        /* Exactly as long as the input, for tools that watch the bounds of memory. */
        data = malloc(*size ? *size : 1);
        if (data && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    if (f)
        fclose(f);
    return data;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "usage: %s FOLDER (with at least one file)\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        uint8_t *data = load(path, &size);
        printf("# %s\n", entries[i]->d_name);
        fflush(stdout); /* names the input, should this one crash */
        tap_ok(data && !LLVMFuzzerTestOneInput(data, size), "%s: %zu bytes",
               entries[i]->d_name, size);
        free(data);
        free(entries[i]);
    }
    free(entries);
    return tap_done();
}
