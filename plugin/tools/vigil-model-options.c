/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: one list of options, strict values. */
#include "vigil-model.h"

#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_SIDE = 32,
    MAX_SIDE = 4096,
    MAX_TOP = 100000,
    MAX_THREADS = 1024,
    MAX_RUNS = 1000000,
    MAX_INDEX = 100000000,
    MAX_LIMIT = 100000000,
    MAX_IGNORE_INDEX = 255,
    DEFAULT_RUNS = 50,
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Decimal digits only, up to `end`; false where the number is not in min..max. */
static bool read_number(const char *text, const char *end, int min, int max, int *value)
{
    long number = 0;
    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (*text - '0');
        if (number > max)
            return false;
    }
    *value = (int)number;
    return number >= min;
}

static int set_number(const char *option, const char *text, int min, int max,
                      int *value)
{
    if (!read_number(text, text + strlen(text), min, max, value))
        return fail_usage("--%s %s: must be a whole number, %d..%d", option, text, min,
                          max);
    return STATUS_OK;
}

static int set_threads(Options *options, const char *text)
{
    return set_number("threads", text, 1, MAX_THREADS, &options->threads);
}

static int set_top(Options *options, const char *text)
{
    return set_number("top", text, 1, MAX_TOP, &options->top);
}

/* A decimal number with a point whatever the locale. */
static int set_fraction(const char *option, const char *text, bool *has, float *value)
{
    char *end;
    double number = g_ascii_strtod(text, &end);
    bool decimal = *text && strspn(text, "0123456789.") == strlen(text);
    if (!decimal || *end || !(number >= 0 && number <= 1))
        return fail_usage("--%s %s: must be a number, 0..1", option, text);
    *has = true;
    *value = (float)number;
    return STATUS_OK;
}

static int set_threshold(Options *options, const char *text)
{
    return set_fraction("threshold", text, &options->detect.has_threshold,
                        &options->detect.threshold);
}

static int set_iou_threshold(Options *options, const char *text)
{
    return set_fraction("iou-threshold", text, &options->detect.has_iou_threshold,
                        &options->detect.iou_threshold);
}

static int set_max_detections(Options *options, const char *text)
{
    return set_number("max-detections", text, 1, VIGIL_MAX_DETECTIONS,
                      &options->detect.max_detections);
}

static int set_class(Options *options, const char *text)
{
    options->classes[options->n_classes++] = text;
    return STATUS_OK;
}

static int set_mask(Options *options, const char *text)
{
    const char *dot = strrchr(text, '.');
    if (!dot || strcmp(dot, ".png"))
        return fail_usage("--mask %s: must be a file that ends in .png", text);
    options->mask = text;
    return STATUS_OK;
}

#define SET_TEXT(member)                                                               \
    static int set_##member(Options *options, const char *text)                        \
    {                                                                                  \
        options->member = text;                                                        \
        return STATUS_OK;                                                              \
    }
#define SET_FLAG(member)                                                               \
    static int set_##member(Options *options, const char *text)                        \
    {                                                                                  \
        options->member = true;                                                        \
        return STATUS_OK;                                                              \
    }

SET_TEXT(coco)
SET_TEXT(images)
SET_TEXT(detections)
SET_TEXT(classification)
SET_TEXT(masks)
SET_TEXT(class_map)
SET_TEXT(split)
SET_TEXT(source)
SET_TEXT(out)
SET_FLAG(json)
SET_FLAG(layers)
SET_FLAG(raw)
SET_FLAG(list_attention)
SET_FLAG(skip_broken)
SET_FLAG(progress)

static int set_limit(Options *options, const char *text)
{
    return set_number("limit", text, 1, MAX_LIMIT, &options->limit);
}

static int set_ignore_index(Options *options, const char *text)
{
    return set_number("ignore-index", text, 0, MAX_IGNORE_INDEX,
                      &options->ignore_index);
}

static int set_runs(Options *options, const char *text)
{
    return set_number("runs", text, 1, MAX_RUNS, &options->runs);
}

static int set_size(Options *options, const char *text)
{
    const char *x = strchr(text, 'x');
    if (!x || !read_number(text, x, MIN_SIDE, MAX_SIDE, &options->input.height) ||
        !read_number(x + 1, text + strlen(text), MIN_SIDE, MAX_SIDE,
                     &options->input.width))
        return fail_usage("--size %s: must be HEIGHTxWIDTH, each %d..%d", text,
                          MIN_SIDE, MAX_SIDE);
    return STATUS_OK;
}

static int set_resize(Options *options, const char *text)
{
    int found = resize_find(text);
    options->input.has_resize = strcmp(text, "model") != 0;
    if (options->input.has_resize && found < 0)
        return fail_usage(
            "--resize %s: must be model, stretch, letterbox, crop or none", text);
    options->input.resize = found < 0 ? 0 : (VigilResize)found;
    return STATUS_OK;
}

static int set_channel_order(Options *options, const char *text)
{
    int found = channel_order_find(text);
    options->input.has_channel_order = strcmp(text, "model") != 0;
    if (options->input.has_channel_order && found < 0)
        return fail_usage("--channel-order %s: must be model, rgb or bgr", text);
    options->input.channel_order = found < 0 ? 0 : (VigilChannelOrder)found;
    return STATUS_OK;
}

static int set_precision(Options *options, const char *text)
{
    int found = precision_find(text);
    if (found < 0)
        return fail_usage("--precision %s: must be auto, float32 or int8", text);
    options->precision = (VigilPrecision)found;
    return STATUS_OK;
}

static int set_exclude(Options *options, const char *text)
{
    options->excluded[options->n_excluded++] = text;
    return STATUS_OK;
}

static int set_tap(Options *options, const char *text)
{
    for (size_t i = 0; i < options->n_taps; i++)
        if (!strcmp(options->taps[i], text))
            return STATUS_OK;
    options->taps[options->n_taps++] = text;
    return STATUS_OK;
}

/* "mean", "all" or a number before `end`: -1 for the word. */
static bool read_index(const char *text, const char *end, const char *word, int *value)
{
    size_t length = strlen(word);
    if ((size_t)(end - text) == length && !strncmp(text, word, length)) {
        *value = -1;
        return true;
    }
    return read_number(text, end, 0, MAX_INDEX, value);
}

static const char *up_to(const char *text, char stop, const char *end)
{
    const char *at = memchr(text, stop, (size_t)(end - text));
    return at ? at : end;
}

static int set_attention(Options *options, const char *text)
{
    AttentionOption a = { .head = -1, .token = -1 };
    const char *end = strchr(text, '=');
    const char *name_end = end ? up_to(text, ':', end) : text;
    const char *head_end = name_end;
    bool good = name_end > text;
    if (good && name_end < end) {
        head_end = up_to(name_end + 1, ':', end);
        good = read_index(name_end + 1, head_end, "mean", &a.head);
    }
    if (good && head_end < end)
        good = read_index(head_end + 1, end, "all", &a.token);
    if (good) {
        const char *dot = strrchr(a.path = end + 1, '.');
        good = dot && (!strcmp(dot, ".png") || !strcmp(dot, ".json"));
    }
    if (!good)
        return fail_usage("--attention %s: must be NAME[:HEAD[:TOKEN]]=FILE, a head "
                          "from 0 or mean, a token from 0 or all, a file that ends in "
                          ".png or .json",
                          text);
    a.name = strndup(text, (size_t)(name_end - text));
    if (!a.name)
        return fail("out of memory");
    options->attention[options->n_attention++] = a;
    return STATUS_OK;
}

/* Every option of every subcommand; each takes those whose letters it names. */
static const struct OptionSpec {
    char letter;
    const char *name, *value, *help;
    int (*set)(Options *options, const char *text);
} option_specs[] = {
    { 's', "size", "HxW", "input size of the network, height first, each 32..4096",
      set_size },
    { 'r', "resize", "RULE",
      "how the picture becomes that size: model (default), stretch,\n"
      "letterbox, crop, or none: its pixels as they are",
      set_resize },
    { 'c', "channel-order", "ORDER", "model (default), rgb or bgr", set_channel_order },
    { 'k', "top", "K", "classification: print the K best classes (default 5)",
      set_top },
    { 'd', "threshold", "X", "detection: only scores above X, 0..1", set_threshold },
    { 'u', "iou-threshold", "X",
      "detection: of boxes of a class that overlap by more than X, 0..1,\n"
      "only the best",
      set_iou_threshold },
    { 'm', "max-detections", "N", "detection: the N best", set_max_detections },
    { 'C', "class", "NAME",
      "detection: only this class, by its label or index; may be given\n"
      "more than once",
      set_class },
    { 'M', "mask", "FILE", "segmentation: write the class of each pixel (.png)",
      set_mask },
    { 'o', "coco", "FILE", "boxes to be found: annotations in the form of COCO (.json)",
      set_coco },
    { 'D', "detections", "FILE",
      "what was found, in the form of COCO results (.json); no network\n"
      "runs",
      set_detections },
    { 'L', "classification", "FILE",
      "classes of pictures (.csv): a head line with file, label and, if\n"
      "wanted, x0, y0, x1, y1, split, source",
      set_classification },
    { 'i', "images", "DIR", "folder of the pictures", set_images },
    { 'G', "masks", "DIR",
      "classes of pixels: 8-bit grey or palette pictures (.png), named as\n"
      "those of --images",
      set_masks },
    { 'x', "ignore-index", "N", "pixels of this class in masks do not count, 0..255",
      set_ignore_index },
    { 'P', "class-map", "FILE",
      "which categories and labels are which class (.json), or\n"
      "FILE.json:NAME: one entry of several",
      set_class_map },
    { 'S', "split", "NAME", "only pictures whose split is this", set_split },
    { 'R', "source", "NAME", "only pictures whose source is this", set_source },
    { 'N', "limit", "N", "only the first N pictures", set_limit },
    { 'b', "skip-broken", NULL, "leave out, and count, pictures that cannot be read",
      set_skip_broken },
    { 'g', "progress", NULL,
      "tell on standard error how far it is; on terminals always", set_progress },
    { 'q', "precision", "NAME",
      "auto (default): what the file says, float32, or int8, which needs\n"
      "a file that calibrate made",
      set_precision },
    { 'O', "out", "FILE", "the file to be written (.safetensors)", set_out },
    { 'X', "exclude", "NAME",
      "leave a layer in float32, by the name of its weight without\n"
      "\".weight\"; may be given more than once",
      set_exclude },
    { 'T', "threads", "N", "use at most N threads (default: all processors)",
      set_threads },
    { 'n', "runs", "N", "measure N runs (default 50)", set_runs },
    { 'j', "json", NULL, "print JSON", set_json },
    { 'l', "layers", NULL, "print each layer too", set_layers },
    { 'a', "attention", NULL, "print what attention maps there are too",
      set_list_attention },
    { 'w', "raw", NULL, "print the outputs of the network too", set_raw },
    { 'p', "tap", "NAME",
      "print an inner tensor too, by its name in info --layers;\n"
      "may be given more than once",
      set_tap },
    { 'A', "attention", "MAP=FILE",
      "write an attention map over the picture (.png) or as numbers\n"
      "(.json); MAP: NAME[:HEAD[:TOKEN]], a name of info --attention,\n"
      "a head from 0 or mean, a token from 0 or all;\n"
      "may be given more than once",
      set_attention },
    { 'h', "help", NULL, "print this text", NULL },
};

static const struct OptionSpec *find_spec(int letter)
{
    for (size_t i = 0; i < COUNT(option_specs); i++)
        if (option_specs[i].letter == letter)
            return &option_specs[i];
    return NULL;
}

const char *option_name(char letter)
{
    return find_spec(letter)->name;
}

/* Help texts of several lines are indented under their first. */
static void print_option(const struct OptionSpec *spec)
{
    printf("  --%s%s%-*s  ", spec->name, spec->value ? " " : "",
           (int)(20 - strlen(spec->name) - !!spec->value),
           spec->value ? spec->value : "");
    for (const char *c = spec->help; *c; c++) {
        putchar(*c);
        if (*c == '\n')
            printf("%26s", "");
    }
    putchar('\n');
}

static void print_command_help(const Command *command)
{
    printf("Usage: vigil-model %s", command->name);
    for (int i = 0; command->operands[i]; i++)
        printf(" %s", command->operands[i]);
    printf(" [OPTIONS]\n\n%s\n\nOptions:\n", command->summary);
    for (const char *letter = command->options; *letter; letter++)
        print_option(find_spec(*letter));
}

static void fill_long_options(const Command *command, struct option *out)
{
    for (const char *letter = command->options; *letter; letter++) {
        const struct OptionSpec *spec = find_spec(*letter);
        *out++ = (struct option) {
            .name = spec->name,
            .has_arg = spec->value ? required_argument : no_argument,
            .val = spec->letter,
        };
    }
    *out = (struct option) { 0 };
}

/* getopt says in optopt which option was misused; 0: it knows none of that name. */
static int fail_option(const Command *command, int result, const char *argument)
{
    const struct OptionSpec *spec = find_spec(optopt);
    if (result == ':' && spec)
        return fail_usage("%s: --%s needs a value", command->name, spec->name);
    if (!strncmp(argument, "--", 2) && spec)
        return fail_usage("%s: --%s takes no value", command->name, spec->name);
    if (optopt && strncmp(argument, "--", 2))
        return fail_usage("%s: unknown option '-%c'", command->name, optopt);
    return fail_usage("%s: unknown option '%s'", command->name, argument);
}

static int read_operands(const Command *command, int argc, char **argv,
                         Options *options)
{
    int n = 0;
    for (; command->operands[n]; n++) {
        bool optional = command->operands[n][0] == '[';
        if (optind + n >= argc && optional)
            return STATUS_OK;
        if (optind + n >= argc)
            return fail_usage("%s: %s is missing", command->name, command->operands[n]);
        options->operand[n] = argv[optind + n];
    }
    if (optind + n < argc)
        return fail_usage("%s: unexpected argument '%s'", command->name,
                          argv[optind + n]);
    return STATUS_OK;
}

int options_parse(const Command *command, int argc, char **argv, Options *options,
                  bool *done)
{
    struct option long_options[COUNT(option_specs) + 1];
    int letter, status;
    *options = (Options) { .runs = DEFAULT_RUNS, .ignore_index = -1 };
    options->taps = calloc((size_t)argc, sizeof *options->taps);
    options->attention = calloc((size_t)argc, sizeof *options->attention);
    options->classes = calloc((size_t)argc, sizeof *options->classes);
    options->excluded = calloc((size_t)argc, sizeof *options->excluded);
    if (!options->taps || !options->attention || !options->classes ||
        !options->excluded)
        return fail("out of memory");
    fill_long_options(command, long_options);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        const struct OptionSpec *spec = find_spec(letter);
        if (!spec)
            return fail_option(command, letter, argv[optind - 1]);
        if (letter == 'h') {
            print_command_help(command);
            *done = true;
            return STATUS_OK;
        }
        if (!strchr(options->given, letter))
            options->given[strlen(options->given)] = (char)letter;
        if ((status = spec->set(options, optarg)))
            return status;
    }
    return read_operands(command, argc, argv, options);
}

void options_clear(Options *options)
{
    for (size_t i = 0; i < options->n_attention; i++)
        free(options->attention[i].name);
    free(options->attention);
    free(options->taps);
    free(options->classes);
    free(options->excluded);
    *options = (Options) { 0 };
}
