#include "core/processors.h"

#include <sched.h>
#include <stdatomic.h>

#define MASK_WORDS 128 /* 8192 processors, as many as Linux can have */

/* 0: there is none. */
static atomic_int quota;

int vigil_processors_now(void)
{
    unsigned long mask[MASK_WORDS] = { 0 };
    int n = 1, most = atomic_load(&quota);
    if (!sched_getaffinity(0, sizeof mask, (cpu_set_t *)mask))
        n = CPU_COUNT_S(sizeof mask, (cpu_set_t *)mask);
    if (!most || most > VIGIL_MAX_PROCESSORS)
        most = VIGIL_MAX_PROCESSORS;
    return n < 1 ? 1 : n < most ? n : most;
}

int vigil_processors(void)
{
    atomic_store(&quota, vigil_cgroup_processors(""));
    return vigil_processors_now();
}
