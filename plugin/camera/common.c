/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common.h"

#include "core/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vigil_v4l2_call(const VigilV4l2 *v4l2, int fd, unsigned long request,
                    void *argument)
{
    int result;
    do {
        result = v4l2->ioctl(fd, request, argument);
    } while (result == -1 && errno == EINTR);
    return result;
}

VigilCameraStatus vigil_camera_fail(VigilCameraError *error, VigilCameraStatus status,
                                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->status = status;
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

void vigil_camera_text(char *out, size_t size, const void *text, size_t room)
{
    char whole[256];
    const char *from = text;
    size_t length = strnlen(from, room < sizeof whole ? room : sizeof whole - 1);
    while (length && *from == ' ')
        from++, length--;
    while (length && from[length - 1] == ' ')
        length--;
    memcpy(whole, from, length);
    whole[length] = '\0';
    vigil_printable(out, size, whole);
}

size_t vigil_append(char *text, size_t size, size_t used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int more = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    return more < 0 || (size_t)more >= size - used ? size - 1 : used + (size_t)more;
}

void *vigil_grown(void *array, size_t n, size_t size)
{
    if (n && (n < 16 || n & (n - 1)))
        return array;
    return realloc(array, (n ? 2 * n : 16) * size);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

VigilRate vigil_rate(uint64_t num, uint64_t den)
{
    if (!num || !den)
        return (VigilRate) { 0, 1 };
    const uint64_t divisor = common_divisor(num, den);
    num /= divisor;
    den /= divisor;
    if (num > INT32_MAX || den > INT32_MAX)
        return (VigilRate) { 0, 1 };
    return (VigilRate) { (uint32_t)num, (uint32_t)den };
}
