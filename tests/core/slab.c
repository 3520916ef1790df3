/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory of weights.  Under a sanitizer each piece is by itself, which leaves out what
 * is told of places.
 */
#include "core/slab.h"
#include "tap.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_PAGE ((size_t)2 << 20)
#define PIECES 400

typedef struct Piece {
    unsigned char *at, mark;
    size_t bytes;
} Piece;

static Piece piece_new(VigilSlabs *slabs, size_t bytes, unsigned i)
{
    Piece p = { vigil_slab_alloc(slabs, bytes), (unsigned char)(i * 37 + 1), bytes };
    if (!p.at)
        abort();
    memset(p.at, p.mark, bytes);
    return p;
}

static bool piece_holds(const Piece *p)
{
    size_t i = 0;
    while (i < p->bytes && p->at[i] == p->mark)
        i++;
    return i == p->bytes && (uintptr_t)p->at % 64 == 0;
}

/* From 1 byte to more than a slab. */
static size_t size_of(unsigned i)
{
    static const size_t sizes[] = { 1, 64, 65, 4096, 300000, 1 << 20, 63 };
    return i % 97 == 96 ? 10 * LARGE_PAGE + i : sizes[i % 7] + i;
}

/* Pieces that are freed before the end and after it. */
static unsigned churn(void)
{
    static _Thread_local Piece pieces[PIECES];
    VigilSlabs slabs = { NULL };
    unsigned held = 0;
    for (unsigned i = 0; i < PIECES; i++) {
        pieces[i] = piece_new(&slabs, size_of(i), i);
        if (i % 3 == 2) {
            held += piece_holds(&pieces[i - 1]);
            vigil_slab_free(pieces[i - 1].at);
            pieces[i - 1].at = NULL;
        }
    }
    vigil_slabs_end(&slabs);
    for (unsigned i = 0; i < PIECES; i++) {
        held += pieces[i].at && piece_holds(&pieces[i]);
        vigil_slab_free(pieces[i].at);
    }
    return held;
}

static void test_many(void)
{
    unsigned held = churn();
    tap_ok(held == PIECES, "%u of %u pieces keep what was written into them", held,
           PIECES);
}

static void *churn_thread(void *held)
{
    *(unsigned *)held = churn();
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[4];
    unsigned held[4] = { 0 }, all = 0;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, churn_thread, &held[i]))
            abort();
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        all += held[i];
    }
    tap_ok(all == 4 * PIECES, "%u of %u pieces of four threads, too", all, 4 * PIECES);
}

static void test_places(void)
{
    VigilSlabs slabs = { NULL }, others = { NULL };
    if (!VIGIL_HAS_SLABS) {
        tap_skip("pieces lie apart under a sanitizer");
        return;
    }
    Piece a = piece_new(&slabs, 1000, 1), b = piece_new(&slabs, 5000, 2);
    tap_ok(b.at > a.at && b.at < a.at + 1200, "pieces lie side by side");
    vigil_slab_shrink(a.at, 10);
    vigil_slab_shrink(b.at, 100);
    Piece c = piece_new(&slabs, 1000, 3);
    tap_ok(c.at > b.at && c.at < b.at + 300, "what the last piece gives back is used");
    b.bytes = 100;
    tap_ok(piece_holds(&b) && piece_holds(&c), "and only that");
    Piece other = piece_new(&others, 1000, 4);
    tap_ok(other.at < a.at - LARGE_PAGE || other.at > a.at + LARGE_PAGE,
           "those of others lie elsewhere");
    vigil_slab_free(a.at);
    vigil_slabs_end(&slabs);
    vigil_slab_free(b.at);
    tap_ok(piece_holds(&c), "a piece outlives its neighbours");
    vigil_slab_free(c.at);
    vigil_slab_free(other.at);
    vigil_slabs_end(&others);
}

static void test_refused(void)
{
    VigilSlabs slabs = { NULL };
    tap_ok(!vigil_slab_alloc(&slabs, 0), "nothing is no piece");
    tap_ok(!vigil_slab_alloc(&slabs, SIZE_MAX), "a size that overflows is refused");
    if (VIGIL_HAS_SLABS) /* a sanitizer ends the program */
        tap_ok(!vigil_slab_alloc(&slabs, SIZE_MAX - 200), "with its head, too");
    vigil_slab_free(NULL);
    vigil_slabs_end(&slabs);
}

int main(void)
{
    test_many();
    test_threads();
    test_places();
    test_refused();
    return tap_done();
}
