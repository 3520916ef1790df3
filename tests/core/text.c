/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/text.h"
#include "tap.h"

#include <string.h>

static const struct {
    const char *in, *out;
} printable[] = {
    { "", "" },
    { "plain name", "plain name" },
    { "0123456789abcde", "0123456789abcde" },
    { "0123456789abcdef", "012345...abcdef" },
    { "two\nlines\x1b[31m", "two?lines?[31m" },
    { "Gr\xc3\xbc\xc3\x9f"
      "e",
      "Gr\xc3\xbc\xc3\x9f"
      "e" },
    { "\xf0\x9f\x90\x88 cat", "\xf0\x9f\x90\x88 cat" },
    /* Neither side of the gap may begin or end inside a character. */
    { "01234\xc3\xbc"
      "6789abcdef",
      "01234...abcdef" },
    { "0123456789\xc3\xbc"
      "bcdef",
      "012345...bcdef" },
    { "stray \x80 byte", "stray ? byte" },
    { "overlong \xc0\xaf", "overlong ??" },
    { "C1 \xc2\x9b", "C1 ??" },
    { "short \xe2\x82", "short ??" },
    { "surr \xed\xa0\x80", "surr ???" },
    { "big \xf4\x90\x80\x80", "big ????" },
};

int main(void)
{
    for (size_t i = 0; i < sizeof printable / sizeof *printable; i++) {
        char out[16];
        vigil_printable(out, sizeof out, printable[i].in);
        tap_ok(!strcmp(out, printable[i].out), "'%s', expected '%s'", out,
               printable[i].out);
    }
    return tap_done();
}
