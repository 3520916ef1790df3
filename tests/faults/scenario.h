/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is tried again and again, each time with another allocation failing.
 *
 * A scenario is a function and its line in scenarios.c.
 */
#ifndef VIGIL_TESTS_FAULTS_SCENARIO_H
#define VIGIL_TESTS_FAULTS_SCENARIO_H

#include "vigil.h"

typedef struct Scenario {
    const char *name;
    /* Opens, uses and closes something, leaving nothing behind.  *digest: a number that
     * follows from everything it produced, so that a damaged result is noticed.  It is
     * run once beforehand without counting: what is made once per process is made then.
     */
    VigilStatus (*run)(uint64_t *digest, VigilError *error);
    /* Some allocation is one that can be done without: the run may then succeed, with
     * the same digest.  Otherwise each failure must be VIGIL_ERROR_NO_MEMORY. */
    bool may_succeed;
} Scenario;

extern const Scenario scenarios[]; /* ends with a NULL name */

/* FNV-1a over bytes, from any start. */
static inline uint64_t digest_bytes(uint64_t digest, const void *data, size_t bytes)
{
    for (const uint8_t *p = data; bytes--; p++)
        digest = (digest ^ *p) * 0x100000001b3;
    return digest;
}

#endif
