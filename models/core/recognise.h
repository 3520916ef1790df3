/* Which network a file holds, found by describing every variant and checking names and
 * shapes. */
#ifndef VIGIL_CORE_RECOGNISE_H
#define VIGIL_CORE_RECOGNISE_H

#include "core/model.h"

/* How well a network fits a source of weights. */
typedef struct VigilMatch {
    VigilArchitecture arch;
    VigilBinder binder; /* after a CHECK; its source is gone */
    int classes;
} VigilMatch;

/* The network; NULL with *error set. */
VigilNet *vigil_describe(const VigilArchitecture *arch, const VigilNetConfig *config,
                         VigilError *error);

VigilStatus vigil_check_variant(const VigilArchitecture *arch, VigilSource *source,
                                int classes, VigilMatch *match, VigilError *error);

/* Finds "NAME" (under the family's first naming scheme) or "NAME@NAMING". */
bool vigil_find_variant(const char *text, VigilArchitecture *arch);

/* Fills arch, source, info.classes and info.parameters of a model whose file is
 * open.  VIGIL_ERROR_UNSUPPORTED names the closest variant and the first tensor that
 * did not fit, with both shapes. */
VigilStatus vigil_recognise(VigilModel *model, VigilError *error);

#endif
