#include "core/threads.h"
#include "core/clock.h"
#include "core/processors.h"
#include "core/share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Nanoseconds: about what it takes until a sleeping thread runs. */
#define LOOK_OUT 100000

/* One call of vigil_parallel(); lives on its caller's stack. */
typedef struct Job {
    struct Job *next;
    VigilTaskFunction task;
    void *context;
    size_t count, grain;
    int threads;
    atomic_size_t at;   /* next item to hand out */
    int wanted;         /* under the lock: workers that may still join */
    int workers;        /* under the lock: indices handed out, the caller's included */
    atomic_uint inside; /* workers; and CALLER_SLEEPS */
} Job;

#define CALLER_SLEEPS 0x80000000u

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    atomic_int tried, workers; /* started: of so many that were asked for, so many */
    bool forks;                /* under the lock: a handler for fork() is there */
    Job *jobs;                 /* under the lock, the oldest first */
    int asleep, called; /* under the lock: workers asleep, calls that none has heard */
    atomic_int awake;   /* workers not asleep, or called */
    atomic_int wanting; /* jobs that want workers */
    atomic_int engaged; /* workers in jobs */
} pool = { .lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP,
           .work = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER };

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- Ranges -----------------------------------------------------------------------
 */

/* Large ones first, so that all end at about the same time; the rest in equal parts. */
static bool take_range(Job *job, size_t *begin, size_t *end)
{
    size_t at = atomic_load(&job->at);
    do {
        if (at >= job->count)
            return false;
        size_t left = job->count - at, threads = (size_t)job->threads;
        size_t size = left / (2 * threads);
        if (size < job->grain)
            size = left / threads + (left % threads != 0);
        size = size < job->grain ? job->grain : size;
        *end = size >= left || left - size < job->grain ? job->count : at + size;
    } while (!atomic_compare_exchange_weak(&job->at, &at, *end));
    *begin = at;
    return true;
}

/* ---- Workers ----------------------------------------------------------------------
 */

static bool has_room(void)
{
    return atomic_load(&pool.engaged) < vigil_share_helpers();
}

static bool may_help(void)
{
    return atomic_load(&pool.wanting) > 0 && has_room();
}

/* With the lock held. */
static void want_no_more(Job *job)
{
    if (job->wanted > 0)
        atomic_fetch_sub(&pool.wanting, 1);
    job->wanted = 0;
}

/* The one with the fewest helpers, the oldest of these; with the lock held. */
static Job *job_to_help(void)
{
    Job *best = NULL;
    if (!may_help())
        return NULL;
    for (Job *j = pool.jobs; j; j = j->next) {
        if (atomic_load(&j->at) >= j->count)
            want_no_more(j);
        if (j->wanted > 0 &&
            (!best || atomic_load(&j->inside) < atomic_load(&best->inside)))
            best = j;
    }
    return best;
}

/* With the lock held, which it lets go of meanwhile. */
static void help(Job *job)
{
    size_t begin, end;
    int worker = job->workers++;
    if (--job->wanted == 0)
        atomic_fetch_sub(&pool.wanting, 1);
    atomic_fetch_add(&job->inside, 1);
    atomic_fetch_add(&pool.engaged, 1);
    pthread_mutex_unlock(&pool.lock);
    /* Leaves when a new run needs the processor. */
    while (atomic_load(&pool.engaged) <= vigil_share_helpers() &&
           take_range(job, &begin, &end))
        job->task(job->context, begin, end, worker);
    atomic_fetch_sub(&pool.engaged, 1);
    unsigned before = atomic_fetch_sub(&job->inside, 1); /* and the job may be gone */
    pthread_mutex_lock(&pool.lock);
    if (before == (CALLER_SLEEPS | 1))
        pthread_cond_broadcast(&pool.done);
}

/* More work is to be expected soon, and there is a processor to wait on. */
static bool is_worth_waiting(uint64_t until)
{
    return vigil_share_runs() && has_room() && vigil_now() < until;
}

/* With the lock held, which it lets go of meanwhile. */
static void look_out(uint64_t until)
{
    pthread_mutex_unlock(&pool.lock);
    while (!may_help() && is_worth_waiting(until))
        for (int i = 0; i < 16 && !may_help(); i++)
            relax();
    pthread_mutex_lock(&pool.lock);
}

static void count_awake(int more)
{
    atomic_fetch_add(&pool.awake, more);
    vigil_share_awake(more);
}

/* With the lock held. */
static void sleep_until_called(void)
{
    pool.asleep++;
    count_awake(-1);
    while (!pool.called)
        pthread_cond_wait(&pool.work, &pool.lock);
    pool.called--;
}

static void *worker_main(void *unused)
{
    uint64_t until = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        Job *job = job_to_help();
        if (job) {
            help(job);
            until = vigil_now() + LOOK_OUT;
        } else if (is_worth_waiting(until)) {
            look_out(until);
        } else {
            sleep_until_called();
            until = vigil_now() + LOOK_OUT;
        }
    }
    return NULL;
}

/* With the lock held. */
static void call(int workers)
{
    if (workers > pool.asleep)
        workers = pool.asleep;
    for (int i = 0; i < workers; i++)
        pthread_cond_signal(&pool.work);
    if (workers > 0) {
        pool.asleep -= workers;
        pool.called += workers;
        count_awake(workers);
    }
}

/* ---- Starting ---------------------------------------------------------------------
 */

/* A child of fork() has no workers, and starts none: not everywhere can it. */
static void forget_workers(void)
{
    static const pthread_mutex_t unlocked = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
    static const pthread_cond_t unused = PTHREAD_COND_INITIALIZER;
    pool.lock = unlocked;
    pool.work = pool.done = unused;
    pool.jobs = NULL;
    pool.asleep = pool.called = 0;
    atomic_store(&pool.tried, VIGIL_MAX_PROCESSORS);
    atomic_store(&pool.workers, 0);
    atomic_store(&pool.awake, 0);
    atomic_store(&pool.wanting, 0);
    atomic_store(&pool.engaged, 0);
    vigil_share_forget();
}

static bool start_worker(int number)
{
    pthread_attr_t attr;
    pthread_t thread;
    char name[24];
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool started = !pthread_create(&thread, &attr, worker_main, NULL);
    pthread_attr_destroy(&attr);
    if (!started)
        return false;
    snprintf(name, sizeof name, "vigil-%d", number);
    pthread_setname_np(thread, name);
    return true;
}

static void start_workers(int wanted)
{
    pthread_mutex_lock(&pool.lock);
    if (!pool.forks)
        pool.forks = !pthread_atfork(NULL, NULL, forget_workers);
    int most = vigil_processors() - 1, n = atomic_load(&pool.workers);
    for (most = most < wanted ? most : wanted; n < most && start_worker(n + 1); n++)
        count_awake(1);
    atomic_store(&pool.workers, n);
    atomic_store(&pool.tried, wanted);
    pthread_mutex_unlock(&pool.lock);
}

/* Looks for processors once for each number that is larger than those before. */
void vigil_start_workers(int threads)
{
    if (threads > VIGIL_MAX_PROCESSORS)
        threads = VIGIL_MAX_PROCESSORS;
    if (threads - 1 > atomic_load(&pool.tried))
        start_workers(threads - 1);
}

/* ---- Callers ----------------------------------------------------------------------
 */

static void submit(Job *job, int wanted, bool wake)
{
    Job **last = &pool.jobs;
    pthread_mutex_lock(&pool.lock);
    while (*last)
        last = &(*last)->next;
    *last = job;
    job->wanted = wanted;
    atomic_fetch_add(&pool.wanting, 1);
    if (wake)
        call(wanted - (atomic_load(&pool.awake) - atomic_load(&pool.engaged)));
    pthread_mutex_unlock(&pool.lock);
}

/* Whether one had joined. */
static bool withdraw(Job *job)
{
    pthread_mutex_lock(&pool.lock);
    Job **at = &pool.jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    want_no_more(job);
    pthread_mutex_unlock(&pool.lock);
    return job->workers > 1;
}

static void wait_for_helpers(Job *job)
{
    uint64_t until = vigil_now() + LOOK_OUT;
    while (vigil_now() < until)
        for (int i = 0; i < 16; i++) {
            if (!atomic_load(&job->inside))
                return;
            relax();
        }
    pthread_mutex_lock(&pool.lock);
    unsigned inside = atomic_fetch_or(&job->inside, CALLER_SLEEPS);
    while (inside & ~CALLER_SLEEPS) {
        pthread_cond_wait(&pool.done, &pool.lock);
        inside = atomic_load(&job->inside);
    }
    pthread_mutex_unlock(&pool.lock);
}

static void share_out(Job *job, int helpers, bool wake)
{
    size_t begin, end;
    submit(job, helpers, wake);
    while (take_range(job, &begin, &end))
        job->task(job->context, begin, end, 0);
    if (withdraw(job))
        wait_for_helpers(job);
}

static void parallel(int threads, size_t count, size_t grain, bool wake,
                     VigilTaskFunction task, void *context)
{
    grain += !grain;
    vigil_start_workers(threads);
    int helpers = threads - 1, workers = atomic_load(&pool.workers);
    helpers = helpers < workers ? helpers : workers;
    if (helpers > 0 && count / grain <= (size_t)helpers)
        helpers = (int)(count / grain) - 1;
    if (helpers < 1 || (!wake && atomic_load(&pool.awake) < 1)) {
        if (count)
            task(context, 0, count, 0);
        return;
    }
    Job job = { .task = task,
                .context = context,
                .count = count,
                .grain = grain,
                .threads = helpers + 1,
                .workers = 1 };
    share_out(&job, helpers, wake);
}

void vigil_parallel(int threads, size_t count, size_t grain, VigilTaskFunction task,
                    void *context)
{
    parallel(threads, count, grain, count / (grain + !grain) >= VIGIL_WORTH_WAKING,
             task, context);
}

void vigil_parallel_large(int threads, size_t count, size_t grain,
                          VigilTaskFunction task, void *context)
{
    parallel(threads, count, grain, true, task, context);
}
