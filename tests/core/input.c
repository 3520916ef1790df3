/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input rules: scheme defaults, metadata, the caller's options. */
#include "core/input.h"
#include "tap.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static VigilInput scheme(void)
{
    VigilInput input;
    const VigilFamily *emo = &vigil_family_emo;
    const VigilArchitecture arch = { emo, emo->schemes, vigil_family_row(emo, 0) };
    vigil_input_default(&arch, &input);
    return input;
}

/* The rules of a file with this __metadata__. */
static VigilStatus read_metadata(const char *metadata, VigilInput *input,
                                 VigilError *error)
{
    unsigned char bytes[1024] = { 0 };
    int n = snprintf((char *)bytes + 8, sizeof bytes - 8, "{\"__metadata__\":{%s}}",
                     metadata);
    VigilSafetensors *file = NULL;
    bytes[0] = (unsigned char)n;
    bytes[1] = (unsigned char)(n >> 8);
    *error = (VigilError) { 0 };
    VigilStatus s =
        vigil_safetensors_open_memory(bytes, 8 + (size_t)n, "test", &file, error);
    *input = scheme();
    if (s == VIGIL_OK)
        s = vigil_input_metadata(file, input, error);
    vigil_safetensors_close(&file);
    return s;
}

/* ---- Defaults -------------------------------------------------------------------- */

static void check_default(void)
{
    VigilInput in = scheme();
    tap_ok(in.height == 224 && in.width == 224 && in.channel_order == VIGIL_RGB &&
               in.resize == VIGIL_RESIZE_CROP && in.resize_shorter == 256 &&
               in.filter == VIGIL_FILTER_BICUBIC && in.mean[0] == 0.485f &&
               in.mean[2] == 0.406f && in.std[1] == 0.224f,
           "the published preprocessing: 224 x 224 out of %d", in.resize_shorter);
    tap_ok(in.origin.size == VIGIL_ORIGIN_SCHEME &&
               in.origin.channel_order == VIGIL_ORIGIN_SCHEME &&
               in.origin.mean == VIGIL_ORIGIN_SCHEME &&
               in.origin.std == VIGIL_ORIGIN_SCHEME &&
               in.origin.resize == VIGIL_ORIGIN_SCHEME,
           "all of it by default of the scheme");
}

/* ---- Metadata that is taken ------------------------------------------------------ */

static const struct {
    const char *metadata;
    int height, width, shorter;
    VigilChannelOrder order;
    VigilResize resize;
    float mean[3], std[3];
} taken[] = {
    { "", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_CROP, { 0 }, { 0 } },
    { "\"input_height\":\"160\",\"input_width\":\"160\"", 160, 160, 183, VIGIL_RGB,
      VIGIL_RESIZE_CROP },
    { "\"input_height\":\"4096\"", 4096, 4096, 4681, VIGIL_RGB, VIGIL_RESIZE_CROP },
    { "\"input_width\":\"32\"", 32, 32, 37, VIGIL_RGB, VIGIL_RESIZE_CROP },
    { "\"input_height\":\"240\",\"input_width\":\"320\"", 240, 320, 274, VIGIL_RGB,
      VIGIL_RESIZE_CROP },
    { "\"resize_shorter\":\"224\"", 224, 224, 224, VIGIL_RGB, VIGIL_RESIZE_CROP },
    { "\"resize_shorter\":\"128\",\"input_height\":\"128\"", 128, 128, 128, VIGIL_RGB,
      VIGIL_RESIZE_CROP },
    { "\"resize\":\"stretch\"", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_STRETCH },
    { "\"resize\":\"letterbox\"", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_LETTERBOX },
    { "\"resize\":\"crop\"", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_CROP },
    { "\"resize\":\"none\"", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_NONE },
    { "\"resize\":\"stretch\",\"resize_shorter\":\"32\"", 224, 224, 32, VIGIL_RGB,
      VIGIL_RESIZE_STRETCH },
    { "\"channel_order\":\"rgb\"", 224, 224, 256, VIGIL_RGB, VIGIL_RESIZE_CROP },
    /* Mean and deviation follow the channels. */
    { "\"channel_order\":\"bgr\"",
      224,
      224,
      256,
      VIGIL_BGR,
      VIGIL_RESIZE_CROP,
      { 0.406f, 0.456f, 0.485f },
      { 0.225f, 0.224f, 0.229f } },
    /* In the file they are in the order of red, green, blue. */
    { "\"channel_order\":\"bgr\",\"mean\":\"0.1 0.2 0.3\"",
      224,
      224,
      256,
      VIGIL_BGR,
      VIGIL_RESIZE_CROP,
      { 0.3f, 0.2f, 0.1f },
      { 0.225f, 0.224f, 0.229f } },
    { "\"std\":\"1, 2, 4\",\"channel_order\":\"bgr\"",
      224,
      224,
      256,
      VIGIL_BGR,
      VIGIL_RESIZE_CROP,
      { 0.406f, 0.456f, 0.485f },
      { 4, 2, 1 } },
    { "\"mean\":\"[0, 0, 0]\",\"std\":\"[1,1,1]\"",
      224,
      224,
      256,
      VIGIL_RGB,
      VIGIL_RESIZE_CROP,
      { 0, 0, 0 },
      { 1, 1, 1 } },
    { "\"mean\":\"-.5 0.5 .25 \",\"std\":\" 1. 0.0625 10\"",
      224,
      224,
      256,
      VIGIL_RGB,
      VIGIL_RESIZE_CROP,
      { -0.5f, 0.5f, 0.25f },
      { 1, 0.0625f, 10 } },
};

static bool near(const float *a, const float *b)
{
    for (int i = 0; i < 3; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-7f * fabsf(b[i])))
            return false;
    return true;
}

static void check_taken(void)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        VigilInput in, plain = scheme();
        VigilError e;
        VigilStatus s = read_metadata(taken[i].metadata, &in, &e);
        bool given = taken[i].std[0] != 0;
        tap_ok(!s && in.height == taken[i].height && in.width == taken[i].width &&
                   in.resize_shorter == taken[i].shorter &&
                   in.channel_order == taken[i].order && in.resize == taken[i].resize &&
                   near(in.mean, given ? taken[i].mean : plain.mean) &&
                   near(in.std, given ? taken[i].std : plain.std),
               "{%s}: %d x %d out of %d, mean %.9g %.9g %.9g, deviation %.9g %.9g %.9g "
               "%s",
               taken[i].metadata, in.height, in.width, in.resize_shorter,
               (double)in.mean[0], (double)in.mean[1], (double)in.mean[2],
               (double)in.std[0], (double)in.std[1], (double)in.std[2], e.message);
    }
}

static void check_origins(void)
{
    VigilInput in;
    VigilError e;
    read_metadata("\"input_width\":\"96\",\"mean\":\"0 0 0\"", &in, &e);
    tap_ok(in.origin.size == VIGIL_ORIGIN_METADATA &&
               in.origin.mean == VIGIL_ORIGIN_METADATA &&
               in.origin.std == VIGIL_ORIGIN_SCHEME &&
               in.origin.channel_order == VIGIL_ORIGIN_SCHEME &&
               in.origin.resize == VIGIL_ORIGIN_SCHEME,
           "size and mean are the file's, the rest the scheme's");
    read_metadata("\"channel_order\":\"rgb\",\"resize\":\"crop\",\"std\":\"1 1 1\"",
                  &in, &e);
    tap_ok(in.origin.size == VIGIL_ORIGIN_SCHEME &&
               in.origin.mean == VIGIL_ORIGIN_SCHEME &&
               in.origin.std == VIGIL_ORIGIN_METADATA &&
               in.origin.channel_order == VIGIL_ORIGIN_METADATA &&
               in.origin.resize == VIGIL_ORIGIN_METADATA,
           "order, deviation and resize are the file's, even where they agree");
}

/* ---- Metadata that is refused ---------------------------------------------------- */

static const struct {
    const char *key, *value, *message;
} refused[] = {
    { "input_height", "31",
      "'input_height' is '31', should be a whole number from 32" },
    { "input_height", "4097", "is '4097', should be a whole number from 32 to 4096" },
    { "input_width", "", "'input_width' is ''" },
    { "input_width", "224.0", "'input_width' is '224.0'" },
    { "input_width", "-224", "'input_width' is '-224'" },
    { "input_width", "99999999999999999999", "is '99999999999999999999'" },
    { "input_width", "0x40", "is '0x40'" },
    { "resize_shorter", "big", "'resize_shorter' is 'big'" },
    { "resize_shorter", "223", "asks for a resize to 223 before cropping to 224" },
    { "channel_order", "RGB", "'channel_order' is 'RGB', should be rgb or bgr" },
    { "channel_order", "", "'channel_order' is ''" },
    { "resize", "squash", "should be stretch or letterbox or crop or none" },
    { "mean", "0.5 0.5", "'mean' is '0.5 0.5', should be 3 decimal numbers" },
    { "mean", "0.5 0.5 0.5 0.5", "'mean' is '0.5 0.5 0.5 0.5'" },
    { "mean", "0.5 0.50.5", "'mean' is '0.5 0.50.5'" },
    { "mean", "0.50.5 0.5", "'mean' is '0.50.5 0.5'" },
    { "mean", "nan 0 0", "'mean' is 'nan 0 0'" },
    { "mean", "0,5 0,5 0,5", "'mean' is '0,5 0,5 0,5'" },
    { "mean", "[0 0 0", "'mean' is '[0 0 0'" },
    { "mean", "0 0 0]", "'mean' is '0 0 0]'" },
    { "mean", "0 - 0", "'mean' is '0 - 0'" },
    { "mean", ". . .", "'mean' is '. . .'" },
    { "mean", "", "'mean' is ''" },
    { "mean", "1000001 0 0", "'mean' is '1000001 0 0'" },
    { "std", "1 1 x", "'std' is '1 1 x'" },
    { "std", "1 0 1", "asks for a standard deviation of 0 for channel 1" },
    { "std", "1 1 -1", "asks for a standard deviation of -1 for channel 2" },
    { "std", "\\u001b[31mred\\n", "'std' is '?[31mred?'" },
};

static void check_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char metadata[128];
        VigilInput in;
        VigilError e;
        snprintf(metadata, sizeof metadata, "\"%s\":\"%s\"", refused[i].key,
                 refused[i].value);
        VigilStatus s = read_metadata(metadata, &in, &e);
        tap_ok(s == VIGIL_ERROR_FORMAT && e.status == s &&
                   !strncmp(e.message, "test: __metadata__ ", 19) &&
                   strstr(e.message, refused[i].message),
               "{%s}: '%s'", metadata, e.message);
    }
}

/* ---- The caller's options -------------------------------------------------------- */

static void check_sizes(void)
{
    static const struct {
        int height, width;
        int shorter; /* 0: refused */
    } rows[] = {
        { 0, 0, 256 },      { 224, 224, 256 },       { 112, 112, 128 },
        { 33, 47, 38 },     { 640, 480, 549 },       { 32, 4096, 37 },
        { 31, 224, 0 },     { 224, 31, 0 },          { 4097, 224, 0 },
        { 224, 0, 0 },      { 0, 224, 0 },           { -224, 224, 0 },
        { INT_MAX, 64, 0 }, { INT_MIN, INT_MIN, 0 }, { INT_MAX, INT_MAX, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilInputOptions o = { .height = rows[i].height, .width = rows[i].width };
        VigilInput in = scheme();
        VigilError e = { 0 };
        VigilStatus s = vigil_input_options(&o, &in, &e);
        char sides[64];
        snprintf(sides, sizeof sides, "%d x %d pixels", o.height, o.width);
        if (!rows[i].shorter)
            tap_ok(s == VIGIL_ERROR_ARGUMENT && strstr(e.message, sides) &&
                       strstr(e.message, "32 to 4096"),
                   "'%s'", e.message);
        else
            tap_ok(!s && in.resize_shorter == rows[i].shorter &&
                       in.origin.size ==
                           (o.height ? VIGIL_ORIGIN_OPTION : VIGIL_ORIGIN_SCHEME),
                   "%s: cut out of %d %s", sides, in.resize_shorter, e.message);
    }
}

static void check_options(void)
{
    VigilInputOptions o = { .has_channel_order = true,
                            .channel_order = VIGIL_BGR,
                            .has_mean = true,
                            .mean = { 1, 2, 3 },
                            .has_resize = true,
                            .resize = VIGIL_RESIZE_LETTERBOX };
    VigilInput in = scheme();
    VigilStatus s = vigil_input_options(&o, &in, NULL);
    tap_ok(!s && in.channel_order == VIGIL_BGR && in.mean[0] == 1 && in.mean[2] == 3 &&
               in.std[0] == 0.225f && in.std[2] == 0.229f &&
               in.resize == VIGIL_RESIZE_LETTERBOX &&
               in.origin.mean == VIGIL_ORIGIN_OPTION &&
               in.origin.std == VIGIL_ORIGIN_SCHEME &&
               in.origin.resize == VIGIL_ORIGIN_OPTION &&
               in.origin.channel_order == VIGIL_ORIGIN_OPTION,
           "options: the mean as given, the deviation turned round");
    s = vigil_input_options(&o, &in, NULL);
    tap_ok(!s && in.std[0] == 0.225f, "the same order again turns nothing round");
    s = vigil_input_options(NULL, &in, NULL);
    tap_ok(!s && in.mean[0] == 1, "no options change nothing");
}

static void check_bad_options(void)
{
    static const struct {
        float mean[3], std[3];
        const char *message;
    } rows[] = {
        { { 0, 0, 0 }, { 1, 0, 1 }, "a standard deviation of 0 for channel 1" },
        { { 0, 0, 0 }, { 1, 1, -2 }, "a standard deviation of -2 for channel 2" },
        { { 0, 0, 0 }, { NAN, 1, 1 }, "for channel 0; it must be finite and above 0" },
        { { 0, 0, 0 },
          { INFINITY, 1, 1 },
          "a standard deviation of inf for channel 0" },
        { { 0, NAN, 0 }, { 1, 1, 1 }, "for channel 1; it must be finite" },
        { { 0, 0, -INFINITY }, { 1, 1, 1 }, "a mean of -inf for channel 2" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilInputOptions o = { .has_mean = true, .has_std = true };
        VigilInput in = scheme();
        VigilError e = { 0 };
        memcpy(o.mean, rows[i].mean, sizeof o.mean);
        memcpy(o.std, rows[i].std, sizeof o.std);
        VigilStatus s = vigil_input_options(&o, &in, &e);
        tap_ok(s == VIGIL_ERROR_ARGUMENT && strstr(e.message, rows[i].message), "'%s'",
               e.message);
    }
    VigilInputOptions o = { .has_resize = true, .resize = (VigilResize)17 };
    VigilInput in = scheme();
    VigilError e = { 0 };
    VigilStatus s = vigil_input_options(&o, &in, &e);
    tap_ok(s == VIGIL_ERROR_ARGUMENT && strstr(e.message, "resize rule 17"), "'%s'",
           e.message);
    o = (VigilInputOptions) { .has_channel_order = true,
                              .channel_order = (VigilChannelOrder)-1 };
    in = scheme();
    s = vigil_input_options(&o, &in, &e);
    tap_ok(s == VIGIL_ERROR_ARGUMENT && strstr(e.message, "channel order -1"), "'%s'",
           e.message);
}

int main(void)
{
    check_default();
    check_taken();
    check_origins();
    check_refused();
    check_sizes();
    check_options();
    check_bad_options();
    return tap_done();
}
