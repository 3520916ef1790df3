/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model infer: the class of each pixel of the picture. */
#include "vigil-model-infer.h"

#include <glib.h>
#include <stdlib.h>

static size_t picture_size(const Inference *f)
{
    return (size_t)f->picture.image.width * (size_t)f->picture.image.height;
}

static void count_pixels(Inference *f)
{
    for (size_t i = 0; i < picture_size(f); i++) {
        bool shown = f->mask[i] != VIGIL_NO_CLASS;
        f->pixels[shown ? f->mask[i] : f->info->classes]++;
    }
}

/* The colour map of PASCAL VOC: three bits of the index at a time, from the lowest,
 * give the next lower bit of red, green and blue. */
static void class_color(unsigned index, unsigned char rgb[3])
{
    rgb[0] = rgb[1] = rgb[2] = 0;
    for (int bit = 7; index && bit >= 0; bit--, index >>= 3)
        for (int k = 0; k < 3; k++)
            rgb[k] |= (unsigned char)((index >> k & 1) << bit);
}

static int save_mask(const Inference *f)
{
    unsigned char *pixels = g_try_malloc(picture_size(f) * 3);
    if (!pixels)
        return fail("out of memory");
    for (size_t i = 0; i < picture_size(f); i++)
        class_color(f->mask[i] == VIGIL_NO_CLASS ? 255 : f->mask[i] % 255u,
                    pixels + 3 * i);
    int status = picture_save(f->options->mask, pixels, f->picture.image.width,
                              f->picture.image.height);
    g_free(pixels);
    return status;
}

static int find(Inference *f)
{
    VigilSegmenter *segmenter = NULL;
    VigilError error;
    if (vigil_segmenter_open(f->session, &segmenter, &error) != VIGIL_OK)
        return fail("%s", error.message);
    f->mask = calloc(picture_size(f), sizeof *f->mask);
    f->pixels = calloc((size_t)f->info->classes + 1, sizeof *f->pixels);
    if (f->mask && f->pixels) {
        vigil_segmenter_run(segmenter, &f->placed, f->picture.image.height,
                            f->picture.image.width, f->mask);
        count_pixels(f);
    }
    vigil_segmenter_close(&segmenter);
    if (!f->mask || !f->pixels)
        return fail("out of memory");
    return f->options->mask ? save_mask(f) : STATUS_OK;
}

/* Of all pixels of the picture. */
static double share(const Inference *f, int c)
{
    return (double)f->pixels[c] / (double)picture_size(f);
}

/* The classes that there are by their pixels, most first, of equal ones the lower
 * index: the one after `last` (-1: the first); -1 past the last. */
static int next_class(const Inference *f, int last)
{
    int best = -1;
    for (int c = 0; c < f->info->classes; c++) {
        bool later = last < 0 || f->pixels[c] < f->pixels[last] ||
                     (f->pixels[c] == f->pixels[last] && c > last);
        if (f->pixels[c] && later && (best < 0 || f->pixels[c] > f->pixels[best]))
            best = c;
    }
    return best;
}

static json_t *classes_json(const Inference *f)
{
    json_t *classes = json_array();
    for (int c = next_class(f, -1); c >= 0 && classes; c = next_class(f, c)) {
        const char *label = f->info->labels ? f->info->labels[c] : NULL;
        json_add(&classes,
                 json_pack("{s:i, s:o, s:I, s:o}", "index", c, "label",
                           json_text(label), "pixels", (json_int_t)f->pixels[c],
                           "share", json_number(share(f, c))));
    }
    return classes;
}

static int print_classes(const Inference *f)
{
    printf("%6s  %5s  %s\n", "SHARE", "CLASS", "LABEL");
    for (int c = next_class(f, -1); c >= 0; c = next_class(f, c)) {
        char *label = f->info->labels ? clean_text(f->info->labels[c]) : NULL;
        printf("%6.4f  %5d  %s\n", share(f, c), c, label ? label : "-");
        g_free(label);
    }
    return STATUS_OK;
}

const Task task_segmentation = {
    .options = "M",
    .find = find,
    .json = classes_json,
    .key = "classes",
    .print = print_classes,
};
