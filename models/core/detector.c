/* Detections of a session. */
#include "core/session.h"
#include "vision/detect.h"

#include <stdlib.h>

struct VigilDetector {
    VigilDetect *detect;
    VigilHeadMap maps[VIGIL_MAX_LEVELS];
};

/* A vector is a map of one cell. */
static VigilMapSize map_size(const VigilTensor *t)
{
    return t->rank == 3 ? (VigilMapSize) { t->shape[0], t->shape[1] }
                        : (VigilMapSize) { 1, 1 };
}

/* Outputs in the order of family.h. */
static void find_maps(const VigilSession *session, const VigilDetectRules *rules,
                      VigilHeadMap *maps, VigilMapSize *sizes)
{
    size_t step = rules->joined ? 1 : 2;
    for (int l = 0; l < rules->anchors->levels; l++) {
        const VigilTensor *first = vigil_session_output(session, (size_t)l * step);
        const VigilTensor *boxes =
            vigil_session_output(session, (size_t)l * step + step - 1);
        sizes[l] = map_size(first);
        maps[l] = (VigilHeadMap) { .boxes = boxes->data,
                                   .classes = rules->joined ? NULL : first->data };
    }
}

VigilStatus vigil_detector_open(const VigilSession *session,
                                const VigilDetectOptions *options,
                                VigilDetector **detector, VigilError *error)
{
    const VigilModel *model = vigil_session_model(session);
    const VigilInput *input = vigil_session_input_rules(session);
    VigilMapSize sizes[VIGIL_MAX_LEVELS];
    *detector = NULL;
    VigilStatus status = vigil_session_check_task(session, VIGIL_TASK_DETECTION, error);
    if (status != VIGIL_OK)
        return status;
    VigilDetector *d = calloc(1, sizeof *d);
    if (!d)
        return vigil_fail_memory(error, sizeof *d, "a detector");
    const VigilDetectRules *rules = vigil_model_detect_rules(model);
    find_maps(session, rules, d->maps, sizes);
    status = vigil_detect_open(rules, model->info.classes, input->height, input->width,
                               sizes, &d->detect, error);
    if (status == VIGIL_OK)
        status = vigil_detect_configure(d->detect, options, error);
    if (status == VIGIL_OK)
        *detector = d;
    else
        vigil_detector_close(&d);
    return status;
}

void vigil_detector_close(VigilDetector **detector)
{
    if (!detector || !*detector)
        return;
    vigil_detect_close(&(*detector)->detect);
    free(*detector);
    *detector = NULL;
}

VigilStatus vigil_detector_configure(VigilDetector *detector,
                                     const VigilDetectOptions *options,
                                     VigilError *error)
{
    return vigil_detect_configure(detector->detect, options, error);
}

int vigil_detector_run(VigilDetector *detector, const VigilPlacement *placed,
                       const VigilDetection **detections)
{
    return vigil_detect_run(detector->detect, detector->maps, placed, detections);
}
