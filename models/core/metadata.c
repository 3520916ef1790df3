#include "core/metadata.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

VigilStatus vigil_metadata_refuse(const VigilSafetensors *file, const char *key,
                                  const char *wanted, VigilError *error)
{
    char path[112], shown[64];
    vigil_printable(path, sizeof path, vigil_safetensors_path(file));
    vigil_printable(shown, sizeof shown, vigil_safetensors_metadata(file, key));
    return vigil_fail(error, VIGIL_ERROR_FORMAT,
                      "%s: __metadata__ '%s' is '%s', should be %s", path, key, shown,
                      wanted);
}

VigilStatus vigil_metadata_whole(const VigilSafetensors *file, const char *key, int low,
                                 int high, int *out, VigilError *error)
{
    const char *text = vigil_safetensors_metadata(file, key);
    char *end, wanted[64];
    if (!text)
        return VIGIL_OK;
    long v = strtol(text, &end, 10);
    if (*end || end == text || v < low || v > high) {
        snprintf(wanted, sizeof wanted, "a whole number from %d to %d", low, high);
        return vigil_metadata_refuse(file, key, wanted, error);
    }
    *out = (int)v;
    return VIGIL_OK;
}

VigilStatus vigil_metadata_choice(const VigilSafetensors *file, const char *key,
                                  const char *const *names, int *out, VigilError *error)
{
    const char *text = vigil_safetensors_metadata(file, key);
    char wanted[96] = "";
    if (!text)
        return VIGIL_OK;
    for (int i = 0; names[i]; i++) {
        if (!strcmp(text, names[i])) {
            *out = i;
            return VIGIL_OK;
        }
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s",
                 i ? " or " : "", names[i]);
    }
    return vigil_metadata_refuse(file, key, wanted, error);
}

/* NULL if there is no number, else what follows it. */
static const char *parse_number(const char *text, float *out)
{
    double v = 0, scale = 1;
    bool minus = *text == '-', digits = false;
    text += minus;
    for (; *text >= '0' && *text <= '9'; text++, digits = true)
        v = v * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, digits = true)
            v += (*text - '0') * (scale /= 10);
    *out = (float)(minus ? -v : v);
    return digits && v <= 1e6 ? text : NULL;
}

static bool parse_numbers(const char *text, int n, float *out)
{
    text += strspn(text, " ");
    bool bracket = *text == '[';
    text += bracket;
    for (int i = 0; i < n; i++) {
        size_t gap = strspn(text, " ");
        bool comma = i && text[gap] == ',';
        if (i && !comma && !gap)
            return false;
        text += gap + comma;
        text = parse_number(text + strspn(text, " "), &out[i]);
        if (!text)
            return false;
    }
    text += strspn(text, " ");
    if (bracket && *text++ != ']')
        return false;
    return !text[strspn(text, " ")];
}

VigilStatus vigil_metadata_numbers(const VigilSafetensors *file, const char *key, int n,
                                   float *out, bool *found, VigilError *error)
{
    const char *text = vigil_safetensors_metadata(file, key);
    char wanted[64];
    *found = text;
    if (!text || parse_numbers(text, n, out))
        return VIGIL_OK;
    snprintf(wanted, sizeof wanted, "%d decimal numbers", n);
    return vigil_metadata_refuse(file, key, wanted, error);
}
