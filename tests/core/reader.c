/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weight files on disk: what is no file, and files that change while they are open. */
#include "core/safetensors.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ELEMENTS 5000 /* more than one block of the reader */

static const char header[] =
    "{\"w\":{\"dtype\":\"F32\",\"shape\":[5000],\"data_offsets\":[0,20000]}}";

static char folder[] = "/tmp/vigil-reader-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_model(const char *path)
{
    uint8_t length[8] = { sizeof header - 1 };
    static float values[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++)
        values[i] = (float)i;
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(length, 8, 1, f) != 1 ||
        fwrite(header, sizeof header - 1, 1, f) != 1 ||
        fwrite(values, sizeof values, 1, f) != 1 || fclose(f)) {
        perror(path);
        exit(1);
    }
}

static void check_whole(const char *path)
{
    VigilSafetensors *file;
    VigilError error = { 0 };
    static float out[ELEMENTS];
    if (!tap_ok(!vigil_safetensors_open(path, &file, &error), "opens: '%s'",
                error.message))
        return;
    VigilStatus status =
        vigil_safetensors_read(file, vigil_safetensors_at(file, 0), out, &error);
    int right = 0;
    while (right < ELEMENTS && out[right] == (float)right)
        right++;
    tap_ok(!status && right == ELEMENTS, "all of %d values are right", right);
    vigil_safetensors_close(&file);
}

static void check_cut(const char *path, size_t keep, const char *message)
{
    VigilSafetensors *file;
    VigilError error = { 0 };
    static float out[ELEMENTS];
    write_model(path);
    if (vigil_safetensors_open(path, &file, &error) || truncate(path, (off_t)keep)) {
        tap_ok(false, "cannot prepare: '%s'", error.message);
        return;
    }
    VigilStatus status =
        vigil_safetensors_read(file, vigil_safetensors_at(file, 0), out, &error);
    tap_ok(status == VIGIL_ERROR_IO && strstr(error.message, message) &&
               strstr(error.message, "'w'"),
           "cut to %zu bytes while open: status %d, '%s'", keep, status, error.message);
    vigil_safetensors_close(&file);
}

static void check_refused(const char *path, VigilStatus expected, const char *message)
{
    VigilSafetensors *file;
    VigilError error = { 0 };
    VigilStatus status = vigil_safetensors_open(path, &file, &error);
    tap_ok(status == expected && error.status == expected && !file &&
               strstr(error.message, message),
           "%s: status %d, '%s'", message, status, error.message);
}

static void check_descriptor(const char *path)
{
    VigilSafetensors *file;
    int before = dup(0), flags, after;
    close(before);
    write_model(path);
    if (vigil_safetensors_open(path, &file, NULL)) {
        tap_ok(false, "cannot open %s", path);
        return;
    }
    flags = fcntl(before, F_GETFD); /* the lowest free number was taken */
    vigil_safetensors_close(&file);
    after = dup(0);
    close(after);
    tap_ok(flags >= 0 && (flags & FD_CLOEXEC), "the descriptor is not inherited");
    tap_ok(before == after, "and is closed again: %d, %d", before, after);
}

int main(void)
{
    const size_t data = 8 + sizeof header - 1;
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    const char *path = strdup(in_folder("model.safetensors"));
    write_model(path);
    check_whole(path);
    check_cut(path, data + 8192 + 4, "needs 8192 bytes at byte");
    check_cut(path, data, ", 0 are left");
    check_cut(path, 0, ", 0 are left");
    check_refused(path, VIGIL_ERROR_FORMAT, "it has 0 bytes, fewer than 8");
    write_model(path);
    check_descriptor(path);
    if (!truncate(path, (off_t)data + 19999))
        check_refused(path, VIGIL_ERROR_FORMAT,
                      "ends at byte 20000 of the data, which has 19999");
    unlink(path);
    check_refused(path, VIGIL_ERROR_NOT_FOUND, "no such file");
    check_refused("", VIGIL_ERROR_NOT_FOUND, "no such file");
    check_refused(folder, VIGIL_ERROR_FORMAT, "is a folder");
    check_refused("/dev/zero", VIGIL_ERROR_FORMAT, "is not a regular file");
    if (!mkfifo(path, 0600))
        check_refused(path, VIGIL_ERROR_FORMAT, "is not a regular file");
    unlink(path);
    if (!symlink("model.safetensors", path))
        check_refused(path, VIGIL_ERROR_IO, "cannot open");
    unlink(path);
    rmdir(folder);
    free((char *)path);
    return tap_done();
}
