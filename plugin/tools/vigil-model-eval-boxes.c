/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval --coco: boxes of a detector, or of a file, against known ones. */
#include "vigil-model-eval.h"

#include <stdlib.h>

typedef struct Boxes {
    const Options *options;
    Coco coco;
    EvalNetwork network;
    VigilDetector *detector;
    int *class_of;              /* [classes of the network] in coco; -1: none */
    VigilDetection *in_picture; /* [VIGIL_MAX_DETECTIONS] */
    GArray *found;              /* of ApFound */
    size_t skipped, dropped;
} Boxes;

/* ---- Running the network ----------------------------------------------------------
 */

static int find_classes(Boxes *b)
{
    const VigilModelInfo *info = b->network.info;
    bool any = false;
    char text[16];
    b->class_of = calloc((size_t)info->classes, sizeof *b->class_of);
    if (!b->class_of)
        return fail("out of memory");
    for (int i = 0; i < info->classes; i++) {
        b->class_of[i] = coco_class(&b->coco, eval_network_label(&b->network, i, text));
        any |= b->class_of[i] >= 0;
    }
    if (!any)
        return fail("none of the %d classes of %s (the first is '%s') is one of the %u "
                    "of %s (the first is '%s'); --class-map tells which is which",
                    info->classes, info->file, eval_network_label(&b->network, 0, text),
                    b->coco.classes->len, b->coco.path,
                    (char *)g_ptr_array_index(b->coco.classes, 0));
    return STATUS_OK;
}

static int open_detector(Boxes *b)
{
    VigilError error;
    int status = eval_network_open(b->options, VIGIL_TASK_DETECTION, &b->network);
    if (status == STATUS_OK)
        status = find_classes(b);
    if (status == STATUS_OK &&
        vigil_detector_open(b->network.session, &b->options->detect, &b->detector,
                            &error) != VIGIL_OK)
        status = fail("%s", error.message);
    b->in_picture = calloc(VIGIL_MAX_DETECTIONS, sizeof *b->in_picture);
    return b->in_picture || status ? status : fail("out of memory");
}

/* Boxes are told in pixels of a picture of the size that the annotations name. */
static int load_picture(Boxes *b, const CocoImage *image)
{
    char *path = g_build_filename(b->options->images, image->file, NULL);
    int status = eval_network_load(&b->network, path);
    const VigilImage *picture = &b->network.picture.image;
    bool fits = (!image->width || image->width == picture->width) &&
                (!image->height || image->height == picture->height);
    if (status == STATUS_OK && !fits)
        status = fail("%s: %dx%d pixels (width x height), but %s says %dx%d", path,
                      picture->width, picture->height, b->coco.path, image->width,
                      image->height);
    g_free(path);
    return status;
}

static int run_on_image(Boxes *b, int image)
{
    const VigilDetection *found;
    int status = eval_network_run(&b->network, NULL);
    if (status != STATUS_OK)
        return status;
    int n = vigil_detector_run(b->detector, &b->network.placed, &found);
    n = detections_in_picture(b->network.session, &b->network.picture.image,
                              &b->network.placed, found, n, b->in_picture);
    for (int i = 0; i < n; i++) {
        const VigilDetection *d = &b->in_picture[i];
        ApFound box = { image,
                        b->class_of[d->class_index],
                        { d->x, d->y, d->width, d->height },
                        d->score };
        if (box.class_index >= 0)
            g_array_append_val(b->found, box);
        else
            b->dropped++;
    }
    return STATUS_OK;
}

static int run_detector(Boxes *b)
{
    Progress progress;
    size_t done = 0;
    int status = open_detector(b);
    if (status != STATUS_OK)
        return status;
    progress_begin(&progress, b->options, b->coco.n_counting);
    for (size_t i = 0; status == STATUS_OK && i < b->coco.n_images; i++) {
        CocoImage *image = &b->coco.images[i];
        if (!image->counts)
            continue;
        status = load_picture(b, image);
        if (status == STATUS_OK) {
            status = run_on_image(b, (int)i);
        } else if (b->options->skip_broken) {
            image->counts = false;
            b->skipped++;
            status = STATUS_OK;
        }
        progress_step(&progress, ++done);
    }
    progress_end(&progress);
    coco_drop_boxes(&b->coco);
    return status;
}

/* ---- Scores -----------------------------------------------------------------------
 */

static int rate(const Boxes *b)
{
    int classes = (int)b->coco.classes->len;
    ApResult *result = calloc((size_t)classes, sizeof *result);
    BoxReport report = {
        .options = b->options,
        .file = b->network.info ? b->network.info->file : NULL,
        .coco = &b->coco,
        .result = result,
        .skipped = b->skipped,
        .dropped = b->dropped,
    };
    int status = STATUS_OK;
    if (!result ||
        !ap_evaluate((const ApTruth *)(const void *)b->coco.truths->data,
                     b->coco.truths->len, (const ApFound *)(const void *)b->found->data,
                     b->found->len, classes, result, &report.all))
        status = fail("out of memory");
    if (status == STATUS_OK)
        status = print_boxes(&report);
    free(result);
    return status;
}

int eval_boxes(const Options *options)
{
    Boxes b = { .options = options };
    b.found = g_array_new(FALSE, FALSE, sizeof(ApFound));
    int status = coco_load(options, &b.coco);
    if (status == STATUS_OK)
        status = options->detections ? coco_read_found(&b.coco, options->detections,
                                                       b.found, &b.dropped)
                                     : run_detector(&b);
    if (status == STATUS_OK)
        status = rate(&b);
    vigil_detector_close(&b.detector);
    eval_network_close(&b.network);
    free(b.class_of);
    free(b.in_picture);
    g_array_unref(b.found);
    coco_clear(&b.coco);
    return status;
}
