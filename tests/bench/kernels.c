/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Speed of every kernel at every level that this CPU has, on one core:
 *
 *     bench-kernels [LEVEL [KERNEL]]
 *
 * prints for each case the time of one call, GFLOP/s and their share of the measured
 * peak of the level, or GB/s read and written where no arithmetic is worth counting.
 * Matrix products are timed through OpenBLAS (one thread, epilogue by our kernel) too,
 * level "openblas"; OPENBLAS_CORETYPE=Haswell holds that to AVX2.
 */
#include "kernels/kernels.h"

#include <cblas.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Bench {
    const VigilKernels *level;
    const char *name; /* of the kernel */
    double peak;
} Bench;

typedef struct Memory {
    float *a, *b, *c, *d;
} Memory;

enum { FLOATS = 1 << 23 };
static Memory memory;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The best of several timings of a call, in seconds. */
#define TIME(call)                                                                     \
    ({                                                                                 \
        double best_ = 1e30, total_ = 0, once_;                                        \
        for (int i_ = 0; i_ < 300 && (i_ < 3 || total_ < 0.05); i_++) {                \
            double start_ = seconds();                                                 \
            call;                                                                      \
            once_ = seconds() - start_;                                                \
            total_ += once_;                                                           \
            if (once_ < best_)                                                         \
                best_ = once_;                                                         \
        }                                                                              \
        best_;                                                                         \
    })

__attribute__((format(printf, 4, 5))) static void
arithmetic(const Bench *b, double time, double operations, const char *format, ...)
{
    char what[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    printf("%-16s %-8s %-44s %9.1f us %7.1f GFLOP/s %5.1f %% of peak\n", b->name,
           b->level->name, what, time * 1e6, operations / time * 1e-9,
           operations / time * 1e-7 / b->peak);
}

__attribute__((format(printf, 4, 5))) static void
traffic(const Bench *b, double time, double bytes, const char *format, ...)
{
    char what[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    printf("%-16s %-8s %-44s %9.1f us %7.2f GB/s\n", b->name, b->level->name, what,
           time * 1e6, bytes / time * 1e-9);
}

static const struct {
    size_t m, k, n;
    VigilActivation activation;
} products[] = {
    { 12544, 24, 96, VIGIL_SILU },    { 3136, 96, 32, VIGIL_LINEAR },
    { 3136, 32, 64, VIGIL_SILU },     { 3136, 64, 32, VIGIL_LINEAR },
    { 3136, 32, 160, VIGIL_SILU },    { 784, 160, 48, VIGIL_LINEAR },
    { 784, 48, 120, VIGIL_SILU },     { 784, 120, 48, VIGIL_LINEAR },
    { 784, 48, 288, VIGIL_GELU },     { 196, 288, 80, VIGIL_LINEAR },
    { 196, 80, 160, VIGIL_GELU },     { 196, 80, 240, VIGIL_GELU },
    { 196, 240, 80, VIGIL_LINEAR },   { 196, 80, 560, VIGIL_GELU },
    { 49, 560, 168, VIGIL_LINEAR },   { 49, 168, 588, VIGIL_GELU },
    { 49, 588, 168, VIGIL_LINEAR },   { 49, 168, 336, VIGIL_LINEAR },
    { 196, 160, 640, VIGIL_GELU },    { 196, 640, 160, VIGIL_LINEAR },
    { 196, 160, 320, VIGIL_LINEAR },  { 49, 288, 1152, VIGIL_GELU },
    { 49, 1152, 288, VIGIL_LINEAR },  { 4096, 256, 512, VIGIL_SILU },
    { 4096, 512, 256, VIGIL_LINEAR }, { 1024, 512, 256, VIGIL_LINEAR },
    { 256, 1024, 768, VIGIL_LINEAR }, { 64, 1536, 1024, VIGIL_LINEAR },
    { 64, 512, 1024, VIGIL_SILU },    { 1, 168, 1000, VIGIL_LINEAR },
};

/* A row of the table, by packed weights. */
static VigilGemm product_of(size_t i, const float *packed)
{
    return (VigilGemm) { .m = products[i].m,
                         .n = products[i].n,
                         .k = products[i].k,
                         .a = memory.a,
                         .lda = products[i].k,
                         .b = packed,
                         .c = memory.c,
                         .ldc = products[i].n,
                         .epilogue = { .bias = memory.d,
                                       .activation = products[i].activation } };
}

static void bench_gemm(const Bench *b)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        size_t m = products[i].m, n = products[i].n, k = products[i].k;
        VigilGemm g = product_of(i, memory.b);
        b->level->gemm_pack(memory.d, n, k, 1, n, memory.b);
        arithmetic(b, TIME(b->level->gemm(&g)), 2.0 * (double)(m * n * k),
                   "%zu x %zu x %zu, activation %d", m, n, k,
                   (int)products[i].activation);
    }
}

static void bench_openblas(const Bench *b)
{
    openblas_set_num_threads(1);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        size_t m = products[i].m, n = products[i].n, k = products[i].k;
        VigilEpilogue e = { .bias = memory.d, .activation = products[i].activation };
        double time = TIME({
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n,
                        (blasint)k, 1.0f, memory.a, (blasint)k, memory.d, (blasint)k,
                        0.0f, memory.c, (blasint)n);
            b->level->epilogue(memory.c, n, m, n, &e);
        });
        arithmetic(b, time, 2.0 * (double)(m * n * k), "%zu x %zu x %zu, activation %d",
                   m, n, k, (int)products[i].activation);
    }
}

static void bench_gemm_pack(const Bench *b)
{
    size_t n = 588, k = 168;
    double time = TIME(b->level->gemm_pack(memory.a, n, k, k, 1, memory.b));
    traffic(b, time, 8.0 * (double)(n * k), "%zu x %zu, turned", n, k);
}

static void bench_gemm_pack_size(const Bench *b)
{
    (void)b; /* nothing to time */
}

static void bench_gemm_columns(const Bench *b)
{
    (void)b; /* nor here */
}

/* ---- Bytes ------------------------------------------------------------------------
 */

/* As an operation does it: some rows at a time. */
static void multiply_bytes(const VigilKernels *level, const VigilBytesGemm *whole,
                           const float *x, uint8_t *rows)
{
    enum { ROWS = 64 };
    VigilBytesGemm g = *whole;
    for (size_t row = 0; row < whole->m; row += ROWS) {
        g.m = whole->m - row < ROWS ? whole->m - row : ROWS;
        level->quantise_rows(x + row * g.k, g.k, g.m, g.k, 60, 20, rows, g.lda);
        level->bytes_gemm(&g);
        g.c += g.m * g.ldc;
    }
}

static void bench_bytes_gemm(const Bench *b)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        size_t m = products[i].m, n = products[i].n, k = products[i].k;
        size_t depth = vigil_bytes_depth(k);
        int8_t *packed = (int8_t *)memory.b;
        uint8_t *rows = (uint8_t *)memory.b + b->level->bytes_pack_size(n, k);
        int8_t *weights = (int8_t *)memory.d + (1 << 20);
        float *floats = memory.d + (1 << 22);
        VigilGemm f = product_of(i, floats);
        VigilBytesGemm g = { m,      n,        k,        rows,     depth,
                             packed, memory.d, memory.c, .ldc = n, f.epilogue };
        for (size_t j = 0; j < n * k; j++)
            weights[j] = (int8_t)(j * 7919 % 129 - VIGIL_BYTES_WEIGHT);
        b->level->bytes_pack(weights, n, k, packed);
        b->level->gemm_pack(memory.d, n, k, 1, n, floats);
        double slow = TIME(b->level->gemm(&f));
        double time = TIME(multiply_bytes(b->level, &g, memory.a, rows));
        arithmetic(b, time, 2.0 * (double)(m * n * k),
                   "%zu x %zu x %zu, activation %d: %.2f of gemm", m, n, k,
                   (int)products[i].activation, time / slow);
    }
}

static void bench_bytes_pack(const Bench *b)
{
    size_t n = 588, k = 168;
    int8_t *bytes = (int8_t *)memory.a, *packed = (int8_t *)memory.b;
    double time = TIME(b->level->bytes_pack(bytes, n, k, packed));
    traffic(b, time, 2.0 * (double)(n * k), "%zu x %zu", n, k);
}

static void bench_bytes_pack_size(const Bench *b)
{
    (void)b; /* nothing to time */
}

static void bench_bytes_pay(const Bench *b)
{
    (void)b; /* nothing to time */
}

static void bench_quantise_rows(const Bench *b)
{
    size_t rows = 64, c = 168;
    double time = TIME(
        b->level->quantise_rows(memory.a, c, rows, c, 60, 20, (uint8_t *)memory.b, c));
    traffic(b, time, 5.0 * (double)(rows * c), "%zu x %zu", rows, c);
}

static void bench_epilogue(const Bench *b)
{
    for (int i = 0; i < VIGIL_ACTIVATIONS; i++) {
        VigilEpilogue e = { .bias = memory.d, .activation = (VigilActivation)i };
        traffic(b, TIME(b->level->epilogue(memory.c, 96, 784, 96, &e)), 8.0 * 784 * 96,
                "784 x 96, activation %d", i);
    }
}

static void bench_dwconv(const Bench *b)
{
    static const struct {
        int size, c, kernel, stride;
        VigilActivation activation;
    } cases[] = {
        { 112, 32, 3, 1, VIGIL_SILU },   { 112, 96, 5, 2, VIGIL_SILU },
        { 112, 96, 3, 2, VIGIL_SILU },   { 56, 64, 3, 1, VIGIL_SILU },
        { 56, 64, 5, 1, VIGIL_SILU },    { 56, 160, 5, 2, VIGIL_SILU },
        { 28, 120, 3, 1, VIGIL_SILU },   { 28, 120, 5, 1, VIGIL_SILU },
        { 28, 288, 5, 2, VIGIL_GELU },   { 14, 160, 3, 1, VIGIL_SILU },
        { 14, 160, 5, 1, VIGIL_LINEAR }, { 14, 240, 5, 1, VIGIL_SILU },
        { 14, 560, 5, 2, VIGIL_GELU },   { 7, 588, 3, 1, VIGIL_SILU },
        { 7, 588, 5, 1, VIGIL_LINEAR },  { 14, 240, 7, 1, VIGIL_LINEAR },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int out = (cases[i].size - 1) / cases[i].stride + 1;
        VigilDwconv d = { .h = cases[i].size,
                          .w = cases[i].size,
                          .c = cases[i].c,
                          .kernel = cases[i].kernel,
                          .stride = cases[i].stride,
                          .pad_y = cases[i].kernel / 2,
                          .pad_x = cases[i].kernel / 2,
                          .dilation = 1,
                          .out_h = out,
                          .out_w = out,
                          .x = memory.a,
                          .weight = memory.b,
                          .y = memory.c,
                          .y_stride = (size_t)cases[i].c,
                          .epilogue = { .bias = memory.d,
                                        .activation = cases[i].activation } };
        arithmetic(b, TIME(b->level->dwconv(&d, 0, out)),
                   2.0 * out * out * d.c * d.kernel * d.kernel,
                   "%d x %d x %d, kernel %d stride %d, activation %d", d.h, d.w, d.c,
                   d.kernel, d.stride, (int)cases[i].activation);
    }
}

/* All 14 x 14 tiles of a map: its pixels in a, the 16 factors or products in b. */
enum { TILES = 196 };

static void input_tiles(const VigilKernels *level, size_t c)
{
    const float *x[16];
    for (size_t t = 0; t < TILES; t++) {
        for (size_t i = 0; i < 16; i++)
            x[i] = memory.a + (t * 16 + i) * c;
        level->winograd_input(x, c, memory.b + t * c, TILES * c);
    }
}

static void output_tiles(const VigilKernels *level, size_t c)
{
    VigilWinogradOutput o = {
        .stride = TILES * c, .c = c, .bias = memory.d, .activation = VIGIL_SILU
    };
    for (size_t t = 0; t < TILES; t++) {
        o.m = memory.b + t * c;
        for (size_t i = 0; i < 4; i++)
            o.y[i] = memory.c + (t * 4 + i) * c;
        level->winograd_output(&o);
    }
}

static void bench_winograd_input(const Bench *b)
{
    for (size_t c = 32; c <= 256; c *= 2)
        traffic(b, TIME(input_tiles(b->level, c)), 4.0 * 32 * TILES * (double)c,
                "%d tiles of %zu channels", TILES, c);
}

static void bench_winograd_output(const Bench *b)
{
    for (size_t c = 32; c <= 256; c *= 2)
        traffic(b, TIME(output_tiles(b->level, c)), 4.0 * 20 * TILES * (double)c,
                "%d tiles of %zu channels, activation %d", TILES, c, (int)VIGIL_SILU);
}

static void bench_layer_norm(const Bench *b)
{
    for (size_t c = 48; c <= 384; c *= 2)
        traffic(b,
                TIME(b->level->layer_norm(memory.a, 784, c, memory.b, memory.d, 1e-6f,
                                          memory.c)),
                8.0 * 784 * (double)c, "784 x %zu", c);
}

static void bench_attention(const Bench *b)
{
    static const size_t cases[][4] = {
        /* tq tk d dv */
        { 49, 49, 16, 40 },  { 49, 49, 21, 84 },   { 49, 49, 24, 84 },
        { 64, 64, 16, 64 },  { 196, 196, 32, 32 }, { 256, 256, 36, 36 },
        { 784, 6, 32, 32 },  { 6, 784, 32, 32 },   { 784, 784, 16, 16 },
        { 3, 3136, 6, 6 },   { 6, 3136, 12, 12 },  { 3136, 3, 6, 6 },
        { 3136, 6, 12, 12 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t *s = cases[i];
        VigilAttention a = { .tq = s[0],
                             .tk = s[1],
                             .d = s[2],
                             .dv = s[3],
                             .q = memory.a,
                             .k = memory.a + s[2],
                             .v = memory.b,
                             .o = memory.c,
                             .ldq = 8 * s[2],
                             .ldk = 8 * s[2],
                             .ldv = 4 * s[3],
                             .ldo = 4 * s[3],
                             .scratch = memory.d,
                             .scale = 0.25f };
        arithmetic(b, TIME(b->level->attention(&a)),
                   2.0 * (double)(s[0] * s[1] * (s[2] + s[3])),
                   "%zu x %zu keys, d %zu, dv %zu", s[0], s[1], s[2], s[3]);
    }
}

static void bench_sum_rows(const Bench *b)
{
    static double sum[288];
    traffic(b, TIME(b->level->sum_rows(memory.a, 196, 288, sum)), 4.0 * 196 * 288,
            "196 x 288");
}

static void bench_weigh_rows(const Bench *b)
{
    static double sum[128], weight[256];
    traffic(b, TIME(b->level->weigh_rows(memory.a, 257, 256, 128, weight, sum)),
            4.0 * 256 * 128, "256 x 128, 257 apart");
}

static void bench_dot_rows(const Bench *b)
{
    static double y[256];
    traffic(b, TIME(b->level->dot_rows(memory.a, 256, 128, memory.b, y)),
            4.0 * 256 * 128, "256 x 128");
}

static void bench_affine_rows(const Bench *b)
{
    traffic(b,
            TIME(b->level->affine_rows(memory.a, 196, 288, memory.b, memory.b + 288,
                                       memory.c)),
            8.0 * 196 * 288, "196 x 288");
}

static void bench_moments(const Bench *b)
{
    double sums[2];
    traffic(b, TIME(b->level->moments(memory.a, 16384, 0.5f, sums)), 4.0 * 16384,
            "16384");
}

static void bench_mix(const Bench *b)
{
    const float *const row[] = { memory.a, memory.a + 300, memory.b, memory.b + 300 };
    const float weight[] = { 0.1f, 0.2f, 0.3f, 0.4f };
    traffic(b, TIME(b->level->mix(row, weight, 256, memory.c)), 20.0 * 256, "256");
}

static void bench_scale_rows(const Bench *b)
{
    traffic(b, TIME(b->level->scale_rows(memory.a, 196, 288, memory.b, memory.c)),
            8.0 * 196 * 288, "196 x 288");
}

static void bench_add(const Bench *b)
{
    traffic(b, TIME(b->level->add(memory.a, memory.b, 65536, memory.c)), 12.0 * 65536,
            "65536");
}

static void bench_activate(const Bench *b)
{
    for (int i = 0; i < VIGIL_ACTIVATIONS; i++) {
        double time =
            TIME(b->level->activate(memory.a, 65536, (VigilActivation)i, memory.c));
        traffic(b, time, 8.0 * 65536, "65536, activation %d, %.3f ns each", i,
                time * 1e9 / 65536);
    }
}

static void bench_dynamic_relu(const Bench *b)
{
    traffic(b, TIME(b->level->dynamic_relu(memory.a, 784, 144, memory.b, memory.c)),
            8.0 * 784 * 144, "784 x 144");
}

static void bench_interleave(const Bench *b)
{
    for (size_t m = 2; m <= 6; m++)
        traffic(b, TIME(b->level->interleave(memory.a, 1344, m, 1344, memory.c)),
                8.0 * 1344 * (double)m, "%zu runs of 1344", m);
}

/* A frame of 1920 x 1080 in NV12 to 224 x 224. */
static void bench_resample_rows(const Bench *b)
{
    const uint8_t *row[32];
    for (size_t t = 0; t < 32; t++)
        row[t] = (const uint8_t *)memory.a + t * 8192;
    for (size_t step = 1; step <= 4; step++)
        traffic(b,
                TIME(b->level->resample_rows(row, memory.b, 10, 1920, step, memory.c)),
                10.0 * 1920, "10 rows of 1920, step %zu", step);
}

/* The same in P010, and as a camera of another byte order gives it. */
static void bench_resample_words(const Bench *b)
{
    const uint8_t *row[32];
    for (size_t t = 0; t < 32; t++)
        row[t] = (const uint8_t *)memory.a + t * 8192;
    for (int big = 0; big < 2; big++)
        traffic(b,
                TIME(b->level->resample_words(row, memory.b, 10, 1920, 0xffc0, big,
                                              memory.c)),
                2 * 10.0 * 1920, "10 rows of 1920, %s-endian", big ? "big" : "little");
}

static void bench_resample_columns(const Bench *b)
{
    static const size_t taps[] = { 2, 4, 8, 10, 18 };
    int32_t first[224];
    for (size_t i = 0; i < sizeof taps / sizeof *taps; i++) {
        for (size_t j = 0; j < 224; j++)
            first[j] = (int32_t)(j * taps[i] / 2);
        double time = TIME(b->level->resample_columns(memory.a, first, memory.b,
                                                      taps[i], 224, 1, memory.c));
        arithmetic(b, time, 2.0 * 224 * (double)taps[i], "224 of %zu taps", taps[i]);
    }
}

static void bench_resample_split(const Bench *b)
{
    for (size_t step = 2; step <= 4; step++)
        traffic(b, TIME(b->level->resample_split(memory.a, 960, step, memory.c)),
                4.0 * 960 * (double)(step + 1), "960 samples, step %zu", step);
}

static void bench_color(const Bench *b)
{
    static const float matrix[3][3] = { { 1, 0, 1.4f },
                                        { 1, -0.4f, -0.6f },
                                        { 1, 1.8f, 0 } };
    static const float offset[3] = { 0 }, low[3] = { 0 }, high[3] = { 255, 255, 255 };
    const float *plane[3] = { memory.a, memory.b, memory.d };
    traffic(b, TIME(b->level->color(plane, matrix, offset, low, high, 224, memory.c)),
            24.0 * 224, "224");
}

static void bench_peak(const Bench *b)
{
    printf("%-16s %-8s %.1f GFLOP/s\n", b->name, b->level->name, b->peak);
}

static const struct {
    const char *name;
    void (*run)(const Bench *b);
} benches[] = {
#define BENCH_ENTRY(name, result, parameters) { #name, bench_##name },
    VIGIL_KERNELS(BENCH_ENTRY)
};

static bool wanted(const char *filter, const char *name)
{
    return !filter || !strcmp(filter, name);
}

static float *numbers(void)
{
    float *p = aligned_alloc(64, FLOATS * sizeof *p);
    if (!p)
        abort();
    for (size_t i = 0; i < FLOATS; i++)
        p[i] = (float)(i * 2654435761u % 1000) * 2e-3f - 1.0f;
    return p;
}

int main(int argc, char **argv)
{
    const char *level = argc > 1 ? argv[1] : NULL, *kernel = argc > 2 ? argv[2] : NULL;
    memory = (Memory) { numbers(), numbers(), numbers(), numbers() };
    for (size_t i = 0; vigil_kernels_built[i]; i++) {
        Bench b = { .level = vigil_kernels_built[i] };
        if (!vigil_kernels_usable(b.level) || !wanted(level, b.level->name))
            continue;
        b.peak = vigil_peak_gflops(b.level);
        for (size_t j = 0; j < sizeof benches / sizeof *benches; j++)
            if (wanted(kernel, b.name = benches[j].name))
                benches[j].run(&b);
        b.name = "openblas";
        if (wanted(kernel, b.name))
            bench_openblas(&b);
    }
    return 0;
}
