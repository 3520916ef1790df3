/* Settings in the __metadata__ of a model file: text that is not trusted. */
#ifndef VIGIL_CORE_METADATA_H
#define VIGIL_CORE_METADATA_H

#include "core/safetensors.h"

/* All of these leave *out as it is where the key is missing.  VIGIL_ERROR_FORMAT for a
 * value that cannot be read names file, key and value. */

/* A whole number from low to high. */
VigilStatus vigil_metadata_whole(const VigilSafetensors *file, const char *key, int low,
                                 int high, int *out, VigilError *error);

/* One of `names`, which NULL ends, as its index. */
VigilStatus vigil_metadata_choice(const VigilSafetensors *file, const char *key,
                                  const char *const *names, int *out,
                                  VigilError *error);

/* n decimal numbers up to a million, with a point whatever the locale, as in
 * "0.5 0.5 0.5", "0.5, 0.5, 0.5" or "[0.5, 0.5, 0.5]"; *found tells whether there were
 * any. */
VigilStatus vigil_metadata_numbers(const VigilSafetensors *file, const char *key, int n,
                                   float *out, bool *found, VigilError *error);

/* The error of a value that can be read but not be right; `wanted` follows "should be".
 */
VigilStatus vigil_metadata_refuse(const VigilSafetensors *file, const char *key,
                                  const char *wanted, VigilError *error);

#endif
