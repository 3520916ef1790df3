/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats of cameras that GStreamer has a name for. */
#include "common.h"

#define RAW(fourcc, name) { fourcc, VIGIL_CODING_RAW, name }

/* Fewer bytes go before more, formats that hold colours as the eye sees them before
 * RGB, that of few bits last, and what is decoded comes after; grey last, as the
 * colours are lost. */
const VigilCameraFormat vigil_camera_formats[] = {
    RAW(V4L2_PIX_FMT_NV12, "NV12"),
    RAW(V4L2_PIX_FMT_NV12M, "NV12"),
    RAW(V4L2_PIX_FMT_YUV420, "I420"),
    RAW(V4L2_PIX_FMT_YUV420M, "I420"),
    RAW(V4L2_PIX_FMT_YVU420, "YV12"),
    RAW(V4L2_PIX_FMT_NV21, "NV21"),
    RAW(V4L2_PIX_FMT_YUYV, "YUY2"),
    RAW(V4L2_PIX_FMT_UYVY, "UYVY"),
    RAW(V4L2_PIX_FMT_YVYU, "YVYU"),
    RAW(V4L2_PIX_FMT_NV16, "NV16"),
    RAW(V4L2_PIX_FMT_NV61, "NV61"),
    RAW(V4L2_PIX_FMT_YUV422P, "Y42B"),
    RAW(V4L2_PIX_FMT_P010, "P010_10LE"),
    RAW(V4L2_PIX_FMT_RGB24, "RGB"),
    RAW(V4L2_PIX_FMT_BGR24, "BGR"),
    RAW(V4L2_PIX_FMT_XBGR32, "BGRx"),
    RAW(V4L2_PIX_FMT_ABGR32, "BGRA"),
    RAW(V4L2_PIX_FMT_RGB565, "RGB16"),
    RAW(V4L2_PIX_FMT_XRGB555, "RGB15"),
    { V4L2_PIX_FMT_MJPEG, VIGIL_CODING_JPEG, NULL },
    { V4L2_PIX_FMT_JPEG, VIGIL_CODING_JPEG, NULL },
    { V4L2_PIX_FMT_H264, VIGIL_CODING_H264, NULL },
    RAW(V4L2_PIX_FMT_GREY, "GRAY8"),
    RAW(V4L2_PIX_FMT_Y16, "GRAY16_LE"),
    RAW(V4L2_PIX_FMT_Y16_BE, "GRAY16_BE"),
};
const size_t vigil_camera_n_formats =
    sizeof vigil_camera_formats / sizeof *vigil_camera_formats;

int vigil_camera_format_index(uint32_t fourcc)
{
    for (size_t i = 0; i < vigil_camera_n_formats; i++)
        if (vigil_camera_formats[i].fourcc == fourcc)
            return (int)i;
    return -1;
}

const char *vigil_fourcc_text(uint32_t fourcc, char *out)
{
    for (int i = 0; i < 4; i++) {
        const char c = (char)(fourcc >> 8 * i & 0x7f); /* the top bit: big endian */
        out[i] = c > ' ' && c < 0x7f ? c : i == 3 && c == ' ' ? '\0' : '?';
    }
    out[4] = '\0';
    return out;
}
