/* Test programs of the engine print TAP, which meson counts case by case. */
#ifndef VIGIL_TESTS_TAP_H
#define VIGIL_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failed;

/* One case; the format names it and, when it fails, tells by how much. */
__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool ok,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    tap_failed += !ok;
    return ok;
}

__attribute__((format(printf, 1, 2))) static inline void tap_skip(const char *format,
                                                                  ...)
{
    va_list args;
    va_start(args, format);
    printf("ok %d # SKIP ", ++tap_count);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

/* The plan, printed last; the exit status of main(). */
static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
