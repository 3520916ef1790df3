/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes the place of the C library's allocator in the program it is linked into: makes
 * the n-th allocation fail, and knows what was not freed.  glibc only; not together
 * with a sanitizer, which has its own.
 */
#ifndef VIGIL_TESTS_FAULTS_ALLOCATOR_H
#define VIGIL_TESTS_FAULTS_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FaultReport {
    uint64_t allocations; /* asked for, from all threads */
    uint64_t frees;       /* of any memory, had since the start or before */
    bool failed;          /* the n-th was reached and refused */
    size_t live;          /* had since the start and not freed */
    uint64_t live_number; /* of one of them, from 1 */
    size_t live_bytes;    /* its size */
} FaultReport;

/* From now on allocations are counted and number fail_at, from 1, is refused; 0: none.
 */
void faults_start(uint64_t fail_at);

/* Counts no longer, refuses no longer. */
FaultReport faults_stop(void);

#endif
