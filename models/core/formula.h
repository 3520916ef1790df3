/*
 * Formula weights: every value of a parameter follows from its name, its shape, a seed
 * and a gain, so that any implementation can build the same network without a file.
 *
 *   base = fnv1a64(name) ^ seed;  r(i) = splitmix64(base + i) >> 40, mapped to [-1, 1)
 *   *.running_mean  0.1 r          *.running_var  1 + 0.5 r
 *   tokens.weight   r              rank >= 2      r * sqrt(3 / fan_in) * gain
 *   *.weight        1 + 0.25 r     other rank 1   0.1 r        rank 0   0.5 r
 * tokens.weight stands for all learned tokens: *.tokens.weight, *.queries.weight and
 * *.positions.weight are like it.
 */
#ifndef VIGIL_CORE_FORMULA_H
#define VIGIL_CORE_FORMULA_H

#include <stddef.h>
#include <stdint.h>

/* Writes the row-major values of the parameter `name`. */
void vigil_formula_fill(const char *name, int rank, const uint64_t *shape,
                        uint64_t seed, double gain, float *out);

/* The picture that goes with it: h x w x 3 bytes, integer arithmetic only. */
void vigil_formula_image(int h, int w, uint8_t *rgb);

#endif
