/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures through gdk-pixbuf.  They are untrusted: the kind is told by the first
 * bytes, and the size is checked before memory is taken for the pixels.  gdk-pixbuf
 * hands over a picture whose file is cut short as if it were whole; here that is an
 * error: the file must have the chunk or marker that ends it.
 */
#include "vigil-model.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <inttypes.h>
#include <string.h>

enum { CHUNK = 65536 };

/* NULL for anything else. */
static const char *picture_kind(const unsigned char *data, size_t bytes)
{
    if (bytes >= 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8))
        return "png";
    if (bytes >= 3 && !memcmp(data, "\xff\xd8\xff", 3))
        return "jpeg";
    return NULL;
}

/* Follows the parts of a file from one to the next, up to the one that ends it. */
typedef struct Parts {
    bool png, ended;
    uint64_t skip; /* bytes that need not be looked at */
    unsigned char head[8];
    size_t have; /* bytes of head */
} Parts;

/* Chunk: 4 bytes length, 4 bytes type, data, 4 bytes CRC. */
static void step_png(Parts *parts, unsigned char byte)
{
    const unsigned char *h = parts->head;
    parts->head[parts->have++] = byte;
    if (parts->have < 8)
        return;
    parts->skip = ((uint64_t)h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3]) + 4;
    parts->ended = !memcmp(h + 4, "IEND", 4);
    parts->have = 0;
}

/* Segment: 0xff, code, 2 bytes length that counts itself, data.  Some codes stand
 * alone; what is not a marker is compressed data. */
static void step_jpeg(Parts *parts, unsigned char byte)
{
    parts->head[parts->have] = byte;
    if (parts->have == 0) {
        parts->have = byte == 0xff;
    } else if (parts->have == 1) {
        bool alone = byte <= 0x01 || (byte >= 0xd0 && byte <= 0xd8);
        parts->ended = byte == 0xd9;
        if (byte != 0xff)
            parts->have = alone || parts->ended ? 0 : 2;
    } else if (++parts->have == 4) {
        unsigned length = parts->head[2] << 8 | parts->head[3];
        parts->skip = length > 2 ? length - 2 : 0;
        parts->have = 0;
    }
}

static void follow_parts(Parts *parts, const unsigned char *data, size_t bytes)
{
    size_t i = 0;
    while (i < bytes && !parts->ended) {
        size_t n = parts->skip < bytes - i ? (size_t)parts->skip : bytes - i;
        parts->skip -= n;
        i += n;
        if (i < bytes)
            (parts->png ? step_png : step_jpeg)(parts, data[i++]);
    }
}

typedef struct Reading {
    const char *path;
    GdkPixbufLoader *loader;
    int width, height, rows; /* rows: how far down pixels have arrived */
    bool too_large;
    Parts parts;
} Reading;

/* A size of 0 x 0 makes the loader stop before it allocates. */
static void check_size(GdkPixbufLoader *loader, int width, int height, void *data)
{
    Reading *reading = data;
    reading->width = width;
    reading->height = height;
    reading->too_large = width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE ||
                         (int64_t)width * height > PICTURE_MAX_PIXELS;
    if (reading->too_large)
        gdk_pixbuf_loader_set_size(loader, 0, 0);
}

static void note_rows(GdkPixbufLoader *loader, int x, int y, int width, int height,
                      void *data)
{
    Reading *reading = data;
    if (y + height > reading->rows)
        reading->rows = y + height;
}

static int fail_reading(const Reading *reading, const GError *error)
{
    if (reading->too_large)
        return fail("%s: %dx%d pixels (width x height): at most %d a side and %" PRId64
                    " in all",
                    reading->path, reading->width, reading->height, PICTURE_MAX_SIDE,
                    PICTURE_MAX_PIXELS);
    return fail("%s: %s", reading->path,
                error ? error->message : "the file is damaged");
}

/* Feeds the file to the loader, from the first bytes that were read already. */
static int feed(Reading *reading, FILE *file, unsigned char *data, size_t bytes)
{
    GError *error = NULL;
    bool good = true;
    while (good && bytes) {
        follow_parts(&reading->parts, data, bytes);
        good = gdk_pixbuf_loader_write(reading->loader, data, bytes, &error);
        bytes = good ? fread(data, 1, CHUNK, file) : 0;
    }
    int read_error = good && ferror(file) ? errno : 0;
    bool closed = gdk_pixbuf_loader_close(reading->loader, NULL);
    int status = STATUS_OK;
    if (read_error)
        status = fail("%s: %s", reading->path, strerror(read_error));
    else if (!good)
        status = fail_reading(reading, error);
    else if (!reading->parts.ended || !closed || reading->rows < reading->height ||
             !gdk_pixbuf_loader_get_pixbuf(reading->loader))
        status = fail("%s: the picture is cut short", reading->path);
    g_clear_error(&error);
    return status;
}

static void describe(GdkPixbuf *pixbuf, Picture *picture)
{
    picture->pixbuf = pixbuf;
    picture->image = (VigilImage) {
        .width = gdk_pixbuf_get_width(pixbuf),
        .height = gdk_pixbuf_get_height(pixbuf),
        .color = VIGIL_COLOR_RGB,
        .full_range = true,
        .pixel_aspect = 1,
    };
    for (int i = 0; i < 3; i++)
        picture->image.component[i] = (VigilComponent) {
            .data = gdk_pixbuf_read_pixels(pixbuf) + i,
            .row_stride = gdk_pixbuf_get_rowstride(pixbuf),
            .pixel_stride = gdk_pixbuf_get_n_channels(pixbuf),
        };
}

static int decode(const char *path, FILE *file, unsigned char *chunk, Picture *picture)
{
    Reading reading = { .path = path };
    GError *error = NULL;
    size_t bytes = fread(chunk, 1, CHUNK, file);
    const char *kind = picture_kind(chunk, bytes);
    if (ferror(file))
        return fail("%s: %s", path, strerror(errno));
    if (!kind)
        return fail("%s: neither a PNG nor a JPEG picture", path);
    reading.parts.png = !strcmp(kind, "png");
    reading.parts.skip = reading.parts.png ? 8 : 0; /* the signature */
    reading.loader = gdk_pixbuf_loader_new_with_type(kind, &error);
    if (!reading.loader) {
        fail("%s: %s", path, error->message);
        g_clear_error(&error);
        return STATUS_FAILED;
    }
    g_signal_connect(reading.loader, "size-prepared", G_CALLBACK(check_size), &reading);
    g_signal_connect(reading.loader, "area-updated", G_CALLBACK(note_rows), &reading);
    int status = feed(&reading, file, chunk, bytes);
    if (status == STATUS_OK) {
        GdkPixbuf *upright = gdk_pixbuf_apply_embedded_orientation(
            gdk_pixbuf_loader_get_pixbuf(reading.loader));
        if (upright)
            describe(upright, picture);
        else
            status = fail("%s: out of memory", path);
    }
    g_object_unref(reading.loader);
    return status;
}

int picture_load(const char *path, Picture *picture)
{
    *picture = (Picture) { 0 };
    FILE *file = fopen(path, "rb");
    if (!file)
        return fail("%s: %s", path, strerror(errno));
    unsigned char *chunk = g_malloc(CHUNK);
    int status = decode(path, file, chunk, picture);
    g_free(chunk);
    fclose(file);
    return status;
}

void picture_clear(Picture *picture)
{
    if (picture->pixbuf)
        g_object_unref(picture->pixbuf);
    picture->pixbuf = NULL;
}

unsigned char *picture_pixels(const Picture *picture)
{
    const VigilImage *image = &picture->image;
    const VigilComponent *red = &image->component[0]; /* green and blue follow it */
    size_t width = (size_t)image->width;
    unsigned char *pixels = g_try_malloc(width * (size_t)image->height * 3);
    for (int y = 0; pixels && y < image->height; y++) {
        const uint8_t *row = red->data + y * red->row_stride;
        unsigned char *out = pixels + (size_t)y * width * 3;
        for (size_t x = 0; x < width; x++)
            memcpy(out + 3 * x, row + x * (size_t)red->pixel_stride, 3);
    }
    return pixels;
}

int picture_save(const char *path, const unsigned char *pixels, int width, int height)
{
    GError *error = NULL;
    GdkPixbuf *pixbuf = gdk_pixbuf_new_from_data(pixels, GDK_COLORSPACE_RGB, FALSE, 8,
                                                 width, height, 3 * width, NULL, NULL);
    int status = STATUS_OK;
    if (!pixbuf || !gdk_pixbuf_save(pixbuf, path, "png", &error, NULL))
        status = fail("%s: %s", path, error ? error->message : "out of memory");
    g_clear_error(&error);
    g_clear_object(&pixbuf);
    return status;
}
