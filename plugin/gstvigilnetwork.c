/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "gstvigilinstance.h"
#include "gstvigillabels.h"
#include "gstvigilnetwork.h"
#include "gstvigilparse.h"

GType gst_vigil_resize_mode_get_type(void)
{
    static gsize type = 0;
    static const GEnumValue values[] = {
        { GST_VIGIL_RESIZE_MODEL, "What the model was trained with", "model" },
        { GST_VIGIL_RESIZE_STRETCH, "Both axes on their own, the aspect ratio changes",
          "stretch" },
        { GST_VIGIL_RESIZE_LETTERBOX, "The whole picture, with borders", "letterbox" },
        { GST_VIGIL_RESIZE_CROP, "Fill the input, what sticks out is cut off", "crop" },
        { GST_VIGIL_RESIZE_NONE, "Pixels as they are: frame and input of one size",
          "none" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstVigilResizeMode", values));
    return type;
}

GType gst_vigil_channel_order_get_type(void)
{
    static gsize type = 0;
    static const GEnumValue values[] = {
        { GST_VIGIL_CHANNEL_ORDER_MODEL, "What the model was trained with", "model" },
        { GST_VIGIL_CHANNEL_ORDER_RGB, "Red, green, blue", "rgb" },
        { GST_VIGIL_CHANNEL_ORDER_BGR, "Blue, green, red", "bgr" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type,
                          g_enum_register_static("GstVigilChannelOrder", values));
    return type;
}

GType gst_vigil_precision_get_type(void)
{
    static gsize type = 0;
    static const GEnumValue values[] = {
        { GST_VIGIL_PRECISION_AUTO, "What the model file says, else float32", "auto" },
        { GST_VIGIL_PRECISION_FLOAT32, "32-bit floats", "float32" },
        { GST_VIGIL_PRECISION_INT8, "Bytes where that is faster", "int8" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstVigilPrecision", values));
    return type;
}

void gst_vigil_network_settings_copy(GstVigilNetworkSettings *to,
                                     const GstVigilNetworkSettings *from)
{
    *to = *from;
    to->model = g_strdup(from->model);
    to->labels_file = g_strdup(from->labels_file);
    to->labels = g_strdup(from->labels);
    to->input_size = g_strdup(from->input_size);
    to->mean = g_strdup(from->mean);
    to->std = g_strdup(from->std);
    to->instance_id = g_strdup(from->instance_id);
}

void gst_vigil_network_settings_clear(GstVigilNetworkSettings *settings)
{
    g_free(settings->model);
    g_free(settings->labels_file);
    g_free(settings->labels);
    g_free(settings->input_size);
    g_free(settings->mean);
    g_free(settings->std);
    g_free(settings->instance_id);
    memset(settings, 0, sizeof *settings);
}

static gboolean is_set(const gchar *text)
{
    return text && *text;
}

/* ---- Errors --------------------------------------------------------------------- */

/* What each status of the engine means to an application, and what to do about it. */
static const struct {
    gboolean resource; /* GST_RESOURCE_ERROR, else GST_LIBRARY_ERROR */
    gint code;
    const gchar *advice;
} statuses[] = {
    [VIGIL_ERROR_NOT_FOUND] = { TRUE, GST_RESOURCE_ERROR_NOT_FOUND,
                                "Set the property model to a safetensors file or to "
                                "the "
                                "name of a shipped model." },
    [VIGIL_ERROR_IO] = { TRUE, GST_RESOURCE_ERROR_OPEN_READ,
                         "Check the file and its permissions." },
    [VIGIL_ERROR_NO_MEMORY] = { TRUE, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                                "Free some memory or choose a smaller model." },
    [VIGIL_ERROR_FORMAT] = { TRUE, GST_RESOURCE_ERROR_READ,
                             "Set the property model to a complete safetensors file; "
                             "vigil-convert makes one from a PyTorch checkpoint." },
    [VIGIL_ERROR_UNSUPPORTED] = { TRUE, GST_RESOURCE_ERROR_SETTINGS,
                                  "The command \"vigil-model list\" shows the networks "
                                  "that can be used." },
    [VIGIL_ERROR_SHAPE] = { TRUE, GST_RESOURCE_ERROR_SETTINGS,
                            "The command \"vigil-model info\" tells more about the "
                            "file." },
    [VIGIL_ERROR_ARGUMENT] = { FALSE, GST_LIBRARY_ERROR_SETTINGS,
                               "Change the property or unset it to use what the model "
                               "says." },
};

static void take_engine_error(GError **error, const VigilError *e)
{
    const guint status =
        (guint)e->status < G_N_ELEMENTS(statuses) ? e->status : VIGIL_ERROR_ARGUMENT;
    const gsize length = strlen(e->message);
    const gboolean stopped = length && strchr(".!?", e->message[length - 1]);

    g_set_error(error,
                statuses[status].resource ? GST_RESOURCE_ERROR : GST_LIBRARY_ERROR,
                statuses[status].code, "%s%s %s", e->message, stopped ? "" : ".",
                statuses[status].advice);
}

static gboolean refuse_setting(GError **error, const gchar *property,
                               const gchar *value, const gchar *reason)
{
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                "The property %s is \"%s\", which %s.", property, value, reason);
    return FALSE;
}

/* ---- Input ---------------------------------------------------------------------- */

static gboolean parse_input_size(VigilInputOptions *options, const gchar *text,
                                 GError **error)
{
    if (!is_set(text) || gst_vigil_parse_size(text, &options->height, &options->width))
        return TRUE;
    return refuse_setting(error, "input-size", text,
                          "is not HEIGHTxWIDTH in pixels, as 224x224");
}

/* Three numbers for red, green and blue into the channel order of the tensor. */
static gboolean parse_channels(const gchar *property, const gchar *text, gboolean *has,
                               float values[3], VigilChannelOrder order, GError **error)
{
    gdouble v[3];

    if (!is_set(text))
        return TRUE;
    if (!gst_vigil_parse_numbers(text, v, 3))
        return refuse_setting(error, property, text,
                              "is not RED,GREEN,BLUE, three numbers, as 0.5,0.5,0.5");
    for (guint i = 0; i < 3; i++) {
        if (!isfinite(v[i]) || fabs(v[i]) > 10)
            return refuse_setting(error, property, text,
                                  "has a number outside -10..10; pixel values count "
                                  "from 0 to 1 here");
        values[order == VIGIL_BGR ? 2 - i : i] = (float)v[i];
    }
    *has = TRUE;
    return TRUE;
}

static gboolean parse_std(VigilInputOptions *options, const gchar *text,
                          VigilChannelOrder order, GError **error)
{
    gboolean has = FALSE;

    if (!parse_channels("std", text, &has, options->std, order, error))
        return FALSE;
    for (guint i = 0; has && i < 3; i++)
        if (options->std[i] <= 0)
            return refuse_setting(error, "std", text,
                                  "has a number that is not above 0");
    options->has_std = has;
    return TRUE;
}

static gboolean parse_mean(VigilInputOptions *options, const gchar *text,
                           VigilChannelOrder order, GError **error)
{
    gboolean has = FALSE;

    if (!parse_channels("mean", text, &has, options->mean, order, error))
        return FALSE;
    options->has_mean = has;
    return TRUE;
}

static void set_enums(VigilInputOptions *options,
                      const GstVigilNetworkSettings *settings)
{
    static const VigilResize resizes[] = {
        [GST_VIGIL_RESIZE_STRETCH] = VIGIL_RESIZE_STRETCH,
        [GST_VIGIL_RESIZE_LETTERBOX] = VIGIL_RESIZE_LETTERBOX,
        [GST_VIGIL_RESIZE_CROP] = VIGIL_RESIZE_CROP,
        [GST_VIGIL_RESIZE_NONE] = VIGIL_RESIZE_NONE,
    };

    options->has_resize = settings->resize != GST_VIGIL_RESIZE_MODEL;
    options->resize = resizes[settings->resize];
    options->has_channel_order =
        settings->channel_order != GST_VIGIL_CHANNEL_ORDER_MODEL;
    options->channel_order =
        settings->channel_order == GST_VIGIL_CHANNEL_ORDER_BGR ? VIGIL_BGR : VIGIL_RGB;
}

static gboolean parse_options(VigilInputOptions *options,
                              const GstVigilNetworkSettings *settings,
                              const VigilModelInfo *info, GError **error)
{
    set_enums(options, settings);
    const VigilChannelOrder order =
        options->has_channel_order ? options->channel_order : info->input.channel_order;

    return parse_input_size(options, settings->input_size, error) &&
           parse_mean(options, settings->mean, order, error) &&
           parse_std(options, settings->std, order, error);
}

/* ---- Labels --------------------------------------------------------------------- */

static gboolean use_labels_file(GstVigilNetwork *network, const gchar *file,
                                GError **error)
{
    network->own_labels = gst_vigil_labels_read(file, (guint)network->classes, error);
    network->labels = (const gchar *const *)network->own_labels;
    return network->own_labels != NULL;
}

static gboolean use_label_set(GstVigilNetwork *network, const gchar *set,
                              GError **error)
{
    int count = 0;

    network->labels = vigil_labels_builtin(set, &count);
    if (!network->labels)
        return refuse_setting(
            error, "labels", set,
            "is no built-in set: imagenet1k, coco80, voc21, ade20k150 "
            "and camvid11 are");
    if (count == network->classes)
        return TRUE;
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                "The label set \"%s\" has %d labels, the model \"%s\" has %d classes.",
                set, count, vigil_model_info(network->model)->file, network->classes);
    return FALSE;
}

static gboolean find_labels(GstVigilNetwork *network,
                            const GstVigilNetworkSettings *settings, GError **error)
{
    if (is_set(settings->labels_file))
        return use_labels_file(network, settings->labels_file, error);
    if (is_set(settings->labels))
        return use_label_set(network, settings->labels, error);
    network->labels = vigil_model_info(network->model)->labels;
    return TRUE;
}

const gchar *gst_vigil_network_label(const GstVigilNetwork *network, gint index)
{
    if (!network->labels || index < 0 || index >= network->classes)
        return NULL;
    return network->labels[index];
}

/* ---- Opening -------------------------------------------------------------------- */

static gchar *short_name(const gchar *file)
{
    gchar *name = g_path_get_basename(file);

    if (g_str_has_suffix(name, ".safetensors"))
        name[strlen(name) - strlen(".safetensors")] = '\0';
    return name;
}

static gboolean check_task(const VigilModelInfo *info, VigilTask task, GError **error)
{
    static const struct {
        const gchar *name, *element;
    } tasks[] = {
        [VIGIL_TASK_CLASSIFICATION] = { "classification", "vigilclassify" },
        [VIGIL_TASK_DETECTION] = { "detection", "vigildetect" },
        [VIGIL_TASK_SEGMENTATION] = { "segmentation", "vigilsegment" },
    };

    if (info->task == task)
        return TRUE;
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                "The model \"%s\" (%s) is for another task than this element: for %s, "
                "not for %s. The element %s runs it.",
                info->file, info->variant, tasks[info->task].name, tasks[task].name,
                tasks[info->task].element);
    return FALSE;
}

VigilModel *gst_vigil_network_open_model(const gchar *name, GError **error)
{
    VigilModel *model = NULL;
    VigilError e = { 0 };

    if (vigil_model_open(is_set(name) ? name : NULL, &model, &e) != VIGIL_OK)
        take_engine_error(error, &e);
    return model;
}

static gboolean open_model(GstVigilNetwork *network,
                           const GstVigilNetworkSettings *settings, VigilTask task,
                           GError **error)
{
    if (is_set(settings->instance_id)) {
        network->instance = gst_vigil_instance_join(settings, error);
        if (network->instance)
            network->model = vigil_model_ref(network->instance->model);
    } else {
        network->model = gst_vigil_network_open_model(settings->model, error);
    }
    if (!network->model)
        return FALSE;
    const VigilModelInfo *info = vigil_model_info(network->model);
    if (!check_task(info, task, error))
        return FALSE;
    network->name = short_name(info->file);
    network->classes = info->classes;
    return TRUE;
}

static gboolean open_session(GstVigilNetwork *network,
                             const GstVigilNetworkSettings *settings, GError **error)
{
    static const VigilPrecision precisions[] = {
        [GST_VIGIL_PRECISION_AUTO] = VIGIL_PRECISION_AUTO,
        [GST_VIGIL_PRECISION_FLOAT32] = VIGIL_PRECISION_FLOAT32,
        [GST_VIGIL_PRECISION_INT8] = VIGIL_PRECISION_INT8,
    };
    VigilSessionOptions options = { .threads = (int)settings->threads,
                                    .precision = precisions[settings->precision] };
    VigilError e = { 0 };

    if (!parse_options(&options.input, settings, vigil_model_info(network->model),
                       error))
        return FALSE;
    if (vigil_session_open(network->model, &options, &network->session, &e) == VIGIL_OK)
        return TRUE;
    take_engine_error(error, &e);
    return FALSE;
}

/* The first run touches fresh memory and wakes the threads: here, not at a frame. */
static void warm_up(GstVigilNetwork *network)
{
    const VigilInput *input = vigil_session_input_rules(network->session);

    memset(vigil_session_input(network->session), 0,
           (gsize)input->height * (gsize)input->width * 3 * sizeof(float));
    const GstClockTime begin = gst_util_get_timestamp();
    vigil_session_run(network->session);
    network->run_time = gst_util_get_timestamp() - begin;
}

GstVigilNetwork *gst_vigil_network_open(const GstVigilNetworkSettings *settings,
                                        VigilTask task, GError **error)
{
    GstVigilNetwork *network = g_new0(GstVigilNetwork, 1);
    gboolean ok = open_model(network, settings, task, error);

    if (network->instance)
        settings = &network->instance->settings;
    ok = ok && find_labels(network, settings, error) &&
         open_session(network, settings, error);
    if (!ok) {
        gst_vigil_network_close(&network);
        return NULL;
    }
    network->source = g_strdup(settings->model);
    warm_up(network);
    return network;
}

void gst_vigil_network_close(GstVigilNetwork **network)
{
    if (!network || !*network)
        return;
    vigil_session_close(&(*network)->session);
    vigil_model_close(&(*network)->model);
    gst_vigil_instance_leave(&(*network)->instance);
    g_strfreev((*network)->own_labels);
    g_free((*network)->source);
    g_free((*network)->name);
    g_clear_pointer(network, g_free);
}
