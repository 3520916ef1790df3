/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <math.h>
#include <string.h>

enum { X, Y, EXPECTED, GAMMA, BETA };

static const size_t widths[] = { 1,  2,  3,  7,  8,  9,  15,  16, 17,
                                 24, 31, 33, 63, 64, 65, 168, 588 };

#define COUNT(list) (sizeof(list) / sizeof *(list))

void check_layer_norm(Check *c)
{
    for (size_t i = 0; i < 2 * COUNT(widths); i++) {
        size_t n = widths[i / 2], rows = 1 + (size_t)pick(4);
        float *x = floats(X, rows * n), *y = pick(2) ? floats(Y, rows * n) : x;
        float *gamma = i % 2 ? floats(GAMMA, n) : NULL,
              *beta = i % 2 ? floats(BETA, n) : NULL;
        double offset = uniform(-3, 3), *want = doubles(rows * n);
        for (size_t r = 0; r < rows; r++) {
            double mean = 0, variance = 0;
            for (size_t j = 0; j < n; j++)
                mean += (x[r * n + j] += (float)offset) / (double)n;
            for (size_t j = 0; j < n; j++)
                variance += pow(x[r * n + j] - mean, 2) / (double)n;
            for (size_t j = 0; j < n; j++) {
                double v = (x[r * n + j] - mean) / sqrt(variance + (double)1e-2f);
                want[r * n + j] = gamma ? v * gamma[j] + beta[j] : v;
            }
        }
        begin_case(c, "layer_norm %zu rows of %zu, %s gamma, %s", rows, n,
                   gamma ? "with" : "no", y == x ? "in place" : "apart");
        c->level->layer_norm(x, rows, n, gamma, beta, 1e-2f, y);
        near_doubles(c, y, want, rows * n, 6e-6);
    }
}

void check_sum_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], rows = 1 + (size_t)pick(60);
        float *x = floats(X, rows * n);
        double *got = (double *)(void *)floats(Y, 2 * n);
        begin_case(c, "sum_rows %zu rows of %zu", rows, n);
        c->level->sum_rows(x, rows, n, got);
        for (size_t j = 0; j < n; j++) {
            double want = 0;
            for (size_t r = 0; r < rows; r++)
                want += x[r * n + j];
            near_value(c, got[j], want, 1e-13);
        }
    }
}

void check_weigh_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], ld = n + (size_t)pick(4), rows = 1 + (size_t)pick(60);
        float *x = floats(X, (rows - 1) * ld + n);
        double *got = (double *)(void *)floats(Y, 2 * n);
        double *weight = doubles(rows);
        for (size_t r = 0; r < rows; r++)
            weight[r] = uniform(-1, 1);
        begin_case(c, "weigh_rows %zu rows of %zu, %zu apart", rows, n, ld);
        c->level->weigh_rows(x, ld, rows, n, weight, got);
        for (size_t j = 0; j < n; j++) {
            double want = 0;
            for (size_t r = 0; r < rows; r++)
                want += weight[r] * x[r * ld + j];
            near_value(c, got[j], want, 1e-13);
        }
    }
}

void check_dot_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], rows = 1 + (size_t)pick(20);
        float *x = floats(X, rows * n), *w = floats(GAMMA, n);
        double *got = (double *)(void *)floats(Y, 2 * rows);
        begin_case(c, "dot_rows %zu rows of %zu", rows, n);
        c->level->dot_rows(x, rows, n, w, got);
        for (size_t r = 0; r < rows; r++) {
            double want = 0;
            for (size_t j = 0; j < n; j++)
                want += (double)x[r * n + j] * w[j];
            near_value(c, got[r], want, 1e-12);
        }
    }
}

void check_affine_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], rows = 1 + (size_t)pick(5);
        float *x = floats(X, rows * n), *y = pick(2) ? floats(Y, rows * n) : x;
        float *scale = floats(GAMMA, n), *shift = floats(BETA, n);
        double *want = doubles(rows * n);
        for (size_t j = 0; j < rows * n; j++)
            want[j] = (double)x[j] * scale[j % n] + shift[j % n];
        begin_case(c, "affine_rows %zu rows of %zu, %s", rows, n,
                   y == x ? "in place" : "apart");
        c->level->affine_rows(x, rows, n, scale, shift, y);
        near_doubles(c, y, want, rows * n, 2e-7);
    }
}

/* Far from the pivot too, where squares are large and the sum is not. */
void check_moments(Check *c)
{
    for (size_t i = 0; i < 2 * COUNT(widths); i++) {
        size_t n = widths[i / 2];
        float *x = floats(X, n), pivot = i % 2 ? 300.0f : x[0];
        double got[2], want[2] = { 0, 0 };
        for (size_t j = 0; j < n; j++) {
            want[0] += (double)x[j] - (double)pivot;
            want[1] += ((double)x[j] - (double)pivot) * ((double)x[j] - (double)pivot);
        }
        begin_case(c, "moments of %zu about %g", n, (double)pivot);
        c->level->moments(x, n, pivot, got);
        near_value(c, got[0], want[0], 1e-13 * fmax(1, fabs(want[0])));
        near_value(c, got[1], want[1], 1e-13 * fmax(1, want[1]));
    }
}

void check_mix(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i];
        const float *const row[] = { floats(X, n), floats(GAMMA, n), floats(BETA, n),
                                     floats(EXPECTED, n) };
        float weight[4], *y = floats(Y, n);
        double *want = doubles(n);
        for (size_t t = 0; t < 4; t++)
            weight[t] = (float)uniform(-1, 1);
        for (size_t j = 0; j < n; j++) {
            want[j] = 0;
            for (size_t t = 0; t < 4; t++)
                want[j] += (double)weight[t] * row[t][j];
        }
        begin_case(c, "mix of %zu", n);
        c->level->mix(row, weight, n, y);
        near_doubles(c, y, want, n, 4e-7);
    }
}

void check_scale_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], rows = 1 + (size_t)pick(5);
        float *x = floats(X, rows * n), *y = pick(2) ? floats(Y, rows * n) : x;
        float *scale = floats(GAMMA, n), *want = floats(EXPECTED, rows * n);
        for (size_t j = 0; j < rows * n; j++)
            want[j] = x[j] * scale[j % n];
        begin_case(c, "scale_rows %zu rows of %zu, %s", rows, n,
                   y == x ? "in place" : "apart");
        c->level->scale_rows(x, rows, n, scale, y);
        near_floats(c, y, want, rows * n, 1e-30);
    }
}

void check_add(Check *c)
{
    for (size_t i = 0; i < 3 * COUNT(widths); i++) {
        size_t n = widths[i / 3];
        float *a = floats(X, n), *b = floats(GAMMA, n), *want = floats(EXPECTED, n);
        float *y = i % 3 == 0 ? a : i % 3 == 1 ? b : floats(Y, n);
        for (size_t j = 0; j < n; j++)
            want[j] = a[j] + b[j];
        begin_case(c, "add %zu, form %zu", n, i % 3);
        c->level->add(a, b, n, y);
        near_floats(c, y, want, n, 1e-30);
    }
}

void check_dynamic_relu(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], rows = 1 + (size_t)pick(5);
        float *x = floats(X, rows * n), *y = pick(2) ? floats(Y, rows * n) : x;
        float *t = floats(GAMMA, 2 * n);
        double *want = doubles(rows * n);
        for (size_t j = 0; j < rows * n; j++)
            want[j] = fmax(2.0 * t[j % n] * x[j], (2.0 * t[n + j % n] - 1) * x[j]);
        begin_case(c, "dynamic_relu %zu rows of %zu, %s", rows, n,
                   y == x ? "in place" : "apart");
        c->level->dynamic_relu(x, rows, n, t, y);
        near_doubles(c, y, want, rows * n, 4e-7);
    }
}

void check_interleave(Check *c)
{
    for (size_t i = 0; i < 8 * COUNT(widths); i++) {
        size_t n = widths[i / 8], m = 1 + i % 8, stride = n + (size_t)pick(3);
        float *x = floats(X, (m - 1) * stride + n), *y = floats(Y, m * n);
        float *want = floats(EXPECTED, m * n);
        for (size_t j = 0; j < m * n; j++)
            want[j] = x[j % m * stride + j / m];
        begin_case(c, "interleave %zu runs of %zu, %zu apart", m, n, stride);
        c->level->interleave(x, stride, m, n, y);
        near_floats(c, y, want, m * n, 1e-30);
    }
}

/* Tolerances are the errors that the sources state, as a share of max(1, |x|). */
static const struct {
    VigilActivation activation;
    double tolerance;
} activations[] = {
    { VIGIL_LINEAR, 1e-30 }, { VIGIL_RELU, 1e-30 },    { VIGIL_RELU6, 1e-30 },
    { VIGIL_SILU, 2e-7 },    { VIGIL_GELU, 3e-7 },     { VIGIL_SIGMOID, 2e-7 },
    { VIGIL_HSWISH, 2e-7 },  { VIGIL_HSIGMOID, 2e-7 },
};

static void check_activation(Check *c, size_t i, const float *x, size_t n, float *y)
{
    memcpy(y, x, n * sizeof *x);
    c->level->activate(pick(2) ? y : x, n, activations[i].activation, y);
    for (size_t j = 0; j < n; j++)
        near_value(c, y[j], activation_exact(x[j], activations[i].activation),
                   activations[i].tolerance * fmax(1.0, fabs((double)x[j])));
}

/* Where GELU has run out it is exactly 0 or x, however large x is. */
static void check_gelu_ends(Check *c)
{
    static const float x[] = { -7.0f, -100.0f, -1e30f, 6.0f, 100.0f, 1e30f };
    float y[COUNT(x)];
    begin_case(c, "activate, both ends of GELU");
    c->level->activate(x, COUNT(x), VIGIL_GELU, y);
    for (size_t i = 0; i < COUNT(x); i++)
        near_value(c, y[i], x[i] > 0 ? x[i] : 0, 1e-8);
}

/* All against double, at every level: the stated errors are those of the formulae. */
void check_activate(Check *c)
{
    static const float special[] = { 0.0f,  -0.0f,  1e-40f, -1e-40f, 1e-20f, 3.0f,
                                     -3.0f, 6.0f,   20.0f,  -20.0f,  88.0f,  -88.0f,
                                     89.0f, -89.0f, 105.0f, -105.0f, 1e4f,   -1e4f,
                                     1e30f, -1e30f, NAN };
    enum { DENSE = 100000 };
    check_gelu_ends(c);
    for (size_t i = 0; i < COUNT(activations); i++) {
        begin_case(c, "activate %zu, special values", i);
        float *x = floats(X, COUNT(special)), *y = floats(Y, COUNT(special));
        memcpy(x, special, sizeof special);
        check_activation(c, i, x, COUNT(special), y);
        begin_case(c, "activate %zu, dense", i);
        x = floats(X, DENSE);
        y = floats(Y, DENSE);
        for (size_t j = 0; j < DENSE; j++)
            x[j] = (float)(12.0 * x[j]);
        check_activation(c, i, x, DENSE, y);
        for (size_t w = 0; w < COUNT(widths); w++) {
            begin_case(c, "activate %zu, %zu values", i, widths[w]);
            x = floats(X, widths[w]);
            check_activation(c, i, x, widths[w], floats(Y, widths[w]));
        }
    }
}

/* Twice the rounds are twice the operations, and none are skipped for being
 * predictable. */
void check_peak(Check *c)
{
    begin_case(c, "peak");
    double once = c->level->peak(1000);
    near_value(c, c->level->peak(2000), 2 * once, 0.5);
    near_value(c, once > 0, 1, 1e-30);
}
