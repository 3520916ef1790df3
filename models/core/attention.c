#include "core/attention.h"

#include <string.h>

/* ---- What there is --------------------------------------------------------------- */

VigilAttentionInfo vigil_attention_info(const VigilMap *m)
{
    VigilAttentionInfo info = {
        .name = m->name,
        .kind = m->kind,
        .windows = m->shape.windows,
        .heads = m->shape.h,
        .queries = m->shape.w,
        .keys = m->shape.c,
        .tapped = m->kept,
    };
    if (m->kind == VIGIL_ATTENTION_TO_PIXELS)
        info.tokens = info.queries;
    if (m->kind == VIGIL_ATTENTION_TO_TOKENS || m->kind == VIGIL_ATTENTION_TOKENS)
        info.tokens = info.keys;
    if (m->kind != VIGIL_ATTENTION_TOKENS) {
        info.map_height = m->map_height;
        info.map_width = m->map_width;
    }
    return info;
}

size_t vigil_attention_count(const VigilNet *net)
{
    size_t n = 0;
    for (size_t v = 0; v < net->n_maps; v++)
        n += net->map[v].on_demand;
    return n;
}

VigilValue vigil_attention_at(const VigilNet *net, size_t i, VigilAttentionInfo *info)
{
    int of_kind[VIGIL_ATTENTION_SCORES + 1] = { 0 };
    for (size_t v = 0; v < net->n_maps; v++) {
        const VigilMap *m = &net->map[v];
        if (!m->on_demand)
            continue;
        if (i-- == 0) {
            *info = vigil_attention_info(m);
            info->block = of_kind[m->kind];
            return (VigilValue)v;
        }
        of_kind[m->kind]++;
    }
    return VIGIL_NONE;
}

/* ---- Which weight belongs to which pixel ----------------------------------------- */

/* The side of the windows of WINDOWS, 0 where their tokens fill no square. */
static int window_side(const VigilAttentionInfo *info)
{
    int side = 1;
    while ((int64_t)side * side < info->keys)
        side++;
    return side * side == info->keys ? side : 0;
}

static int windows_along(int pixels, int side)
{
    return (pixels + side - 1) / side;
}

static bool windows_fit(const VigilAttentionInfo *info)
{
    int side = window_side(info);
    return side && info->queries == info->keys &&
           info->windows == windows_along(info->map_height, side) *
                                windows_along(info->map_width, side);
}

static bool places_fit(const VigilAttentionInfo *info)
{
    return info->windows == 4 && info->map_height % 2 == 0 &&
           info->map_width % 2 == 0 &&
           (int64_t)info->keys * 4 == (int64_t)info->map_height * info->map_width;
}

static bool fits(const VigilAttentionInfo *info)
{
    int64_t pixels = (int64_t)info->map_height * info->map_width;
    switch (info->kind) {
    case VIGIL_ATTENTION_TO_PIXELS:
        return info->windows == 1 && info->keys == pixels;
    case VIGIL_ATTENTION_TO_TOKENS:
        return info->windows == 1 && info->queries == pixels;
    case VIGIL_ATTENTION_WINDOWS:
        return windows_fit(info);
    case VIGIL_ATTENTION_PATCHES:
        return places_fit(info) && info->queries == info->keys;
    case VIGIL_ATTENTION_SCORES:
        return places_fit(info) && info->heads == 1 && info->queries == 1;
    case VIGIL_ATTENTION_TOKENS:
        break;
    }
    return true;
}

VigilStatus vigil_attention_check(const VigilAttentionInfo *info, VigilError *error)
{
    if (fits(info))
        return VIGIL_OK;
    return vigil_fail(error, VIGIL_ERROR_SHAPE,
                      "%s: %d windows, %d heads, %d queries and %d keys are not those "
                      "of a map of %d x %d pixels",
                      info->name, info->windows, info->heads, info->queries, info->keys,
                      info->map_height, info->map_width);
}

/* One image to be made: of which weights. */
typedef struct Image {
    const VigilAttentionInfo *info;
    const float *weights;
    int first_head, end_head;
    int token; /* -1: all */
    float *map;
} Image;

/* The mean over heads of the weight of a key, added up over queries first..end-1. */
static double weight(const Image *m, int window, int first, int end, int key)
{
    const VigilAttentionInfo *s = m->info;
    double sum = 0;
    for (int head = m->first_head; head < m->end_head; head++) {
        const float *row =
            m->weights +
            (((size_t)window * s->heads + head) * s->queries + first) * s->keys + key;
        for (int query = first; query < end; query++, row += s->keys)
            sum += *row;
    }
    return sum / (m->end_head - m->first_head);
}

/* The same for one query, or the mean over all of them where it is -1. */
static double weight_of(const Image *m, int window, int query, int key)
{
    if (query >= 0)
        return weight(m, window, query, query + 1, key);
    return weight(m, window, 0, m->info->queries, key) / m->info->queries;
}

static void to_pixels(const Image *m)
{
    for (int i = 0; i < m->info->keys; i++)
        m->map[i] = (float)weight_of(m, 0, m->token, i);
}

static void to_tokens(const Image *m)
{
    for (int i = 0; i < m->info->queries; i++)
        m->map[i] = (float)weight_of(m, 0, i, m->token);
}

/* Place p of a 2 x 2 patch is pixel (p / 2, p mod 2) of it. */
static void patches(const Image *m)
{
    int width = m->info->map_width, along = width / 2;
    int query = m->token < 0 ? -1 : m->token / width / 2 * along + m->token % width / 2;
    for (int y = 0; y < m->info->map_height; y++)
        for (int x = 0; x < width; x++)
            m->map[(size_t)y * width + x] =
                (float)weight_of(m, 2 * (y % 2) + x % 2, query, y / 2 * along + x / 2);
}

/* Interleaved windows: pixel (y, x) is token (y / n1, x / n2) of window (y mod n1,
 * x mod n2); see ops/window_attention.c. */
typedef struct Windows {
    int side, n1, n2;
} Windows;

static Windows windows_of(const VigilAttentionInfo *info)
{
    int side = window_side(info);
    return (Windows) { side, windows_along(info->map_height, side),
                       windows_along(info->map_width, side) };
}

static int window_token(const Windows *w, int y, int x)
{
    return y / w->n1 * w->side + x / w->n2;
}

static void window_query(const Image *m)
{
    Windows w = windows_of(m->info);
    int width = m->info->map_width, qy = m->token / width, qx = m->token % width;
    int a = qy % w.n1, b = qx % w.n2, query = window_token(&w, qy, qx);
    memset(m->map, 0, (size_t)m->info->map_height * width * sizeof(float));
    for (int y = a; y < m->info->map_height; y += w.n1)
        for (int x = b; x < width; x += w.n2)
            m->map[(size_t)y * width + x] =
                (float)weight_of(m, a * w.n2 + b, query, window_token(&w, y, x));
}

/* What key (y, x) gets from those queries of window (a, b) that are pixels. */
static double received(const Image *m, const Windows *w, int a, int b, int y, int x)
{
    int across = (m->info->map_width - b + w->n2 - 1) / w->n2;
    double sum = 0;
    for (int qy = a; qy < m->info->map_height; qy += w->n1) {
        int first = window_token(w, qy, b);
        sum += weight(m, a * w->n2 + b, first, first + across, window_token(w, y, x));
    }
    return sum;
}

static void window_overview(const Image *m, const Windows *w, int a, int b)
{
    int height = m->info->map_height, width = m->info->map_width;
    double sum = 0, pixels = 0;
    for (int y = a; y < height; y += w->n1)
        for (int x = b; x < width; x += w->n2) {
            double v = received(m, w, a, b, y, x);
            m->map[(size_t)y * width + x] = (float)v;
            sum += v;
            pixels++;
        }
    double scale = sum > 0 ? pixels / ((double)height * width) / sum : 0;
    for (int y = a; y < height; y += w->n1)
        for (int x = b; x < width; x += w->n2)
            m->map[(size_t)y * width + x] *= (float)scale;
}

static void windows(const Image *m)
{
    Windows w = windows_of(m->info);
    if (m->token >= 0) {
        window_query(m);
        return;
    }
    for (int a = 0; a < w.n1; a++)
        for (int b = 0; b < w.n2; b++)
            window_overview(m, &w, a, b);
}

/* ---- Images ---------------------------------------------------------------------- */

static VigilStatus check_token(const VigilAttentionInfo *info, int token,
                               VigilError *error)
{
    int pixels = info->map_height * info->map_width;
    const struct {
        int first, last;
        const char *what;
    } range[] = {
        [VIGIL_ATTENTION_TO_PIXELS] = { -1, info->queries - 1, "query token" },
        [VIGIL_ATTENTION_TO_TOKENS] = { 0, info->keys - 1, "key token" },
        [VIGIL_ATTENTION_WINDOWS] = { -1, pixels - 1, "query pixel" },
        [VIGIL_ATTENTION_PATCHES] = { -1, pixels - 1, "query pixel" },
        [VIGIL_ATTENTION_SCORES] = { -1, -1, "query" },
    };
    if (token >= range[info->kind].first && token <= range[info->kind].last)
        return VIGIL_OK;
    if (info->kind == VIGIL_ATTENTION_SCORES)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "%s: query %d, but the scores have none: it must be -1",
                          info->name, token);
    return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "%s: %s %d; may be %d to %d",
                      info->name, range[info->kind].what, token,
                      range[info->kind].first, range[info->kind].last);
}

VigilStatus vigil_attention_image(const VigilAttentionInfo *info, const float *weights,
                                  int head, int token, float *map, VigilError *error)
{
    static void (*const fill[])(const Image *) = {
        [VIGIL_ATTENTION_TO_PIXELS] = to_pixels,
        [VIGIL_ATTENTION_TO_TOKENS] = to_tokens,
        [VIGIL_ATTENTION_WINDOWS] = windows,
        [VIGIL_ATTENTION_PATCHES] = patches,
        [VIGIL_ATTENTION_SCORES] = patches,
    };
    if (info->kind == VIGIL_ATTENTION_TOKENS)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "%s relates %d tokens to each other: there is no image",
                          info->name, info->tokens);
    if (head < -1 || head >= info->heads)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "%s: head %d; may be -1 (the mean) to %d", info->name, head,
                          info->heads - 1);
    VigilStatus status = check_token(info, token, error);
    if (status == VIGIL_OK && map)
        fill[info->kind](&(Image) { .info = info,
                                    .weights = weights,
                                    .first_head = head < 0 ? 0 : head,
                                    .end_head = head < 0 ? info->heads : head + 1,
                                    .token = token,
                                    .map = map });
    return status;
}

VigilMapPlace vigil_attention_place(VigilGrid g, int height, int width,
                                    const VigilPlacement *placed)
{
    VigilMapPlace p = { .x = g.x - g.step_x / 2,
                        .y = g.y - g.step_y / 2,
                        .width = width * g.step_x,
                        .height = height * g.step_y };
    if (!placed)
        return p;
    double zoom_x = placed->src_width / placed->dst_width;
    double zoom_y = placed->src_height / placed->dst_height;
    return (VigilMapPlace) { .x = placed->src_x + (p.x - placed->dst_x) * zoom_x,
                             .y = placed->src_y + (p.y - placed->dst_y) * zoom_y,
                             .width = p.width * zoom_x,
                             .height = p.height * zoom_y };
}
