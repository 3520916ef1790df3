/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model infer: what a detector found, in pixels of the picture. */
#include "vigil-model-infer.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

int class_index(const VigilModelInfo *info, const char *text)
{
    char *end;
    for (int i = 0; info->labels && i < info->classes; i++)
        if (!strcmp(info->labels[i], text))
            return i;
    long number = strtol(text, &end, 10);
    bool whole = *text >= '0' && *text <= '9' && !*end;
    return whole && number < info->classes ? (int)number : -1;
}

/* *wanted [classes] stays NULL where all are. */
static int read_classes(const Inference *f, bool **wanted)
{
    const Options *o = f->options;
    if (!o->n_classes)
        return STATUS_OK;
    *wanted = calloc((size_t)f->info->classes, sizeof **wanted);
    if (!*wanted)
        return fail("out of memory");
    for (size_t i = 0; i < o->n_classes; i++) {
        int c = class_index(f->info, o->classes[i]);
        if (c < 0)
            return fail("--class %s: the network has no such label, and its classes "
                        "are 0..%d",
                        o->classes[i], f->info->classes - 1);
        (*wanted)[c] = true;
    }
    return STATUS_OK;
}

static int open_detector(const Inference *f, VigilDetector **detector)
{
    VigilDetectOptions o = f->options->detect;
    bool *wanted = NULL;
    VigilError error;
    int status = read_classes(f, &wanted);
    o.class_wanted = wanted;
    if (status == STATUS_OK &&
        vigil_detector_open(f->session, &o, detector, &error) != VIGIL_OK)
        status = fail("%s", error.message);
    free(wanted);
    return status;
}

int detections_in_picture(const VigilSession *session, const VigilImage *image,
                          const VigilPlacement *placed, const VigilDetection *found,
                          int n, VigilDetection *out)
{
    const VigilInput *input = vigil_session_input_rules(session);
    float width = (float)image->width, height = (float)image->height;
    int kept = 0;
    for (int i = 0; i < n; i++) {
        VigilDetection *d = &out[kept];
        if (!vigil_detection_to_picture(&found[i], input, placed, image->width,
                                        image->height, d))
            continue;
        d->x *= width;
        d->y *= height;
        d->width *= width;
        d->height *= height;
        kept++;
    }
    return kept;
}

static int find(Inference *f)
{
    VigilDetector *detector = NULL;
    const VigilDetection *found;
    int status = open_detector(f, &detector);
    if (status != STATUS_OK)
        return status;
    int n = vigil_detector_run(detector, &f->placed, &found);
    f->detections = calloc((size_t)n + 1, sizeof *f->detections);
    if (f->detections)
        f->n_detections = detections_in_picture(f->session, &f->picture.image,
                                                &f->placed, found, n, f->detections);
    vigil_detector_close(&detector);
    return f->detections ? STATUS_OK : fail("out of memory");
}

static json_t *detections_json(const Inference *f)
{
    json_t *all = json_array();
    for (int i = 0; i < f->n_detections && all; i++) {
        const VigilDetection *d = &f->detections[i];
        const char *label = f->info->labels ? f->info->labels[d->class_index] : NULL;
        json_add(&all, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "index",
                                 d->class_index, "label", json_text(label), "score",
                                 json_number(d->score), "x", json_number(d->x), "y",
                                 json_number(d->y), "width", json_number(d->width),
                                 "height", json_number(d->height)));
    }
    return all;
}

static int print_detections(const Inference *f)
{
    printf("%6s  %5s  %8s  %8s  %8s  %8s  %s\n", "SCORE", "CLASS", "X", "Y", "WIDTH",
           "HEIGHT", "LABEL");
    for (int i = 0; i < f->n_detections; i++) {
        const VigilDetection *d = &f->detections[i];
        char *label =
            f->info->labels ? clean_text(f->info->labels[d->class_index]) : NULL;
        printf("%6.4f  %5d  %8.1f  %8.1f  %8.1f  %8.1f  %s\n", d->score, d->class_index,
               d->x, d->y, d->width, d->height, label ? label : "-");
        g_free(label);
    }
    return STATUS_OK;
}

const Task task_detection = {
    .options = "dumC",
    .find = find,
    .json = detections_json,
    .key = "detections",
    .print = print_detections,
};
