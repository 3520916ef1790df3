/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model for the tests of vigildetect: ssdlite_emo_1M with formula weights, five
 * labelled classes and an input of 96 x 128, so that a run takes a few milliseconds.
 *
 *     make_detector OUTPUT
 */
#include "../core/write_model.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const WriteModel model = {
        .variant = "ssdlite_emo_1M",
        .classes = 5,
        .dtype = VIGIL_F32,
        .metadata =
            "{\"labels\":\"[\\\"zero\\\",\\\"one\\\",\\\"two\\\",\\\"three\\\","
            "\\\"traffic light\\\"]\",\"input_height\":\"96\",\"input_width\":\"128\"}",
    };
    size_t size = 0;
    unsigned char *bytes = write_model(&model, &size);
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;
    const bool ok = file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0;

    if (!ok)
        perror(argc == 2 ? argv[1] : "make_detector OUTPUT");
    free(bytes);
    return !ok;
}
