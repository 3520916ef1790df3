/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which camera is meant, and which one it is when it comes back. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The text -------------------------------------------------------------------- */

static const struct {
    const char *prefix;
    VigilSelectorKind kind;
} prefixes[] = {
    { "name:", VIGIL_SELECT_NAME },
    { "serial:", VIGIL_SELECT_SERIAL },
    { "bus:", VIGIL_SELECT_BUS },
};

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* text has no prefix, and neither is it empty. */
static VigilCameraStatus parse_bare(const VigilV4l2 *v4l2, const char *text,
                                    VigilSelector *selector, VigilCameraError *error)
{
    if (is_number(text)) {
        if (strlen(text) > 4)
            return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                     "The camera number %.64s is above 9999; a camera "
                                     "whose name is a number is name:%.64s.",
                                     text, text);
        selector->kind = VIGIL_SELECT_DEVICE;
        snprintf(selector->text, sizeof selector->text, "%s/video%d", v4l2->dev,
                 atoi(text));
        return VIGIL_CAMERA_OK;
    }
    selector->kind = *text == '/' ? VIGIL_SELECT_DEVICE : VIGIL_SELECT_NAME;
    snprintf(selector->text, sizeof selector->text, "%s", text);
    return VIGIL_CAMERA_OK;
}

VigilCameraStatus vigil_selector_parse(const VigilV4l2 *v4l2, const char *text,
                                       VigilSelector *selector, VigilCameraError *error)
{
    *selector = (VigilSelector) { .kind = VIGIL_SELECT_FIRST };
    if (!text || !text[strspn(text, " ")])
        return VIGIL_CAMERA_OK;
    text += strspn(text, " ");
    if (strlen(text) >= sizeof selector->text)
        return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                 "The camera is told in %zu bytes, more than the %zu "
                                 "that any name, serial, bus or node has.",
                                 strlen(text), sizeof selector->text - 1);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const size_t length = strlen(prefixes[i].prefix);
        if (strncmp(text, prefixes[i].prefix, length))
            continue;
        if (!text[length])
            return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                                     "Nothing follows \"%s\" in what tells the camera.",
                                     text);
        selector->kind = prefixes[i].kind;
        snprintf(selector->text, sizeof selector->text, "%s", text + length);
        return VIGIL_CAMERA_OK;
    }
    return parse_bare(v4l2, text, selector, error);
}

/* ---- The camera ------------------------------------------------------------------ */

/* 0: no match; a higher number goes before a lower one. */
static int match(const VigilSelector *selector, const VigilCamera *camera)
{
    switch (selector->kind) {
    case VIGIL_SELECT_FIRST:
        return camera->problem ? 1 : 2;
    case VIGIL_SELECT_NAME:
        if (!strcasecmp(camera->name, selector->text))
            return 2;
        return strcasestr(camera->name, selector->text) != NULL;
    case VIGIL_SELECT_SERIAL:
        return !strcmp(camera->serial, selector->text);
    case VIGIL_SELECT_BUS:
        return !strcmp(camera->bus, selector->text);
    case VIGIL_SELECT_DEVICE:
        break;
    }
    return 0;
}

/* Those of which `best` was the match, or all; the buffer is a message's. */
static void append_lines(char *out, size_t size, const VigilSelector *selector,
                         const VigilCameraList *list, int best)
{
    char line[VIGIL_CAMERA_LINE];
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        if (!selector || match(selector, &list->camera[i]) == best)
            used = vigil_append(out, size, used, "%s%s", used ? "; " : "",
                                vigil_camera_line(&list->camera[i], line));
}

static const char *kind_text(VigilSelectorKind kind)
{
    return kind == VIGIL_SELECT_SERIAL ? "the serial "
           : kind == VIGIL_SELECT_BUS  ? "the bus "
                                       : "the name ";
}

static VigilCameraStatus fail_none(const VigilSelector *selector,
                                   const VigilCameraList *list, VigilCameraError *error)
{
    char lines[1200];
    if (!list->n)
        return vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                                 "There is no camera: no /dev/video* gives video; plug "
                                 "one in, or load its driver.");
    append_lines(lines, sizeof lines, NULL, list, 0);
    return vigil_camera_fail(error, VIGIL_CAMERA_NOT_FOUND,
                             "There is no camera of %s\"%.256s\"; there %s: %s.",
                             kind_text(selector->kind), selector->text,
                             list->n == 1 ? "is" : "are", lines);
}

static VigilCameraStatus find_device(const VigilV4l2 *v4l2, const char *device,
                                     VigilCamera *camera, VigilCameraError *error)
{
    char lines[1200];
    VigilCameraList list;
    vigil_camera_ask(v4l2, device, camera);
    const int fd = vigil_camera_open(v4l2, camera, error);
    if (fd >= 0) {
        v4l2->close(fd);
        return VIGIL_CAMERA_OK;
    }
    if (error->status != VIGIL_CAMERA_NOT_FOUND)
        return VIGIL_CAMERA_OK; /* it is there: who opens it is told why it cannot */
    vigil_camera_list(v4l2, &list);
    append_lines(lines, sizeof lines, NULL, &list, 0);
    const size_t used = strlen(error->message);
    vigil_append(error->message, sizeof error->message, used, "%s%s%s",
                 list.n ? " There " : "",
                 list.n > 1 ? "are: "
                 : list.n   ? "is: "
                            : "",
                 lines);
    return error->status;
}

VigilCameraStatus vigil_camera_find(const VigilV4l2 *v4l2,
                                    const VigilSelector *selector, VigilCamera *camera,
                                    VigilCameraError *error)
{
    char lines[1200];
    VigilCameraList list;
    int best = 0;
    size_t matching = 0;
    if (selector->kind == VIGIL_SELECT_DEVICE)
        return find_device(v4l2, selector->text, camera, error);
    vigil_camera_list(v4l2, &list);
    for (size_t i = 0; i < list.n; i++) {
        const int how = match(selector, &list.camera[i]);
        if (how > best) {
            best = how;
            matching = 0;
            *camera = list.camera[i];
        }
        matching += how && how == best;
    }
    if (!matching)
        return fail_none(selector, &list, error);
    if (matching == 1 || selector->kind == VIGIL_SELECT_FIRST) /* the first of them */
        return VIGIL_CAMERA_OK;
    append_lines(lines, sizeof lines, selector, &list, best);
    return vigil_camera_fail(error, VIGIL_CAMERA_SETTINGS,
                             "%zu cameras have %s\"%.256s\": %s; tell one by its bus, "
                             "serial or node.",
                             matching, kind_text(selector->kind), selector->text,
                             lines);
}

/* ---- Again ----------------------------------------------------------------------- */

static bool is_among(const VigilCameraList *list, const VigilCamera *camera)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(list->camera[i].name, camera->name) &&
            !strcmp(list->camera[i].serial, camera->serial) &&
            !strcmp(list->camera[i].bus, camera->bus))
            return true;
    return false;
}

/* 0: another camera. */
static int match_again(const VigilSelector *selector, const VigilCamera *lost,
                       const VigilCameraList *others, const VigilCamera *camera)
{
    if (selector->kind == VIGIL_SELECT_SERIAL || selector->kind == VIGIL_SELECT_BUS)
        return match(selector, camera);
    if (strcmp(camera->name, lost->name) || strcmp(camera->serial, lost->serial))
        return 0;
    if (!strcmp(camera->bus, lost->bus))
        return 2;
    return !is_among(others, camera);
}

bool vigil_camera_find_again(const VigilV4l2 *v4l2, const VigilSelector *selector,
                             const VigilCamera *lost, const VigilCameraList *others,
                             VigilCamera *camera)
{
    VigilCameraList list;
    int best = 0;
    vigil_camera_list(v4l2, &list);
    for (size_t i = 0; i < list.n; i++) {
        const int how = match_again(selector, lost, others, &list.camera[i]);
        if (how > best) {
            best = how;
            *camera = list.camera[i];
        }
    }
    return best > 0;
}
