/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A slab is some large pages in which pieces lie one behind the other, each behind a
 * head that tells its slab.  It is given back when its last piece is: what is free in
 * its middle is not used before, as the weights of a model go together.  Slabs are of
 * one model, so that models which come and go leave nothing behind.
 */
#include "core/slab.h"
#include "core/status.h"

#include <stdlib.h>
#include <sys/mman.h>

#if !VIGIL_HAS_SLABS

void *vigil_slab_alloc(VigilSlabs *slabs, size_t bytes)
{
    return vigil_alloc_aligned(bytes);
}

void vigil_slab_shrink(void *piece, size_t bytes)
{
}

void vigil_slab_free(void *piece)
{
    free(piece);
}

void vigil_slabs_end(VigilSlabs *slabs)
{
}

#else

/* A large page of x86-64, and of arm64 where pages have 4 KiB. */
#define LARGE_PAGE ((size_t)2 << 20)
/* Of a slab; pages that nothing was written to take no memory. */
#define LEAST_SIZE (8 * LARGE_PAGE)

typedef struct VigilSlab {
    size_t size, used;
    unsigned holders; /* pieces, and who has it open; atomic */
} Slab;

/* Before a piece. */
typedef struct Head {
    _Alignas(VIGIL_ALIGN) Slab *slab;
    size_t bytes; /* with the head */
} Head;

_Static_assert(sizeof(Slab) <= VIGIL_ALIGN, "a slab begins with no more than a piece");

static void release(Slab *slab)
{
    if (slab && !__atomic_sub_fetch(&slab->holders, 1, __ATOMIC_ACQ_REL))
        free(slab);
}

static Slab *slab_new(size_t bytes)
{
    size_t size;
    if (!vigil_size_add(bytes, VIGIL_ALIGN + LARGE_PAGE - 1, &size))
        return NULL;
    size = size < LEAST_SIZE ? LEAST_SIZE : size & ~(LARGE_PAGE - 1);
    Slab *slab = aligned_alloc(LARGE_PAGE, size);
    if (!slab)
        return NULL;
    /* Without large pages all goes on with small ones. */
    (void)madvise(slab, size, MADV_HUGEPAGE);
    *slab = (Slab) { .size = size, .used = VIGIL_ALIGN, .holders = 1 };
    return slab;
}

/* With room for so many bytes. */
static Slab *slab_for(VigilSlabs *slabs, size_t bytes)
{
    if (slabs->open && slabs->open->size - slabs->open->used >= bytes)
        return slabs->open;
    Slab *slab = slab_new(bytes);
    if (slab) {
        release(slabs->open);
        slabs->open = slab;
    }
    return slab;
}

/* Of a piece with its head; false: there is no such size. */
static bool whole_size(size_t bytes, size_t *whole)
{
    if (!bytes || !vigil_size_add(bytes, sizeof(Head) + VIGIL_ALIGN - 1, whole))
        return false;
    *whole &= ~(size_t)(VIGIL_ALIGN - 1);
    return true;
}

void *vigil_slab_alloc(VigilSlabs *slabs, size_t bytes)
{
    Slab *slab = whole_size(bytes, &bytes) ? slab_for(slabs, bytes) : NULL;
    if (!slab)
        return NULL;
    Head *head = (Head *)((char *)slab + slab->used);
    *head = (Head) { .slab = slab, .bytes = bytes };
    slab->used += bytes;
    __atomic_add_fetch(&slab->holders, 1, __ATOMIC_RELAXED);
    return head + 1;
}

void vigil_slab_shrink(void *piece, size_t bytes)
{
    Head *head = (Head *)piece - 1;
    Slab *slab = head->slab;
    bool last = (char *)head + head->bytes == (char *)slab + slab->used;
    if (last && whole_size(bytes, &bytes) && bytes < head->bytes) {
        slab->used -= head->bytes - bytes;
        head->bytes = bytes;
    }
}

void vigil_slab_free(void *piece)
{
    if (piece)
        release(((Head *)piece - 1)->slab);
}

void vigil_slabs_end(VigilSlabs *slabs)
{
    release(slabs->open);
    slabs->open = NULL;
}

#endif
