/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocator.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* The allocator itself, under the names by which glibc lets others replace it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

#define SLOTS ((size_t)1 << 17)

/* Open addressing with linear probing.  A slot of an earlier run is empty; p is NULL
 * where this run freed again. */
static struct Slot {
    void *p;
    uint64_t run, number;
    size_t bytes;
} slots[SLOTS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool active;
static uint64_t run, count, frees, fail_number;
static size_t live;

static size_t home(const void *p)
{
    return (size_t)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15) >> 47;
}

/* Each function below is called with the lock held. */

static void remember(void *p, uint64_t number, size_t bytes)
{
    static const char message[] = "allocator.c: more live allocations than slots\n";
    if (++live > SLOTS / 2) {
        (void)!write(STDERR_FILENO, message, sizeof message - 1);
        _exit(99);
    }
    size_t i = home(p) % SLOTS;
    while (slots[i].run == run && slots[i].p)
        i = (i + 1) % SLOTS;
    slots[i] = (struct Slot) { p, run, number, bytes };
}

static void forget(const void *p)
{
    for (size_t i = home(p) % SLOTS; slots[i].run == run; i = (i + 1) % SLOTS) {
        if (slots[i].p == p) {
            slots[i].p = NULL;
            live--;
            return;
        }
    }
}

/* Counts one allocation; false: it is to fail. */
static bool admit(void)
{
    return !active || ++count != fail_number;
}

/* ---- What the tests call -------------------------------------------------------- */

void faults_start(uint64_t fail_at)
{
    pthread_mutex_lock(&lock);
    run++;
    count = frees = live = 0;
    fail_number = fail_at;
    active = true;
    pthread_mutex_unlock(&lock);
}

FaultReport faults_stop(void)
{
    pthread_mutex_lock(&lock);
    active = false;
    FaultReport report = { .allocations = count,
                           .frees = frees,
                           .failed = fail_number && count >= fail_number,
                           .live = live };
    for (size_t i = 0; live && i < SLOTS; i++) {
        if (slots[i].run == run && slots[i].p) {
            report.live_number = slots[i].number;
            report.live_bytes = slots[i].bytes;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return report;
}

/* ---- What everything else calls ------------------------------------------------- */

enum { MALLOC, CALLOC, REALLOC, MEMALIGN };

static void *allocate(int kind, void *old, size_t a, size_t b)
{
    pthread_mutex_lock(&lock);
    void *p = NULL;
    if (!admit()) {
        errno = ENOMEM;
    } else {
        p = kind == MALLOC    ? __libc_malloc(b)
            : kind == CALLOC  ? __libc_calloc(a, b)
            : kind == REALLOC ? __libc_realloc(old, b)
                              : __libc_memalign(a, b);
        if (active && old && (p || !b))
            forget(old);
        if (active && p)
            remember(p, count, kind == CALLOC ? a * b : b);
    }
    pthread_mutex_unlock(&lock);
    return p;
}

void *malloc(size_t size)
{
    return allocate(MALLOC, NULL, 0, size);
}

void *calloc(size_t n, size_t size)
{
    return allocate(CALLOC, NULL, n, size);
}

void *realloc(void *p, size_t size)
{
    return allocate(REALLOC, p, 0, size);
}

void *memalign(size_t alignment, size_t size)
{
    return allocate(MEMALIGN, NULL, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return allocate(MEMALIGN, NULL, alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = allocate(MEMALIGN, NULL, alignment, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&lock);
    if (active) {
        frees++;
        forget(p);
    }
    pthread_mutex_unlock(&lock);
    __libc_free(p);
}
