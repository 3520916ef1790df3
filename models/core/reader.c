/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/reader.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static VigilStatus fail_system(const VigilReader *reader, const char *doing,
                               const char *what, int number, VigilError *error)
{
    char path[160];
    VigilStatus status = number == ENOMEM ? VIGIL_ERROR_NO_MEMORY : VIGIL_ERROR_IO;
    vigil_printable(path, sizeof path, reader->path);
    errno = number;
    return vigil_fail(error, status, "%s: cannot %s%s: %m", path, doing, what);
}

static VigilStatus begin(VigilReader *reader, const char *path, VigilError *error)
{
    *reader = (VigilReader) { .path = strdup(path), .fd = -1 };
    if (!reader->path)
        return vigil_fail_memory(error, strlen(path) + 1, "a file name");
    return VIGIL_OK;
}

static VigilFileIdentity identity_of(const struct stat *info)
{
    return (VigilFileIdentity) { info->st_dev, info->st_ino, (uint64_t)info->st_size,
                                 info->st_mtim, info->st_ctim };
}

bool vigil_identify(const char *path, VigilFileIdentity *identity)
{
    struct stat info;
    if (stat(path, &info) || !S_ISREG(info.st_mode))
        return false;
    *identity = identity_of(&info);
    return true;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool vigil_same_file(const VigilFileIdentity *a, const VigilFileIdentity *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

static VigilStatus open_regular(VigilReader *reader, VigilError *error)
{
    struct stat info;
    char path[160];
    vigil_printable(path, sizeof path, reader->path);
    /* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
    do
        reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (reader->fd < 0 && errno == EINTR);
    if (reader->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return vigil_fail(error, VIGIL_ERROR_NOT_FOUND, "%s: no such file", path);
    if (reader->fd < 0 || fstat(reader->fd, &info))
        return fail_system(reader, "open", "", errno, error);
    if (!S_ISREG(info.st_mode))
        return vigil_fail(error, VIGIL_ERROR_FORMAT, "%s: %s", path,
                          S_ISDIR(info.st_mode) ? "is a folder, not a file"
                                                : "is not a regular file");
    reader->bytes = (uint64_t)info.st_size;
    reader->identity = identity_of(&info);
    return VIGIL_OK;
}

VigilStatus vigil_reader_open(VigilReader *reader, const char *path, VigilError *error)
{
    VigilStatus status = begin(reader, path, error);
    if (!status && (status = open_regular(reader, error)))
        vigil_reader_close(reader);
    return status;
}

VigilStatus vigil_reader_open_memory(VigilReader *reader, const void *data,
                                     size_t bytes, const char *name, VigilError *error)
{
    VigilStatus status = begin(reader, name, error);
    reader->memory = data;
    reader->bytes = bytes;
    return status;
}

void vigil_reader_close(VigilReader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->path);
    *reader = (VigilReader) { .fd = -1 };
}

/* How many bytes could be read; fewer than asked for: the end, or *problem = errno. */
static size_t read_some(const VigilReader *reader, uint64_t offset, char *out,
                        size_t bytes, int *problem)
{
    size_t done = 0;
    *problem = 0;
    if (reader->fd < 0) {
        uint64_t there = offset < reader->bytes ? reader->bytes - offset : 0;
        done = there < bytes ? (size_t)there : bytes;
        if (done)
            memcpy(out, reader->memory + offset, done);
        return done;
    }
    while (done < bytes) {
        ssize_t got =
            pread(reader->fd, out + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            *problem = errno;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

VigilStatus vigil_reader_read(const VigilReader *reader, uint64_t offset, void *out,
                              size_t bytes, const char *what, VigilError *error)
{
    int problem;
    char path[160];
    size_t got = read_some(reader, offset, out, bytes, &problem);
    if (got == bytes)
        return VIGIL_OK;
    if (problem)
        return fail_system(reader, "read ", what, problem, error);
    return vigil_fail(
        error, VIGIL_ERROR_IO,
        "%s: the file was cut short while it was open: %s needs %zu bytes "
        "at byte %" PRIu64 ", %zu are left",
        vigil_printable(path, sizeof path, reader->path), what, bytes, offset, got);
}
