/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vigil_preprocess_run() refuses, what it allocates, and what it does when there
 * is no memory.  The program is linked with --wrap for the allocating functions. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vigil.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define WIDTH 80
#define HEIGHT 60
#define SIDE 32

/* ---- Allocations ---------------------------------------------------------------- */

static int allocations, fail_at; /* fail_at: the number of the one that fails, or 0 */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
int __real_posix_memalign(void **p, size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **p, size_t alignment, size_t bytes);

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t bytes)
{
    return fails() ? NULL : __real_realloc(p, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t bytes)
{
    return fails() ? ENOMEM : __real_posix_memalign(p, alignment, bytes);
}

/* ---- One call, to be changed in single places ----------------------------------- */

typedef struct Call {
    VigilImage image;
    VigilInput input;
    VigilRegion region;
} Call;

static uint8_t pixels[2][WIDTH * HEIGHT * 3 / 2];
static float tensor[SIDE * SIDE * 3];

/* An NV12 picture into 32x32. */
static Call good_call(void)
{
    uint8_t *chroma = pixels[0] + WIDTH * HEIGHT;
    return (Call) {
        .image = { .width = WIDTH,
                   .height = HEIGHT,
                   .color = VIGIL_COLOR_YUV,
                   .component = { { pixels[0], WIDTH, 1, 0, 0 },
                                  { chroma, WIDTH, 2, 1, 1 },
                                  { chroma + 1, WIDTH, 2, 1, 1 } },
                   .kr = 0.299,
                   .kb = 0.114,
                   .site_x = 0,
                   .site_y = 0.5f,
                   .pixel_aspect = 1 },
        .input = { .height = SIDE,
                   .width = SIDE,
                   .std = { 1, 1, 1 },
                   .resize_shorter = 36 },
        .region = { 0.25f, 0.25f, 0.5f, 0.5f },
    };
}

static VigilStatus run(VigilPreprocess *p, const Call *c, VigilError *e)
{
    return vigil_preprocess_run(p, &c->image, &c->region, &c->input, tensor, NULL, e);
}

/* ---- Refusals ------------------------------------------------------------------- */

typedef struct Refusal {
    const char *what;
    void (*spoil)(Call *);
    const char *named[2]; /* what the message must name */
} Refusal;

#define SPOIL(name, statement)                                                         \
    static void name(Call *c)                                                          \
    {                                                                                  \
        statement;                                                                     \
    }

SPOIL(no_width, c->image.width = 0)
SPOIL(too_wide, c->image.width = 32769)
SPOIL(too_high, c->image.height = 40000)
SPOIL(negative_height, c->image.height = -HEIGHT)
SPOIL(bad_color, c->image.color = (VigilColor)7)
SPOIL(no_data, c->image.component[2].data = NULL)
SPOIL(no_stride, c->image.component[0].pixel_stride = 0)
SPOIL(wide_stride, c->image.component[1].pixel_stride = 5)
SPOIL(many_bits, c->image.component[1].bits = 17)
SPOIL(high_bits, (c->image.component[1].bits = 10, c->image.component[1].low_bit = 7))
SPOIL(byte_bits, c->image.component[2].low_bit = 1)
SPOIL(half_word,
      (c->image.component[0].bits = 16, c->image.component[0].pixel_stride = 3))
SPOIL(luma_shift, c->image.component[0].shift_x = 1)
SPOIL(chroma_shift, c->image.component[1].shift_y = 2)
SPOIL(unequal_shifts, c->image.component[2].shift_x = 2)
SPOIL(nan_aspect, c->image.pixel_aspect = NAN)
SPOIL(zero_aspect, c->image.pixel_aspect = 0)
SPOIL(bad_site, c->image.site_x = -1)
SPOIL(no_green, (c->image.kr = 0.75, c->image.kb = 0.25))
SPOIL(nan_kr, c->image.kr = NAN)
SPOIL(nan_region, c->region.x = NAN)
SPOIL(infinite_region, c->region.width = INFINITY)
SPOIL(flat_region, c->region.height = 0)
SPOIL(negative_region, c->region.width = -0.25f)
SPOIL(outside_region, c->region.x = 1.5f)
SPOIL(no_input, c->input.height = 0)
SPOIL(wide_input, c->input.width = 32769)
SPOIL(bad_resize, c->input.resize = (VigilResize)9)
SPOIL(bad_filter, c->input.filter = (VigilFilter)-1)
SPOIL(bad_order, c->input.channel_order = (VigilChannelOrder)2)
SPOIL(zero_std, c->input.std[1] = 0)
SPOIL(negative_std, c->input.std[0] = -0.5f)
SPOIL(nan_std, c->input.std[2] = NAN)
SPOIL(tiny_std, c->input.std[2] = 1e-44f)
SPOIL(nan_mean, c->input.mean[2] = NAN)
SPOIL(none_of_other_size, c->input.resize = VIGIL_RESIZE_NONE)
SPOIL(shorter_than_input,
      (c->input.resize = VIGIL_RESIZE_CROP, c->input.resize_shorter = 31))
SPOIL(long_shorter,
      (c->input.resize = VIGIL_RESIZE_CROP, c->input.resize_shorter = INT32_MAX))

static const Refusal refusals[] = {
    { "width 0", no_width, { "0x60", "32768" } },
    { "width 32769", too_wide, { "32769x60", "32768" } },
    { "height 40000", too_high, { "80x40000", "32768" } },
    { "negative height", negative_height, { "80x-60", "32768" } },
    { "unknown colour model", bad_color, { "colour model", "7" } },
    { "component without data", no_data, { "component 2", "no data" } },
    { "pixel stride 0", no_stride, { "component 0", "pixel stride 0" } },
    { "pixel stride 5", wide_stride, { "component 1", "pixel stride 5" } },
    { "17 bits a sample", many_bits, { "component 1", "17 bits" } },
    { "10 bits from bit 7 on", high_bits, { "10 bits", "bit 7" } },
    { "a byte from bit 1 on", byte_bits, { "component 2", "bit 1" } },
    { "words 3 bytes apart", half_word, { "pixel stride 3", "2, 4, 6 or 8" } },
    { "subsampled luma", luma_shift, { "component 0", "1, 0" } },
    { "chroma subsampled 4 times down", chroma_shift, { "component 1", "1, 2" } },
    { "chroma planes of two sizes", unequal_shifts, { "1, 1", "2, 1" } },
    { "pixel aspect not a number", nan_aspect, { "pixel aspect nan", "1000" } },
    { "pixel aspect 0", zero_aspect, { "pixel aspect 0", "0.001" } },
    { "chroma site -1", bad_site, { "chroma site -1", "0.5" } },
    { "luma weights without green", no_green, { "kr 0.75", "kb 0.25" } },
    { "luma weight not a number", nan_kr, { "kr nan", "kb 0.114" } },
    { "region not a number", nan_region, { "x nan", "not finite" } },
    { "infinite region", infinite_region, { "width inf", "not finite" } },
    { "flat region", flat_region, { "height 0", "no area" } },
    { "region of negative width", negative_region, { "width -0.25", "no area" } },
    { "region outside", outside_region, { "x 1.5", "no area" } },
    { "tensor without height", no_input, { "32x0", "32768" } },
    { "tensor of width 32769", wide_input, { "32769x32", "32768" } },
    { "unknown resize", bad_resize, { "resize rule", "9" } },
    { "unknown filter", bad_filter, { "filter", "-1" } },
    { "unknown channel order", bad_order, { "channel order", "2" } },
    { "std 0", zero_std, { "std[1] is 0", "above 0" } },
    { "negative std", negative_std, { "std[0] is -0.5", "above 0" } },
    { "std not a number", nan_std, { "std[2] is nan", "above 0" } },
    { "std too small for float", tiny_std, { "std[2]", "too small" } },
    { "mean not a number", nan_mean, { "mean[2] is nan", "finite" } },
    { "none with another size", none_of_other_size, { "40x30", "32x32" } },
    { "shorter side below the input", shorter_than_input, { "31", "32x32" } },
    { "shorter side too long", long_shorter, { "2147483647", "65536" } },
};

static void check_refusals(VigilPreprocess *p)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const Refusal *r = &refusals[i];
        VigilError e = { VIGIL_OK, "" };
        Call call = good_call();
        r->spoil(&call);
        tensor[0] = 5;
        VigilStatus status = run(p, &call, &e);
        tap_ok(status == VIGIL_ERROR_ARGUMENT && e.status == status && tensor[0] == 5 &&
                   strstr(e.message, r->named[0]) && strstr(e.message, r->named[1]),
               "%s: status %d, \"%s\"", r->what, status, e.message);
        call = good_call();
        r->spoil(&call);
        if (vigil_preprocess_run(p, &call.image, &call.region, &call.input, tensor,
                                 NULL, NULL) != status)
            tap_ok(false, "%s: another status without an error to fill", r->what);
    }
    Call call = good_call();
    tap_ok(run(p, &call, NULL) == VIGIL_OK, "the same call unspoilt is accepted");
}

/* ---- Memory --------------------------------------------------------------------- */

SPOIL(other_pixels, (c->image.component[0].data = pixels[1],
                     c->image.component[1].data = pixels[1] + WIDTH * HEIGHT,
                     c->image.component[2].data = pixels[1] + WIDTH * HEIGHT + 1))
SPOIL(other_matrix, (c->image.kr = 0.2126, c->image.kb = 0.0722))
SPOIL(other_range, c->image.full_range = true)
SPOIL(other_mean, c->input.mean[1] = 0.5f)
SPOIL(other_order, c->input.channel_order = VIGIL_BGR)
SPOIL(other_row_stride, c->image.component[0].row_stride = -WIDTH;
      c->image.component[0].data += WIDTH * (HEIGHT - 1))

static const struct {
    const char *what;
    void (*change)(Call *);
} same_geometry[] = {
    { "other pixels", other_pixels }, { "another matrix", other_matrix },
    { "another range", other_range }, { "another mean", other_mean },
    { "another order", other_order }, { "another row stride", other_row_stride },
};

static void check_allocations(VigilPreprocess *p)
{
    Call call = good_call();
    run(p, &call, NULL);
    int before = allocations;
    VigilStatus status = run(p, &call, NULL);
    tap_ok(!status && allocations == before, "the same geometry: %d allocations",
           allocations - before);
    for (size_t i = 0; i < COUNT(same_geometry); i++) {
        call = good_call();
        same_geometry[i].change(&call);
        before = allocations;
        status = run(p, &call, NULL);
        tap_ok(!status && allocations == before, "%s: %d allocations",
               same_geometry[i].what, allocations - before);
    }
    call.region.x = 0.3f;
    before = allocations;
    status = run(p, &call, NULL);
    tap_ok(!status && allocations > before, "another region: %d allocations, counted",
           allocations - before);
}

static void check_no_memory(void)
{
    VigilPreprocess *p = NULL;
    VigilError e = { VIGIL_OK, "" };
    Call call = good_call();
    fail_at = allocations + 1;
    VigilStatus status = vigil_preprocess_open(&p, &e);
    tap_ok(status == VIGIL_ERROR_NO_MEMORY && !p && strstr(e.message, "out of memory"),
           "open without memory: \"%s\"", e.message);
    vigil_preprocess_open(&p, NULL);
    fail_at = allocations + 1;
    status = run(p, &call, &e);
    fail_at = 0;
    tap_ok(status == VIGIL_ERROR_NO_MEMORY && strstr(e.message, "filter tables"),
           "run without memory: \"%s\"", e.message);
    tap_ok(run(p, &call, &e) == VIGIL_OK, "and with memory again");
    float expected = tensor[SIDE * 3];
    call.region.y = 0.3f;
    fail_at = allocations + 1;
    status = run(p, &call, &e);
    fail_at = 0;
    call.region.y = 0.25f;
    tap_ok(status == VIGIL_ERROR_NO_MEMORY && run(p, &call, &e) == VIGIL_OK &&
               tensor[SIDE * 3] == expected,
           "no memory for new tables: the old geometry still works");
    vigil_preprocess_close(&p);
}

int main(void)
{
    VigilPreprocess *p = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i / sizeof *pixels][i % sizeof *pixels] =
            (uint8_t)(i * 2654435761u >> 9);
    vigil_preprocess_close(NULL);
    vigil_preprocess_close(&p);
    tap_ok(!p, "closing nothing does nothing");
    if (!tap_ok(vigil_preprocess_open(&p, NULL) == VIGIL_OK, "open"))
        return tap_done();
    check_refusals(p);
    check_allocations(p);
    check_no_memory();
    vigil_preprocess_close(&p);
    return tap_done();
}
