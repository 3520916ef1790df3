/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention maps: which there are, over a picture, as numbers. */
#include "vigil-model.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [VIGIL_ATTENTION_TOKENS] = "tokens",
    [VIGIL_ATTENTION_TO_PIXELS] = "to pixels",
    [VIGIL_ATTENTION_TO_TOKENS] = "to tokens",
    [VIGIL_ATTENTION_WINDOWS] = "windows",
    [VIGIL_ATTENTION_PATCHES] = "patches",
    [VIGIL_ATTENTION_SCORES] = "scores",
};

/* ---- Listings -------------------------------------------------------------------- */

void print_attentions(const VigilSession *session)
{
    VigilAttentionInfo a;
    int width = (int)strlen("ATTENTION");
    for (size_t i = 0; vigil_session_attention(session, i, &a); i++)
        if ((int)strlen(a.name) > width)
            width = (int)strlen(a.name);
    printf("\n%-*s  %-9s  %5s  %7s  %5s  %7s  %5s  %9s\n", width, "ATTENTION", "KIND",
           "BLOCK", "WINDOWS", "HEADS", "QUERIES", "KEYS", "MAP");
    for (size_t i = 0; vigil_session_attention(session, i, &a); i++) {
        char map[32] = "-";
        if (a.map_height)
            snprintf(map, sizeof map, "%dx%d", a.map_height, a.map_width);
        printf("%-*s  %-9s  %5d  %7d  %5d  %7d  %5d  %9s\n", width, a.name,
               kind_names[a.kind], a.block, a.windows, a.heads, a.queries, a.keys, map);
    }
}

static json_t *map_json(const VigilAttentionInfo *a)
{
    return a->map_height
               ? json_pack("{s:i, s:i}", "height", a->map_height, "width", a->map_width)
               : json_null();
}

json_t *attentions_json(const VigilSession *session)
{
    json_t *array = json_array();
    VigilAttentionInfo a;
    for (size_t i = 0; vigil_session_attention(session, i, &a); i++)
        json_add(&array,
                 json_pack("{s:o, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "name",
                           json_text(a.name), "kind", kind_names[a.kind], "block",
                           a.block, "windows", a.windows, "heads", a.heads, "queries",
                           a.queries, "keys", a.keys, "tokens", a.tokens, "map",
                           map_json(&a)));
    return array;
}

/* ---- One map --------------------------------------------------------------------- */

typedef struct Map {
    VigilAttentionInfo info;
    VigilMapPlace place;
    float *values; /* [map_height][map_width] */
    float smallest, largest;
} Map;

static int read_map(const AttentionOption *o, const VigilSession *session,
                    const VigilPlacement *placed, Map *m)
{
    VigilError error;
    size_t i = 0;
    while (vigil_session_attention(session, i, &m->info) &&
           strcmp(m->info.name, o->name))
        i++;
    if (!vigil_session_attention(session, i, &m->info))
        return fail("'%s' is no attention; they are listed by 'vigil-model info "
                    "--attention'",
                    o->name);
    size_t n = (size_t)m->info.map_height * (size_t)m->info.map_width;
    m->values = calloc(n + 1, sizeof *m->values);
    if (!m->values)
        return fail("out of memory");
    if (vigil_session_attention_map(session, i, o->head, o->token, placed, m->values,
                                    &m->place, &error) != VIGIL_OK)
        return fail("%s", error.message);
    m->smallest = m->largest = m->values[0];
    for (size_t k = 1; k < n; k++) {
        m->smallest = fminf(m->smallest, m->values[k]);
        m->largest = fmaxf(m->largest, m->values[k]);
    }
    return STATUS_OK;
}

static json_t *index_json(int index)
{
    return index < 0 ? json_null() : json_integer(index);
}

static int write_numbers(const AttentionOption *o, const Picture *picture, const Map *m)
{
    const VigilMapPlace *p = &m->place;
    size_t n = (size_t)m->info.map_height * (size_t)m->info.map_width;
    return json_save(
        json_pack(
            "{s:o, s:s, s:i, s:o, s:o, s:{s:i, s:i}, s:o, s:{s:f, s:f, s:f, s:f}, "
            "s:o}",
            "name", json_text(m->info.name), "kind", kind_names[m->info.kind], "block",
            m->info.block, "head", index_json(o->head), "token", index_json(o->token),
            "picture", "height", picture->image.height, "width", picture->image.width,
            "map", map_json(&m->info), "place", "x", p->x, "y", p->y, "width", p->width,
            "height", p->height, "values", json_floats(m->values, n)),
        o->path);
}

/* ---- Over the picture ------------------------------------------------------------ */

/* The nearest cell centres along an axis of n cells, and the weight of the second. */
typedef struct Between {
    int first, second;
    double weight;
} Between;

static Between between(double at, double start, double length, int n)
{
    double f = fmin(fmax((at - start) / length * n - 0.5, 0), n - 1);
    int first = (int)f;
    return (Between) { first, first + 1 < n ? first + 1 : first, f - first };
}

/* 0 for the smallest value of the map, 1 for the largest, bilinear between centres. */
static double heat_at(const Map *m, const Between *y, const Between *x)
{
    const float *upper = m->values + (size_t)y->first * (size_t)m->info.map_width;
    const float *lower = m->values + (size_t)y->second * (size_t)m->info.map_width;
    double a = upper[x->first] + x->weight * (upper[x->second] - upper[x->first]);
    double b = lower[x->first] + x->weight * (lower[x->second] - lower[x->first]);
    double range = (double)m->largest - m->smallest;
    return range > 0 ? (a + y->weight * (b - a) - m->smallest) / range : 0;
}

/* Violet, red, orange, yellow; the hotter, the less of the picture is left. */
static void blend(unsigned char *pixel, double heat)
{
    static const double color[][3] = {
        { 60, 10, 110 }, { 190, 40, 80 }, { 250, 140, 10 }, { 255, 250, 150 }
    };
    const int steps = sizeof color / sizeof *color - 1;
    const double opaque = 0.8;
    int step = (int)(heat * steps);
    step = step < steps ? step : steps - 1;
    for (int i = 0; i < 3; i++) {
        double hot = color[step][i] +
                     (heat * steps - step) * (color[step + 1][i] - color[step][i]);
        pixel[i] = (unsigned char)lrint(pixel[i] + opaque * heat * (hot - pixel[i]));
    }
}

/* Only what the network was shown is drawn over. */
static void draw(const Map *m, const VigilPlacement *seen, unsigned char *pixels,
                 int width, int height)
{
    const VigilMapPlace *p = &m->place;
    for (int y = 0; y < height; y++) {
        double at_y = y + 0.5;
        Between row = between(at_y, p->y, p->height, m->info.map_height);
        if (at_y < seen->src_y || at_y > seen->src_y + seen->src_height)
            continue;
        for (int x = 0; x < width; x++) {
            double at_x = x + 0.5;
            Between column = between(at_x, p->x, p->width, m->info.map_width);
            if (at_x >= seen->src_x && at_x <= seen->src_x + seen->src_width)
                blend(pixels + ((size_t)y * (size_t)width + (size_t)x) * 3,
                      heat_at(m, &row, &column));
        }
    }
}

static int write_picture(const char *path, const Picture *picture,
                         const VigilPlacement *placed, const Map *m)
{
    int width = picture->image.width, height = picture->image.height;
    unsigned char *pixels = picture_pixels(picture);
    if (!pixels)
        return fail("out of memory");
    draw(m, placed, pixels, width, height);
    int status = picture_save(path, pixels, width, height);
    g_free(pixels);
    return status;
}

int attention_write(const AttentionOption *option, const VigilSession *session,
                    const Picture *picture, const VigilPlacement *placed)
{
    Map map = { 0 };
    int status = read_map(option, session, placed, &map);
    if (status == STATUS_OK)
        status = g_str_has_suffix(option->path, ".json")
                     ? write_numbers(option, picture, &map)
                     : write_picture(option->path, picture, placed, &map);
    free(map.values);
    return status;
}
