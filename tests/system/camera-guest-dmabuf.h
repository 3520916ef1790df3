/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VIGIL_TESTS_CAMERA_GUEST_DMABUF_H
#define VIGIL_TESTS_CAMERA_GUEST_DMABUF_H

/* Adds the tests of frames that the driver exports as DMABufs. */
void dmabuf_add_tests(void);

#endif
