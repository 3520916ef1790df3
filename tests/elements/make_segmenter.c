/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model for the tests of vigilsegment: deeplabv3_mobilevit_xxs with weights that let
 * the colours through, so that the class of every pixel is known from the picture.  The
 * classes are "blue", "green", "red", whichever is brightest, and "dark" where none is
 * brighter than about a quarter; the input is 96 x 128, the map of logits 6 x 8.
 *
 *     make_segmenter OUTPUT [CLASSES]
 *
 * With CLASSES there are no labels, "dark" is the last one and those between never win.
 *
 * Every convolution is the identity on as many channels as it can, every linear layer
 * gives nothing, so that only the way past attention and pyramid is open; SiLU lets
 * large values through as they are.  Convolutions of stride 2 average 2 x 2 pixels: a
 * pixel of the map is the mean of its 16 x 16 of the input.
 */
#include "../core/write_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRIGHT 20.0F /* what full brightness is inside */
#define DARK 5.0F    /* what "dark" is compared with */

static bool ends(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n >= m && !strcmp(name + n - m, end);
}

static bool halves(const char *name)
{
    static const char *const names[] = {
        "encoder.conv_1.block.conv.weight",
        "encoder.layer_2.0.block.conv_3x3.block.conv.weight",
        "encoder.layer_3.0.block.conv_3x3.block.conv.weight",
        "encoder.layer_4.0.block.conv_3x3.block.conv.weight",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* [out][in][kernel][kernel]; in is 1 for a depthwise one. */
static void fill_convolution(const char *name, const uint64_t *shape, float *value)
{
    const uint64_t size = shape[2], middle = size / 2, area = size * size;
    const bool first = !strcmp(name, "encoder.conv_1.block.conv.weight");
    const float gain = first ? BRIGHT : 1;

    for (uint64_t o = 0; o < shape[0]; o++) {
        if (shape[1] > 1 && o >= shape[1])
            break;
        float *kernel = value + (o * shape[1] + (shape[1] > 1 ? o : 0)) * area;
        for (uint64_t y = middle; y < middle + 2; y++)
            for (uint64_t x = middle; x < middle + 2; x++)
                if (halves(name))
                    kernel[y * size + x] = gain / 4;
        if (!halves(name))
            kernel[middle * size + middle] = gain;
    }
}

static void fill(const char *name, int rank, const uint64_t *shape, float *value)
{
    uint64_t n = 1;

    for (int i = 0; i < rank; i++)
        n *= shape[i];
    memset(value, 0, n * sizeof *value);
    if (rank == 4)
        fill_convolution(name, shape, value);
    else if (ends(name, "classifier.block.conv.bias"))
        value[n - 1] = DARK;
    else if (rank == 1 && (ends(name, ".weight") || ends(name, ".running_var")))
        for (uint64_t i = 0; i < n; i++)
            value[i] = 1;
}

#define SIZE "\"input_height\":\"96\",\"input_width\":\"128\"}"

int main(int argc, char **argv)
{
    const WriteModel model = {
        .variant = "deeplabv3_mobilevit_xxs",
        .classes = argc == 3 ? atoi(argv[2]) : 4,
        .dtype = VIGIL_F32,
        .fill = fill,
        .metadata = argc == 3 ? "{" SIZE
                              : "{\"labels\":\"[\\\"blue\\\",\\\"green\\\",\\\"red\\\","
                                "\\\"dark\\\"]\"," SIZE,
    };
    size_t size = 0;
    unsigned char *bytes = write_model(&model, &size);
    FILE *file = argc >= 2 ? fopen(argv[1], "wb") : NULL;
    const bool ok = file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0;

    if (!ok)
        perror(argc >= 2 ? argv[1] : "make_segmenter OUTPUT [CLASSES]");
    free(bytes);
    return !ok;
}
