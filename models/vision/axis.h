/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One axis of a separable resampling: which source samples make each output sample, and
 * with what weights.
 *
 * Positions are real numbers in samples of the source, counted from the edge of the
 * first one: sample k covers k..k+1 and lies at k + 0.5.  The rules are those of PIL:
 * the filter is widened by the shrink factor (POINT_BILINEAR: never), samples outside
 * the source take no part, and what remains is scaled to the sum 1.
 */
#ifndef VIGIL_VISION_AXIS_H
#define VIGIL_VISION_AXIS_H

#include "core/status.h"

typedef struct VigilAxis {
    VigilFilter filter;
    int size;             /* samples of the source, >= 1 */
    double origin, scale; /* output i lies at origin + (i + 0.5) * scale */
    int n;                /* outputs, >= 1 */
    int begin, end;       /* only source samples begin..end-1 are used */
    int longest;          /* most weights that an output has */
    size_t taps;    /* floats between the weights of two outputs: a multiple of 8 */
    size_t bytes;   /* that the tables take: a multiple of VIGIL_ALIGN */
    int32_t *first; /* [n] first sample, counted from begin */
    int32_t *count; /* [n] samples that take part, 1..longest */
    float *weight;  /* [n][taps], 0 from count on */
} VigilAxis;

/* Sets all but the tables.  False when the size of these does not fit in a size_t. */
bool vigil_axis_measure(VigilAxis *axis, VigilFilter filter, int size, double origin,
                        double scale, int n);

/* Fills the tables in `memory`: axis->bytes, cleared and aligned to VIGIL_ALIGN, which
 * must outlive the axis. */
void vigil_axis_fill(VigilAxis *axis, void *memory);

#endif
