/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigil-cameras, the command-line tool: what its files share.
 */
#ifndef VIGIL_CAMERAS_H
#define VIGIL_CAMERAS_H

#include "camera.h"

/* What is told of one camera. */
typedef struct CameraReport {
    const VigilCamera *camera;
    char problem[2048]; /* why it cannot be used; "": it can */
    char used_by[512];  /* processes that have it open; "": none that can be seen */
    VigilCameraModes modes;
    VigilCameraControls controls;
} CameraReport;

/* "640x480", or "32x32..3840x2160 in steps of 2x2"; out [64]. */
const char *mode_size_text(const VigilCameraMode *mode, char *out);

/* Whether both are of one format and size. */
bool mode_is_like(const VigilCameraMode *a, const VigilCameraMode *b);

/* Prints the report to standard output. */
void report_print(const CameraReport *report);

/* Prints n reports as an array; false: no memory. */
bool reports_print_json(const CameraReport *report, size_t n);

#endif
