/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of the packed weights of a model, which stay together and are read from end to
 * end in each run: side by side in large pages, so that a core needs few translations
 * of addresses, and the kernel few faults. */
#ifndef VIGIL_CORE_SLAB_H
#define VIGIL_CORE_SLAB_H

#include <stddef.h>

/* 0: each piece is memory of its own, so that a sanitizer notices what is read beyond.
 */
#ifdef VIGIL_ADDRESS_SANITIZER
#define VIGIL_HAS_SLABS 0
#else
#define VIGIL_HAS_SLABS 1
#endif

/* Where the next piece goes; begins as { NULL }.  For one thread at a time. */
typedef struct VigilSlabs {
    struct VigilSlab *open;
} VigilSlabs;

/* 64-byte aligned memory, not cleared; NULL when there is none or `bytes` is 0.  Ends
 * with vigil_slab_free(), before or after vigil_slabs_end(). */
void *vigil_slab_alloc(VigilSlabs *slabs, size_t bytes);

/* Gives back what lies beyond the first `bytes` of a piece, where that is possible: in
 * the thread that has its slabs. */
void vigil_slab_shrink(void *piece, size_t bytes);

/* From any thread.  NULL: nothing happens. */
void vigil_slab_free(void *piece);

/* No more pieces are to come. */
void vigil_slabs_end(VigilSlabs *slabs);

#endif
