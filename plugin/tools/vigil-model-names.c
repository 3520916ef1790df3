/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What options, JSON and text call the values of the engine. */
#include "vigil-model.h"

#include <string.h>

static const char *const resize_names[] = {
    [VIGIL_RESIZE_STRETCH] = "stretch",
    [VIGIL_RESIZE_LETTERBOX] = "letterbox",
    [VIGIL_RESIZE_CROP] = "crop",
    [VIGIL_RESIZE_NONE] = "none",
};
static const char *const channel_order_names[] = {
    [VIGIL_RGB] = "rgb",
    [VIGIL_BGR] = "bgr",
};
static const char *const filter_names[] = {
    [VIGIL_FILTER_BILINEAR] = "bilinear",
    [VIGIL_FILTER_BICUBIC] = "bicubic",
    [VIGIL_FILTER_POINT_BILINEAR] = "point bilinear",
};
static const char *const origin_names[] = {
    [VIGIL_ORIGIN_SCHEME] = "scheme default",
    [VIGIL_ORIGIN_METADATA] = "metadata",
    [VIGIL_ORIGIN_OPTION] = "option",
};
static const char *const task_names[] = {
    [VIGIL_TASK_CLASSIFICATION] = "classification",
    [VIGIL_TASK_DETECTION] = "detection",
    [VIGIL_TASK_SEGMENTATION] = "segmentation",
};
static const char *const precision_names[] = {
    [VIGIL_PRECISION_AUTO] = "auto",
    [VIGIL_PRECISION_FLOAT32] = "float32",
    [VIGIL_PRECISION_INT8] = "int8",
};

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define NAME_OF(table, value)                                                          \
    ((size_t)(value) < COUNT(table) ? (table)[value] : "unknown")

const char *resize_name(VigilResize resize)
{
    return NAME_OF(resize_names, resize);
}

const char *channel_order_name(VigilChannelOrder order)
{
    return NAME_OF(channel_order_names, order);
}

const char *filter_name(VigilFilter filter)
{
    return NAME_OF(filter_names, filter);
}

const char *origin_name(VigilOrigin origin)
{
    return NAME_OF(origin_names, origin);
}

const char *task_name(VigilTask task)
{
    return NAME_OF(task_names, task);
}

const char *precision_name(VigilPrecision precision)
{
    return NAME_OF(precision_names, precision);
}

static int find(const char *text, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(text, names[i]))
            return (int)i;
    return -1;
}

int resize_find(const char *text)
{
    return find(text, resize_names, COUNT(resize_names));
}

int channel_order_find(const char *text)
{
    return find(text, channel_order_names, COUNT(channel_order_names));
}

int precision_find(const char *text)
{
    return find(text, precision_names, COUNT(precision_names));
}
