/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is opened twice is one model, as long as it stays the same file. */
#include "core/opened.h"
#include "tap.h"
#include "write_model.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 8 };

static char *write_file(int classes)
{
    const WriteModel what = { .variant = "EMO_1M", .classes = classes };
    return write_model_file(&what);
}

/* NULL, told as a failure, where it cannot be opened. */
static VigilModel *open_model(const char *path)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open(path, &model, &e) != VIGIL_OK)
        tap_ok(false, "%s: %s", path, e.message);
    return model;
}

static int classes_of(const VigilModel *model)
{
    return model ? vigil_model_info(model)->classes : 0;
}

static void check_shared(const char *path)
{
    VigilModel *a = open_model(path), *b = open_model(path), *found;
    VigilSession *s = NULL;
    tap_ok(a && a == b, "opened twice: one model");
    vigil_model_close(&a);
    tap_ok(b && vigil_session_open(b, NULL, &s, NULL) == VIGIL_OK,
           "closed once: still there");
    vigil_model_close(&b);
    found = vigil_opened_find(path);
    tap_ok(found != NULL, "a session holds it");
    vigil_model_close(&found);
    vigil_session_close(&s);
    found = vigil_opened_find(path);
    tap_ok(!found, "closed by all: listed no more");
    vigil_model_close(&found);
}

static void check_link(const char *path)
{
    char link[256];
    snprintf(link, sizeof link, "%s.link", path);
    VigilModel *a = open_model(path), *b = NULL;
    if (symlink(path, link))
        tap_skip("no symbolic links here");
    else
        tap_ok((b = open_model(link)) && a == b, "by a symbolic link: the same model");
    vigil_model_close(&a);
    vigil_model_close(&b);
    unlink(link);
}

static void check_replaced(const char *path)
{
    VigilModel *old = open_model(path);
    char *other = write_file(7);
    if (rename(other, path))
        tap_ok(false, "cannot rename %s", other);
    VigilModel *new = open_model(path);
    tap_ok(new != old &&classes_of(old) == 5 && classes_of(new) == 7,
           "replaced: another model, of 7 classes: %d; the old one keeps 5: %d",
           classes_of(new), classes_of(old));
    vigil_model_close(&old);
    VigilModel *again = open_model(path);
    tap_ok(again == new, "the new one is shared in turn");
    vigil_model_close(&again);
    vigil_model_close(&new);
    free(other);
}

/* The last value of the file, in place: neither size nor inode change. */
static bool rewrite_last(const char *path, float value)
{
    struct stat info;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && !fstat(fd, &info) &&
                pwrite(fd, &value, sizeof value, info.st_size - (off_t)sizeof value) ==
                    sizeof value;
    if (fd >= 0)
        close(fd);
    return done;
}

static float last_logit(VigilModel *model)
{
    VigilSession *s = NULL;
    float logit = NAN;
    if (!model || vigil_session_open(model, NULL, &s, NULL) != VIGIL_OK)
        return NAN;
    const VigilInput *in = vigil_session_input_rules(s);
    memset(vigil_session_input(s), 0,
           (size_t)in->height * (size_t)in->width * 3 * sizeof(float));
    vigil_session_run(s);
    logit = vigil_session_output(s, 0)->data[classes_of(model) - 1];
    vigil_session_close(&s);
    return logit;
}

static void check_rewritten(const char *path)
{
    VigilModel *old = open_model(path);
    float before = last_logit(old);
    usleep(20000); /* past the grain of the clock of files */
    if (!rewrite_last(path, 1000))
        tap_ok(false, "cannot rewrite %s", path);
    VigilModel *new = open_model(path);
    tap_ok(old != new && last_logit(old) == before &&last_logit(new) > 900,
           "rewritten in place: another model, of its own values: %g, %g",
           (double)last_logit(old), (double)last_logit(new));
    vigil_model_close(&old);
    vigil_model_close(&new);
}

static void check_unshared(const char *path)
{
    size_t size;
    const WriteModel what = { .variant = "EMO_1M", .classes = 5 };
    unsigned char *bytes = write_model(&what, &size);
    VigilModel *file = open_model(path), *a = NULL, *b = NULL, *f = NULL, *g = NULL;
    vigil_model_open_memory(bytes, size, path, &a, NULL);
    vigil_model_open_memory(bytes, size, path, &b, NULL);
    tap_ok(a && b && a != b && a != file, "memory is not shared");
    vigil_model_open_formula("EMO_1M", 0, 1, 5, &f, NULL);
    vigil_model_open_formula("EMO_1M", 1, 1, 5, &g, NULL);
    tap_ok(f && g && f != g, "nor are formula weights");
    VigilModel *all[] = { file, a, b, f, g };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        vigil_model_close(&all[i]);
    free(bytes);
}

static pthread_barrier_t together;

/* Opens and closes at the same time as others; in the end keeps what it has. */
static void *open_often(void *path)
{
    VigilModel *model = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        vigil_model_close(&model);
        pthread_barrier_wait(&together);
        if (vigil_model_open(path, &model, NULL) != VIGIL_OK)
            model = NULL;
    }
    return model;
}

static void check_threads(char *path)
{
    pthread_t thread[THREADS];
    VigilModel *model[THREADS];
    bool same = true;
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, open_often, path))
            abort();
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        model[i] = result;
        same = same && model[i] && model[i] == model[0];
    }
    pthread_barrier_destroy(&together);
    tap_ok(same, "%d threads at once, %d times: one model", THREADS, ROUNDS);
    tap_ok(same && atomic_load(&model[0]->references) == THREADS,
           "with a reference each");
    for (int i = 0; i < THREADS; i++)
        vigil_model_close(&model[i]);
    VigilModel *found = vigil_opened_find(path);
    tap_ok(!found, "and none when all have closed it");
    vigil_model_close(&found);
}

int main(void)
{
    char *path = write_file(5);
    check_shared(path);
    check_link(path);
    check_unshared(path);
    check_threads(path);
    check_replaced(path);
    check_rewritten(path);
    unlink(path);
    free(path);
    return tap_done();
}
