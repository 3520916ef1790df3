/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON of untrusted files, parsed by jansson.
 *
 * When memory runs out jansson may drop a character of a token and go on: a damaged
 * value, a write past the end of a string, or a failed assertion follow.  Parsing here
 * keeps it from that, so that running out of memory is an error like others.
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
