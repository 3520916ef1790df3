/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small networks on formula weights, made ready to run. */
#ifndef VIGIL_TESTS_CORE_BUILD_H
#define VIGIL_TESTS_CORE_BUILD_H

#include "core/net.h"
#include "session.h"

#define BUILD_SEED 7
#define BUILD_GAIN 1.25

static inline void build_check(VigilStatus status, const VigilError *e)
{
    if (status != VIGIL_OK) {
        printf("Bail out! %s\n", e->message);
        exit(1);
    }
}

/* Binds and plans a network, keeping `keep`, and fills its input.  Ends the program on
 * errors. */
static inline void build_unmerged_keeping(VigilNet *net, VigilStore *store,
                                          const char *const *keep, size_t n_keep,
                                          int threads)
{
    VigilError e = { 0 };
    VigilSource *source = vigil_source_formula(BUILD_SEED, BUILD_GAIN);
    VigilBinder load = {
        .mode = VIGIL_BIND_LOAD, .source = source, .store = store, .what = "a test"
    };
    build_check(vigil_net_status(net, &e), &e);
    vigil_net_bind(net, &load);
    build_check(load.status, &load.error);
    build_check(vigil_net_plan(net, keep, n_keep, threads, &e), &e);
    vigil_source_free(&source);
    const VigilNetConfig *c = vigil_net_config(net);
    fill_values(vigil_net_input_data(net), (size_t)c->height * c->width * 3, 1);
}

/* Each operation of a described network by itself. */
static inline void build_unmerged(VigilNet *net, VigilStore *store, int threads)
{
    build_unmerged_keeping(net, store, NULL, 0, threads);
}

/* Merges, binds and plans a described network; `plan` (NULL: keep) are the values that
 * the plan keeps.  Fills the input.  Ends the program on errors. */
static inline void build_net(VigilNet *net, VigilStore *store, const char *const *keep,
                             size_t n_keep, const char *const *plan, size_t n_plan,
                             int threads)
{
    VigilError e = { 0 };
    build_check(vigil_net_status(net, &e), &e);
    build_check(vigil_net_fuse(net, keep, n_keep, &e), &e);
    build_unmerged_keeping(net, store, plan ? plan : keep, plan ? n_plan : n_keep,
                           threads);
}

#endif
