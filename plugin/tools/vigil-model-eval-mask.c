/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vigil-model eval --masks: a PNG picture whose samples are classes.
 *
 * gdk-pixbuf knows no palettes: it hands over colours.  Those of an 8-bit grey picture
 * are the samples; for a palette the colours are looked up again.
 */
#include "vigil-model-eval.h"

#include <stdlib.h>
#include <string.h>

enum { GREY = 0, PALETTE = 3, MAX_COLORS = 256 };

typedef struct Palette {
    int kind, depth;
    GHashTable *indices; /* from 0xrrggbb to index; PALETTE only */
} Palette;

static unsigned read_be32(const unsigned char *p)
{
    return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static void *color_key(const unsigned char *rgb)
{
    return GUINT_TO_POINTER((unsigned)rgb[0] << 16 | (unsigned)rgb[1] << 8 | rgb[2]);
}

static int read_colors(const char *path, const unsigned char *colors, size_t bytes,
                       Palette *palette)
{
    for (size_t i = 0; i < bytes / 3 && i < MAX_COLORS; i++)
        if (!g_hash_table_insert(palette->indices, color_key(colors + 3 * i),
                                 GINT_TO_POINTER((int)i)))
            return fail("%s: colour %zu of the palette occurs twice: its pixels could "
                        "be of either class",
                        path, i);
    return STATUS_OK;
}

/* Signature, then chunks: 4 bytes length, 4 bytes type, data, 4 bytes CRC.  The first
 * is IHDR, with depth and kind behind width and height. */
static int read_chunks(const char *path, const unsigned char *data, size_t bytes,
                       Palette *palette)
{
    if (bytes < 33 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) ||
        memcmp(data + 12, "IHDR", 4))
        return fail("%s: not a PNG picture", path);
    palette->depth = data[24];
    palette->kind = data[25];
    if (palette->kind != PALETTE && !(palette->kind == GREY && palette->depth == 8))
        return fail("%s: a mask must be 8-bit grey or have a palette; this is of %d "
                    "bits and PNG colour type %d",
                    path, palette->depth, palette->kind);
    for (size_t at = 8; at + 8 <= bytes;) {
        size_t length = read_be32(data + at);
        if (length > bytes - at - 8)
            break;
        if (!memcmp(data + at + 4, "PLTE", 4) && palette->kind == PALETTE)
            return read_colors(path, data + at + 8, length, palette);
        at += 8 + length;
        at += bytes - at < 4 ? bytes - at : 4;
    }
    return palette->kind == GREY ? STATUS_OK : fail("%s: has no palette", path);
}

/* The colours of the pixels become classes, in place of the first bytes. */
static int find_classes(const char *path, const Palette *palette, unsigned char *pixels,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *rgb = pixels + 3 * i;
        void *index = GINT_TO_POINTER(rgb[0]);
        if (palette->kind == PALETTE &&
            !g_hash_table_lookup_extended(palette->indices, color_key(rgb), NULL,
                                          &index))
            return fail("%s: pixel %zu is not in the palette", path, i);
        pixels[i] = (unsigned char)GPOINTER_TO_INT(index);
    }
    return STATUS_OK;
}

static int read_pixels(const char *path, const Palette *palette, KnownMask *mask)
{
    Picture picture;
    int status = picture_load(path, &picture);
    if (status != STATUS_OK)
        return status;
    mask->width = picture.image.width;
    mask->height = picture.image.height;
    mask->classes = picture_pixels(&picture);
    picture_clear(&picture);
    if (!mask->classes)
        return fail("%s: out of memory", path);
    return find_classes(path, palette, mask->classes,
                        (size_t)mask->width * (size_t)mask->height);
}

int known_mask_load(const char *path, KnownMask *mask)
{
    Palette palette = { .indices = g_hash_table_new(NULL, NULL) };
    char *text;
    size_t bytes;
    *mask = (KnownMask) { 0 };
    int status = text_read(path, &text, &bytes);
    if (status == STATUS_OK)
        status = read_chunks(path, (const unsigned char *)text, bytes, &palette);
    free(text);
    if (status == STATUS_OK)
        status = read_pixels(path, &palette, mask);
    g_hash_table_unref(palette.indices);
    return status;
}

void known_mask_clear(KnownMask *mask)
{
    g_clear_pointer(&mask->classes, g_free);
}
