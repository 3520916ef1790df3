/*
 * Which operations of a merged network multiply in bytes, and what their inputs are
 * like.  Called between vigil_net_fuse() and vigil_net_bind().
 *
 * Those that may: multiplications of each pixel or vector by one matrix, whose result
 * is no output of the network.  Scores and values of attention are never in bytes.
 */
#ifndef VIGIL_CORE_QUANTISE_H
#define VIGIL_CORE_QUANTISE_H

#include "core/net.h"
#include "core/ranges.h"

/* Has those that may, have a range and, unless `everywhere`, are faster so at the level
 * in use, multiply in bytes. */
void vigil_net_quantise(VigilNet *net, const VigilRanges *ranges, bool everywhere);

/* How many operations do. */
int vigil_net_quantised(const VigilNet *net);

/* Has those that may count the values of their inputs in each run, one thread at a
 * time.  Without memory an error sticks. */
void vigil_net_observe(VigilNet *net);

/* What was counted, as the JSON object of VIGIL_RANGES_KEY, for free().  Inputs that
 * were all 0 are left out; without any others: VIGIL_ERROR_ARGUMENT. */
VigilStatus vigil_net_observed(const VigilNet *net, char **json, VigilError *error);

#endif
