/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names out of untrusted files, made fit for one line of a message. */
#ifndef VIGIL_CORE_TEXT_H
#define VIGIL_CORE_TEXT_H

#include <stddef.h>

/* Copies `text` into out [size], size >= 8, and returns out.  Bytes that are not UTF-8
 * and control characters become '?'; text that does not fit keeps its beginning and its
 * end with "..." between them. */
const char *vigil_printable(char *out, size_t size, const char *text);

/* Length in bytes of the well-formed UTF-8 character at `text` (NUL-terminated), 0
 * where there is none.  NUL itself has length 1. */
size_t vigil_utf8_length(const char *text);

#endif
