/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A gate before each run of the network: a test shuts it, lets runs through one by one
 * and waits until they are under way or over.  Nothing depends on how fast anything is.
 * gated.c stands before the real network, seen.c has it in its own; the program exports
 * its symbols, so that the plugin takes them before libvigil's.
 */
#ifndef VIGIL_TESTS_GATE_H
#define VIGIL_TESTS_GATE_H

#include <glib.h>

/* From now on a run waits until it is let through; runs are counted from 0 again. */
void gate_shut(void);
/* Lets `n` more runs through. */
void gate_let(guint n);
/* Lets the run through that came as number n, whatever came before it. */
void gate_let_one(guint n);
/* Lets all through, those that wait too; as at the start of the program. */
void gate_open(void);

/* How many runs came to the gate since it was shut. */
guint gate_came(void);
/* Waits until so many did; the test fails where that takes a minute. */
void gate_wait_came(guint n);

/* For who stands in place of vigil_session_run(). */
void gate_pass(void);

#endif
