/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON of untrusted files, parsed by jansson.
 *
 * Jansson does not tell every failed allocation from bad input, and drops a character
 * of a long string when growing its buffer fails.  Parsing here counts failed
 * allocations through jansson's allocation hooks, so that running out of memory is
 * reported as such and a damaged value is never returned.
 */
#ifndef VIGIL_CORE_JSON_H
#define VIGIL_CORE_JSON_H

#include "core/status.h"

#include <jansson.h>

/* Parses `bytes` bytes holding one JSON object or array and nothing else.  Repeated
 * keys, NUL characters and invalid UTF-8 are refused; nesting is limited by jansson
 * (2048). `what` begins the message: "model.safetensors: the header".  *value is the
 * caller's, for json_decref(); NULL after an error. */
VigilStatus vigil_json_parse(const char *text, size_t bytes, const char *what,
                             json_t **value, VigilError *error);

#endif
