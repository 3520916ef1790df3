#include "core/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_WORKERS 63
#define CHUNKS_PER_THREAD                                                              \
    4 /* so that a thread that is held up does not hold up all                         \
       */

/* ---- How many processors -----------------------------------------------------------
 */

/* quota / period of the file's two numbers, rounded up; 0 if there is no limit. */
static int quota_of(const char *quota_path, const char *period_path)
{
    long long quota = 0, period = 0;
    char text[64] = "";
    FILE *f = fopen(quota_path, "re");
    if (!f)
        return 0;
    if (fgets(text, sizeof text, f) && !period_path)
        sscanf(text, "%lld %lld", &quota, &period);
    else
        sscanf(text, "%lld", &quota);
    fclose(f);
    if (period_path && (f = fopen(period_path, "re"))) {
        if (fgets(text, sizeof text, f))
            sscanf(text, "%lld", &period);
        fclose(f);
    }
    if (quota <= 0 || period <= 0)
        return 0;
    long long n = (quota + period - 1) / period;
    return n > MAX_WORKERS ? 0 : (int)n;
}

int vigil_processors(void)
{
    cpu_set_t set;
    int n = 1, quota;
    if (!sched_getaffinity(0, sizeof set, &set))
        n = CPU_COUNT(&set);
    quota = quota_of("/sys/fs/cgroup/cpu.max", NULL);
    if (!quota)
        quota = quota_of("/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
                         "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (quota && quota < n)
        n = quota;
    return n < 1 ? 1 : n > MAX_WORKERS + 1 ? MAX_WORKERS + 1 : n;
}

/* ---- The pool ----------------------------------------------------------------------
 */

/* One call of vigil_parallel(); lives on its caller's stack. */
typedef struct Job {
    struct Job *next;
    VigilTaskFunction task;
    void *context;
    size_t count, chunk;
    atomic_size_t at;   /* next item to hand out */
    int helpers_wanted; /* under the lock: workers that may still join */
    int workers;        /* under the lock: indices handed out, the caller's included */
    atomic_int active;  /* workers inside */
} Job;

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    Job *jobs;
    int workers;
} pool = { .once = PTHREAD_ONCE_INIT,
           .lock = PTHREAD_MUTEX_INITIALIZER,
           .work = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER };

static void work_on(Job *job, int worker)
{
    for (;;) {
        size_t begin = atomic_fetch_add(&job->at, job->chunk);
        if (begin >= job->count)
            return;
        size_t left = job->count - begin;
        job->task(job->context, begin, begin + (left < job->chunk ? left : job->chunk),
                  worker);
    }
}

/* With the lock held. */
static Job *job_that_wants_help(void)
{
    for (Job *j = pool.jobs; j; j = j->next)
        if (j->helpers_wanted > 0 && atomic_load(&j->at) < j->count)
            return j;
    return NULL;
}

static void *worker_main(void *unused)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        Job *job = job_that_wants_help();
        if (!job) {
            pthread_cond_wait(&pool.work, &pool.lock);
            continue;
        }
        int worker = job->workers++;
        job->helpers_wanted--;
        atomic_fetch_add(&job->active, 1);
        pthread_mutex_unlock(&pool.lock);
        work_on(job, worker);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&job->active, 1) == 1)
            pthread_cond_broadcast(&pool.done);
    }
    return NULL;
}

static void start_workers(void)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (int i = 1; i < vigil_processors(); i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attr, worker_main, NULL))
            break;
        char name[24];
        snprintf(name, sizeof name, "vigil-%d", i);
        pthread_setname_np(thread, name);
        pool.workers++;
    }
    pthread_attr_destroy(&attr);
}

/* A child of fork() has no workers: it computes alone. */
static void forget_workers(void)
{
    pool.workers = 0;
    pool.jobs = NULL;
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    pthread_cond_init(&pool.done, NULL);
}

static void start_pool(void)
{
    pthread_atfork(NULL, NULL, forget_workers);
    start_workers();
}

static void submit(Job *job)
{
    pthread_mutex_lock(&pool.lock);
    job->next = pool.jobs;
    pool.jobs = job;
    for (int i = 0; i < job->helpers_wanted; i++)
        pthread_cond_signal(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

static void withdraw(Job *job)
{
    pthread_mutex_lock(&pool.lock);
    for (Job **p = &pool.jobs; *p; p = &(*p)->next)
        if (*p == job) {
            *p = job->next;
            break;
        }
    while (atomic_load(&job->active))
        pthread_cond_wait(&pool.done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

void vigil_parallel(int threads, size_t count, size_t grain, VigilTaskFunction task,
                    void *context)
{
    if (threads > 1)
        pthread_once(&pool.once, start_pool);
    if (threads > pool.workers + 1)
        threads = pool.workers + 1;
    size_t chunk = count / ((size_t)(threads > 1 ? threads : 1) * CHUNKS_PER_THREAD);
    if (chunk < grain)
        chunk = grain;
    chunk += !chunk;
    if (threads <= 1 || count <= chunk) {
        if (count)
            task(context, 0, count, 0);
        return;
    }
    size_t chunks = (count + chunk - 1) / chunk;
    int helpers = (chunks < (size_t)threads ? (int)chunks : threads) - 1;
    Job job = { .task = task,
                .context = context,
                .count = count,
                .chunk = chunk,
                .helpers_wanted = helpers,
                .workers = 1 };
    submit(&job);
    work_on(&job, 0);
    withdraw(&job);
}
