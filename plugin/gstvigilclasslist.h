/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Class lists: properties that name classes of a model.
 *
 *     NAME[,NAME]...
 *     NAME=SCORE[,NAME=SCORE]...
 *
 * A name is a label of the model, or the number of an output of it, from 0, where no
 * label is written so.  Spaces around names and numbers do not count.
 */
#ifndef GST_VIGIL_CLASS_LIST_H
#define GST_VIGIL_CLASS_LIST_H

#include <stdbool.h>
#include "gstvigilnetwork.h"

G_BEGIN_DECLS

/* *wanted [network->classes] tells which classes the list names, for g_free(); NULL for
 * an empty one.  FALSE: *error (GST_LIBRARY_ERROR_SETTINGS) quotes the name at fault
 * and tells the model's names that are nearest, or all where they are few. */
gboolean gst_vigil_class_list_wanted(const gchar *property, const gchar *text,
                                     const GstVigilNetwork *network, bool **wanted,
                                     GError **error);

/* *scores [network->classes], 0..1, NAN for classes that are not named; as above. */
gboolean gst_vigil_class_list_scores(const gchar *property, const gchar *text,
                                     const GstVigilNetwork *network, gfloat **scores,
                                     GError **error);

G_END_DECLS

#endif
