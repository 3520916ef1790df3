#include "core/recognise.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

/* ---- Recognising -------------------------------------------------------------------
 */

VigilNet *vigil_describe(const VigilArchitecture *arch, const VigilNetConfig *config,
                         VigilError *error)
{
    VigilNet *net = vigil_net_new(config);
    if (!net) {
        vigil_fail_memory(error, sizeof(VigilNetConfig), "a network");
        return NULL;
    }
    arch->family->describe(net, arch->row, arch->scheme);
    if (vigil_net_status(net, error) != VIGIL_OK)
        vigil_net_free(&net);
    return net;
}

VigilStatus vigil_check_variant(const VigilArchitecture *arch, VigilSource *source,
                                int classes, VigilMatch *match, VigilError *error)
{
    VigilError e = { 0 };
    VigilNetConfig config = { arch->row->size, vigil_native_width(arch->row), classes,
                              0 };
    VigilNet *net = vigil_describe(arch, &config, &e);
    if (!net)
        return vigil_fail(error, e.status, "%s", e.message);
    *match = (VigilMatch) { .arch = *arch, .classes = classes };
    match->binder = (VigilBinder) { .mode = VIGIL_BIND_CHECK,
                                    .source = source,
                                    .what = arch->row->name };
    vigil_net_bind(net, &match->binder);
    vigil_net_free(&net);
    return VIGIL_OK;
}

static const VigilStored *find_classes(const VigilArchitecture *arch,
                                       const VigilSafetensors *file, const char *prefix)
{
    char name[VIGIL_MAX_NAME];
    snprintf(name, sizeof name, "%s%s", prefix, arch->scheme->classes_tensor);
    return vigil_safetensors_find(file, name);
}

static int count_classes(const VigilArchitecture *arch, const VigilSafetensors *file,
                         const char *prefix)
{
    const VigilStored *t = find_classes(arch, file, prefix);
    uint64_t anchors =
        arch->scheme->cell_anchors ? (uint64_t)arch->scheme->cell_anchors : 1;
    uint64_t further = (uint64_t)arch->scheme->further_rows;
    if (!t || t->rank < 1 || t->shape[0] % anchors ||
        t->shape[0] / anchors <= further ||
        t->shape[0] / anchors - further > VIGIL_MAX_CLASSES)
        return arch->family->label_count;
    return (int)(t->shape[0] / anchors - further);
}

static bool is_named(const VigilMatch *m, const char *variant)
{
    return variant && !strcmp(variant, m->arch.row->name);
}

static bool has_published_classes(const VigilMatch *m)
{
    return m->classes == m->arch.family->label_count;
}

/* Some networks differ in nothing that tensors show: of those that fit, the one that
 * the metadata names as its variant wins, else the one published with as many classes.
 */
static bool better(const VigilMatch *a, const VigilMatch *b, const char *named)
{
    if (!a->arch.row || !b->arch.row)
        return a->arch.row != NULL;
    if (!a->binder.missed != !b->binder.missed)
        return !a->binder.missed;
    if (!a->binder.missed && is_named(a, named) != is_named(b, named))
        return is_named(a, named);
    if (a->binder.fitted != b->binder.fitted)
        return a->binder.fitted > b->binder.fitted;
    return has_published_classes(a) && !has_published_classes(b);
}

/* Steps through all networks: variant by variant under each naming scheme of each
 * family.  False past the last. */
static bool next_architecture(VigilArchitecture *a, size_t *family, size_t *scheme,
                              size_t *variant)
{
    const VigilFamily *f = vigil_families[*family];
    if (f && *variant == f->n_variants) {
        *variant = 0;
        ++*scheme;
    }
    if (f && *scheme == f->n_schemes) {
        *scheme = 0;
        f = vigil_families[++*family];
    }
    if (!f)
        return false;
    *a = (VigilArchitecture) { f, &f->schemes[*scheme],
                               vigil_family_row(f, (*variant)++) };
    return true;
}

/* The best fit over all networks, or over those `likely` ones alone for which the file
 * has the tensor that tells the number of classes. */
static VigilStatus best_match(const VigilSafetensors *file, const char *prefix,
                              const char *named, bool likely, VigilMatch *best,
                              VigilError *error)
{
    size_t family = 0, scheme = 0, variant = 0;
    VigilArchitecture arch;
    memset(best, 0, sizeof *best);
    best->binder.missed = 1; /* for no network at all */
    while (next_architecture(&arch, &family, &scheme, &variant)) {
        if (likely && !find_classes(&arch, file, prefix))
            continue;
        VigilSource *source = vigil_source_file(file, prefix);
        VigilMatch match;
        if (!source)
            return vigil_fail_memory(error, sizeof(void *), "a weight source");
        VigilStatus s = vigil_check_variant(
            &arch, source, count_classes(&arch, file, prefix), &match, error);
        vigil_source_free(&source);
        match.binder.source = NULL;
        if (s != VIGIL_OK)
            return s;
        if (better(&match, best, named))
            *best = match;
    }
    return VIGIL_OK;
}

static VigilStatus no_match(const VigilSafetensors *file, const VigilMatch *best,
                            VigilError *error)
{
    char path[112], first[112]; /* as long as where the reason was written */
    const VigilStored *tensor = vigil_safetensors_at(file, 0);
    vigil_printable(path, sizeof path, vigil_safetensors_path(file));
    if (!tensor)
        return vigil_fail(error, VIGIL_ERROR_UNSUPPORTED, "%s: there are no tensors",
                          path);
    if (!best->binder.fitted)
        return vigil_fail(error, VIGIL_ERROR_UNSUPPORTED,
                          "%s: no network here has tensors like these (the first is "
                          "'%s'); 'vigil-model list' tells what there is",
                          path, vigil_printable(first, sizeof first, tensor->name));
    size_t at = strlen(path) + 2; /* the reason repeats the path */
    const char *reason = best->binder.error.message;
    return vigil_fail(error, VIGIL_ERROR_UNSUPPORTED,
                      "%s: fits no network; %s comes closest (%zu of %zu tensors): %s",
                      path, best->arch.row->name, best->binder.fitted,
                      best->binder.fitted + best->binder.missed,
                      strlen(reason) > at ? reason + at : reason);
}

/* The best fit under any of the prefixes that wrappers put before names. */
static VigilStatus best_prefix(const VigilSafetensors *file, bool likely,
                               VigilMatch *best, const char **prefix, VigilError *error)
{
    static const char *const prefixes[] = { "", "module.", "model." };
    const char *named = vigil_safetensors_metadata(file, "variant");
    *best = (VigilMatch) { .binder.missed = 1 }; /* for no network at all */
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        VigilMatch match;
        VigilStatus s = best_match(file, prefixes[i], named, likely, &match, error);
        if (s != VIGIL_OK)
            return s;
        if (better(&match, best, named)) {
            *best = match;
            *prefix = prefixes[i];
        }
        if (!best->binder.missed)
            break;
    }
    return VIGIL_OK;
}

/* All networks are tried only where none is it, to name the closest: that takes as long
 * as packing the weights of one. */
VigilStatus vigil_recognise(VigilModel *model, VigilError *error)
{
    VigilMatch best;
    const char *prefix = "";
    VigilStatus s = best_prefix(model->file, true, &best, &prefix, error);
    if (s == VIGIL_OK && best.binder.missed)
        s = best_prefix(model->file, false, &best, &prefix, error);
    if (s != VIGIL_OK)
        return s;
    if (best.binder.missed)
        return no_match(model->file, &best, error);
    model->arch = best.arch;
    model->info.classes = best.classes;
    model->info.parameters = best.binder.parameters;
    model->source = vigil_source_file(model->file, prefix);
    return model->source ? VIGIL_OK
                         : vigil_fail_memory(error, sizeof(void *), "a weight source");
}

/* ---- Variants ----------------------------------------------------------------------
 */

size_t vigil_variant_count(void)
{
    size_t n = 0;
    for (const VigilFamily *const *f = vigil_families; *f; f++)
        n += (*f)->n_variants;
    return n;
}

bool vigil_find_variant(const char *text, VigilArchitecture *arch)
{
    const char *naming = strchr(text, '@');
    size_t length = naming ? (size_t)(naming - text) : strlen(text);
    size_t family = 0, scheme = 0, variant = 0;
    while (next_architecture(arch, &family, &scheme, &variant))
        if (strlen(arch->row->name) == length &&
            !strncmp(arch->row->name, text, length) &&
            (!naming || !strcmp(arch->scheme->name, naming + 1)))
            return true;
    return false;
}

static VigilStatus measure(const VigilArchitecture *arch, VigilVariant *variant,
                           VigilError *error)
{
    VigilSource *source = vigil_source_formula(0, 1);
    VigilNetConfig config = { variant->height, variant->width,
                              arch->family->label_count, 0 };
    VigilError e = { 0 };
    if (!source)
        return vigil_fail_memory(error, sizeof(void *), "a weight source");
    VigilNet *net = vigil_describe(arch, &config, &e);
    if (net) {
        VigilBinder check = { .mode = VIGIL_BIND_CHECK,
                              .source = source,
                              .what = variant->name };
        vigil_net_bind(net, &check);
        variant->parameters = check.parameters;
        variant->macs = vigil_net_macs(net);
    }
    vigil_net_free(&net);
    vigil_source_free(&source);
    return e.status ? vigil_fail(error, e.status, "%s", e.message) : VIGIL_OK;
}

VigilStatus vigil_variant_get(size_t i, VigilVariant *variant, VigilError *error)
{
    size_t n = i;
    for (const VigilFamily *const *f = vigil_families; *f; f++) {
        if (n >= (*f)->n_variants) {
            n -= (*f)->n_variants;
            continue;
        }
        const VigilVariantRow *row = vigil_family_row(*f, n);
        *variant = (VigilVariant) { .family = (*f)->name,
                                    .name = row->name,
                                    .task = (*f)->task,
                                    .height = row->size,
                                    .width = vigil_native_width(row),
                                    .classes = (*f)->label_count };
        return measure(&(VigilArchitecture) { *f, (*f)->schemes, row }, variant, error);
    }
    return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "variant %zu; there are %zu", i,
                      vigil_variant_count());
}
