/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes read at offsets: a regular file, or memory for tests and fuzzing.
 *
 * A file is never mapped: one that is cut short while it is open gives an error and not
 * a signal.
 */
#ifndef VIGIL_CORE_READER_H
#define VIGIL_CORE_READER_H

#include "core/status.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* What tells a regular file from others and from what it was before. */
typedef struct VigilFileIdentity {
    dev_t device;
    ino_t inode;
    uint64_t bytes;
    struct timespec modified, changed;
} VigilFileIdentity;

typedef struct VigilReader {
    char *path; /* or what stands for it in messages */
    int fd;     /* -1: none */
    const uint8_t *memory;
    uint64_t bytes;             /* when it was opened */
    VigilFileIdentity identity; /* of a file, when it was opened */
} VigilReader;

/* False where there is no regular file at `path`. */
bool vigil_identify(const char *path, VigilFileIdentity *identity);

bool vigil_same_file(const VigilFileIdentity *a, const VigilFileIdentity *b);

/* Opens a regular file; folders, FIFOs and devices are refused without waiting for
 * them. After an error *reader needs no closing. */
VigilStatus vigil_reader_open(VigilReader *reader, const char *path, VigilError *error);

/* Memory that outlives the reader. */
VigilStatus vigil_reader_open_memory(VigilReader *reader, const void *data,
                                     size_t bytes, const char *name, VigilError *error);

void vigil_reader_close(VigilReader *reader);

/* Reads exactly `bytes` bytes at `offset`; `what` names them in the message.  A file
 * that has become shorter is VIGIL_ERROR_IO.  Safe from several threads at once. */
VigilStatus vigil_reader_read(const VigilReader *reader, uint64_t offset, void *out,
                              size_t bytes, const char *what, VigilError *error);

#endif
