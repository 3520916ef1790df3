/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilcaps.h"

/* Linear memory, and each component in a byte or in a word of 16 bits; what decoders
 * and cameras deliver first.  Not those that pack samples across bytes (v210, UYVP,
 * Y410, RGB10A2, NV12_10LE32) nor tiles. */
#define FORMATS_8                                                                      \
    "I420, YV12, NV12, NV21, YUY2, YVYU, UYVY, VYUY, Y42B, NV16, NV61, Y41B, Y444, "   \
    "NV24, v308, IYU2, AYUV, VUYA, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, "     \
    "ARGB, ABGR, GBR, GBRA, RGBP, BGRP, A420, AV12, GRAY8"
#define FORMATS_10                                                                     \
    "P010_10LE, P010_10BE, I420_10LE, I420_10BE, A420_10LE, A420_10BE, I422_10LE, "    \
    "I422_10BE, A422_10LE, A422_10BE, Y210, Y444_10LE, Y444_10BE, A444_10LE, "         \
    "A444_10BE, GBR_10LE, GBR_10BE, GBRA_10LE, GBRA_10BE"
#define FORMATS_12                                                                     \
    "P012_LE, P012_BE, I420_12LE, I420_12BE, I422_12LE, I422_12BE, Y212_LE, Y212_BE, " \
    "Y444_12LE, Y444_12BE, Y412_LE, Y412_BE, GBR_12LE, GBR_12BE, GBRA_12LE, GBRA_12BE"
#define FORMATS_16                                                                     \
    "GRAY16_LE, GRAY16_BE, P016_LE, P016_BE, v216, Y444_16LE, Y444_16BE, AYUV64, "     \
    "ARGB64, ARGB64_LE, ARGB64_BE, RGBA64_LE, RGBA64_BE, BGRA64_LE, BGRA64_BE, "       \
    "ABGR64_LE, ABGR64_BE"
#define FORMATS_5 "RGB16, BGR16, RGB15, BGR15"
#if GST_CHECK_VERSION(1, 26, 0)
#define FORMATS_NEW                                                                    \
    ", A422, A444, RBGA, GRAY10_LE16, A420_12LE, A420_12BE, A422_12LE, A422_12BE, "    \
    "A444_12LE, A444_12BE, A420_16LE, A420_16BE, A422_16LE, A422_16BE, A444_16LE, "    \
    "A444_16BE, Y216_LE, Y216_BE, Y416_LE, Y416_BE, GBR_16LE, GBR_16BE"
#else
#define FORMATS_NEW ""
#endif
#define FORMATS                                                                        \
    "{ " FORMATS_8 ", " FORMATS_10 ", " FORMATS_12 ", " FORMATS_16                     \
    ", " FORMATS_5 FORMATS_NEW " }"

#define SIDE "(int) [ 1, " G_STRINGIFY(GST_VIGIL_CAPS_SIDE) " ]"
#define SIZE "width = " SIDE ", height = " SIDE ", framerate = " GST_VIDEO_FPS_RANGE
#define SYSTEM_CAPS                                                                    \
    "video/x-raw, format = (string) " FORMATS ", " SIZE "; "                           \
    "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), "              \
    "format = (string) " FORMATS ", " SIZE "; "                                        \
    "video/x-raw(format:Interlaced), format = (string) " FORMATS ", " SIZE ", "        \
    "interlace-mode = (string) alternate"

#if GST_CHECK_VERSION(1, 24, 0)

#define LINEAR 0 /* DRM_FORMAT_MOD_LINEAR */

static void append_drm_format(GValue *list, const gchar *name)
{
    const guint32 fourcc =
        gst_video_dma_drm_fourcc_from_format(gst_video_format_from_string(name));
    GValue value = G_VALUE_INIT;

    if (!fourcc)
        return;
    g_value_init(&value, G_TYPE_STRING);
    g_value_take_string(&value, gst_video_dma_drm_fourcc_to_string(fourcc, LINEAR));
    gst_value_list_append_and_take_value(list, &value);
}

/* The formats of the first structure that have a name for DMABufs, without any other
 * modifier than the linear one. */
static void append_dmabuf(GstCaps *caps)
{
    GstCaps *dmabuf = gst_caps_from_string(
        "video/x-raw(memory:DMABuf), format = (string) DMA_DRM, " SIZE);
    const GValue *formats =
        gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");
    GValue list = G_VALUE_INIT;

    g_value_init(&list, GST_TYPE_LIST);
    for (guint i = 0; i < gst_value_list_get_size(formats); i++)
        append_drm_format(&list,
                          g_value_get_string(gst_value_list_get_value(formats, i)));
    gst_caps_set_value(dmabuf, "drm-format", &list);
    g_value_unset(&list);
    gst_caps_append(caps, dmabuf);
}

#endif

GstCaps *gst_vigil_caps_new(void)
{
    GstCaps *caps = gst_caps_from_string(SYSTEM_CAPS);

#if GST_CHECK_VERSION(1, 24, 0)
    append_dmabuf(caps);
#endif
    return caps;
}

static gboolean read_info(const GstCaps *caps, GstVideoInfo *info)
{
#if GST_CHECK_VERSION(1, 24, 0)
    GstVideoInfoDmaDrm drm;

    if (gst_video_is_dma_drm_caps(caps))
        return gst_video_info_dma_drm_from_caps(&drm, caps) &&
               drm.drm_modifier == LINEAR &&
               gst_video_info_dma_drm_to_video_info(&drm, info);
#endif
    return gst_video_info_from_caps(info, caps);
}

gboolean gst_vigil_caps_to_info(const GstCaps *caps, GstVideoInfo *info)
{
    if (!read_info(caps, info))
        return FALSE;
    const gchar *site =
        gst_structure_get_string(gst_caps_get_structure(caps, 0), "chroma-site");
    if (site)
        GST_VIDEO_INFO_CHROMA_SITE(info) = gst_video_chroma_site_from_string(site);
    return TRUE;
}
