/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include "gate.h"
#include "seen.h"

#define MOST 64 /* patches in a view */

struct VigilDetector {
    VigilSession *session;
    VigilDetectOptions options;
    VigilDetection found[MOST];
    guint8 *color; /* [height][width]: 1 + class, 0: background */
    int *stack;
};

static gint runs; /* atomic */

guint seen_runs(void)
{
    return (guint)g_atomic_int_get(&runs);
}

void seen_paint(guint x, guint y, guint8 rgb[3], gpointer patches)
{
    memset(rgb, 0, 3);
    for (const SeenPatch *p = patches; p->width; p++)
        if (x >= p->x && x < p->x + p->width && y >= p->y && y < p->y + p->height)
            for (int c = 0; c < 3; c++)
                rgb[c] = c == p->color ? 255 : 0;
}

/* A channel of a pixel of the input tensor, 0..1, red first. */
static float channel(const VigilSession *session, const float *pixel, int color)
{
    const VigilInput *input = vigil_session_input_rules(session);
    const int c = input->channel_order == VIGIL_BGR ? 2 - color : color;

    return pixel[c] * input->std[c] + input->mean[c];
}

static int color_of(const VigilSession *session, const float *pixel)
{
    for (int c = 0; c < SEEN_CLASSES; c++)
        if (channel(session, pixel, c) > 0.5F)
            return c;
    return -1;
}

/* ---- In place of the network ---------------------------------------------------- */

/* A classifier's outputs are the means of the colours; a detector reads the input. */
void vigil_session_run(VigilSession *session)
{
    const VigilInput *input = vigil_session_input_rules(session);
    const int n = input->height * input->width;
    const VigilTensor *output = vigil_session_output(session, 0);
    const float *pixel = vigil_session_input(session);
    float *logits = (float *)(gintptr)output->data;

    gate_pass();
    g_atomic_int_inc(&runs);
    if (output->rank != 1)
        return;
    for (int k = 0; k < output->shape[0]; k++)
        logits[k] = -10;
    for (int c = 0; c < SEEN_CLASSES; c++) {
        float sum = 0;
        for (int i = 0; i < n; i++)
            sum += channel(session, pixel + 3 * i, c);
        logits[c] = 10 * sum / (float)n;
    }
}

/* ---- In place of the detector --------------------------------------------------- */

VigilStatus vigil_detector_open(const VigilSession *session,
                                const VigilDetectOptions *options,
                                VigilDetector **detector, VigilError *error)
{
    const VigilInput *input = vigil_session_input_rules(session);
    const gsize n = (gsize)(input->height * input->width);

    *detector = g_new0(VigilDetector, 1);
    (*detector)->session = (VigilSession *)(gintptr)session;
    (*detector)->color = g_malloc(n);
    (*detector)->stack = g_new(int, n);
    return VIGIL_OK;
}

void vigil_detector_close(VigilDetector **detector)
{
    if (!*detector)
        return;
    g_free((*detector)->color);
    g_free((*detector)->stack);
    g_clear_pointer(detector, g_free);
}

VigilStatus vigil_detector_configure(VigilDetector *detector,
                                     const VigilDetectOptions *options,
                                     VigilError *error)
{
    detector->options = *options;
    return VIGIL_OK;
}

typedef struct Extent {
    int left, top, right, bottom; /* pixels, all inside */
} Extent;

/* Takes the patch that pixel `at` is of out of the map. */
static Extent take_patch(VigilDetector *d, int width, int height, int at)
{
    const guint8 color = d->color[at];
    Extent e = { width, height, -1, -1 };
    int n = 0;

    d->color[at] = 0;
    d->stack[n++] = at;
    while (n > 0) {
        const int i = d->stack[--n], x = i % width, y = i / width;
        const int next[] = { x ? i - 1 : i, x + 1 < width ? i + 1 : i,
                             y ? i - width : i, y + 1 < height ? i + width : i };
        e = (Extent) { MIN(e.left, x), MIN(e.top, y), MAX(e.right, x),
                       MAX(e.bottom, y) };
        for (int k = 0; k < 4; k++)
            if (d->color[next[k]] == color) {
                d->color[next[k]] = 0;
                d->stack[n++] = next[k];
            }
    }
    return e;
}

/* The smaller, the surer: a part of an object is told with a higher score than the
 * whole object. */
static VigilDetection to_detection(const Extent *e, int width, int height, int color)
{
    VigilDetection d = {
        .x = (float)e->left / (float)width,
        .y = (float)e->top / (float)height,
        .width = (float)(e->right + 1 - e->left) / (float)width,
        .height = (float)(e->bottom + 1 - e->top) / (float)height,
        .class_index = color,
    };

    d.score = 0.95F - 0.4F * d.width * d.height;
    return d;
}

int vigil_detector_run(VigilDetector *d, const VigilPlacement *placed,
                       const VigilDetection **detections)
{
    const VigilInput *input = vigil_session_input_rules(d->session);
    const int width = input->width, height = input->height;
    const float *pixel = vigil_session_input(d->session);
    int n = 0;

    for (int i = 0; i < width * height; i++)
        d->color[i] = (guint8)(1 + color_of(d->session, pixel + 3 * i));
    for (int i = 0; i < width * height; i++) {
        const int color = d->color[i] - 1;
        if (color < 0)
            continue;
        const Extent e = take_patch(d, width, height, i);
        if (e.right + 1 - e.left < SEEN_LEAST || e.bottom + 1 - e.top < SEEN_LEAST)
            continue;
        g_assert_cmpint(n, <, MOST);
        d->found[n++] = to_detection(&e, width, height, color);
    }
    *detections = d->found;
    return n;
}
