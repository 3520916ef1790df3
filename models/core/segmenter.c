/* The class of each pixel, from the logits of a segmenter at low resolution. */
#include "core/op.h"
#include "core/session.h"
#include "core/threads.h"

#include <math.h>
#include <stdlib.h>

struct VigilSegmenter {
    const VigilTensor *low;
    VigilInput input;
    bool align_corners;
    int threads;
    VigilPace pace;
    size_t stride; /* floats of a worker's logits */
    float *logits; /* [threads][stride] */
};

VigilStatus vigil_segmenter_open(const VigilSession *session,
                                 VigilSegmenter **segmenter, VigilError *error)
{
    const VigilModel *model = vigil_session_model(session);
    int classes = model->info.classes;
    *segmenter = NULL;
    VigilStatus status =
        vigil_session_check_task(session, VIGIL_TASK_SEGMENTATION, error);
    if (status != VIGIL_OK)
        return status;
    if (classes >= VIGIL_NO_CLASS)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "a mask of %d classes; at most %d are possible", classes,
                          VIGIL_NO_CLASS - 1);
    VigilSegmenter *s = calloc(1, sizeof *s);
    if (!s)
        return vigil_fail_memory(error, sizeof *s, "a segmenter");
    *s = (VigilSegmenter) { .low = vigil_session_output(session, 0),
                            .input = *vigil_session_input_rules(session),
                            .align_corners = model->arch.scheme->align_corners,
                            .threads = vigil_session_threads(session) };
    s->stride = ((size_t)classes + 15) & ~(size_t)15;
    s->logits = vigil_calloc_aligned((size_t)s->threads * s->stride, sizeof(float));
    if (!s->logits) {
        status = vigil_fail_memory(
            error, (size_t)s->threads * s->stride * sizeof(float), "logits of pixels");
        free(s);
        return status;
    }
    *segmenter = s;
    return VIGIL_OK;
}

void vigil_segmenter_close(VigilSegmenter **segmenter)
{
    if (!segmenter || !*segmenter)
        return;
    free((*segmenter)->logits);
    free(*segmenter);
    *segmenter = NULL;
}

/* One side of the way from a mask to the map. */
typedef struct Axis {
    double src, scale, dst; /* pixel i of the mask lies at
                               (i + 0.5 - src) * scale + dst of the input */
    double src_end;         /* what of the mask the network was shown: src to src_end */
    int input, map;         /* pixels */
} Axis;

static Axis axis_of(int mask, int input, int map, const VigilPlacement *placed,
                    double src, double src_length, int dst, int dst_length)
{
    if (!placed)
        return (Axis) { 0, (double)input / mask, 0, mask, input, map };
    return (Axis) { src, dst_length / src_length, dst, src + src_length, input, map };
}

/* Where pixel i of the mask lies among those of the map. */
typedef struct Place {
    size_t first, second;
    double weight; /* of second */
    bool shown;
} Place;

static Place place(const Axis *a, bool align_corners, int i)
{
    double in = (i + 0.5 - a->src) * a->scale + a->dst, at;
    if (align_corners)
        at = a->input > 1 ? (in - 0.5) * (a->map - 1) / (a->input - 1) : 0;
    else
        at = in * a->map / a->input - 0.5;
    at = fmin(fmax(at, 0), a->map - 1);
    size_t first = (size_t)at;
    return (Place) { first, first + 1 < (size_t)a->map ? first + 1 : first,
                     at - (double)first, i + 0.5 >= a->src && i + 0.5 <= a->src_end };
}

static uint16_t greatest(const float *logits, size_t n)
{
    size_t best = 0;
    float most = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (logits[i] > most) {
            most = logits[i];
            best = i;
        }
    return (uint16_t)best;
}

typedef struct Mask {
    const VigilSegmenter *segmenter;
    Axis y, x;
    int width;
    uint16_t *mask;
} Mask;

static void mask_rows(void *context, size_t begin, size_t end, int worker)
{
    const Mask *m = context;
    const VigilSegmenter *s = m->segmenter;
    size_t c = (size_t)s->low->shape[2], row = (size_t)s->low->shape[1] * c;
    float *logits = s->logits + (size_t)worker * s->stride;
    for (size_t i = begin; i < end; i++) {
        Place v = place(&m->y, s->align_corners, (int)i);
        const float *upper = s->low->data + v.first * row;
        const float *lower = s->low->data + v.second * row;
        for (int j = 0; j < m->width; j++) {
            Place h = place(&m->x, s->align_corners, j);
            uint16_t *out = m->mask + i * (size_t)m->width + j;
            const float *const corner[] = { upper + h.first * c, upper + h.second * c,
                                            lower + h.first * c, lower + h.second * c };
            const float weight[] = { (float)((1 - v.weight) * (1 - h.weight)),
                                     (float)((1 - v.weight) * h.weight),
                                     (float)(v.weight * (1 - h.weight)),
                                     (float)(v.weight * h.weight) };
            *out = VIGIL_NO_CLASS;
            if (!v.shown || !h.shown)
                continue;
            vigil_kernels()->mix(corner, weight, c, logits);
            *out = greatest(logits, c);
        }
    }
}

void vigil_segmenter_run(VigilSegmenter *s, const VigilPlacement *placed, int height,
                         int width, uint16_t *mask)
{
    static const VigilPlacement none;
    const VigilPlacement *p = placed ? placed : &none;
    Mask m = { .segmenter = s,
               .y = axis_of(height, s->input.height, s->low->shape[0], placed, p->src_y,
                            p->src_height, p->dst_y, p->dst_height),
               .x = axis_of(width, s->input.width, s->low->shape[1], placed, p->src_x,
                            p->src_width, p->dst_x, p->dst_width),
               .width = width,
               .mask = mask };
    int most = vigil_share_begin(&s->pace, s->threads);
    vigil_parallel(vigil_share_threads(most), (size_t)height,
                   vigil_grain(8 * (uint64_t)width * (uint64_t)s->low->shape[2]),
                   mask_rows, &m);
    vigil_share_end(&s->pace);
}
