/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/opened.h"

static struct {
    pthread_mutex_t lock;
    VigilModel *first; /* by next_opened */
} opened = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static VigilModel *take(const VigilFileIdentity *identity)
{
    for (VigilModel *m = opened.first; m; m = m->next_opened)
        if (vigil_same_file(vigil_safetensors_identity(m->file), identity))
            return vigil_model_ref(m);
    return NULL;
}

VigilModel *vigil_opened_find(const char *path)
{
    VigilFileIdentity identity;
    if (!vigil_identify(path, &identity))
        return NULL;
    pthread_mutex_lock(&opened.lock);
    VigilModel *model = take(&identity);
    pthread_mutex_unlock(&opened.lock);
    return model;
}

VigilModel *vigil_opened_add(VigilModel *model)
{
    pthread_mutex_lock(&opened.lock);
    VigilModel *there = take(vigil_safetensors_identity(model->file));
    if (!there) {
        model->next_opened = opened.first;
        opened.first = model;
    }
    pthread_mutex_unlock(&opened.lock);
    if (!there)
        return model;
    vigil_model_close(&model);
    return there;
}

bool vigil_opened_drop(VigilModel *model)
{
    /* With the lock: nobody may find a model whose last reference has gone. */
    pthread_mutex_lock(&opened.lock);
    bool last = atomic_fetch_sub(&model->references, 1) == 1;
    for (VigilModel **p = &opened.first; last && *p; p = &(*p)->next_opened)
        if (*p == model) {
            *p = model->next_opened;
            break;
        }
    pthread_mutex_unlock(&opened.lock);
    return last;
}
