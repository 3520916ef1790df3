/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures to tensors against the double-precision reference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "reference.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SEED UINT64_C(0x76696769)
#define GUARD 12345.0f
#define GUARDS 16

/* In units of the tensor, where one step of a byte is 0.017: what float arithmetic may
 * lose.  `far` for enlargements and shrinks by hundreds. */
#define TOLERANCE 1e-5
#define TOLERANCE_FAR 4e-5

static const char *const filter_name[] = { "bilinear", "bicubic", "point bilinear" };
static const char *const resize_name[] = { "stretch", "letterbox", "crop", "none" };

static const VigilInput imagenet = { .mean = { 0.485f, 0.456f, 0.406f },
                                     .std = { 0.229f, 0.224f, 0.225f } };

typedef struct Outcome {
    double error;  /* greatest difference; infinite where the run failed */
    bool in_place; /* placement as expected, nothing written outside the tensor */
} Outcome;

static bool same_place(const VigilPlacement *a, const VigilPlacement *b)
{
    return fabs(a->src_x - b->src_x) < 1e-9 && fabs(a->src_y - b->src_y) < 1e-9 &&
           fabs(a->src_width - b->src_width) < 1e-9 &&
           fabs(a->src_height - b->src_height) < 1e-9 && a->dst_x == b->dst_x &&
           a->dst_y == b->dst_y && a->dst_width == b->dst_width &&
           a->dst_height == b->dst_height;
}

static double greatest_difference(const float *a, const double *b, size_t n)
{
    double greatest = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(a[i] - b[i]);
        if (!(d <= greatest))
            greatest = isnan(d) ? INFINITY : d;
    }
    return greatest;
}

static Outcome compare(VigilPreprocess *p, const VigilImage *image,
                       const VigilRegion *region, const VigilInput *input)
{
    size_t n = (size_t)input->width * (size_t)input->height * 3;
    float *memory = malloc((n + 2 * GUARDS) * sizeof *memory),
          *tensor = memory + GUARDS;
    VigilError e = { 0 };
    VigilPlacement placed, expected = reference_place(image, region, input);
    Outcome outcome = { INFINITY, false };
    for (size_t i = 0; i < n + 2 * GUARDS; i++)
        memory[i] = GUARD;
    if (vigil_preprocess_run(p, image, region, input, tensor, &placed, &e)) {
        printf("# %s\n", e.message);
    } else {
        double *reference = reference_tensor(image, input, &expected);
        outcome.error = greatest_difference(tensor, reference, n);
        outcome.in_place = same_place(&placed, &expected);
        for (size_t i = 0; i < GUARDS; i++)
            outcome.in_place &= memory[i] == GUARD && tensor[n + i] == GUARD;
        free(reference);
    }
    free(memory);
    return outcome;
}

/* ---- Every layout, resize and filter -------------------------------------------- */

static const struct {
    int width, height, out_width, out_height, shorter;
} geometries[] = {
    { 37, 23, 16, 16, 18 },   { 64, 48, 24, 24, 24 },  { 5, 7, 32, 20, 23 },
    { 101, 67, 33, 17, 20 },  { 48, 200, 16, 40, 19 }, { 30, 30, 30, 30, 30 },
    { 129, 33, 129, 64, 70 },
};

static const struct {
    double kr, kb;
} matrices[] = { { 0.299, 0.114 }, { 0.2126, 0.0722 }, { 0.2627, 0.0593 } };

static const struct {
    float x, y;
} sites[] = { { 0, 0.5f }, { 0.5f, 0.5f }, { 0, 0 }, { 1, 1 } };

static const double aspects[] = { 1, 64.0 / 45, 10.0 / 11, 3 };

static const VigilRegion regions[] = {
    { 0, 0, 1, 1 },
    { 0.13f, 0.21f, 0.47f, 0.61f },
    { -0.2f, 0.4f, 0.9f, 3 },
    { 0.5f, 0, 0.5f, 0.5f },
};

/* Variation number v of everything that is no axis of the matrix. */
static Outcome run_variation(VigilPreprocess *p, const Layout *layout,
                             VigilResize resize, VigilFilter filter, unsigned v)
{
    size_t g = v % COUNT(geometries);
    bool none = resize == VIGIL_RESIZE_NONE;
    int width = geometries[g].width, height = geometries[g].height;
    Picture picture =
        picture_new(layout, width, height, (int)(v % 3) * 5, v % 2, SEED + v);
    VigilInput input = imagenet;
    input.width = none ? width : geometries[g].out_width;
    input.height = none ? height : geometries[g].out_height;
    input.resize = resize;
    input.resize_shorter = geometries[g].shorter;
    input.filter = filter;
    input.channel_order = v / 2 % 2 ? VIGIL_BGR : VIGIL_RGB;
    picture.image.kr = matrices[v % COUNT(matrices)].kr;
    picture.image.kb = matrices[v % COUNT(matrices)].kb;
    picture.image.full_range = v / 3 % 2;
    picture.image.site_x = sites[v / 2 % COUNT(sites)].x;
    picture.image.site_y = sites[v / 2 % COUNT(sites)].y;
    picture.image.pixel_aspect = aspects[v / 3 % COUNT(aspects)];
    const VigilRegion *region = none ? NULL : &regions[v / 5 % COUNT(regions)];
    Outcome outcome = compare(p, &picture.image, region, &input);
    picture_free(&picture);
    return outcome;
}

static void check_matrix(VigilPreprocess *p)
{
    const unsigned variations = 21;
    for (size_t l = 0; l < n_layouts; l++)
        for (unsigned r = 0; r < COUNT(resize_name); r++)
            for (unsigned f = 0; f < COUNT(filter_name); f++) {
                Outcome worst = { 0, true };
                for (unsigned v = 0; v < variations; v++) {
                    Outcome o = run_variation(p, &layouts[l], (VigilResize)r,
                                              (VigilFilter)f, v);
                    worst.error = fmax(worst.error, o.error);
                    worst.in_place &= o.in_place;
                }
                tap_ok(worst.error <= TOLERANCE && worst.in_place,
                       "%s, %s, %s: off by %.2g of %.2g%s", layouts[l].name,
                       resize_name[r], filter_name[f], worst.error, TOLERANCE,
                       worst.in_place ? "" : ", misplaced");
            }
}

/* ---- Extremes ------------------------------------------------------------------- */

static const struct {
    const char *layout;
    int width, height, out_width, out_height;
    VigilResize resize;
} extremes[] = {
    { "gray", 1, 1, 1, 1, VIGIL_RESIZE_STRETCH },
    { "gray", 1, 1, 1, 1, VIGIL_RESIZE_NONE },
    { "i420", 1, 1, 64, 48, VIGIL_RESIZE_STRETCH },
    { "nv12", 1, 1, 33, 32, VIGIL_RESIZE_CROP },
    { "yuy2", 1, 3, 32, 32, VIGIL_RESIZE_LETTERBOX },
    { "y41b", 2, 2, 32, 32, VIGIL_RESIZE_CROP },
    { "nv12", 32768, 2, 32, 4, VIGIL_RESIZE_STRETCH },
    { "rgb24", 32768, 3, 32, 32, VIGIL_RESIZE_CROP },
    { "y41b", 32768, 1, 32, 32, VIGIL_RESIZE_LETTERBOX },
    { "bgrx", 1, 32768, 32, 32, VIGIL_RESIZE_STRETCH },
    { "uyvy", 3, 32768, 32, 32, VIGIL_RESIZE_LETTERBOX },
    { "i420", 3, 3, 4096, 5, VIGIL_RESIZE_STRETCH },
    { "y444", 2, 2, 3, 4096, VIGIL_RESIZE_STRETCH },
    { "v308", 7, 5, 1, 1, VIGIL_RESIZE_CROP },
};

static const Layout *layout_named(const char *name)
{
    for (size_t i = 0; i < n_layouts; i++)
        if (!strcmp(layouts[i].name, name))
            return &layouts[i];
    abort();
}

static void check_extremes(VigilPreprocess *p)
{
    for (size_t i = 0; i < COUNT(extremes); i++)
        for (unsigned f = 0; f < COUNT(filter_name); f++) {
            Picture picture =
                picture_new(layout_named(extremes[i].layout), extremes[i].width,
                            extremes[i].height, 3, i % 2, SEED + i);
            VigilInput input = imagenet;
            input.width = extremes[i].out_width;
            input.height = extremes[i].out_height;
            input.resize = extremes[i].resize;
            input.resize_shorter =
                input.width < input.height ? input.width : input.height;
            input.filter = (VigilFilter)f;
            Outcome o = compare(p, &picture.image, NULL, &input);
            tap_ok(o.error <= TOLERANCE_FAR && o.in_place,
                   "%s %dx%d to %dx%d, %s, %s: off by %.2g of %.2g%s",
                   extremes[i].layout, extremes[i].width, extremes[i].height,
                   input.width, input.height, resize_name[input.resize], filter_name[f],
                   o.error, TOLERANCE_FAR, o.in_place ? "" : ", misplaced");
            picture_free(&picture);
        }
}

/* ---- Single rules --------------------------------------------------------------- */

static void check_none_region(VigilPreprocess *p)
{
    Picture picture = picture_new(layout_named("nv12"), 60, 40, 0, false, SEED);
    VigilRegion region = { 7 / 60.f, 9 / 40.f, 31 / 60.f, 20 / 40.f };
    VigilInput input = imagenet;
    input.width = 31;
    input.height = 20;
    input.resize = VIGIL_RESIZE_NONE;
    Outcome o = compare(p, &picture.image, &region, &input);
    tap_ok(o.error <= TOLERANCE && o.in_place,
           "none takes a region of the tensor's size: off by %.2g", o.error);
    picture_free(&picture);
}

/* The bytes of an RGB picture must come out as they went in. */
static void check_none_exact(VigilPreprocess *p)
{
    Picture picture = picture_new(layout_named("rgb24"), 33, 21, 3, true, SEED);
    const VigilComponent *c = picture.image.component;
    VigilInput input = { .width = 33,
                         .height = 21,
                         .resize = VIGIL_RESIZE_NONE,
                         .filter = VIGIL_FILTER_BICUBIC,
                         .channel_order = VIGIL_BGR,
                         .std = { 1, 1, 1 } };
    float tensor[21 * 33 * 3];
    int wrong = 0;
    if (vigil_preprocess_run(p, &picture.image, NULL, &input, tensor, NULL, NULL))
        wrong = -1;
    for (int y = 0; y < 21 && wrong >= 0; y++)
        for (int x = 0; x < 33; x++)
            for (int r = 0; r < 3; r++)
                wrong += lrintf(tensor[(y * 33 + x) * 3 + r] * 255) !=
                         c[2 - r].data[y * c[2 - r].row_stride + x * 3];
    tap_ok(wrong == 0, "none keeps every byte, in the order asked for: %d differ",
           wrong);
    picture_free(&picture);
}

static void check_letterbox_border(VigilPreprocess *p)
{
    Picture picture = picture_new(layout_named("gray"), 40, 20, 0, false, SEED);
    VigilInput input = imagenet;
    input.width = 32;
    input.height = 33;
    input.resize = VIGIL_RESIZE_LETTERBOX;
    float tensor[33 * 32 * 3];
    VigilPlacement at = { 0 };
    memset(tensor, 0xff, sizeof tensor);
    vigil_preprocess_run(p, &picture.image, NULL, &input, tensor, &at, NULL);
    int wrong = 0;
    for (int y = 0; y < 33; y++)
        for (int i = 0; i < 32 * 3 && (y < 8 || y >= 24); i++)
            wrong += tensor[y * 32 * 3 + i] != 0;
    tap_ok(at.dst_y == 8 && at.dst_height == 16 && at.dst_width == 32 && !wrong,
           "letterbox centres, the odd row below, and fills with 0: rows %d..%d, %d "
           "values differ",
           at.dst_y, at.dst_y + at.dst_height - 1, wrong);
    picture_free(&picture);
}

/* One table after another in one object must give what a fresh object gives. */
static void check_reuse(VigilPreprocess *used)
{
    VigilPreprocess *fresh = NULL;
    Picture picture = picture_new(layout_named("i420"), 61, 43, 2, false, SEED);
    VigilInput input = imagenet;
    float a[24 * 20 * 3], b[24 * 20 * 3];
    input.width = 24;
    input.height = 20;
    vigil_preprocess_open(&fresh, NULL);
    VigilStatus s =
        vigil_preprocess_run(used, &picture.image, NULL, &input, a, NULL, NULL);
    s |= vigil_preprocess_run(fresh, &picture.image, NULL, &input, b, NULL, NULL);
    tap_ok(s == VIGIL_OK && !memcmp(a, b, sizeof a), "an object can be used again");
    vigil_preprocess_close(&fresh);
    tap_ok(!fresh, "close clears the pointer");
    picture_free(&picture);
}

int main(void)
{
    VigilPreprocess *p = NULL;
    printf("# level %s, seed 0x%llx\n", vigil_isa(), (unsigned long long)SEED);
    if (!tap_ok(vigil_preprocess_open(&p, NULL) == VIGIL_OK, "open"))
        return tap_done();
    check_matrix(p);
    check_extremes(p);
    check_none_region(p);
    check_none_exact(p);
    check_letterbox_border(p);
    check_reuse(p);
    vigil_preprocess_close(&p);
    return tap_done();
}
