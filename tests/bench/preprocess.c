/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long it takes to turn a picture into an input tensor, on one thread: the least of
 * many runs, and per million pixels of the picture.
 *
 *     bench-preprocess [SECONDS]        per line, 0.2 unless told
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vigil.h"

#define SIDE 224

typedef struct Format {
    const char *name;
    VigilColor color;
    struct {
        int plane, offset, pixel_stride, shift_x, shift_y, bits, low_bit;
    } component[3];
} Format;

static const Format formats[] = {
    { "NV12",
      VIGIL_COLOR_YUV,
      { { 0, 0, 1, 0, 0 }, { 1, 0, 2, 1, 1 }, { 1, 1, 2, 1, 1 } } },
    { "I420",
      VIGIL_COLOR_YUV,
      { { 0, 0, 1, 0, 0 }, { 1, 0, 1, 1, 1 }, { 2, 0, 1, 1, 1 } } },
    { "YUY2",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0 }, { 0, 1, 4, 1, 0 }, { 0, 3, 4, 1, 0 } } },
    { "RGB",
      VIGIL_COLOR_RGB,
      { { 0, 0, 3, 0, 0 }, { 0, 1, 3, 0, 0 }, { 0, 2, 3, 0, 0 } } },
    { "BGRx",
      VIGIL_COLOR_RGB,
      { { 0, 2, 4, 0, 0 }, { 0, 1, 4, 0, 0 }, { 0, 0, 4, 0, 0 } } },
    { "P010",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0, 10, 6 },
        { 1, 0, 4, 1, 1, 10, 6 },
        { 1, 2, 4, 1, 1, 10, 6 } } },
    { "I42010",
      VIGIL_COLOR_YUV,
      { { 0, 0, 2, 0, 0, 10, 0 },
        { 1, 0, 2, 1, 1, 10, 0 },
        { 2, 0, 2, 1, 1, 10, 0 } } },
};

static const struct {
    int width, height;
} sizes[] = { { 640, 480 }, { 1280, 720 }, { 1920, 1080 } };

static const struct {
    VigilFilter filter;
    const char *name;
} filters[] = {
    { VIGIL_FILTER_BILINEAR, "bilinear" },
    { VIGIL_FILTER_BICUBIC, "bicubic" },
    { VIGIL_FILTER_POINT_BILINEAR, "point bilinear" },
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Every plane gets 4 bytes a pixel, which is enough for each of the formats. */
static VigilImage image_of(const Format *f, int width, int height, uint8_t *memory)
{
    VigilImage image = {
        .width = width,
        .height = height,
        .color = f->color,
        .kr = 0.299,
        .kb = 0.114,
        .site_x = 0,
        .site_y = 0.5f,
        .pixel_aspect = 1,
    };
    size_t plane = (size_t)width * (size_t)height * 4;
    for (int i = 0; i < 3; i++) {
        int step = f->component[i].pixel_stride << f->component[i].shift_x;
        image.component[i] = (VigilComponent) {
            .data =
                memory + (size_t)f->component[i].plane * plane + f->component[i].offset,
            .row_stride = (ptrdiff_t)width * step >> (2 * f->component[i].shift_x),
            .pixel_stride = f->component[i].pixel_stride,
            .shift_x = f->component[i].shift_x,
            .shift_y = f->component[i].shift_y,
            .bits = f->component[i].bits,
            .low_bit = f->component[i].low_bit,
        };
    }
    return image;
}

static double least_seconds(VigilPreprocess *p, const VigilImage *image,
                            const VigilInput *input, float *tensor, double budget)
{
    VigilError e;
    double least = 1e9, end = now() + budget;
    do {
        double start = now();
        if (vigil_preprocess_run(p, image, NULL, input, tensor, NULL, &e)) {
            fprintf(stderr, "%s\n", e.message);
            exit(1);
        }
        double took = now() - start;
        least = took < least ? took : least;
    } while (now() < end);
    return least;
}

static void bench_format(VigilPreprocess *p, const Format *f, uint8_t *memory,
                         float *tensor, double budget)
{
    VigilInput input = { .height = SIDE,
                         .width = SIDE,
                         .resize = VIGIL_RESIZE_STRETCH,
                         .mean = { 0.485f, 0.456f, 0.406f },
                         .std = { 0.229f, 0.224f, 0.225f } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
            VigilImage image = image_of(f, sizes[s].width, sizes[s].height, memory);
            input.filter = filters[i].filter;
            double ms = least_seconds(p, &image, &input, tensor, budget) * 1e3;
            double megapixels = sizes[s].width * sizes[s].height / 1e6;
            printf("%-6s %4dx%-4d %-15s %8.3f %8.3f\n", f->name, sizes[s].width,
                   sizes[s].height, filters[i].name, ms, ms / megapixels);
        }
}

int main(int argc, char **argv)
{
    double budget = argc > 1 ? atof(argv[1]) : 0.2;
    size_t bytes = (size_t)1920 * 1080 * 4 * 3;
    uint8_t *memory = malloc(bytes);
    float *tensor = malloc(sizeof(float) * SIDE * SIDE * 3);
    VigilPreprocess *p = NULL;
    if (!memory || !tensor || vigil_preprocess_open(&p, NULL)) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    for (size_t i = 0; i < bytes; i++)
        memory[i] = (uint8_t)(i * 2654435761u >> 13);
    printf("to %dx%d, one thread, %s\n", SIDE, SIDE, vigil_isa());
    printf("%-6s %-9s %-15s %8s %8s\n", "", "", "", "ms", "ms/Mpixel");
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        bench_format(p, &formats[f], memory, tensor, budget);
    vigil_preprocess_close(&p);
    free(tensor);
    free(memory);
    return 0;
}
