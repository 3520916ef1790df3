/* Where each setting of the input comes from: caller, __metadata__, scheme default. */
#ifndef VIGIL_CORE_INPUT_H
#define VIGIL_CORE_INPUT_H

#include "backbones/family.h"
#include "core/safetensors.h"

#define VIGIL_MIN_SIZE 32
#define VIGIL_MAX_SIZE 4096

/* The published preprocessing of the scheme at the variant's native size. */
void vigil_input_default(const VigilArchitecture *arch, VigilInput *input);

/* Keys input_height, input_width, channel_order, mean, std, resize, resize_shorter;
 * mean and std are in RGB order there.  A value that cannot be read is an error that
 * names file and key. */
VigilStatus vigil_input_metadata(const VigilSafetensors *file, VigilInput *input,
                                 VigilError *error);

/* Options of the caller (NULL: none); the result is checked. */
VigilStatus vigil_input_options(const VigilInputOptions *options, VigilInput *input,
                                VigilError *error);

#endif
