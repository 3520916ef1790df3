/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many cameras: 1, 2, 4, 8 and 16 streams of 1280 x 720 pixels, each a pipeline of its
 * own in one process, an element in each that looks at every frame it gets.
 *
 *     bench-streams [ROUNDS [SECONDS [ELEMENT [FPS]]]]
 *
 * 5 rounds of 4 seconds, "vigildetect" and 5 frames a second unless told.  Every number
 * of streams is a process of its own; they take turns, and medians of the rounds are
 * told.  Frames come from memory, the streams one after another within a frame's time,
 * and one that finds the element busy waits alone: the next takes its place.  The
 * plugin is found as always (`meson devenv`, GST_PLUGIN_PATH).
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "gstvigilmeta.h"

enum { MOST_STREAMS = 16, MOST_ROUNDS = 99, MOST_AGES = 200000 };

static const double warm_up_ms = 1000;

typedef struct Bench Bench;

typedef struct Stream {
    Bench *bench;
    GstElement *pipeline, *source;
    GThread *pusher;
    double phase; /* ms after the others' first */
    int looked;   /* at frames, in the time that counts */
} Stream;

struct Bench {
    Stream stream[MOST_STREAMS];
    GstBuffer *frame;
    double period, start, end; /* ms */
    GMutex lock;
    int n_ages;
    double age[MOST_AGES]; /* of results, ms; under the lock */
};

typedef enum Figure {
    LOOKED,     /* inferences a second, of all streams */
    SHARE,      /* of the stream that got fewest, of the one that got most */
    AGE_MEDIAN, /* from a frame's arrival to its result, ms */
    AGE_P95,    /* the same */
    CPU,        /* of one processor, a stream, percent */
    RESIDENT,   /* of the process, MB */
    FIGURES
} Figure;

/* ---- A stream ------------------------------------------------------------------- */

static GstClockTime to_ns(double ms)
{
    return (GstClockTime)(ms * 1e6);
}

/* PTS is when a frame arrives, by the clock of the bench. */
static gpointer push_frames(gpointer data)
{
    Stream *s = data;
    const Bench *b = s->bench;
    for (double at = b->start - warm_up_ms + s->phase; at < b->end; at += b->period) {
        double wait = at - bench_now_ms();
        GstFlowReturn result = GST_FLOW_OK;
        if (wait > 0)
            g_usleep((gulong)(wait * 1e3));
        GstBuffer *frame = gst_buffer_copy(b->frame);
        GST_BUFFER_PTS(frame) = to_ns(at);
        g_signal_emit_by_name(s->source, "push-buffer", frame, &result);
        gst_buffer_unref(frame);
        if (result != GST_FLOW_OK)
            break;
    }
    return NULL;
}

static GstPadProbeReturn arrive(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Stream *s = data;
    Bench *b = s->bench;
    GList *metas = gst_vigil_buffer_get_metas(GST_PAD_PROBE_INFO_BUFFER(info));
    double now = bench_now_ms();
    (void)pad;
    if (metas && now >= b->start && now < b->end) {
        GstClockTime pts = gst_vigil_meta_get_pts(metas->data);
        g_mutex_lock(&b->lock);
        s->looked++;
        if (b->n_ages < MOST_AGES)
            b->age[b->n_ages++] = now - (double)pts / 1e6;
        g_mutex_unlock(&b->lock);
    }
    g_list_free(metas);
    return GST_PAD_PROBE_OK;
}

static void open_stream(Stream *s, const char *element)
{
    GError *error = NULL;
    char *description = g_strdup_printf(
        "appsrc name=source is-live=true format=time max-buffers=1 max-bytes=0 "
        "leaky-type=downstream caps=video/x-raw,format=NV12,width=1280,height=720,"
        "framerate=30/1 ! %s ! fakesink name=last sync=false async=false",
        element);
    s->pipeline = gst_parse_launch(description, &error);
    if (error) {
        fprintf(stderr, "%s: %s\n", description, error->message);
        exit(1);
    }
    s->source = gst_bin_get_by_name(GST_BIN(s->pipeline), "source");
    GstElement *last = gst_bin_get_by_name(GST_BIN(s->pipeline), "last");
    GstPad *pad = gst_element_get_static_pad(last, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, arrive, s, NULL);
    gst_object_unref(pad);
    gst_object_unref(last);
    if (gst_element_set_state(s->pipeline, GST_STATE_PLAYING) ==
        GST_STATE_CHANGE_FAILURE) {
        fprintf(stderr, "%s: does not play\n", description);
        exit(1);
    }
    g_free(description);
}

static void close_stream(Stream *s)
{
    g_thread_join(s->pusher);
    gst_element_set_state(s->pipeline, GST_STATE_NULL);
    gst_object_unref(s->source);
    gst_object_unref(s->pipeline);
}

/* ---- A number of streams -------------------------------------------------------- */

typedef struct Task {
    int streams;
    double seconds, fps;
    const char *element;
} Task;

/* Smooth, with edges; NV12. */
static GstBuffer *new_frame(void)
{
    GstVideoInfo info;
    GstMapInfo map;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 1280, 720);
    GstBuffer *frame = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_map(frame, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = (guint8)(i % 1280 / 5 ^ i / 1280 / 45 * 16);
    gst_buffer_unmap(frame, &map);
    return frame;
}

static void tell(const Task *task, Bench *b, double cpu, double *figure)
{
    int fewest = G_MAXINT, most = 0, all = 0;
    for (int i = 0; i < task->streams; i++) {
        int looked = b->stream[i].looked;
        fewest = MIN(fewest, looked);
        most = MAX(most, looked);
        all += looked;
    }
    qsort(b->age, (size_t)b->n_ages, sizeof *b->age, bench_ascending);
    figure[LOOKED] = all / task->seconds;
    figure[SHARE] = most ? (double)fewest / most : 0;
    figure[AGE_MEDIAN] = b->n_ages ? bench_quantile(b->age, b->n_ages, 0.5) : 0;
    figure[AGE_P95] = b->n_ages ? bench_quantile(b->age, b->n_ages, 0.95) : 0;
    figure[CPU] = cpu / (task->seconds * 1e3) / task->streams * 100;
    figure[RESIDENT] = bench_status_mb("VmRSS:");
}

static void sleep_until(double ms)
{
    double wait = ms - bench_now_ms();
    if (wait > 0)
        g_usleep((gulong)(wait * 1e3));
}

static void measure(const void *data, void *figures)
{
    const Task *task = data;
    Bench *b = g_new0(Bench, 1);
    gst_init(NULL, NULL);
    b->frame = new_frame();
    b->period = 1e3 / task->fps;
    for (int i = 0; i < task->streams; i++) {
        b->stream[i].bench = b;
        b->stream[i].phase = b->period * i / task->streams;
        open_stream(&b->stream[i], task->element);
    }
    b->start = bench_now_ms() + warm_up_ms;
    b->end = b->start + task->seconds * 1e3;
    for (int i = 0; i < task->streams; i++)
        b->stream[i].pusher = g_thread_new("camera", push_frames, &b->stream[i]);
    sleep_until(b->start);
    double cpu = bench_cpu_ms();
    sleep_until(b->end);
    tell(task, b, bench_cpu_ms() - cpu, figures);
    for (int i = 0; i < task->streams; i++)
        close_stream(&b->stream[i]);
}

/* ---- All of them ---------------------------------------------------------------- */

static const int numbers[] = { 1, 2, 4, 8, 16 };

enum { NUMBERS = sizeof numbers / sizeof *numbers };

static double table[NUMBERS][FIGURES][MOST_ROUNDS];

static void print(int number, int rounds)
{
    double median[FIGURES], low = 0, high = 0;
    for (int f = 0; f < FIGURES; f++) {
        double *column = table[number][f];
        qsort(column, (size_t)rounds, sizeof *column, bench_ascending);
        median[f] = bench_quantile(column, rounds, 0.5);
        if (f == LOOKED) {
            low = bench_quantile(column, rounds, 0.25);
            high = bench_quantile(column, rounds, 0.75);
        }
    }
    printf("%7d %8.1f (%.1f-%.1f) %9.2f %9.1f %9.1f %8.1f %9.1f\n", numbers[number],
           median[LOOKED], low, high, median[SHARE], median[AGE_MEDIAN],
           median[AGE_P95], median[CPU], median[RESIDENT]);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? bench_number(argv[1], MOST_ROUNDS) : 5;
    int seconds = argc > 2 ? bench_number(argv[2], 600) : 4;
    int fps = argc > 4 ? bench_number(argv[4], 30) : 5;
    const char *element = argc > 3 ? argv[3] : "vigildetect";
    for (int i = 0; i < rounds; i++)
        for (int n = 0; n < NUMBERS; n++) {
            int number = i % 2 ? NUMBERS - 1 - n : n;
            const Task task = { numbers[number], seconds, fps, element };
            double figure[FIGURES];
            bench_apart(measure, &task, figure, sizeof figure, element);
            for (int f = 0; f < FIGURES; f++)
                table[number][f][i] = figure[f];
        }
    printf("%s, %d frames a second, medians of %d rounds of %d s\n", element, fps,
           rounds, seconds);
    printf("streams  looked/s (quartiles) min/max  age (ms)   its p95  %% of a    MB "
           "resident\n%61s processor, each\n",
           "");
    for (int n = 0; n < NUMBERS; n++)
        print(n, rounds);
    return 0;
}
