/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Safetensors files: 8 bytes little-endian header length, a JSON object, the data.
 *
 * The file is untrusted: every length, product and offset is checked before it is used,
 * names may not repeat, tensors may not overlap and must fill the data section.  Tensor
 * data is read with pread() when asked for, never mapped: a file that is cut short
 * while it is open gives an error and not a signal.
 */
#ifndef VIGIL_CORE_SAFETENSORS_H
#define VIGIL_CORE_SAFETENSORS_H

#include "core/dtype.h"
#include "core/reader.h"
#include "core/status.h"

#define VIGIL_MAX_RANK 8
/* Bytes.  The header of a network of 1000 tensors has about 100 KB, and hostile JSON
 * takes up to a hundred times its length while it is parsed. */
#define VIGIL_MAX_HEADER ((size_t)4 << 20)

typedef struct VigilStored {
    const char *name; /* NUL-terminated; names with NUL inside are refused */
    VigilDtype dtype;
    int rank;                       /* 0..VIGIL_MAX_RANK */
    uint64_t shape[VIGIL_MAX_RANK]; /* row-major */
    uint64_t elements;              /* product of shape; 1 for rank 0 */
    uint64_t offset, bytes;         /* in the data section */
} VigilStored;

typedef struct VigilSafetensors VigilSafetensors;

/* Parses the header of the file at `path` (kept open until close).  Errors name the
 * file, the tensor and both numbers. */
VigilStatus vigil_safetensors_open(const char *path, VigilSafetensors **file,
                                   VigilError *error);

/* The same over memory that outlives *file: for tests and fuzzing.  `name` stands for
 * the path in messages. */
VigilStatus vigil_safetensors_open_memory(const void *data, size_t bytes,
                                          const char *name, VigilSafetensors **file,
                                          VigilError *error);

void vigil_safetensors_close(VigilSafetensors **file);

/* The path or name it was opened under. */
const char *vigil_safetensors_path(const VigilSafetensors *file);

/* Of the file when it was opened; all 0 for memory. */
const VigilFileIdentity *vigil_safetensors_identity(const VigilSafetensors *file);

size_t vigil_safetensors_count(const VigilSafetensors *file);
/* In the order of the header; NULL past the last.  They are one array: element i is
 * vigil_safetensors_at(file, 0) + i. */
const VigilStored *vigil_safetensors_at(const VigilSafetensors *file, size_t i);
/* By exact name, NULL if there is none.  O(log n). */
const VigilStored *vigil_safetensors_find(const VigilSafetensors *file,
                                          const char *name);

/* Value of a string in __metadata__, NULL if there is none. */
const char *vigil_safetensors_metadata(const VigilSafetensors *file, const char *key);

/* Reads the tensor as float32 (F64 rounded to nearest, F16 and BF16 widened exactly)
 * into out [elements].  Integer tensors and a short file are errors that name the
 * tensor. */
VigilStatus vigil_safetensors_read(const VigilSafetensors *file,
                                   const VigilStored *tensor, float *out,
                                   VigilError *error);

#endif
