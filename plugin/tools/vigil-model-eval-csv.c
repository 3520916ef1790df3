/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vigil-model eval --classification: a list of pictures and their classes.
 *
 * Lines of fields between commas; a field in "..." may hold commas, line ends and ""
 * for one quote.  The first line names the columns, in any order: file and label must
 * be there; x0, y0, x1, y1, split and source may; others are passed over.
 */
#include "vigil-model-eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_FILE,
    COLUMN_LABEL,
    X0,
    Y0,
    X1,
    Y1,
    COLUMN_SPLIT,
    COLUMN_SOURCE,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    "file", "label", "x0", "y0", "x1", "y1", "split", "source",
};

typedef struct Csv {
    const char *path;
    char *at;            /* what is left of the text */
    int line, next_line; /* of the row; of what is left */
    GPtrArray *fields;   /* of the row, inside the text */
    int column[COLUMNS]; /* index of the field; -1: none */
} Csv;

/* Reads a field in quotes, from behind the first; false where no quote ends it. */
static bool read_quoted(Csv *csv, char **end)
{
    char *out = csv->at;
    for (; *csv->at; csv->at++) {
        csv->next_line += *csv->at == '\n';
        if (*csv->at == '"' && csv->at[1] != '"') {
            csv->at++;
            *end = out;
            return true;
        }
        csv->at += *csv->at == '"';
        *out++ = *csv->at;
    }
    return false;
}

/* Fields are ended in place, after what ends them has been looked at. */
static int read_field(Csv *csv, bool *last)
{
    bool quoted = *csv->at == '"';
    char *begin = csv->at += quoted, *end;
    if (quoted && !read_quoted(csv, &end))
        return fail("%s:%d: a quote has no end", csv->path, csv->line);
    if (!quoted)
        end = csv->at += strcspn(csv->at, ",\r\n");
    char stop = *csv->at;
    if (stop == '\r' && csv->at[1] == '\n')
        stop = *++csv->at;
    if (stop && stop != ',' && stop != '\n')
        return fail("%s:%d: there is text behind a quote", csv->path, csv->line);
    csv->at += stop != '\0';
    csv->next_line += stop == '\n';
    *last = stop != ',';
    *end = '\0';
    g_ptr_array_add(csv->fields, begin);
    return STATUS_OK;
}

/* The next line that is not empty; no fields at the end. */
static int read_row(Csv *csv)
{
    bool last = false;
    int status = STATUS_OK;
    while (*csv->at == '\n' || *csv->at == '\r')
        csv->next_line += *csv->at++ == '\n';
    csv->line = csv->next_line;
    g_ptr_array_set_size(csv->fields, 0);
    while (status == STATUS_OK && !last && (*csv->at || csv->fields->len))
        status = read_field(csv, &last);
    return status;
}

static int read_head(Csv *csv, const Options *options)
{
    int status = read_row(csv);
    if (status != STATUS_OK)
        return status;
    for (int c = 0; c < COLUMNS; c++) {
        csv->column[c] = -1;
        for (guint i = 0; i < csv->fields->len; i++)
            if (!strcmp(g_ptr_array_index(csv->fields, i), column_names[c]))
                csv->column[c] = (int)i;
        bool crop = c >= X0 && c <= Y1 && csv->column[X0] >= 0;
        bool needed = c <= COLUMN_LABEL || crop ||
                      (c == COLUMN_SPLIT && options->split) ||
                      (c == COLUMN_SOURCE && options->source);
        if (needed && csv->column[c] < 0)
            return fail("%s:%d: there is no column '%s'", csv->path, csv->line,
                        column_names[c]);
    }
    return STATUS_OK;
}

static const char *field(const Csv *csv, int column)
{
    int i = csv->column[column];
    return i >= 0 && (guint)i < csv->fields->len ? g_ptr_array_index(csv->fields, i)
                                                 : "";
}

static int read_crop(const Csv *csv, LabelRow *row)
{
    double *const sides[] = { &row->x0, &row->y0, &row->x1, &row->y1 };
    int given = 0;
    for (int i = 0; i < 4; i++) {
        const char *text = field(csv, X0 + i);
        char *end;
        if (!*text)
            continue;
        *sides[i] = g_ascii_strtod(text, &end);
        if (*end || !isfinite(*sides[i]))
            return fail("%s:%d: %s '%s' is not a number", csv->path, csv->line,
                        column_names[X0 + i], text);
        given++;
    }
    if (given && given < 4)
        return fail("%s:%d: %d of x0, y0, x1 and y1 are given, not 4", csv->path,
                    csv->line, given);
    row->has_crop = given > 0;
    if (given &&
        !(row->x0 >= 0 && row->y0 >= 0 && row->x0 < row->x1 && row->y0 < row->y1))
        return fail("%s:%d: the crop %g, %g to %g, %g is empty or begins outside",
                    csv->path, csv->line, row->x0, row->y0, row->x1, row->y1);
    return STATUS_OK;
}

static bool is_wanted(const Csv *csv, const Options *options)
{
    return (!options->split || !strcmp(field(csv, COLUMN_SPLIT), options->split)) &&
           (!options->source || !strcmp(field(csv, COLUMN_SOURCE), options->source));
}

static int add_row(const Csv *csv, const char *folder, GArray *rows)
{
    LabelRow row = { .line = csv->line };
    if (!*field(csv, COLUMN_FILE) || !*field(csv, COLUMN_LABEL))
        return fail("%s:%d: %s is missing", csv->path, csv->line,
                    *field(csv, COLUMN_FILE) ? "label" : "file");
    int status = read_crop(csv, &row);
    if (status != STATUS_OK)
        return status;
    const char *file = field(csv, COLUMN_FILE);
    row.file = g_path_is_absolute(file) ? g_strdup(file)
                                        : g_build_filename(folder, file, NULL);
    row.label = g_strdup(field(csv, COLUMN_LABEL));
    g_array_append_val(rows, row);
    return STATUS_OK;
}

static void clear_row(void *data)
{
    LabelRow *row = data;
    g_free(row->file);
    g_free(row->label);
}

static int read_rows(Csv *csv, const Options *options, GArray *rows)
{
    char *folder = g_path_get_dirname(csv->path);
    int status = read_head(csv, options);
    while (status == STATUS_OK &&
           (!options->limit || rows->len < (guint)options->limit)) {
        status = read_row(csv);
        if (status != STATUS_OK || !csv->fields->len)
            break;
        if (is_wanted(csv, options))
            status = add_row(csv, folder, rows);
    }
    if (status == STATUS_OK && !rows->len)
        status = fail("%s: none of its %d lines counts", csv->path, csv->next_line);
    g_free(folder);
    return status;
}

int label_rows_load(const Options *options, const char *path, GArray **rows)
{
    Csv csv = { .path = path, .next_line = 1 };
    char *text;
    size_t bytes;
    *rows = NULL;
    int status = text_read(path, &text, &bytes);
    if (status != STATUS_OK)
        return status;
    csv.at = text + (g_str_has_prefix(text, "\xef\xbb\xbf") ? 3 : 0);
    csv.fields = g_ptr_array_new();
    *rows = g_array_new(FALSE, FALSE, sizeof(LabelRow));
    g_array_set_clear_func(*rows, clear_row);
    status = strlen(text) == bytes ? read_rows(&csv, options, *rows)
                                   : fail("%s: holds a NUL character", path);
    g_ptr_array_unref(csv.fields);
    free(text);
    if (status != STATUS_OK)
        g_clear_pointer(rows, g_array_unref);
    return status;
}
