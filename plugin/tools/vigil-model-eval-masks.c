/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval --masks: classes of pixels against known ones. */
#include "vigil-model-eval.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels of a class. */
typedef struct PixelCounts {
    uint64_t known, found, both;
} PixelCounts;

typedef struct Masks {
    const Options *options;
    EvalNetwork network;
    VigilSegmenter *segmenter;
    GPtrArray *names;     /* of the masks, in order; owned */
    PixelCounts *classes; /* [classes] */
    size_t skipped;
} Masks;

/* ---- Files ------------------------------------------------------------------------
 */

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static int list_masks(Masks *m)
{
    const char *folder = m->options->masks, *name;
    GError *error = NULL;
    GDir *dir = g_dir_open(folder, 0, &error);
    m->names = g_ptr_array_new_with_free_func(g_free);
    if (!dir) {
        fail("%s: %s", folder, error->message);
        g_clear_error(&error);
        return STATUS_FAILED;
    }
    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".png"))
            g_ptr_array_add(m->names, g_strdup(name));
    g_dir_close(dir);
    if (!m->names->len)
        return fail("%s: has no files that end in .png", folder);
    g_ptr_array_sort(m->names, compare_names);
    if (m->options->limit && m->names->len > (guint)m->options->limit)
        g_ptr_array_set_size(m->names, m->options->limit);
    return STATUS_OK;
}

/* The picture of a mask: NAME.png is that of NAME.jpg, NAME.jpeg or NAME.png. */
static int load_picture(Masks *m, const char *mask)
{
    static const char *const endings[] = { ".jpg", ".jpeg", ".png" };
    int length = (int)(strlen(mask) - strlen(".png"));
    char *path = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_free(path);
        path =
            g_strdup_printf("%s/%.*s%s", m->options->images, length, mask, endings[i]);
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            int status = eval_network_load(&m->network, path);
            g_free(path);
            return status;
        }
    }
    g_free(path);
    return fail("%s: has no picture %.*s.jpg, .jpeg or .png", m->options->images,
                length, mask);
}

static int check_mask(const Masks *m, const char *path, const KnownMask *mask)
{
    const VigilImage *picture = &m->network.picture.image;
    if (mask->width != picture->width || mask->height != picture->height)
        return fail("%s: %dx%d pixels (width x height), but %s has %dx%d", path,
                    mask->width, mask->height, m->network.path, picture->width,
                    picture->height);
    for (size_t i = 0; i < (size_t)mask->width * (size_t)mask->height; i++)
        if (mask->classes[i] >= m->network.info->classes &&
            mask->classes[i] != m->options->ignore_index)
            return fail("%s: a pixel is of class %d; the network has 0..%d, and "
                        "--ignore-index names what does not count",
                        path, mask->classes[i], m->network.info->classes - 1);
    return STATUS_OK;
}

static int load_pair(Masks *m, const char *name, KnownMask *mask)
{
    char *path = g_build_filename(m->options->masks, name, NULL);
    int status = known_mask_load(path, mask);
    if (status == STATUS_OK)
        status = load_picture(m, name);
    if (status == STATUS_OK)
        status = check_mask(m, path, mask);
    g_free(path);
    return status;
}

/* ---- Running ----------------------------------------------------------------------
 */

/* What the network was not shown is of no class, and missed. */
static int count_pixels(Masks *m, const KnownMask *mask)
{
    size_t n = (size_t)mask->width * (size_t)mask->height;
    int status = eval_network_run(&m->network, NULL);
    if (status != STATUS_OK)
        return status;
    uint16_t *found = calloc(n, sizeof *found);
    if (!found)
        return fail("out of memory");
    vigil_segmenter_run(m->segmenter, &m->network.placed, mask->height, mask->width,
                        found);
    for (size_t i = 0; i < n; i++) {
        int known = mask->classes[i];
        if (known == m->options->ignore_index)
            continue;
        m->classes[known].known++;
        m->classes[known].both += found[i] == known;
        if (found[i] != VIGIL_NO_CLASS)
            m->classes[found[i]].found++;
    }
    free(found);
    return STATUS_OK;
}

static int run_all(Masks *m)
{
    Progress progress;
    int status = STATUS_OK;
    progress_begin(&progress, m->options, m->names->len);
    for (guint i = 0; status == STATUS_OK && i < m->names->len; i++) {
        KnownMask mask;
        status = load_pair(m, g_ptr_array_index(m->names, i), &mask);
        if (status == STATUS_OK) {
            status = count_pixels(m, &mask);
        } else if (m->options->skip_broken) {
            m->skipped++;
            status = STATUS_OK;
        }
        known_mask_clear(&mask);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

static int open_segmenter(Masks *m)
{
    VigilError error;
    int status = eval_network_open(m->options, VIGIL_TASK_SEGMENTATION, &m->network);
    if (status != STATUS_OK)
        return status;
    m->classes = calloc((size_t)m->network.info->classes, sizeof *m->classes);
    if (!m->classes)
        return fail("out of memory");
    if (vigil_segmenter_open(m->network.session, &m->segmenter, &error) != VIGIL_OK)
        return fail("%s", error.message);
    return STATUS_OK;
}

/* ---- Printing ---------------------------------------------------------------------
 */

static double quotient(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : NAN;
}

static double class_iou(const PixelCounts *c)
{
    return quotient(c->both, c->known + c->found - c->both);
}

static double class_accuracy(const PixelCounts *c)
{
    return quotient(c->both, c->known);
}

/* Over the classes that have one. */
static double mean_of(const Masks *m, double (*figure)(const PixelCounts *))
{
    double sum = 0;
    int n = 0;
    for (int i = 0; i < m->network.info->classes; i++) {
        double value = figure(&m->classes[i]);
        sum += isnan(value) ? 0 : value;
        n += !isnan(value);
    }
    return n ? sum / n : NAN;
}

static PixelCounts sum_of(const Masks *m)
{
    PixelCounts sum = { 0 };
    for (int i = 0; i < m->network.info->classes; i++) {
        sum.known += m->classes[i].known;
        sum.both += m->classes[i].both;
    }
    return sum;
}

static json_t *classes_json(const Masks *m)
{
    json_t *all = json_array();
    char text[16];
    for (int i = 0; i < m->network.info->classes && all; i++) {
        const PixelCounts *c = &m->classes[i];
        json_add(&all, json_pack("{s:i, s:o, s:I, s:I, s:o, s:o}", "index", i, "label",
                                 json_text(eval_network_label(&m->network, i, text)),
                                 "pixels", (json_int_t)c->known, "found",
                                 (json_int_t)c->found, "iou", json_number(class_iou(c)),
                                 "accuracy", json_number(class_accuracy(c))));
    }
    return all;
}

static int print_json(const Masks *m)
{
    PixelCounts sum = sum_of(m);
    return json_print(
        json_pack(
            "{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o}", "file",
            json_text(m->network.info->file), "masks", json_text(m->options->masks),
            "pictures", (json_int_t)(m->names->len - m->skipped), "skipped",
            (json_int_t)m->skipped, "mean_iou", json_number(mean_of(m, class_iou)),
            "mean_accuracy", json_number(mean_of(m, class_accuracy)), "accuracy",
            json_number(class_accuracy(&sum)), "classes", classes_json(m)),
        true);
}

static int print_table(const Masks *m)
{
    char text[16];
    printf("%12s  %7s  %7s  CLASS\n", "PIXELS", "IOU", "ACC");
    for (int i = 0; i < m->network.info->classes; i++) {
        const PixelCounts *c = &m->classes[i];
        if (!c->known && !c->found)
            continue;
        printf("%12" PRIu64 "  ", c->known);
        print_share(class_iou(c));
        print_share(class_accuracy(c));
        print_label(eval_network_label(&m->network, i, text));
    }
    PixelCounts sum = sum_of(m);
    printf("%12" PRIu64 "  ", sum.known);
    print_share(mean_of(m, class_iou));
    print_share(mean_of(m, class_accuracy));
    print_label("(mean of all)");
    printf("\n%.4f of all pixels right, %zu pictures", class_accuracy(&sum),
           m->names->len - m->skipped);
    if (m->skipped)
        printf(", %zu skipped", m->skipped);
    putchar('\n');
    return STATUS_OK;
}

int eval_masks(const Options *options)
{
    Masks m = { .options = options };
    int status = list_masks(&m);
    if (status == STATUS_OK)
        status = open_segmenter(&m);
    if (status == STATUS_OK)
        status = run_all(&m);
    if (status == STATUS_OK)
        status = options->json ? print_json(&m) : print_table(&m);
    vigil_segmenter_close(&m.segmenter);
    eval_network_close(&m.network);
    g_clear_pointer(&m.names, g_ptr_array_unref);
    free(m.classes);
    return status;
}
