/*
 * One pool of worker threads per process, shared by every session.
 *
 * Workers are started when a session is opened that may use them: with the caller as
 * many as the process may use processors.  Whoever has work does it itself; workers
 * that are free join in, each in the work that has the fewest of them and of these the
 * oldest, and nobody waits for one that has not begun.  While runs are under way
 * (share.h) a worker looks out for more work for the time that it would take to wake
 * it, and then sleeps; otherwise it sleeps at once.
 *
 * A child of fork() has no workers and computes alone, unless it was made before there
 * were any.
 */
#ifndef VIGIL_CORE_THREADS_H
#define VIGIL_CORE_THREADS_H

#include "core/status.h"

/* Works on items begin..end-1.  `worker` is below the number of threads asked for: an
 * index for scratch memory. */
typedef void (*VigilTaskFunction)(void *context, size_t begin, size_t end, int worker);

/* Starts the workers that `threads` of them and of the caller need, where they are not
 * there: else the first vigil_parallel() of so many does, and allocates. */
void vigil_start_workers(int threads);

/* Calls task over 0..count-1 in ranges of at least `grain` items, on the calling thread
 * and up to threads - 1 workers, and returns when all is done.  `grain` items are what
 * is worth handing to a worker that is awake; of VIGIL_WORTH_WAKING times as many
 * workers are woken.  Safe from any thread; a task must not call it again. */
void vigil_parallel(int threads, size_t count, size_t grain, VigilTaskFunction task,
                    void *context);

/* The same of ranges that are large: for two of them workers are woken. */
void vigil_parallel_large(int threads, size_t count, size_t grain,
                          VigilTaskFunction task, void *context);

#define VIGIL_WORTH_WAKING 5

#endif
