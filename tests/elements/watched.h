/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that a pipeline and our log say, to look for what must not be in it.
 */
#ifndef VIGIL_TESTS_WATCHED_H
#define VIGIL_TESTS_WATCHED_H

#include "play.h"

/* Collects our log at every level from here on. */
void watched_init(void);
/* And messages and notifications of properties, also of inner elements. */
void watched_add(Play *play);
/* Nothing of all that, and no property that is readable now, has the secret in it; then
 * it is forgotten. */
void watched_assert_without(Play *play, const gchar *secret);
/* Of our log, up to now. */
gint watched_lines(void);

#endif
