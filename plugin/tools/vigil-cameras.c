/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-cameras: which cameras there are, and what they can do. */
#include "vigil-cameras.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* a camera or the system is at fault */
    STATUS_USAGE = 2,  /* the command line is at fault */
};

__attribute__((format(printf, 2, 3))) static int fail(int status, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    fputs("vigil-cameras: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

static int print_help(void)
{
    printf(
        "Usage: vigil-cameras [--json] [CAMERA]\n"
        "\n"
        "Lists the cameras with their modes and controls, or describes one: a number\n"
        "or node (0, /dev/video0), name:NAME, serial:SERIAL, bus:BUS, or a part of\n"
        "the name.\n"
        "\n"
        "Options:\n"
        "  --json     print JSON\n"
        "  --help     print this text\n"
        "  --version  print the version\n"
        "\n"
        "Errors are one line on standard error; exit status 1, or 2 for a faulty\n"
        "command line.\n");
    return STATUS_OK;
}

/* ---- Reports --------------------------------------------------------------------- */

static void report_clear(CameraReport *report)
{
    vigil_camera_modes_clear(&report->modes);
    vigil_camera_controls_clear(&report->controls);
}

/* What cannot be had is in report->problem. */
static void report_fill(const VigilV4l2 *v4l2, const VigilCamera *camera,
                        CameraReport *report)
{
    VigilCameraError error;
    *report = (CameraReport) { .camera = camera };
    vigil_camera_holders(v4l2, camera->device, report->used_by, sizeof report->used_by);
    const int fd = vigil_camera_open(v4l2, camera, &error);
    if (fd < 0 || vigil_camera_modes(v4l2, fd, camera, &report->modes, &error) ||
        vigil_camera_controls(v4l2, fd, &report->controls, &error))
        memcpy(report->problem, error.message, sizeof report->problem);
    if (fd >= 0)
        v4l2->close(fd);
}

static int print_reports(const CameraReport *report, size_t n, bool json)
{
    if (json)
        return reports_print_json(report, n)
                   ? STATUS_OK
                   : fail(STATUS_FAILED,
                          "out of memory while building the JSON output");
    for (size_t i = 0; i < n; i++) {
        if (i)
            putchar('\n');
        report_print(&report[i]);
    }
    if (!n)
        printf("No camera: no /dev/video* gives video; plug one in, or load its "
               "driver.\n");
    return STATUS_OK;
}

/* ---- Commands -------------------------------------------------------------------- */

static int list_all(const VigilV4l2 *v4l2, bool json)
{
    static VigilCameraList list;
    vigil_camera_list(v4l2, &list);
    CameraReport *report = calloc(list.n + 1, sizeof *report);
    if (!report)
        return fail(STATUS_FAILED, "out of memory");
    for (size_t i = 0; i < list.n; i++)
        report_fill(v4l2, &list.camera[i], &report[i]);
    const int status = print_reports(report, list.n, json);
    for (size_t i = 0; i < list.n; i++)
        report_clear(&report[i]);
    free(report);
    return status;
}

static int list_one(const VigilV4l2 *v4l2, const char *text, bool json)
{
    VigilSelector selector;
    VigilCamera camera;
    CameraReport report;
    VigilCameraError error;
    if (vigil_selector_parse(v4l2, text, &selector, &error))
        return fail(STATUS_USAGE, "%s", error.message);
    if (vigil_camera_find(v4l2, &selector, &camera, &error))
        return fail(STATUS_FAILED, "%s", error.message);
    report_fill(v4l2, &camera, &report);
    const int status = report.problem[0] ? fail(STATUS_FAILED, "%s", report.problem)
                                         : print_reports(&report, 1, json);
    report_clear(&report);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    bool json = false;
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (letter) {
        case 'j':
            json = true;
            break;
        case 'h':
            return print_help();
        case 'V':
            printf("vigil-cameras %s\n", VIGIL_VERSION);
            return STATUS_OK;
        default:
            return fail(STATUS_USAGE,
                        "unknown option '%s': --json, --help or --version",
                        argv[optind - 1]);
        }
    }
    if (argc - optind > 1)
        return fail(STATUS_USAGE, "unexpected argument '%s'", argv[optind + 1]);
    return optind < argc ? list_one(vigil_v4l2_system(), argv[optind], json)
                         : list_all(vigil_v4l2_system(), json);
}

/* What was printed has not arrived before the stream is closed without an error. */
static int close_output(int status)
{
    errno = 0;
    const bool broken = ferror(stdout);
    if ((fclose(stdout) || broken) && status == STATUS_OK)
        return fail(STATUS_FAILED, "cannot write to standard output%s%s",
                    errno ? ": " : "", errno ? strerror(errno) : "");
    return status;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    return close_output(run(argc, argv));
}
