/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/json.h"
#include "tap.h"

#include <string.h>

static const struct {
    const char *text, *again; /* as written back, keys in order */
} accepted[] = {
    { "{}", "{}" },
    { "[]", "[]" },
    { " [1, -2.5, \"a\", true, null]\n", "[1,-2.5,\"a\",true,null]" },
    { "{\"b\":{\"\\u00e9\":[]},\"a\":9223372036854775807}",
      "{\"b\":{\"\xc3\xa9\":[]},\"a\":9223372036854775807}" },
};

static const struct {
    const char *text, *message;
} refused[] = {
    { "", "test is not valid JSON: it ends too early, at byte 0" },
    { "{\"a\":1", "test is not valid JSON: it ends too early, at byte 6" },
    { "[\"a", "test is not valid JSON: it ends too early, at byte 3" },
    { "{\"a\":1,}", "test is not valid JSON at byte 8: " },
    { "{\"a\":1,\"a\":2}", "test is not valid JSON at byte 10: duplicate object key" },
    { "[1]]", "test is not valid JSON: it has one ']' too many" },
    { "[1]}", "test is not valid JSON at byte 4: " },
    { "[1],[2]", "test is not one JSON object or array" },
    { "[1],", "test is not valid JSON: it ends too early, at byte 4" },
    { "1", "test is not one JSON object or array" },
    { "\"a\"", "test is not one JSON object or array" },
    { "[\"\\u0000\"]", "test is not valid JSON at byte 9: " },
    { "[\"\xff\"]", "test is not valid JSON at byte 2: " },
    { "[18446744073709551616]", "too big integer" },
};

int main(void)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        json_t *value;
        VigilError error = { 0 };
        char again[200] = "";
        VigilStatus status = vigil_json_parse(
            accepted[i].text, strlen(accepted[i].text), "test", &value, &error);
        if (!status) {
            size_t length = json_dumpb(value, again, sizeof again - 1, JSON_COMPACT);
            again[length] = '\0';
        }
        tap_ok(!status && !strcmp(again, accepted[i].again), "%s: %s%s",
               accepted[i].again, again, error.message);
        json_decref(value);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        json_t *value;
        VigilError error = { 0 };
        VigilStatus status = vigil_json_parse(refused[i].text, strlen(refused[i].text),
                                              "test", &value, &error);
        tap_ok(status == VIGIL_ERROR_FORMAT && !value &&
                   strstr(error.message, refused[i].message),
               "refused %zu: status %d, '%s'", i, status, error.message);
    }
    return tap_done();
}
