/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fuzz target is one function: libFuzzer calls it with inputs it invents, replay.c
 * with those of the corpus. */
#ifndef VIGIL_TESTS_FUZZ_H
#define VIGIL_TESTS_FUZZ_H

#include "core/status.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Returns 0; crashes or aborts where the code under test is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool condition)
{
    if (!condition)
        abort();
}

/* One line of UTF-8, ended inside the array. */
static inline void check_message(const VigilError *error)
{
    size_t length = strnlen(error->message, sizeof error->message);
    require(length > 0 && length < sizeof error->message);
    for (const char *c = error->message; *c; c += vigil_utf8_length(c))
        require(vigil_utf8_length(c) > 0 && (unsigned char)*c >= 0x20);
}

#endif
