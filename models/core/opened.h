/*
 * The models that are open in this process, by file: opening a file a second time gives
 * the model that is there.  A file counts as the same while its device, inode, size and
 * times of change are; one that was replaced or rewritten is another.
 *
 * Holds no references: a model leaves when its last one is dropped.  Safe from any
 * thread.
 */
#ifndef VIGIL_CORE_OPENED_H
#define VIGIL_CORE_OPENED_H

#include "core/model.h"

/* A new reference to the open model of the file at `path`; NULL if there is none. */
VigilModel *vigil_opened_find(const char *path);

/* Lists a model that was read from a file.  Where another thread was first with the
 * same file, `model` is closed and the other returned; the reference stays the
 * caller's. */
VigilModel *vigil_opened_add(VigilModel *model);

/* Drops a reference, of any model; true: it was the last, and the model is listed no
 * more. */
bool vigil_opened_drop(VigilModel *model);

#endif
