/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/text.h"

#include <stdbool.h>
#include <string.h>

static bool continues(char c)
{
    return (c & 0xc0) == 0x80;
}

size_t vigil_utf8_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80)
        return 1;
    if (c[0] < 0xc2 || c[0] > 0xf4)
        return 0;
    size_t length = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < length; i++)
        if (!continues(text[i]))
            return 0;
    /* Overlong forms, surrogates, and what is past U+10FFFF. */
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return length;
}

/* C0, DEL and C1. */
static bool is_control(const char *text)
{
    unsigned char c = (unsigned char)text[0];
    return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static void replace_unprintable(char *text)
{
    while (*text) {
        size_t length = vigil_utf8_length(text);
        if (!length || is_control(text)) {
            memset(text, '?', length ? length : 1);
            length = length ? length : 1;
        }
        text += length;
    }
}

const char *vigil_printable(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length < size) {
        memcpy(out, text, length + 1);
    } else {
        size_t head = (size - 4) / 2, tail = length - (size - 4 - head);
        while (head && continues(text[head]))
            head--;
        while (continues(text[tail]))
            tail++;
        memcpy(out, text, head);
        memcpy(out + head, "...", 3);
        memcpy(out + head + 3, text + tail, length - tail + 1);
    }
    replace_unprintable(out);
    return out;
}
