/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system calls of this machine. */
#include "camera.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_node(const char *path)
{
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int call_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

const VigilV4l2 *vigil_v4l2_system(void)
{
    static const VigilV4l2 system = {
        .open = open_node,
        .close = close,
        .ioctl = call_ioctl,
        .dev = "/dev",
        .sys = "/sys/class/video4linux",
        .proc = "/proc",
    };
    return &system;
}
