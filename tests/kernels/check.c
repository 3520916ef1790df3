/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "../tap.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static char current[256];

static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double uniform(double low, double high)
{
    return low + (high - low) * (double)(next() >> 11) * 0x1p-53;
}

int pick(int n)
{
    return (int)(next() % (uint64_t)n);
}

void begin_case(Check *c, const char *format, ...)
{
    va_list args;
    size_t used = (size_t)snprintf(current, sizeof current, "%s: ", c->level->name);
    va_start(args, format);
    vsnprintf(current + used, sizeof current - used, format, args);
    va_end(args);
    c->cases++;
}

static void out_of_bounds(int signal_number)
{
    static const char text[] = "Bail out! memory outside the shape was touched by ";
    (void)!write(STDOUT_FILENO, text, sizeof text - 1);
    (void)!write(STDOUT_FILENO, current, strlen(current));
    (void)!write(STDOUT_FILENO, "\n", 1);
    _exit(1);
}

/* `size` bytes that end or begin where touchable memory does. */
static void *guarded(int buffer, size_t size, size_t alignment)
{
    static uint8_t *base[BUFFERS];
    const size_t room = (size_t)4 << 20, page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > room || buffer >= BUFFERS)
        abort();
    if (!base[buffer]) {
        uint8_t *p =
            mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mprotect(p + page, room, PROT_READ | PROT_WRITE))
            abort();
        base[buffer] = p + page;
    }
    return base[buffer] + (pick(2) ? 0 : (room - size) / alignment * alignment);
}

float *floats(int buffer, size_t n)
{
    float *p = guarded(buffer, n * sizeof *p, sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)uniform(-1.0, 1.0);
    return p;
}

uint8_t *bytes(int buffer, size_t n)
{
    uint8_t *p = guarded(buffer, n, 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)pick(256);
    return p;
}

double *doubles(size_t n)
{
    static double *memory;
    static size_t size;
    if (n > size) {
        free(memory);
        memory = malloc(n * sizeof *memory);
        size = n;
        if (!memory)
            abort();
    }
    return memory;
}

void near_value(Check *c, double got, double want, double tolerance)
{
    double share = isnan(got) && isnan(want) ? 0.0 : fabs(got - want) / tolerance;
    if (!(share <= c->worst))
        c->worst = share;
    if (!(share <= 1.0) && !c->failure[0])
        snprintf(c->failure, sizeof c->failure, "%.180s: %.9g, not %.9g +- %.3g",
                 current, got, want, tolerance);
}

void near_floats(Check *c, const float *got, const float *want, size_t n,
                 double tolerance)
{
    for (size_t i = 0; i < n; i++)
        near_value(c, got[i], want[i], tolerance);
}

void near_doubles(Check *c, const float *got, const double *want, size_t n,
                  double tolerance)
{
    for (size_t i = 0; i < n; i++)
        near_value(c, got[i], want[i], tolerance);
}

double activation_exact(double x, VigilActivation activation)
{
    switch (activation) {
    case VIGIL_RELU:
        return x < 0 ? 0 : x;
    case VIGIL_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case VIGIL_SILU:
        return x / (1 + exp(-x));
    case VIGIL_GELU:
        return 0.5 * x * erfc(-x / sqrt(2));
    case VIGIL_SIGMOID:
        return 1 / (1 + exp(-x));
    case VIGIL_HSWISH:
        return x * (x < -3 ? 0 : x > 3 ? 6 : x + 3) / 6;
    case VIGIL_HSIGMOID:
        return (x < -3 ? 0 : x > 3 ? 6 : x + 3) / 6;
    default:
        return x;
    }
}

static void check_level(const VigilKernels *level)
{
    static const struct {
        const char *name;
        void (*run)(Check *c);
    } checks[] = {
#define CHECK_ENTRY(name, result, parameters) { #name, check_##name },
        VIGIL_KERNELS(CHECK_ENTRY)
#undef CHECK_ENTRY
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        Check c = { .level = level, .twin = vigil_kernels_built[0] };
        c.is_twin = level == c.twin;
        checks[i].run(&c);
        tap_ok(c.cases && !c.failure[0],
               "%s %s: %zu cases, worst at %.2f of its tolerance%s%s", checks[i].name,
               level->name, c.cases, c.worst, c.failure[0] ? "; " : "", c.failure);
    }
}

/* Whether a process started with VIGIL_ISA=value (NULL: unset) uses the level `name`.
 */
static bool chooses(const char *value, const char *name, bool forced)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (value)
            setenv("VIGIL_ISA", value, 1);
        else
            unsetenv("VIGIL_ISA");
        _exit(strcmp(vigil_kernels()->name, name) != 0 || vigil_isa_forced() != forced);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Before anything in this process has asked for the level in use. */
static void check_choice(void)
{
    const char *highest = vigil_kernels_built[0]->name;
    const char *emulated = getenv("VIGIL_TEST_LEVEL"); /* of the CPU emulated */
    for (size_t i = 0; vigil_kernels_built[i]; i++) {
        const char *name = vigil_kernels_built[i]->name;
        if (vigil_kernels_usable(vigil_kernels_built[i]))
            highest = name;
        tap_ok(chooses(name, highest, true), "VIGIL_ISA=%s chooses %s", name, highest);
    }
    tap_ok(chooses(NULL, highest, false), "without VIGIL_ISA: %s", highest);
    if (emulated)
        tap_ok(!strcmp(highest, emulated), "the highest level is %s, of %s expected",
               highest, emulated);
    tap_ok(chooses("", highest, false), "with VIGIL_ISA empty: %s", highest);
    tap_ok(chooses("mmx", highest, true), "VIGIL_ISA=mmx, unknown: %s", highest);
}

int main(void)
{
    const char *seed = getenv("VIGIL_TEST_SEED");
    state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    printf("# VIGIL_TEST_SEED=%llu\n", (unsigned long long)state);
    signal(SIGSEGV, out_of_bounds);
    signal(SIGBUS, out_of_bounds);
    check_choice();
    for (size_t i = 0; vigil_kernels_built[i]; i++) {
        if (vigil_kernels_usable(vigil_kernels_built[i]))
            check_level(vigil_kernels_built[i]);
        else
            tap_skip("level %s: this CPU lacks it", vigil_kernels_built[i]->name);
    }
    return tap_done();
}
