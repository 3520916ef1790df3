/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One picture on its way through a network: what the files of the subcommand share. */
#ifndef VIGIL_MODEL_INFER_H
#define VIGIL_MODEL_INFER_H

#include "vigil-model.h"

typedef struct Inference {
    const Options *options;
    Picture picture;
    VigilModel *model;
    VigilSession *session;
    VigilPlacement placed;
    const VigilModelInfo *info;

    VigilClass *top; /* classification: [n_top] */
    int n_top;
    VigilDetection *detections; /* detection: [n_detections], in pixels */
    int n_detections;
    uint16_t *mask;   /* segmentation: [height][width] of the picture */
    uint64_t *pixels; /* [classes + 1] of each class; of those not shown */
} Inference;

/* What a task does with the outputs of the network. */
typedef struct Task {
    const char *options; /* letters of option_specs[] that are for this task only */
    int (*find)(Inference *inference);
    json_t *(*json)(const Inference *inference);
    const char *key; /* of that */
    int (*print)(const Inference *inference);
} Task;

extern const Task task_detection, task_segmentation;

#endif
