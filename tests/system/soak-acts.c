/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "soak.h"

#define CALM_CAPS "video/x-raw,format=NV12,width=160,height=120,framerate=25/1"

static gint below(gint n)
{
    return g_test_rand_int_range(0, n);
}

static gboolean has(const Soak *soak, const gchar *property)
{
    return g_object_class_find_property(G_OBJECT_GET_CLASS(soak->element), property) !=
           NULL;
}

/* ---- The stream ------------------------------------------------------------------ */

static void change_caps(Soak *soak)
{
    static const gchar *const formats[] = { "I420", "NV12", "NV21", "YUY2", "UYVY",
                                            "Y42B", "Y444", "RGB",  "BGRx", "ARGB" };
    static const gchar *const rates[] = { "25/1", "30000/1001", "10/1", "0/1" };
    gchar *caps =
        g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d,framerate=%s",
                        formats[below(G_N_ELEMENTS(formats))], 48 + below(130),
                        32 + below(100), rates[below(G_N_ELEMENTS(rates))]);

    soak_source_set_caps(soak->source, caps);
    g_free(caps);
}

static void seek(Soak *soak, gint flags)
{
    const gint64 to = below(3600) * (gint64)GST_SECOND;

    g_assert_true(gst_element_seek(soak->pipeline, 1, GST_FORMAT_TIME,
                                   (GstSeekFlags)flags, GST_SEEK_TYPE_SET, to,
                                   GST_SEEK_TYPE_NONE, -1));
    soak->seeks++;
}

static void seek_flushing(Soak *soak)
{
    seek(soak, GST_SEEK_FLAG_FLUSH);
}

static void seek_through(Soak *soak)
{
    seek(soak, 0);
}

/* ---- The model ------------------------------------------------------------------- */

static void change_model(Soak *soak)
{
    soak_set_model(soak, soak->model[below(2)]);
}

static void change_model_twice(Soak *soak)
{
    g_object_set(soak->element, "model", soak->model[below(2)], NULL);
    soak_set_model(soak, soak->model[below(2)]);
}

static void refuse_model(Soak *soak)
{
    g_assert_false(
        soak_set_model(soak, below(2) ? "/nowhere.safetensors" : "/dev/null"));
}

/* ---- Settings -------------------------------------------------------------------- */

static void change_regions(Soak *soak)
{
    GString *text = g_string_new(NULL);

    for (gint n = below(3); n > 0; n--)
        g_string_append_printf(text, "%s0.%02d,0.%02d,0.%02d,0.%02d",
                               text->len ? ";" : "", below(50), below(50),
                               20 + below(30), 20 + below(30));
    g_object_set(soak->element, "regions", text->str, NULL);
    g_string_free(text, TRUE);
}

static void change_interval(Soak *soak)
{
    g_object_set(soak->element, "inference-interval", 1 + below(6), NULL);
}

static void change_threshold(Soak *soak)
{
    if (has(soak, "threshold"))
        g_object_set(soak->element, "threshold", below(100) * 0.01, NULL);
    if (has(soak, "iou-threshold"))
        g_object_set(soak->element, "iou-threshold", below(100) * 0.01,
                     "max-detections", 1 + below(6), NULL);
}

static void change_tiles(Soak *soak)
{
    static const gchar *const tiles[] = { "", "", "", "2x1", "2x2" };

    if (has(soak, "tiles"))
        g_object_set(soak->element, "tiles", tiles[below(G_N_ELEMENTS(tiles))],
                     "tile-overlap", below(50) * 0.01, "tile-full-frame", below(2),
                     NULL);
}

/* Not every model knows them; then one that is set is refused. */
static void change_classes(Soak *soak)
{
    static const gchar *const classes[] = { "", "one,two", "person", "zero" };

    if (has(soak, "object-class"))
        g_object_set(soak->element, "object-class", classes[below(4)], NULL);
}

/* ---- All ------------------------------------------------------------------------- */

static const struct {
    guint weight;
    void (*act)(Soak *soak);
} acts[] = {
    { 8, change_caps },    { 6, seek_flushing },      { 6, seek_through },
    { 2, change_model },   { 1, change_model_twice }, { 1, refuse_model },
    { 6, change_regions }, { 4, change_interval },    { 4, change_threshold },
    { 4, change_tiles },   { 2, change_classes },
};

void soak_act_all(Soak *soak)
{
    for (guint i = 0; i < G_N_ELEMENTS(acts); i++) {
        acts[i].act(soak);
        soak_frames(soak, SOAK_APART);
    }
}

void soak_act(Soak *soak)
{
    guint sum = 0, i = 0;

    for (guint k = 0; k < G_N_ELEMENTS(acts); k++)
        sum += acts[k].weight;
    guint choice = (guint)below((gint)sum);
    while (choice >= acts[i].weight)
        choice -= acts[i++].weight;
    acts[i].act(soak);
}

void soak_calm(Soak *soak)
{
    soak_source_set_caps(soak->source, CALM_CAPS);
    g_object_set(soak->element, "regions", "", "inference-interval", 1, NULL);
    if (has(soak, "threshold"))
        g_object_set(soak->element, "threshold", 0.3, NULL);
    if (has(soak, "iou-threshold"))
        g_object_set(soak->element, "iou-threshold", 0.5, "max-detections", 4, NULL);
    if (has(soak, "tiles"))
        g_object_set(soak->element, "tiles", "", NULL);
    if (has(soak, "object-class"))
        g_object_set(soak->element, "object-class", "", NULL);
}
