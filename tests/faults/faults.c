/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs each scenario once for every allocation it makes, with that one failing:
 * faults [--all].  Without --all, of a scenario that makes more than LIMIT the first
 * half of LIMIT and as many spread over the rest.
 */
#include "allocator.h"
#include "scenario.h"
#include "tap.h"

#include <inttypes.h>
#include <string.h>

#define LIMIT 400

/* What went wrong, to be printed when nothing is counted. */
static int complaints;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list args;
    if (++complaints > 5)
        return;
    va_start(args, format);
    printf("# ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

static VigilStatus run_counted(const Scenario *scenario, uint64_t fail_at,
                               uint64_t *digest, VigilError *error, FaultReport *report)
{
    *error = (VigilError) { 0 };
    *digest = 0;
    faults_start(fail_at);
    VigilStatus status = scenario->run(digest, error);
    *report = faults_stop();
    return status;
}

static void check_leaks(const FaultReport *report, uint64_t n)
{
    if (report->live)
        complain("allocation %" PRIu64 " failing leaves %zu, one of %zu bytes: number "
                 "%" PRIu64,
                 n, report->live, report->live_bytes, report->live_number);
}

/* Fails allocation n.  Returns true when the run succeeded all the same. */
static bool check_failure(const Scenario *scenario, uint64_t n, uint64_t expected)
{
    VigilError error;
    FaultReport report;
    uint64_t digest;
    VigilStatus status = run_counted(scenario, n, &digest, &error, &report);
    check_leaks(&report, n);
    if (!report.failed)
        complain("only %" PRIu64 " allocations, not %" PRIu64, report.allocations, n);
    else if (!status && !scenario->may_succeed)
        complain("allocation %" PRIu64 " failed and nobody noticed", n);
    else if (!status && digest != expected)
        complain("allocation %" PRIu64 " failed and the result is another", n);
    else if (status && (status != VIGIL_ERROR_NO_MEMORY || error.status != status ||
                        !*error.message))
        complain("allocation %" PRIu64 " failing gives status %d (%d), '%s'", n, status,
                 error.status, error.message);
    return report.failed && !status;
}

static uint64_t next(uint64_t n, uint64_t total, bool all)
{
    if (all || total <= LIMIT || n < LIMIT / 2)
        return n + 1;
    return n + (total - LIMIT / 2) / (LIMIT / 2) + 1;
}

static void check_scenario(const Scenario *scenario, bool all)
{
    VigilError error = { 0 };
    FaultReport report;
    uint64_t expected = 0, digest, tried = 0, survived = 0;
    complaints = 0;
    if (scenario->run(&expected, &error)) {
        tap_ok(false, "%s: does not work at all: '%s'", scenario->name, error.message);
        return;
    }
    VigilStatus status = run_counted(scenario, 0, &digest, &error, &report);
    const uint64_t total = report.allocations;
    check_leaks(&report, 0);
    tap_ok(!status && digest == expected && !report.live && total > 0,
           "%s: %" PRIu64 " allocations, all freed", scenario->name, total);
    for (uint64_t n = 1; n <= total; n = next(n, total, all), tried++)
        survived += check_failure(scenario, n, expected);
    tap_ok(!complaints,
           "%s: %" PRIu64 " of them failed one by one, %" PRIu64
           " could be done without, %d complaints",
           scenario->name, tried, survived, complaints);
    status = run_counted(scenario, 0, &digest, &error, &report);
    tap_ok(!status && digest == expected && !report.live, "%s: still works after that",
           scenario->name);
}

int main(int argc, char **argv)
{
    bool all = argc > 1 && !strcmp(argv[1], "--all");
    for (const Scenario *scenario = scenarios; scenario->name; scenario++)
        check_scenario(scenario, all);
    return tap_done();
}
