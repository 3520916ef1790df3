/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of this folder share.
 */
#ifndef VIGIL_CAMERA_COMMON_H
#define VIGIL_CAMERA_COMMON_H

#include "camera.h"

#include <linux/videodev2.h>
#include <stdarg.h>

/* ioctl(), again where a signal interrupted it. */
int vigil_v4l2_call(const VigilV4l2 *v4l2, int fd, unsigned long request,
                    void *argument);

/* Fills *error and returns status. */
VigilCameraStatus vigil_camera_fail(VigilCameraError *error, VigilCameraStatus status,
                                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text of `room` bytes that a driver filled, perhaps without a NUL at its end, into out
 * [size], size >= 8: printable, without spaces around it. */
void vigil_camera_text(char *out, size_t size, const void *text, size_t room);

/* Appends to text [size], whose `used` bytes are taken; returns how many are now.  What
 * does not fit is cut. */
size_t vigil_append(char *text, size_t size, size_t used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The array of n elements of `size` bytes, moved where it must be to have room for one
 * more; NULL: no memory, and the array is as it was.  Only this may have allocated it.
 */
void *vigil_grown(void *array, size_t n, size_t size);

/* Lowest terms; 0/1 where one of them is 0. */
VigilRate vigil_rate(uint64_t num, uint64_t den);

#endif
