/*
 * One pool of worker threads per process, shared by every session.
 *
 * Workers are started at the first use that wants them and sleep when there is nothing
 * to do; there are as many as processors this process may use (affinity mask and cgroup
 * quota), less the caller.  A session caps how many of them may help it.
 */
#ifndef VIGIL_CORE_THREADS_H
#define VIGIL_CORE_THREADS_H

#include "core/status.h"

/* Works on items begin..end-1.  `worker` is below the number of threads asked for: an
 * index for scratch memory. */
typedef void (*VigilTaskFunction)(void *context, size_t begin, size_t end, int worker);

/* Calls task over 0..count-1 in ranges of at least `grain` items, on the calling thread
 * and up to threads - 1 workers, and returns when all is done.  Threads that are busy
 * with another session's work are not waited for: the caller takes their share.  Safe
 * from any thread; a task must not call it again. */
void vigil_parallel(int threads, size_t count, size_t grain, VigilTaskFunction task,
                    void *context);

#endif
