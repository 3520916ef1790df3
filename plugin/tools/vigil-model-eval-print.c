/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: tables and JSON. */
#include "vigil-model-eval.h"

#include <math.h>

static const struct {
    const char *key, *head;
} figures[AP_FIGURES] = {
    [AP_MEAN] = { "ap", "AP50:95" },
    [AP_50] = { "ap50", "AP50" },
    [AP_75] = { "ap75", "AP75" },
    [AP_SMALL] = { "ap_small", "SMALL" },
    [AP_MEDIUM] = { "ap_medium", "MEDIUM" },
    [AP_LARGE] = { "ap_large", "LARGE" },
    [AR_100] = { "ar100", "AR100" },
};

void print_label(const char *label)
{
    char *clean = clean_text(label);
    printf("%s\n", clean);
    g_free(clean);
}

void print_share(double share)
{
    if (isnan(share))
        printf("%7s  ", "-");
    else
        printf("%7.4f  ", share);
}

static json_t *result_json(const ApResult *result, json_t *label)
{
    json_t *object = json_object();
    if (label)
        json_set(&object, "label", label);
    json_set(&object, "positives", json_integer((json_int_t)result->positives));
    json_set(&object, "detections", json_integer((json_int_t)result->detections));
    for (int i = 0; i < AP_FIGURES; i++)
        json_set(&object, figures[i].key, json_number(result->figure[i]));
    return object;
}

static json_t *boxes_json(const BoxReport *report)
{
    json_t *classes = json_array();
    for (guint i = 0; i < report->coco->classes->len && classes; i++)
        json_add(&classes,
                 result_json(&report->result[i],
                             json_text(g_ptr_array_index(report->coco->classes, i))));
    return json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "file", json_text(report->file),
        "annotations", json_text(report->coco->path), "detections_file",
        json_text(report->options->detections), "pictures",
        (json_int_t)(report->coco->n_counting - report->skipped), "skipped",
        (json_int_t)report->skipped, "dropped", (json_int_t)report->dropped, "mean",
        result_json(&report->all, NULL), "classes", classes);
}

static void print_result(const ApResult *result, const char *label)
{
    printf("%8zu  %8zu  ", result->positives, result->detections);
    for (int i = 0; i < AP_FIGURES; i++)
        print_share(result->figure[i]);
    print_label(label);
}

static int print_table(const BoxReport *report)
{
    printf("%8s  %8s  ", "BOXES", "FOUND");
    for (int i = 0; i < AP_FIGURES; i++)
        printf("%7s  ", figures[i].head);
    printf("CLASS\n");
    for (guint i = 0; i < report->coco->classes->len; i++)
        print_result(&report->result[i], g_ptr_array_index(report->coco->classes, i));
    print_result(&report->all, "(mean of all)");
    printf("\n%zu pictures", report->coco->n_counting - report->skipped);
    if (report->skipped)
        printf(", %zu skipped", report->skipped);
    if (report->dropped)
        printf(", %zu detections of no class dropped", report->dropped);
    putchar('\n');
    return STATUS_OK;
}

int print_boxes(const BoxReport *report)
{
    return report->options->json ? json_print(boxes_json(report), true)
                                 : print_table(report);
}
