#include "core/weights.h"
#include "core/formula.h"
#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sources --------------------------------------------------------------------- */

struct VigilSource {
    const VigilSafetensors *file; /* NULL: formula */
    char prefix[VIGIL_MAX_NAME];
    bool *used; /* [count of the file] */
    uint64_t seed;
    double gain;
};

VigilSource *vigil_source_file(const VigilSafetensors *file, const char *prefix)
{
    VigilSource *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->file = file;
    snprintf(s->prefix, sizeof s->prefix, "%s", prefix);
    s->used = calloc(vigil_safetensors_count(file) + 1, sizeof *s->used);
    if (!s->used) {
        free(s);
        return NULL;
    }
    return s;
}

VigilSource *vigil_source_formula(uint64_t seed, double gain)
{
    VigilSource *s = calloc(1, sizeof *s);
    if (s) {
        s->seed = seed;
        s->gain = gain;
    }
    return s;
}

void vigil_source_free(VigilSource **source)
{
    if (*source) {
        free((*source)->used);
        free(*source);
    }
    *source = NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static bool is_ignored(const char *name, const char *const *ignored, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strncmp(name, ignored[i], strlen(ignored[i])))
            return true;
    return ends_with(name, ".num_batches_tracked");
}

const VigilStored *vigil_source_leftover(const VigilSource *source,
                                         const char *const *ignored, size_t n_ignored)
{
    size_t n = source->file ? vigil_safetensors_count(source->file) : 0;
    for (size_t i = 0; i < n; i++) {
        const VigilStored *t = vigil_safetensors_at(source->file, i);
        size_t prefix = strlen(source->prefix);
        bool inside = !strncmp(t->name, source->prefix, prefix);
        if (!source->used[i] && vigil_dtype_is_float(t->dtype) &&
            !is_ignored(t->name + (inside ? prefix : 0), ignored, n_ignored))
            return t;
    }
    return NULL;
}

static const VigilStored *source_find(VigilSource *source, const char *name)
{
    char full[2 * VIGIL_MAX_NAME];
    const char *key = name;
    if (*source->prefix) {
        snprintf(full, sizeof full, "%s%s", source->prefix, name);
        key = full;
    }
    const VigilStored *t = vigil_safetensors_find(source->file, key);
    if (t)
        source->used[t - vigil_safetensors_at(source->file, 0)] = true;
    return t;
}

/* ---- The store ------------------------------------------------------------------- */

typedef struct Entry {
    struct Entry *next;
    VigilWeights weights;
    char key[];
} Entry;

struct VigilStore {
    pthread_mutex_t lock;
    Entry *first;
    size_t bytes;
};

VigilStore *vigil_store_new(void)
{
    VigilStore *store = calloc(1, sizeof *store);
    if (store)
        pthread_mutex_init(&store->lock, NULL);
    return store;
}

void vigil_weights_clear(VigilWeights *w)
{
    vigil_packed_clear(&w->matrix);
    for (size_t i = 0; i < w->n_further; i++)
        vigil_packed_clear(&w->further[i]);
    free(w->further);
    vigil_slab_free(w->bytes);
    free(w->vector);
    *w = (VigilWeights) { 0 };
}

static size_t weights_bytes(const VigilWeights *w)
{
    size_t bytes = w->matrix.bytes + w->n_bytes + w->vector_size * sizeof(float);
    for (size_t i = 0; i < w->n_further; i++)
        bytes += w->further[i].bytes;
    return bytes;
}

void vigil_store_free(VigilStore **store)
{
    if (!*store)
        return;
    for (Entry *e = (*store)->first, *next; e; e = next) {
        next = e->next;
        vigil_weights_clear(&e->weights);
        free(e);
    }
    pthread_mutex_destroy(&(*store)->lock);
    free(*store);
    *store = NULL;
}

size_t vigil_store_bytes(VigilStore *store)
{
    pthread_mutex_lock(&store->lock);
    size_t bytes = store->bytes;
    pthread_mutex_unlock(&store->lock);
    return bytes;
}

static const VigilWeights *store_find(VigilStore *store, const char *key)
{
    for (Entry *e = store->first; e; e = e->next)
        if (!strcmp(e->key, key))
            return &e->weights;
    return NULL;
}

/* ---- Binding --------------------------------------------------------------------- */

typedef struct VigilScratch {
    struct VigilScratch *next;
    size_t floats;
    float *data;
} Scratch;

static void bind_fail_memory(VigilBinder *b, size_t bytes, const char *what)
{
    if (b->status == VIGIL_OK)
        b->status = vigil_fail_memory(&b->error, bytes, what);
}

/* A tensor that is not there or of another shape. */
__attribute__((format(printf, 2, 3))) static void
bind_fail_shape(VigilBinder *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->error.message, sizeof b->error.message, format, args);
    va_end(args);
    b->status = b->error.status = VIGIL_ERROR_SHAPE;
}

static void shape_text(char *out, size_t size, int rank, const uint64_t *shape)
{
    size_t at = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%" PRIu64, i ? ", " : "",
                               shape[i]);
    if (at < size)
        snprintf(out + at, size - at, "]");
}

static bool has_shape(const VigilStored *t, int rank, const uint64_t *shape)
{
    return t->rank == rank && !memcmp(t->shape, shape, (size_t)rank * sizeof *shape);
}

/* What is wrong with the stored tensor t, which may be NULL, in one sentence. */
static void tell_miss(VigilBinder *b, const VigilStored *t, const char *name, int rank,
                      const uint64_t *shape)
{
    char want[128], have[192], path[112];
    vigil_printable(path, sizeof path, vigil_safetensors_path(b->source->file));
    shape_text(want, sizeof want, rank, shape);
    if (!t) {
        bind_fail_shape(b, "%s: no tensor '%s%s', which %s needs with shape %s", path,
                        b->source->prefix, name, b->what, want);
        return;
    }
    shape_text(have, sizeof have, t->rank, t->shape);
    if (!has_shape(t, rank, shape))
        bind_fail_shape(b, "%s: tensor '%s' has shape %s, %s needs %s", path, t->name,
                        have, b->what, want);
    else
        bind_fail_shape(b,
                        "%s: tensor '%s' has type %s, weights are F16, BF16, F32 or "
                        "F64",
                        path, t->name, vigil_dtype_name(t->dtype));
}

/* The stored tensor if name, kind and shape are right; else counts a miss.  Only the
 * first is told: to recognise a file, hundreds of networks miss hundreds of tensors. */
static const VigilStored *check_stored(VigilBinder *b, const char *name, int rank,
                                       const uint64_t *shape)
{
    const VigilStored *t = source_find(b->source, name);
    if (t && has_shape(t, rank, shape) && vigil_dtype_is_float(t->dtype))
        return t;
    b->missed++;
    if (b->status == VIGIL_OK)
        tell_miss(b, t, name, rank, shape);
    return NULL;
}

/* In a form that compilers turn into vectors: x - x is 0, but not a number where x is
 * none or infinite. */
static bool all_finite(const float *data, uint64_t n)
{
    int bad = 0;
    for (uint64_t i = 0; i < n; i++)
        bad |= data[i] - data[i] != 0;
    return !bad;
}

/* A value that is not finite would end as results that are not, far from here: often it
 * is one that did not fit float16. */
static bool check_values(VigilBinder *b, const VigilStored *t, const float *data)
{
    bool variance = ends_with(t->name, ".running_var");
    char path[112];
    uint64_t i = 0;
    if (!variance && all_finite(data, t->elements))
        return true;
    while (i < t->elements && isfinite(data[i]) && (data[i] >= 0 || !variance))
        i++;
    if (i == t->elements)
        return true;
    vigil_printable(path, sizeof path, vigil_safetensors_path(b->source->file));
    b->status = vigil_fail(&b->error, VIGIL_ERROR_FORMAT,
                           "%s: tensor '%s' has the value %g at element %" PRIu64
                           " of %" PRIu64 ", which is not %s",
                           path, t->name, (double)data[i], i, t->elements,
                           isfinite(data[i]) ? "a variance" : "finite");
    return false;
}

static size_t elements(int rank, const uint64_t *shape)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)shape[i];
    return n;
}

const float *vigil_bind_tensor(VigilBinder *b, const char *name, int rank,
                               const uint64_t *shape)
{
    if (b->mode == VIGIL_BIND_LOAD && b->status != VIGIL_OK)
        return NULL;
    const VigilStored *t = NULL;
    if (b->visit)
        b->visit(b->visit_context, name, rank, shape);
    if (b->source->file && !(t = check_stored(b, name, rank, shape)))
        return NULL;
    b->fitted++;
    if (!ends_with(name, ".running_mean") && !ends_with(name, ".running_var"))
        b->parameters += elements(rank, shape);
    if (b->mode == VIGIL_BIND_CHECK)
        return NULL;
    float *data = vigil_bind_alloc(b, elements(rank, shape));
    if (!data)
        return NULL;
    if (!t)
        vigil_formula_fill(name, rank, shape, b->source->seed, b->source->gain, data);
    else if ((b->status =
                  vigil_safetensors_read(b->source->file, t, data, &b->error)) ||
             !check_values(b, t, data))
        return NULL;
    return data;
}

/* Takes the smallest of the spare ones that has room for n floats out of the list;
 * where none has, the largest, without its memory; NULL: there are none. */
static Scratch *take_spare(VigilBinder *b, size_t n)
{
    Scratch **best = &b->spare;
    if (!*best)
        return NULL;
    for (Scratch **p = &(*best)->next; *p; p = &(*p)->next) {
        bool fits = (*p)->floats >= n, smaller = (*p)->floats < (*best)->floats;
        if ((*best)->floats >= n ? fits && smaller : !smaller)
            best = p;
    }
    Scratch *s = *best;
    *best = s->next;
    if (s->floats < n) {
        free(s->data);
        s->data = NULL;
    }
    return s;
}

float *vigil_bind_alloc(VigilBinder *b, size_t n)
{
    size_t bytes;
    Scratch *s = take_spare(b, n);
    if (!s)
        s = calloc(1, sizeof *s);
    if (s && !s->data && vigil_size_mul(n, sizeof(float), &bytes)) {
        s->data = vigil_alloc_aligned(bytes);
        s->floats = n;
    }
    if (!s || !s->data) {
        free(s);
        bind_fail_memory(b, n * sizeof(float), "reading a tensor");
        return NULL;
    }
    s->next = b->scratch;
    b->scratch = s;
    return s->data;
}

void vigil_bind_next(VigilBinder *b)
{
    for (Scratch *s; (s = b->scratch);) {
        b->scratch = s->next;
        s->next = b->spare;
        b->spare = s;
    }
}

void vigil_bind_end(VigilBinder *b)
{
    vigil_slabs_end(&b->slabs);
    vigil_bind_next(b);
    for (Scratch *s; (s = b->spare);) {
        b->spare = s->next;
        free(s->data);
        free(s);
    }
}

const VigilWeights *vigil_bind_find(VigilBinder *b, const char *key)
{
    if (b->mode == VIGIL_BIND_CHECK)
        return NULL;
    pthread_mutex_lock(&b->store->lock);
    const VigilWeights *w = store_find(b->store, key);
    pthread_mutex_unlock(&b->store->lock);
    return w;
}

const VigilWeights *vigil_bind_keep(VigilBinder *b, const char *key,
                                    VigilWeights *weights)
{
    size_t size = strlen(key) + 1;
    Entry *e = calloc(1, sizeof *e + size);
    if (!e) {
        bind_fail_memory(b, sizeof *e + size, key);
        vigil_weights_clear(weights);
        return NULL;
    }
    memcpy(e->key, key, size);
    e->weights = *weights;
    pthread_mutex_lock(&b->store->lock);
    const VigilWeights *there = store_find(b->store, key);
    if (!there) {
        e->next = b->store->first;
        b->store->first = e;
        b->store->bytes += weights_bytes(weights);
        there = &e->weights;
        e = NULL;
    }
    pthread_mutex_unlock(&b->store->lock);
    if (e) {
        vigil_weights_clear(weights);
        free(e);
    }
    return there;
}
