/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cameras as Video4Linux shows them: which there are, which of them is meant, their
 * modes and controls, and what keeps one from being used.
 *
 * Plain C over system calls that a test can replace.  What drivers say is not trusted:
 * texts are made printable, enumerations are bounded, sizes and rates that cannot be
 * are passed over.  Functions that can fail fill *error with a sentence for the user
 * and return its status.  Nothing here may be shared between threads at once.
 */
#ifndef VIGIL_CAMERA_H
#define VIGIL_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum VigilCameraStatus {
    VIGIL_CAMERA_OK,
    VIGIL_CAMERA_SETTINGS,      /* a text that the user gave is faulty */
    VIGIL_CAMERA_NOT_FOUND,     /* no such camera, or it is none, or it is gone */
    VIGIL_CAMERA_NO_PERMISSION, /* its node may not be opened */
    VIGIL_CAMERA_BUSY,          /* another program streams from it */
    VIGIL_CAMERA_NO_MODE,       /* it lacks the size, the rate or a usable format */
    VIGIL_CAMERA_FAILED,        /* the system or the driver refused something else */
} VigilCameraStatus;

typedef struct VigilCameraError {
    VigilCameraStatus status;
    char message[2048];
} VigilCameraError;

/* ---- System calls (access.c) ----------------------------------------------------- */

/* open, close and ioctl as in the C library, errno included, and where things lie. */
typedef struct VigilV4l2 {
    int (*open)(const char *path);
    int (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    const char *dev;  /* folder of the nodes "videoN" */
    const char *sys;  /* folder of class video4linux in sysfs */
    const char *proc; /* folder of processes */
} VigilV4l2;

/* This machine's. */
const VigilV4l2 *vigil_v4l2_system(void);

/* ---- Cameras (list.c) ------------------------------------------------------------ */

typedef struct VigilCamera {
    char device[512]; /* node: "/dev/video0" */
    char name[128];   /* as the driver calls it; of sysfs where it cannot be opened */
    char driver[64];
    char bus[128];    /* where it is plugged in: "usb-0000:00:14.0-2"; may be "" */
    char serial[128]; /* of the USB device; "": it has none */
    int number;       /* N of /dev/videoN; -1: the node is not called so */
    uint32_t
        buffer_type; /* V4L2_BUF_TYPE_VIDEO_CAPTURE or _MPLANE; 0: it takes no video */
    int problem;     /* errno of opening or asking it; 0: none */
} VigilCamera;

enum { VIGIL_CAMERAS_MAX = 64, VIGIL_CAMERA_LINE = 512 };

typedef struct VigilCameraList {
    VigilCamera camera[VIGIL_CAMERAS_MAX]; /* by number */
    size_t n;
} VigilCameraList;

/* Asks one node.  Always fills *camera; `problem` says what went wrong. */
void vigil_camera_ask(const VigilV4l2 *v4l2, const char *device, VigilCamera *camera);

/* All that take video, and those that cannot be opened to see whether they do.  Nodes
 * beyond VIGIL_CAMERAS_MAX are left out. */
void vigil_camera_list(const VigilV4l2 *v4l2, VigilCameraList *list);

/* `"HD Webcam" (/dev/video0)`, or with where it is and its serial, into out
 * [VIGIL_CAMERA_LINE]; returns out. */
const char *vigil_camera_label(const VigilCamera *camera, char *out);
const char *vigil_camera_line(const VigilCamera *camera, char *out);

/* The node's descriptor, for v4l2->close(); -1 after an error: gone, not a camera, no
 * permission (the message tells which group has it). */
int vigil_camera_open(const VigilV4l2 *v4l2, const VigilCamera *camera,
                      VigilCameraError *error);

/* ---- Which one (select.c) -------------------------------------------------------- */

typedef enum VigilSelectorKind {
    VIGIL_SELECT_FIRST,  /* "": of those that can be opened, if there are */
    VIGIL_SELECT_DEVICE, /* "0", "/dev/video2", "/dev/v4l/by-id/..." */
    VIGIL_SELECT_NAME,   /* "name:...", or any other text */
    VIGIL_SELECT_SERIAL, /* "serial:..." */
    VIGIL_SELECT_BUS,    /* "bus:..." */
} VigilSelectorKind;

typedef struct VigilSelector {
    VigilSelectorKind kind;
    char text[512]; /* without the prefix; of DEVICE: the node */
} VigilSelector;

/* text may be NULL: the first camera. */
VigilCameraStatus vigil_selector_parse(const VigilV4l2 *v4l2, const char *text,
                                       VigilSelector *selector,
                                       VigilCameraError *error);

/* Names match when equal without regard to case, or else when they contain the text;
 * several that match are refused.  A camera that cannot be opened can be found. */
VigilCameraStatus vigil_camera_find(const VigilV4l2 *v4l2,
                                    const VigilSelector *selector, VigilCamera *camera,
                                    VigilCameraError *error);

/* Finds a camera that was lost under whatever number it has now: what is at the bus
 * (BUS) or has the serial (SERIAL) of the selector; else one of the same name and
 * serial, best at the same bus, but none of `others`: the cameras that were there
 * beside it. False: not there. */
bool vigil_camera_find_again(const VigilV4l2 *v4l2, const VigilSelector *selector,
                             const VigilCamera *lost, const VigilCameraList *others,
                             VigilCamera *camera);

/* ---- Who holds it (holders.c) ---------------------------------------------------- */

/* The processes that have the node open, as far as /proc may be read, into out [size]:
 * `"cheese" (process 123)`, several with commas between; of the own process "this
 * program".  Returns how many. */
int vigil_camera_holders(const VigilV4l2 *v4l2, const char *device, char *out,
                         size_t size);

/* The sentence of a camera that another program streams from. */
VigilCameraStatus vigil_camera_fail_busy(const VigilV4l2 *v4l2,
                                         const VigilCamera *camera,
                                         VigilCameraError *error);

/* ---- Modes (modes.c) ------------------------------------------------------------- */

typedef enum VigilCameraCoding {
    VIGIL_CODING_RAW,
    VIGIL_CODING_JPEG,
    VIGIL_CODING_H264,
} VigilCameraCoding;

typedef struct VigilCameraFormat {
    uint32_t fourcc; /* V4L2_PIX_FMT_... */
    VigilCameraCoding coding;
    const char *raw; /* GStreamer's name of a raw format */
} VigilCameraFormat;

/* Formats that can be used, those that cost the least CPU first. */
extern const VigilCameraFormat vigil_camera_formats[];
extern const size_t vigil_camera_n_formats; /* at most 64: see VigilCameraWish */

/* "MJPG", printable, into out [5]; returns out. */
const char *vigil_fourcc_text(uint32_t fourcc, char *out);

/* Index into vigil_camera_formats; -1: not there. */
int vigil_camera_format_index(uint32_t fourcc);

/* Frames a second, in lowest terms; 0/1: not told. */
typedef struct VigilRate {
    uint32_t num, den;
} VigilRate;

/* One side of the pictures, or the range of it, in pixels. */
typedef struct VigilSide {
    uint32_t min, max, step; /* step >= 1 */
} VigilSide;

/* A format with a size and a rate, or ranges of them. */
typedef struct VigilCameraMode {
    uint32_t fourcc;
    VigilSide width, height;
    VigilRate slowest, fastest; /* equal: one rate */
    VigilRate step; /* of the interval between frames, in seconds; 0/1: any is right */
} VigilCameraMode;

typedef struct VigilCameraModes {
    VigilCameraMode *mode; /* [n], in the order of the driver */
    size_t n;
    bool cut;                       /* the driver told more than is read */
    uint32_t fourcc, width, height; /* what it is set to; 0: not told */
    VigilRate rate;
} VigilCameraModes;

/* Rates of a range of sizes are those of its largest. */
VigilCameraStatus vigil_camera_modes(const VigilV4l2 *v4l2, int fd,
                                     const VigilCamera *camera, VigilCameraModes *modes,
                                     VigilCameraError *error);
void vigil_camera_modes_clear(VigilCameraModes *modes);

/* ---- Choice of a mode (choose.c) ------------------------------------------------- */

typedef struct VigilCameraWish {
    uint32_t width, height; /* 0: what the camera is set to, or the nearest to it */
    VigilRate rate;         /* 0/1: the same */
    uint64_t formats;       /* bit i: vigil_camera_formats[i] may be taken */
} VigilCameraWish;

typedef struct VigilCameraChoice {
    int format; /* index into vigil_camera_formats */
    uint32_t width, height;
    VigilRate rate; /* 0/1: the driver does not tell */
} VigilCameraChoice;

/* The cheapest mode that is as wished; a rate within one percent is.  False: there is
 * none, and *choice is the nearest, its `format` -1 where no format may be taken. */
bool vigil_camera_choose(const VigilCameraModes *modes, const VigilCameraWish *wish,
                         VigilCameraChoice *choice);

/* "640x480 at 30 frames/s as YUYV" into out [64]; returns out. */
const char *vigil_choice_text(const VigilCameraChoice *choice, char *out);

/* Fails with the sentence of a camera that has no such mode. */
VigilCameraStatus vigil_camera_fail_mode(const VigilCamera *camera,
                                         const VigilCameraModes *modes,
                                         const VigilCameraWish *wish,
                                         const VigilCameraChoice *nearest,
                                         VigilCameraError *error);

/* Whether the mode can be set and memory for frames be had, as far as that shows before
 * streaming: BUSY while another program streams. */
VigilCameraStatus vigil_camera_try(const VigilV4l2 *v4l2, int fd,
                                   const VigilCamera *camera,
                                   const VigilCameraChoice *choice,
                                   VigilCameraError *error);

/* ---- Controls (controls.c) ------------------------------------------------------- */

typedef struct VigilMenuItem {
    int64_t value;
    char name[64]; /* of an integer menu: the number */
} VigilMenuItem;

typedef struct VigilCameraControl {
    uint32_t id, type, flags; /* V4L2_CTRL_TYPE_..., V4L2_CTRL_FLAG_... */
    char name[64];            /* "white_balance_automatic" */
    int64_t min, max, step, preset;
    int64_t value; /* where `known` */
    bool known;
    VigilMenuItem *item; /* [n_items] of a menu */
    size_t n_items;
} VigilCameraControl;

typedef struct VigilCameraControls {
    VigilCameraControl *control; /* [n] */
    size_t n;
} VigilCameraControls;

VigilCameraStatus vigil_camera_controls(const VigilV4l2 *v4l2, int fd,
                                        VigilCameraControls *controls,
                                        VigilCameraError *error);
void vigil_camera_controls_clear(VigilCameraControls *controls);

/* "menu" and so on; "other" for a type that is not known. */
const char *vigil_control_type_text(uint32_t type);

enum { VIGIL_SETTINGS_MAX = 64 };

/* One of "brightness=10,exposure=manual". */
typedef struct VigilControlSetting {
    char name[64];  /* in lower case, all but letters and digits as '_' */
    char value[64]; /* a number, or the name of a menu item */
} VigilControlSetting;

typedef struct VigilControlSettings {
    VigilControlSetting setting[VIGIL_SETTINGS_MAX];
    size_t n;
} VigilControlSettings;

/* text: NAME=VALUE[,NAME=VALUE...], may be NULL or empty. */
VigilCameraStatus vigil_control_settings_parse(const char *text,
                                               VigilControlSettings *settings,
                                               VigilCameraError *error);

/* Sets them in order, after all were checked.  A name that is not there and a value out
 * of range are refused with what there is. */
VigilCameraStatus vigil_camera_set_controls(const VigilV4l2 *v4l2, int fd,
                                            const VigilCamera *camera,
                                            const VigilControlSettings *settings,
                                            VigilCameraError *error);

#endif
