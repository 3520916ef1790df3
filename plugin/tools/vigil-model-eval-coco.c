/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model eval: annotations and results in the form of COCO. */
#include "vigil-model-eval.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 1000000.0 /* of a picture, as told */

typedef struct CocoReading {
    Coco *coco;
    const Options *options;
} CocoReading;

/* ---- Ids: sorted, searched by halves; both records begin with theirs --------------
 */

static int compare_ids(const void *one, const void *other)
{
    json_int_t a = *(const json_int_t *)one, b = *(const json_int_t *)other;
    return (a > b) - (a < b);
}

/* Sorts records of `size` bytes by id. */
static int sort_ids(const Coco *coco, const char *list, void *records, size_t n,
                    size_t size)
{
    qsort(records, n, size, compare_ids);
    for (size_t i = 1; i < n; i++) {
        const void *last = (char *)records + (i - 1) * size;
        const void *next = (char *)records + i * size;
        if (compare_ids(last, next) == 0)
            return fail("%s: two %s have the id %" JSON_INTEGER_FORMAT, coco->path,
                        list, *(const json_int_t *)next);
    }
    return STATUS_OK;
}

static CocoImage *find_image(const Coco *coco, json_int_t id)
{
    return bsearch(&id, coco->images, coco->n_images, sizeof *coco->images,
                   compare_ids);
}

static const CocoCategory *find_category(const Coco *coco, json_int_t id)
{
    return bsearch(&id, coco->categories, coco->n_categories, sizeof *coco->categories,
                   compare_ids);
}

/* ---- Images -----------------------------------------------------------------------
 */

/* Any image is wanted where no name is given. */
static bool has_name(json_t *image, const char *key, const char *wanted)
{
    const char *name = json_string_value(json_object_get(image, key));
    return !wanted || (name && !strcmp(name, wanted));
}

static int read_side(const JsonEntry *entry, const char *key, int *side)
{
    double value = 0;
    int status = entry_number(entry, key, &value);
    if (status == STATUS_OK && !(value >= 0 && value <= MAX_SIDE))
        status = fail_entry(entry, "%s %g: must be 0..%g", key, value, MAX_SIDE);
    *side = status == STATUS_OK ? (int)value : 0;
    return status;
}

static int read_image(const JsonEntry *entry, void *data)
{
    CocoReading *r = data;
    CocoImage *image = &r->coco->images[r->coco->n_images++];
    int status = entry_integer(entry, "id", &image->id);
    if (status == STATUS_OK)
        status = entry_text(entry, "file_name", &image->file);
    if (status == STATUS_OK)
        status = read_side(entry, "width", &image->width);
    if (status == STATUS_OK)
        status = read_side(entry, "height", &image->height);
    image->counts = has_name(entry->value, "split", r->options->split) &&
                    has_name(entry->value, "source", r->options->source);
    return status;
}

static int read_images(CocoReading *r)
{
    Coco *coco = r->coco;
    json_t *list = json_object_get(coco->root, "images");
    coco->images = calloc(json_array_size(list) + 1, sizeof *coco->images);
    if (!coco->images)
        return fail("out of memory");
    int status = entries_read(coco->path, "images", list, read_image, r);
    if (status == STATUS_OK)
        status = sort_ids(coco, "images", coco->images, coco->n_images,
                          sizeof *coco->images);
    size_t limit = r->options->limit ? (size_t)r->options->limit : coco->n_images;
    for (size_t i = 0; i < coco->n_images; i++) {
        coco->images[i].counts &= coco->n_counting < limit;
        coco->n_counting += coco->images[i].counts;
    }
    if (status == STATUS_OK && !coco->n_counting)
        status = fail("%s: none of its %zu images counts", coco->path, coco->n_images);
    return status;
}

/* ---- Categories and classes -------------------------------------------------------
 */

static int add_class(Coco *coco, const char *name)
{
    int index = GPOINTER_TO_INT(g_hash_table_lookup(coco->class_indices, name)) - 1;
    if (index >= 0)
        return index;
    g_ptr_array_add(coco->classes, (char *)name);
    g_hash_table_insert(coco->class_indices, (char *)name,
                        GINT_TO_POINTER((int)coco->classes->len));
    return (int)coco->classes->len - 1;
}

static int read_category(const JsonEntry *entry, void *data)
{
    Coco *coco = ((CocoReading *)data)->coco;
    CocoCategory *category = &coco->categories[coco->n_categories++];
    int status = entry_integer(entry, "id", &category->id);
    if (status == STATUS_OK)
        status = entry_text(entry, "name", &category->name);
    if (status != STATUS_OK)
        return status;
    const char *name = category->name;
    if (coco->map.gt) {
        json_t *mapped = json_object_get(coco->map.gt, name);
        category->class_index = mapped ? AP_EVERY_CLASS : CATEGORY_LEFT_OUT;
        name = json_string_value(mapped);
    }
    if (name)
        category->class_index = add_class(coco, name);
    return STATUS_OK;
}

static int read_categories(CocoReading *r)
{
    Coco *coco = r->coco;
    json_t *list = json_object_get(coco->root, "categories");
    coco->categories = calloc(json_array_size(list) + 1, sizeof *coco->categories);
    if (!coco->categories)
        return fail("out of memory");
    int status = entries_read(coco->path, "categories", list, read_category, r);
    if (status == STATUS_OK)
        status = sort_ids(coco, "categories", coco->categories, coco->n_categories,
                          sizeof *coco->categories);
    if (status == STATUS_OK && !coco->classes->len)
        status = fail("%s: none of its %zu categories is a class", coco->path,
                      coco->n_categories);
    return status;
}

int coco_class(const Coco *coco, const char *label)
{
    json_t *mapped = json_object_get(coco->map.det, label);
    const char *name = json_is_string(mapped) ? json_string_value(mapped) : label;
    return GPOINTER_TO_INT(g_hash_table_lookup(coco->class_indices, name)) - 1;
}

/* ---- Boxes ------------------------------------------------------------------------
 */

/* The category of a box or a detection. */
static int read_category_id(const Coco *coco, const JsonEntry *entry,
                            const CocoCategory **category)
{
    json_int_t id;
    int status = entry_integer(entry, "category_id", &id);
    if (status != STATUS_OK)
        return status;
    *category = find_category(coco, id);
    if (!*category)
        return fail_entry(
            entry, "category_id %" JSON_INTEGER_FORMAT " is none of the %zu categories",
            id, coco->n_categories);
    return STATUS_OK;
}

static int read_flags(const JsonEntry *entry, ApTruth *truth)
{
    bool crowd = false, ignore = false, difficult = false;
    int status = entry_flag(entry, "iscrowd", &crowd);
    if (status == STATUS_OK)
        status = entry_flag(entry, "ignore", &ignore);
    if (status == STATUS_OK)
        status = entry_flag(entry, "difficult", &difficult);
    truth->ignore = crowd || ignore || difficult || truth->class_index < 0;
    truth->crowd = crowd && !json_object_get(entry->value, "difficult");
    return status;
}

static int read_truth(const JsonEntry *entry, void *data)
{
    Coco *coco = ((CocoReading *)data)->coco;
    const CocoCategory *category;
    ApTruth truth;
    json_int_t id;
    int status = entry_integer(entry, "image_id", &id);
    if (status == STATUS_OK)
        status = read_category_id(coco, entry, &category);
    if (status == STATUS_OK)
        status = entry_box(entry, &truth.box);
    if (status != STATUS_OK)
        return status;
    truth.class_index = category->class_index;
    truth.area = truth.box.width * truth.box.height;
    status = entry_number(entry, "area", &truth.area);
    if (status == STATUS_OK && truth.area < 0)
        status = fail_entry(entry, "area is negative: %g", truth.area);
    if (status == STATUS_OK)
        status = read_flags(entry, &truth);
    const CocoImage *image = find_image(coco, id);
    if (status != STATUS_OK || !image || !image->counts ||
        truth.class_index == CATEGORY_LEFT_OUT)
        return status;
    truth.image = (int)(image - coco->images);
    g_array_append_val(coco->truths, truth);
    return STATUS_OK;
}

void coco_drop_boxes(Coco *coco)
{
    guint kept = 0;
    ApTruth *truths = (ApTruth *)(void *)coco->truths->data;
    for (guint i = 0; i < coco->truths->len; i++)
        if (coco->images[truths[i].image].counts)
            truths[kept++] = truths[i];
    g_array_set_size(coco->truths, kept);
}

typedef struct FoundReading {
    const Coco *coco;
    GArray *found;
    size_t *dropped;
} FoundReading;

static int read_found(const JsonEntry *entry, void *data)
{
    FoundReading *r = data;
    const CocoCategory *category;
    ApFound found;
    json_int_t id;
    int status = entry_integer(entry, "image_id", &id);
    if (status == STATUS_OK)
        status = read_category_id(r->coco, entry, &category);
    if (status == STATUS_OK)
        status = entry_box(entry, &found.box);
    if (status != STATUS_OK)
        return status;
    if (!json_object_get(entry->value, "score"))
        return fail_entry(entry, "score is missing");
    status = entry_number(entry, "score", &found.score);
    const CocoImage *image = find_image(r->coco, id);
    if (status == STATUS_OK && !image)
        status = fail_entry(
            entry, "image_id %" JSON_INTEGER_FORMAT " is none of the %zu images of %s",
            id, r->coco->n_images, r->coco->path);
    if (status != STATUS_OK || !image->counts)
        return status;
    found.image = (int)(image - r->coco->images);
    found.class_index = coco_class(r->coco, category->name);
    if (found.class_index >= 0)
        g_array_append_val(r->found, found);
    else
        ++*r->dropped;
    return STATUS_OK;
}

int coco_read_found(const Coco *coco, const char *path, GArray *found, size_t *dropped)
{
    FoundReading reading = { coco, found, dropped };
    json_t *root;
    int status = json_load_path(path, &root);
    if (status == STATUS_OK)
        status = entries_read(path, "detections", root, read_found, &reading);
    json_decref(root);
    return status;
}

/* ---- The file ---------------------------------------------------------------------
 */

int coco_load(const Options *options, Coco *coco)
{
    CocoReading reading = { coco, options };
    *coco = (Coco) { .path = options->coco };
    coco->classes = g_ptr_array_new();
    coco->class_indices = g_hash_table_new(g_str_hash, g_str_equal);
    coco->truths = g_array_new(FALSE, FALSE, sizeof(ApTruth));
    int status = STATUS_OK;
    if (options->class_map)
        status = class_map_load(options->class_map, &coco->map);
    if (status == STATUS_OK)
        status = json_load_path(coco->path, &coco->root);
    if (status == STATUS_OK)
        status = read_images(&reading);
    if (status == STATUS_OK)
        status = read_categories(&reading);
    if (status == STATUS_OK)
        status = entries_read(coco->path, "annotations",
                              json_object_get(coco->root, "annotations"), read_truth,
                              &reading);
    json_object_del(coco->root, "annotations"); /* most of the memory */
    return status;
}

void coco_clear(Coco *coco)
{
    g_clear_pointer(&coco->classes, g_ptr_array_unref);
    g_clear_pointer(&coco->class_indices, g_hash_table_unref);
    g_clear_pointer(&coco->truths, g_array_unref);
    free(coco->images);
    free(coco->categories);
    json_decref(coco->root);
    class_map_clear(&coco->map);
}
