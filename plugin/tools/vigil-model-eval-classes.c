/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval --classification: classes of pictures against known ones. */
#include "vigil-model-eval.h"

#include <math.h>
#include <stdlib.h>

enum { TOP = 5 };

/* Of one picture. */
typedef struct Answer {
    int truth, best; /* class; best -1: the picture was skipped */
    bool in_top;
} Answer;

typedef struct Classes {
    const Options *options;
    EvalNetwork network;
    GArray *rows;                   /* of LabelRow */
    Answer *answers;                /* [rows] */
    size_t *pictures, *top1, *topk; /* [classes] by the true class */
    size_t skipped;
} Classes;

/* ---- Running ----------------------------------------------------------------------
 */

static const LabelRow *row_at(const Classes *c, size_t i)
{
    return &g_array_index(c->rows, LabelRow, i);
}

/* Each label is looked up once, before the first picture is read. */
static int find_truths(Classes *c)
{
    const VigilModelInfo *info = c->network.info;
    GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
    int status = STATUS_OK;
    c->answers = calloc(c->rows->len, sizeof *c->answers);
    if (!c->answers)
        status = fail("out of memory");
    for (guint i = 0; status == STATUS_OK && i < c->rows->len; i++) {
        const LabelRow *row = row_at(c, i);
        void *index;
        if (!g_hash_table_lookup_extended(known, row->label, NULL, &index)) {
            index = GINT_TO_POINTER(class_index(info, row->label));
            g_hash_table_insert(known, row->label, index);
        }
        c->answers[i].truth = GPOINTER_TO_INT(index);
        if (c->answers[i].truth < 0)
            status = fail("%s:%d: the network has no label '%s', and its classes are "
                          "0..%d",
                          c->options->classification, row->line, row->label,
                          info->classes - 1);
    }
    g_hash_table_unref(known);
    return status;
}

static int load_picture(Classes *c, const LabelRow *row, VigilRegion *region)
{
    int status = eval_network_load(&c->network, row->file);
    if (status != STATUS_OK || !row->has_crop)
        return status;
    double width = c->network.picture.image.width;
    double height = c->network.picture.image.height;
    if (row->x1 > width || row->y1 > height)
        return fail("%s:%d: the crop ends at %g, %g; %s has %g x %g pixels",
                    c->options->classification, row->line, row->x1, row->y1, row->file,
                    width, height);
    *region = (VigilRegion) {
        .x = (float)(row->x0 / width),
        .y = (float)(row->y0 / height),
        .width = (float)((row->x1 - row->x0) / width),
        .height = (float)((row->y1 - row->y0) / height),
    };
    return STATUS_OK;
}

static int answer(Classes *c, const VigilRegion *region, Answer *out)
{
    VigilClass top[TOP];
    int status = eval_network_run(&c->network, region);
    if (status != STATUS_OK)
        return status;
    int n = vigil_top_classes(vigil_session_output(c->network.session, 0)->data,
                              c->network.info->classes, TOP, top);
    out->best = top[0].index;
    for (int i = 0; i < n; i++)
        out->in_top |= top[i].index == out->truth;
    return STATUS_OK;
}

static int run_all(Classes *c)
{
    Progress progress;
    int status = STATUS_OK;
    progress_begin(&progress, c->options, c->rows->len);
    for (guint i = 0; status == STATUS_OK && i < c->rows->len; i++) {
        const LabelRow *row = row_at(c, i);
        VigilRegion region;
        status = load_picture(c, row, &region);
        if (status == STATUS_OK) {
            status = answer(c, row->has_crop ? &region : NULL, &c->answers[i]);
        } else if (c->options->skip_broken) {
            c->answers[i].best = -1;
            c->skipped++;
            status = STATUS_OK;
        }
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* ---- Counting ---------------------------------------------------------------------
 */

static int count(Classes *c)
{
    size_t classes = (size_t)c->network.info->classes;
    c->pictures = calloc(classes, sizeof *c->pictures);
    c->top1 = calloc(classes, sizeof *c->top1);
    c->topk = calloc(classes, sizeof *c->topk);
    if (!c->pictures || !c->top1 || !c->topk)
        return fail("out of memory");
    for (guint i = 0; i < c->rows->len; i++) {
        const Answer *a = &c->answers[i];
        if (a->best < 0)
            continue;
        c->pictures[a->truth]++;
        c->top1[a->truth] += a->best == a->truth;
        c->topk[a->truth] += a->in_top;
    }
    return STATUS_OK;
}

static size_t sum_of(const Classes *c, const size_t *counts)
{
    size_t sum = 0;
    for (int i = 0; i < c->network.info->classes; i++)
        sum += counts[i];
    return sum;
}

static double share(size_t part, size_t all)
{
    return all ? (double)part / (double)all : NAN;
}

/* ---- Printing ---------------------------------------------------------------------
 */

/* Row for row the true class, column for column the best answer; only classes that
 * occur as one or the other.  matrix [n][n], place [classes]. */
static json_t *matrix_json(const Classes *c, const size_t *matrix, const int *place,
                           size_t n)
{
    json_t *classes = json_array(), *rows = json_array();
    for (int i = 0; i < c->network.info->classes; i++)
        if (place[i] >= 0)
            json_add(&classes, json_integer(i));
    for (size_t i = 0; i < n && rows; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < n && row; k++)
            json_add(&row, json_integer((json_int_t)matrix[i * n + k]));
        json_add(&rows, row);
    }
    return json_pack("{s:o, s:o}", "classes", classes, "counts", rows);
}

static json_t *confusion_json(const Classes *c)
{
    size_t classes = (size_t)c->network.info->classes, n = 0;
    int *place = calloc(classes, sizeof *place);
    json_t *json = NULL;
    for (guint i = 0; i < c->rows->len && place; i++)
        if (c->answers[i].best >= 0)
            place[c->answers[i].truth] = place[c->answers[i].best] = 1;
    for (size_t i = 0; i < classes && place; i++)
        place[i] = place[i] ? (int)n++ : -1;
    size_t *matrix = calloc(n + 1, (n + 1) * sizeof *matrix);
    if (place && matrix) {
        for (guint i = 0; i < c->rows->len; i++) {
            const Answer *a = &c->answers[i];
            if (a->best >= 0)
                matrix[(size_t)place[a->truth] * n + (size_t)place[a->best]]++;
        }
        json = matrix_json(c, matrix, place, n);
    }
    free(matrix);
    free(place);
    return json;
}

static json_t *classes_json(const Classes *c)
{
    json_t *all = json_array();
    char text[16];
    for (int i = 0; i < c->network.info->classes && all; i++)
        if (c->pictures[i])
            json_add(&all,
                     json_pack("{s:i, s:o, s:I, s:o, s:o}", "index", i, "label",
                               json_text(eval_network_label(&c->network, i, text)),
                               "pictures", (json_int_t)c->pictures[i], "top1",
                               json_number(share(c->top1[i], c->pictures[i])), "top5",
                               json_number(share(c->topk[i], c->pictures[i]))));
    return all;
}

static int print_json(const Classes *c)
{
    size_t n = sum_of(c, c->pictures);
    return json_print(json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o}", "file",
                                json_text(c->network.info->file), "list",
                                json_text(c->options->classification), "pictures",
                                (json_int_t)n, "skipped", (json_int_t)c->skipped,
                                "top1", json_number(share(sum_of(c, c->top1), n)),
                                "top5", json_number(share(sum_of(c, c->topk), n)),
                                "classes", classes_json(c), "confusion",
                                confusion_json(c)),
                      false);
}

static void print_row(size_t n, size_t top1, size_t topk, const char *label)
{
    printf("%8zu  ", n);
    print_share(share(top1, n));
    print_share(share(topk, n));
    print_label(label);
}

static int print_table(const Classes *c)
{
    char text[16];
    printf("%8s  %7s  %7s  CLASS\n", "PICTURES", "TOP1", "TOP5");
    for (int i = 0; i < c->network.info->classes; i++)
        if (c->pictures[i])
            print_row(c->pictures[i], c->top1[i], c->topk[i],
                      eval_network_label(&c->network, i, text));
    print_row(sum_of(c, c->pictures), sum_of(c, c->top1), sum_of(c, c->topk), "(all)");
    if (c->skipped)
        printf("\n%zu pictures skipped\n", c->skipped);
    return STATUS_OK;
}

int eval_classes(const Options *options)
{
    Classes c = { .options = options };
    int status = label_rows_load(options, options->classification, &c.rows);
    if (status == STATUS_OK)
        status = eval_network_open(options, VIGIL_TASK_CLASSIFICATION, &c.network);
    if (status == STATUS_OK)
        status = find_truths(&c);
    if (status == STATUS_OK)
        status = run_all(&c);
    if (status == STATUS_OK)
        status = count(&c);
    if (status == STATUS_OK)
        status = options->json ? print_json(&c) : print_table(&c);
    g_clear_pointer(&c.rows, g_array_unref);
    eval_network_close(&c.network);
    free(c.answers);
    free(c.pictures);
    free(c.top1);
    free(c.topk);
    return status;
}
