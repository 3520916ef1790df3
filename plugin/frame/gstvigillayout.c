/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigillayout.h"

/* Of components 0, 1, 2: byte in the pixel, lowest bit in the word. */
typedef struct Correction {
    GstVideoFormat format;
    guint8 offset[3], low_bit[3];
} Correction;

/* Where gst_video_format_get_info() says otherwise, on 1.26 too; what is here is what
 * GStreamer's own conversion reads. */
static const Correction corrections[] = {
    { GST_VIDEO_FORMAT_P010_10LE, { 0, 0, 2 }, { 6, 6, 6 } },
    { GST_VIDEO_FORMAT_P010_10BE, { 0, 0, 2 }, { 6, 6, 6 } },
    { GST_VIDEO_FORMAT_P012_LE, { 0, 0, 2 }, { 4, 4, 4 } },
    { GST_VIDEO_FORMAT_P012_BE, { 0, 0, 2 }, { 4, 4, 4 } },
    { GST_VIDEO_FORMAT_P016_LE, { 0, 0, 2 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_P016_BE, { 0, 0, 2 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_Y210, { 0, 2, 6 }, { 6, 6, 6 } },
    { GST_VIDEO_FORMAT_Y212_LE, { 0, 2, 6 }, { 4, 4, 4 } },
    { GST_VIDEO_FORMAT_Y212_BE, { 0, 2, 6 }, { 4, 4, 4 } },
    { GST_VIDEO_FORMAT_Y412_LE, { 2, 0, 4 }, { 4, 4, 4 } },
    { GST_VIDEO_FORMAT_Y412_BE, { 2, 0, 4 }, { 4, 4, 4 } },
#if GST_CHECK_VERSION(1, 26, 0)
    { GST_VIDEO_FORMAT_Y216_LE, { 0, 2, 6 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_Y216_BE, { 0, 2, 6 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_Y416_LE, { 2, 0, 4 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_Y416_BE, { 2, 0, 4 }, { 0, 0, 0 } },
#endif
    { GST_VIDEO_FORMAT_VYUY, { 1, 2, 0 }, { 0, 0, 0 } },
    { GST_VIDEO_FORMAT_BGR15, { 0, 0, 0 }, { 0, 5, 10 } },
    { GST_VIDEO_FORMAT_BGR16, { 0, 0, 0 }, { 0, 5, 11 } },
};

static const Correction *correction_of(GstVideoFormat format)
{
    for (guint i = 0; i < G_N_ELEMENTS(corrections); i++)
        if (corrections[i].format == format)
            return &corrections[i];
    return NULL;
}

/* Y210 and v216 are not, but have no flag that says so. */
static gboolean is_big_endian(const GstVideoFormatInfo *format)
{
    return !GST_VIDEO_FORMAT_INFO_IS_LE(format) &&
           format->format != GST_VIDEO_FORMAT_Y210 &&
           format->format != GST_VIDEO_FORMAT_v216;
}

guint gst_vigil_layout_components(const VigilImage *image)
{
    return image->color == VIGIL_COLOR_GRAY ? 1 : 3;
}

static VigilColor frame_color(const GstVideoFormatInfo *format)
{
    if (GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
        return VIGIL_COLOR_GRAY;
    return GST_VIDEO_FORMAT_INFO_IS_RGB(format) ? VIGIL_COLOR_RGB : VIGIL_COLOR_YUV;
}

static void fill_components(VigilImage *image, const GstVideoFormatInfo *format,
                            const guint8 *const *data, const gint *stride)
{
    const Correction *other = correction_of(format->format);

    for (guint c = 0; c < gst_vigil_layout_components(image); c++) {
        const guint plane = GST_VIDEO_FORMAT_INFO_PLANE(format, c);
        const gint depth = (gint)GST_VIDEO_FORMAT_INFO_DEPTH(format, c);
        const gboolean words = depth != 8;
        image->component[c] = (VigilComponent) {
            .data = data[plane] + (other ? other->offset[c]
                                         : GST_VIDEO_FORMAT_INFO_POFFSET(format, c)),
            .row_stride = stride[plane],
            .pixel_stride = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, c),
            .shift_x = (int)GST_VIDEO_FORMAT_INFO_W_SUB(format, c),
            .shift_y = (int)GST_VIDEO_FORMAT_INFO_H_SUB(format, c),
            .bits = words ? depth : 0,
            .low_bit = other ? other->low_bit[c] : format->shift[c],
            .big_endian = words && is_big_endian(format),
        };
    }
}

/* A matrix that is unknown, or that is RGB's on a YUV format, is taken as BT.601. */
static void fill_color(VigilImage *image, const GstVideoInfo *info)
{
    const GstVideoColorimetry *color = &info->colorimetry;

    if (!gst_video_color_matrix_get_Kr_Kb(color->matrix, &image->kr, &image->kb))
        gst_video_color_matrix_get_Kr_Kb(GST_VIDEO_COLOR_MATRIX_BT601, &image->kr,
                                         &image->kb);
    /* Without a range in the caps, video is limited and GStreamer's grey is full. */
    image->full_range =
        color->range == GST_VIDEO_COLOR_RANGE_0_255 ||
        (color->range == GST_VIDEO_COLOR_RANGE_UNKNOWN && !GST_VIDEO_INFO_IS_YUV(info));
    image->site_x = info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED ? 0 : 0.5F;
    image->site_y = info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED ? 0 : 0.5F;
}

/* A fraction that no camera has is held to what the engine takes. */
static double pixel_aspect(const GstVideoInfo *info)
{
    const int n = GST_VIDEO_INFO_PAR_N(info), d = GST_VIDEO_INFO_PAR_D(info);

    return n > 0 && d > 0 ? CLAMP((double)n / d, 0.001, 1000) : 1;
}

void gst_vigil_layout_fill(VigilImage *image, const GstVideoInfo *info,
                           const guint8 *const *data, const gint *stride)
{
    *image = (VigilImage) {
        .color = frame_color(info->finfo),
        .pixel_aspect = pixel_aspect(info),
    };
    fill_components(image, info->finfo, data, stride);
    fill_color(image, info);
}
