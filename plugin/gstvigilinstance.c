/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinstance.h"

static GMutex lock;
static GHashTable *instances; /* by id, which is the settings'; under the lock */

/* With the lock held. */
static GstVigilInstance *found(const GstVigilNetworkSettings *settings, GError **error)
{
    VigilModel *model = gst_vigil_network_open_model(settings->model, error);

    if (!model)
        return NULL;
    GstVigilInstance *instance = g_new0(GstVigilInstance, 1);
    instance->model = model;
    gst_vigil_network_settings_copy(&instance->settings, settings);
    if (!instances)
        instances = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(instances, instance->settings.instance_id, instance);
    return instance;
}

/* The same file may have several names. */
static gboolean check_model(const GstVigilInstance *instance,
                            const GstVigilNetworkSettings *settings, GError **error)
{
    if (settings->model_is_default ||
        !g_strcmp0(settings->model, instance->settings.model))
        return TRUE;
    VigilModel *model = gst_vigil_network_open_model(settings->model, error);
    if (!model)
        return FALSE;
    const gboolean same = model == instance->model;
    if (!same)
        g_set_error(
            error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
            "The property model is \"%s\", and the elements with the "
            "model-instance-id \"%s\" have the model \"%s\". Set the same model "
            "or none, or another model-instance-id.",
            vigil_model_info(model)->file, settings->instance_id,
            vigil_model_info(instance->model)->file);
    vigil_model_close(&model);
    return same;
}

GstVigilInstance *gst_vigil_instance_join(const GstVigilNetworkSettings *settings,
                                          GError **error)
{
    g_mutex_lock(&lock);
    GstVigilInstance *instance =
        instances ? g_hash_table_lookup(instances, settings->instance_id) : NULL;
    if (!instance)
        instance = found(settings, error);
    else if (!check_model(instance, settings, error))
        instance = NULL;
    if (instance)
        instance->members++;
    g_mutex_unlock(&lock);
    return instance;
}

void gst_vigil_instance_leave(GstVigilInstance **instance)
{
    GstVigilInstance *left = *instance;

    *instance = NULL;
    g_mutex_lock(&lock);
    if (left && --left->members == 0) {
        g_hash_table_remove(instances, left->settings.instance_id);
        vigil_model_close(&left->model);
        gst_vigil_network_settings_clear(&left->settings);
        g_free(left);
    }
    if (instances && !g_hash_table_size(instances))
        g_clear_pointer(&instances, g_hash_table_unref);
    g_mutex_unlock(&lock);
}
