/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model: lists, describes, runs, times, rates and calibrates networks. */
#include "vigil-model.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const Command commands[] = {
    { "list", { NULL }, "jh", "Lists the networks that can be run.", command_list },
    { "info",
      { "FILE", NULL },
      "qjlah",
      "Describes a weight file and what it wants of its input.",
      command_info },
    { "infer",
      { "FILE", "IMAGE", NULL },
      "srckdumCMqTjwpAh",
      "Runs a weight file on one picture.",
      command_infer },
    { "bench",
      { "FILE|VARIANT", NULL },
      "qTsnjlh",
      "Measures the time of one run; a variant name alone takes formula weights.",
      command_bench },
    { "eval",
      { "[FILE]", NULL },
      "oiDLGxPSRsrcdumqTNbgjh",
      "Rates a weight file on pictures whose boxes, classes or masks are known.",
      command_eval },
    { "calibrate",
      { "FILE", NULL },
      "iOXqsrcTNbgjh",
      "Makes a weight file that can be run in int8, from pictures.",
      command_calibrate },
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static int print_help(void)
{
    printf(
        "Usage: vigil-model COMMAND [ARGUMENTS]\n"
        "\n"
        "Lists, describes, runs, times, rates and calibrates light vision networks.\n"
        "\n"
        "Commands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-9s  %s\n", commands[i].name, commands[i].summary);
    printf("\n"
           "Options:\n"
           "  --help     print this text; after a command, what that command takes\n"
           "  --version  print the version\n"
           "\n"
           "FILE is a path, or the name of a shipped model.  Errors are one line on\n"
           "standard error; exit status 1, or 2 for a faulty command line.\n");
    return STATUS_OK;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Options options;
    bool done = false;
    int status = options_parse(command, argc, argv, &options, &done);
    if (status == STATUS_OK && !done)
        status = command->run(&options);
    options_clear(&options);
    return status;
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name)
        return fail_usage(
            "no command given: list, info, infer, bench, eval or calibrate");
    if (!strcmp(name, "--help") || !strcmp(name, "-h"))
        return print_help();
    if (!strcmp(name, "--version")) {
        printf("vigil-model %s\n", VIGIL_VERSION);
        return STATUS_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(name, commands[i].name))
            return run_command(&commands[i], argc - 1, argv + 1);
    return fail_usage("unknown %s '%s': list, info, infer, bench, eval or calibrate",
                      name[0] == '-' ? "option" : "command", name);
}

/* What was printed has not arrived before the stream is closed without an error. */
static int close_output(int status)
{
    errno = 0;
    bool broken = ferror(stdout);
    if ((fclose(stdout) || broken) && status == STATUS_OK)
        return fail("cannot write to standard output%s%s", errno ? ": " : "",
                    errno ? strerror(errno) : "");
    return status;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    return close_output(run(argc, argv));
}
