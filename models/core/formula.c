#include "core/formula.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint64_t fnv1a64(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        h = (h ^ *s) * 0x100000001b3u;
    return h;
}

/* Uniform in [-1, 1), exact in float32. */
static float uniform(uint64_t base, uint64_t i)
{
    uint64_t z = base + i + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)((double)(z >> 40) / 8388608.0 - 1.0);
}

static bool is_tokens(const char *name)
{
    static const char *const ends[] = { ".tokens.weight", ".queries.weight",
                                        ".positions.weight" };
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && !strcmp(name + n - strlen(ends[i]), ends[i]))
            return true;
    return !strcmp(name, "tokens.weight");
}

/* value = offset + scale * r */
static void rule(const char *name, int rank, const uint64_t *shape, double gain,
                 float *offset, float *scale)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    double fan_in = 1;
    for (int i = 1; i < rank; i++)
        fan_in *= (double)shape[i];
    *offset = 0;
    if (!strcmp(last, "running_mean"))
        *scale = 0.1f;
    else if (!strcmp(last, "running_var"))
        *offset = 1, *scale = 0.5f;
    else if (is_tokens(name))
        *scale = 1;
    else if (rank >= 2)
        *scale = (float)(sqrt(3.0 / fan_in) * gain);
    else if (rank == 1 && !strcmp(last, "weight"))
        *offset = 1, *scale = 0.25f;
    else
        *scale = rank == 1 ? 0.1f : 0.5f;
}

void vigil_formula_fill(const char *name, int rank, const uint64_t *shape,
                        uint64_t seed, double gain, float *out)
{
    uint64_t base = fnv1a64(name) ^ seed, n = 1;
    float offset, scale;
    for (int i = 0; i < rank; i++)
        n *= shape[i];
    rule(name, rank, shape, gain, &offset, &scale);
    for (uint64_t i = 0; i < n; i++) {
        float product = scale * uniform(base, i);
        out[i] = offset + product;
    }
}

static int triangle(int p, int period)
{
    return abs(p % (2 * period) - period) * 255 / period;
}

static uint8_t formula_sample(int h, int w, int y, int x, int c)
{
    int smooth =
        (triangle(x * (c + 1) + 37 * c, 64) + triangle(y * (3 - c) + 11 * c, 48)) / 2;
    int texture = ((7 * x + 13 * y + 29 * c) ^ (x * y + 17 * c)) & 63;
    int64_t dx = 3 * (int64_t)x - w, dy = 3 * (int64_t)y - h;
    int v = smooth * 3 / 4 + texture;
    if (dx * dx + dy * dy < (int64_t)h * w / 2)
        v = 255 - v;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

void vigil_formula_image(int h, int w, uint8_t *rgb)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                *rgb++ = formula_sample(h, w, y, x, c);
}
