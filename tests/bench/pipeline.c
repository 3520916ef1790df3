/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole pipelines on 1280 x 720 pixels: videotestsrc, an element, fakesink.  Each runs
 * in a process of its own, with the source alone before it, whose processor time is
 * subtracted; these pairs take turns for some rounds.  Medians of the rounds, and the
 * quartiles of what the element costs.
 *
 *     bench-pipeline [ROUNDS [FRAMES [DETECTOR]]]      7 and 60 unless told
 *
 * One thread an element.  vigilclassify has the shipped model; vigildetect DETECTOR, or
 * ssdlite_emo_1M at 320 x 320 with formula weights.  The plugin is found as always
 * (`meson devenv`, GST_PLUGIN_PATH).
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/write_model.h"
#include "figures.h"

enum { WARM_UP_FRAMES = 10, MOST_ROUNDS = 99, MOST_FRAMES = 10000 };

/* Per frame, milliseconds; latency: from the element's sink pad to its source pad. */
typedef struct Figures {
    double wall, cpu, p50, p95, p99;
} Figures;

typedef struct Run {
    int frames, entered, left, arrived;
    double start, start_cpu, end, end_cpu, entry;
    double *latency; /* [frames], of those after the warm-up */
} Run;

static GstPadProbeReturn enter(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Run *run = data;
    (void)pad;
    (void)info;
    run->entry = bench_now_ms();
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn leave(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Run *run = data;
    (void)pad;
    (void)info;
    int i = run->left++ - WARM_UP_FRAMES;
    if (i >= 0 && i < run->frames)
        run->latency[i] = bench_now_ms() - run->entry;
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn arrive(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Run *run = data;
    (void)pad;
    (void)info;
    run->arrived++;
    if (run->arrived == WARM_UP_FRAMES) {
        run->start = bench_now_ms();
        run->start_cpu = bench_cpu_ms();
    } else if (run->arrived == WARM_UP_FRAMES + run->frames) {
        run->end = bench_now_ms();
        run->end_cpu = bench_cpu_ms();
    }
    return GST_PAD_PROBE_OK;
}

static void watch(GstElement *pipeline, const char *element, const char *pad_name,
                  GstPadProbeCallback callback, Run *run)
{
    GstElement *e = gst_bin_get_by_name(GST_BIN(pipeline), element);
    GstPad *pad = gst_element_get_static_pad(e, pad_name);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, callback, run, NULL);
    gst_object_unref(pad);
    gst_object_unref(e);
}

/* To the end of the stream; what goes wrong ends the process. */
static void play(const char *description, Run *run)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(description, &error);
    if (error) {
        fprintf(stderr, "%s: %s\n", description, error->message);
        exit(1);
    }
    watch(pipeline, "looked", "sink", enter, run);
    watch(pipeline, "looked", "src", leave, run);
    watch(pipeline, "last", "sink", arrive, run);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message, &error, NULL);
        fprintf(stderr, "%s: %s\n", description, error->message);
        exit(1);
    }
    gst_message_unref(message);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

static Figures measure(const char *format, const char *element, int frames)
{
    Run run = { .frames = frames, .latency = g_new0(double, (gsize)frames) };
    gst_init(NULL, NULL);
    char *description = g_strdup_printf(
        "videotestsrc num-buffers=%d ! video/x-raw,format=%s,width=1280,height=720 "
        "! %s name=looked ! fakesink name=last sync=false",
        WARM_UP_FRAMES + frames, format, element);
    play(description, &run);
    qsort(run.latency, (size_t)frames, sizeof *run.latency, bench_ascending);
    return (Figures) { .wall = (run.end - run.start) / frames,
                       .cpu = (run.end_cpu - run.start_cpu) / frames,
                       .p50 = bench_quantile(run.latency, frames, 0.50),
                       .p95 = bench_quantile(run.latency, frames, 0.95),
                       .p99 = bench_quantile(run.latency, frames, 0.99) };
}

typedef struct Task {
    const char *format, *element;
    int frames;
} Task;

static void measure_task(const void *task, void *figures)
{
    const Task *t = task;
    *(Figures *)figures = measure(t->format, t->element, t->frames);
}

static Figures measure_apart(const char *format, const char *element, int frames)
{
    const Task task = { format, element, frames };
    Figures figures;
    bench_apart(measure_task, &task, &figures, sizeof figures, element);
    return figures;
}

static void bench(const char *format, const char *name, const char *element, int rounds,
                  int frames)
{
    double column[7][MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        Figures source = measure_apart(format, "identity", frames);
        Figures f = measure_apart(format, element, frames);
        const double values[7] = { 1e3 / f.wall, f.cpu, f.cpu - source.cpu,
                                   source.cpu,   f.p50, f.p95,
                                   f.p99 };
        for (int j = 0; j < 7; j++)
            column[j][i] = values[j];
    }
    for (int j = 0; j < 7; j++)
        qsort(column[j], (size_t)rounds, sizeof(double), bench_ascending);
    printf("%-5s %-14s", format, name);
    for (int j = 0; j < 7; j++) {
        printf(" %8.2f", bench_quantile(column[j], rounds, 0.5));
        if (j == 2)
            printf(" (%.2f-%.2f)", bench_quantile(column[j], rounds, 0.25),
                   bench_quantile(column[j], rounds, 0.75));
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const formats[] = { "NV12", "I420", "YUY2" };
    int rounds = argc > 1 ? bench_number(argv[1], MOST_ROUNDS) : 7;
    int frames = argc > 2 ? bench_number(argv[2], MOST_FRAMES) : 60;
    const WriteModel detector = {
        .variant = "ssdlite_emo_1M",
        .classes = 80,
        .metadata = "{\"input_height\":\"320\",\"input_width\":\"320\"}",
    };
    char *own = argc > 3 ? NULL : write_model_file(&detector);
    char *detect = g_strdup_printf("vigildetect threads=1 threshold=0.5 model=\"%s\"",
                                   own ? own : argv[3]);
    printf("Medians of %d rounds of %d frames; milliseconds a frame, but frames/s\n",
           rounds, frames);
    printf("%-5s %-14s %8s %8s %8s (quartiles) %8s %8s %8s %8s\n", "", "", "frames/s",
           "cpu", "its own", "source", "p50", "p95", "p99");
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        bench(formats[i], "vigilclassify", "vigilclassify threads=1", rounds, frames);
        bench(formats[i], "vigildetect", detect, rounds, frames);
    }
    if (own)
        unlink(own);
    free(own);
    g_free(detect);
    return 0;
}
