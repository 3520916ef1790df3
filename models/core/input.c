#include "core/input.h"
#include "core/metadata.h"
#include "core/text.h"

#include <math.h>
#include <string.h>

static int shorter(const VigilInput *in)
{
    return in->height < in->width ? in->height : in->width;
}

void vigil_input_default(const VigilArchitecture *arch, VigilInput *input)
{
    const VigilScheme *scheme = arch->scheme;
    *input = scheme->input;
    input->height = arch->row->size;
    input->width = vigil_native_width(arch->row);
    input->resize_shorter = shorter(input);
    if (scheme->crop_fraction > 0)
        input->resize_shorter = (int)(shorter(input) / scheme->crop_fraction);
}

/* mean and std are kept in tensor channel order. */
static void set_channel_order(VigilInput *in, VigilChannelOrder order,
                              VigilOrigin origin)
{
    if (in->channel_order != order) {
        float m = in->mean[0], s = in->std[0];
        in->mean[0] = in->mean[2];
        in->mean[2] = m;
        in->std[0] = in->std[2];
        in->std[2] = s;
    }
    in->channel_order = order;
    in->origin.channel_order = origin;
}

static void set_size(VigilInput *in, int height, int width, VigilOrigin origin)
{
    double fraction = (double)shorter(in) / in->resize_shorter;
    in->height = height;
    in->width = width;
    in->resize_shorter = (int)lround(shorter(in) / fraction);
    in->origin.size = origin;
}

/* ---- Metadata ----------------------------------------------------------------------
 */

static VigilStatus read_size(const VigilSafetensors *file, const char *key, int *out,
                             VigilError *error)
{
    return vigil_metadata_whole(file, key, VIGIL_MIN_SIZE, VIGIL_MAX_SIZE, out, error);
}

/* Into tensor channel order. */
static VigilStatus read_channels(const VigilSafetensors *file, const char *key,
                                 bool bgr, float out[3], VigilOrigin *origin,
                                 VigilError *error)
{
    float v[3];
    bool found;
    VigilStatus s = vigil_metadata_numbers(file, key, 3, v, &found, error);
    if (s != VIGIL_OK || !found)
        return s;
    for (int i = 0; i < 3; i++)
        out[i] = v[bgr ? 2 - i : i];
    *origin = VIGIL_ORIGIN_METADATA;
    return VIGIL_OK;
}

VigilStatus vigil_input_metadata(const VigilSafetensors *file, VigilInput *in,
                                 VigilError *error)
{
    static const char *const orders[] = { "rgb", "bgr", NULL };
    static const char *const resizes[] = { "stretch", "letterbox", "crop", "none",
                                           NULL };
    int h = 0, w = 0, shorter_side = 0, order = -1, resize = -1;
    VigilStatus s;
    if ((s = read_size(file, "input_height", &h, error)) ||
        (s = read_size(file, "input_width", &w, error)) ||
        (s = read_size(file, "resize_shorter", &shorter_side, error)) ||
        (s = vigil_metadata_choice(file, "channel_order", orders, &order, error)) ||
        (s = vigil_metadata_choice(file, "resize", resizes, &resize, error)))
        return s;
    if (h || w)
        set_size(in, h ? h : w, w ? w : h, VIGIL_ORIGIN_METADATA);
    if (shorter_side)
        in->resize_shorter = shorter_side;
    if (order >= 0)
        set_channel_order(in, (VigilChannelOrder)order, VIGIL_ORIGIN_METADATA);
    if (resize >= 0) {
        in->resize = (VigilResize)resize;
        in->origin.resize = VIGIL_ORIGIN_METADATA;
    }
    bool bgr = in->channel_order == VIGIL_BGR;
    if ((s = read_channels(file, "mean", bgr, in->mean, &in->origin.mean, error)) ||
        (s = read_channels(file, "std", bgr, in->std, &in->origin.std, error)))
        return s;
    VigilError e;
    if (vigil_input_options(NULL, in, &e) == VIGIL_OK)
        return VIGIL_OK;
    char path[112];
    return vigil_fail(error, VIGIL_ERROR_FORMAT, "%s: __metadata__ asks for %s",
                      vigil_printable(path, sizeof path, vigil_safetensors_path(file)),
                      e.message);
}

/* ---- The caller's options ----------------------------------------------------------
 */

static VigilStatus check_values(const VigilInput *in, VigilError *error)
{
    for (int i = 0; i < 3; i++) {
        if (!isfinite(in->mean[i]))
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "a mean of %g for channel %d; it must be finite",
                              (double)in->mean[i], i);
        if (!isfinite(in->std[i]) || in->std[i] <= 0)
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "a standard deviation of %g for channel %d; it must be "
                              "finite and above 0",
                              (double)in->std[i], i);
    }
    return VIGIL_OK;
}

static VigilStatus check(const VigilInput *in, VigilError *error)
{
    if (in->height < VIGIL_MIN_SIZE || in->height > VIGIL_MAX_SIZE ||
        in->width < VIGIL_MIN_SIZE || in->width > VIGIL_MAX_SIZE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "an input of %d x %d pixels; each side may be %d to %d",
                          in->height, in->width, VIGIL_MIN_SIZE, VIGIL_MAX_SIZE);
    if (in->channel_order != VIGIL_RGB && in->channel_order != VIGIL_BGR)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "channel order %d; there are %d and %d",
                          (int)in->channel_order, VIGIL_RGB, VIGIL_BGR);
    if ((int)in->resize < 0 || in->resize > VIGIL_RESIZE_NONE)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "resize rule %d; there are 0 to %d", (int)in->resize,
                          VIGIL_RESIZE_NONE);
    if (in->resize == VIGIL_RESIZE_CROP && in->resize_shorter < shorter(in))
        return vigil_fail(
            error, VIGIL_ERROR_ARGUMENT,
            "a resize to %d before cropping to %d; it must not be smaller",
            in->resize_shorter, shorter(in));
    return check_values(in, error);
}

VigilStatus vigil_input_options(const VigilInputOptions *o, VigilInput *in,
                                VigilError *error)
{
    if (o && (o->height || o->width))
        set_size(in, o->height, o->width, VIGIL_ORIGIN_OPTION);
    if (o && o->has_channel_order)
        set_channel_order(in, o->channel_order, VIGIL_ORIGIN_OPTION);
    if (o && o->has_mean) {
        memcpy(in->mean, o->mean, sizeof in->mean);
        in->origin.mean = VIGIL_ORIGIN_OPTION;
    }
    if (o && o->has_std) {
        memcpy(in->std, o->std, sizeof in->std);
        in->origin.std = VIGIL_ORIGIN_OPTION;
    }
    if (o && o->has_resize) {
        in->resize = o->resize;
        in->origin.resize = VIGIL_ORIGIN_OPTION;
    }
    return check(in, error);
}
