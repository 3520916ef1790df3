/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline that runs for long: numbered frames (soak-source.c) through an inference
 * element and vigiloverlay, what is seen of them on their way (soak-flow.c), and what
 * is done to the pipeline meanwhile (soak-acts.c).
 */
#ifndef VIGIL_TESTS_SOAK_H
#define VIGIL_TESTS_SOAK_H

#include <gst/gst.h>

/* ---- The source ------------------------------------------------------------------ */

/* A seekable source that makes frames for ever, as fast as they are taken. */
GstElement *soak_source_new(void);

/* From the next frame on; raw video. */
void soak_source_set_caps(GstElement *source, const gchar *caps);

/* ---- What passes ----------------------------------------------------------------- */

enum { SOAK_WINDOW = 256 }; /* frames whose times are kept, as the element does */

typedef struct SoakFlow {
    GMutex lock;

    /* Of the sink. */
    guint64 arrived;   /* frames */
    guint64 last;      /* number of the last frame */
    gboolean flushed;  /* since the last frame */
    gboolean began;    /* a segment, since the last frame */
    guint segments;    /* of which a frame came */
    guint disordered;  /* frames that are not the next one, or of the wrong time */
    gchar *disorder;   /* what was wrong with the first of them */
    GstClockTime time; /* of the last frame */
    guint64 bare;      /* frames without a GstVigilMeta */
    GstSegment segment;

    /* Of the element. */
    guint64 entered; /* frames, which are numbered in this order */
    GstClockTime begin[64];
    GstClockTime took[SOAK_WINDOW]; /* from sink pad to source pad, ns */
    guint64 timed;
} SoakFlow;

void soak_flow_init(SoakFlow *flow, GstElement *element, GstElement *sink);
void soak_flow_clear(SoakFlow *flow);
guint64 soak_flow_arrived(SoakFlow *flow);
/* How many of them carried no results. */
guint64 soak_flow_bare(SoakFlow *flow);
/* What 95 % of the last SOAK_WINDOW frames did not exceed. */
GstClockTime soak_flow_p95(SoakFlow *flow);

/* ---- The pipeline ---------------------------------------------------------------- */

typedef struct SoakKind {
    const gchar *factory;  /* of the element */
    const gchar *model[2]; /* the first: a variable of the environment that names it */
    const gchar *mode;     /* value of the property, where there is one */
    guint divisor, rests;  /* that part of all frames, and rests between them */
} SoakKind;

typedef struct Soak {
    const SoakKind *kind;
    const gchar *model[2];
    GstElement *pipeline, *source, *element;
    GstBus *bus;
    SoakFlow flow;
    guint seeks;
    guint updated, kept; /* answers to a new model: taken, refused */
    gchar *name;         /* of the model that was taken last */
} Soak;

/* Lets n frames arrive; errors end the test. */
void soak_frames(Soak *soak, guint n);

/* Lets frames arrive until the element tells that it has the model, or why it keeps
 * the old one.  TRUE: it has it. */
gboolean soak_set_model(Soak *soak, const gchar *model);

/* ---- What is done ---------------------------------------------------------------- */

enum { SOAK_APART = 8 }; /* frames between, at least: more than are on their way */

/* Something at random, of what the element has. */
void soak_act(Soak *soak);
/* Each of it once. */
void soak_act_all(Soak *soak);

/* All settings as they were at the beginning. */
void soak_calm(Soak *soak);

#endif
