/*
 * A network as a list of operations over feature maps.
 *
 * Family files *describe* it: each call below adds one operation, infers the shape of
 * its result and returns a handle.  Nothing is read or computed.  The first error
 * sticks: from then on calls do nothing and return VIGIL_NONE, so that descriptions
 * need no checks.  Then vigil_net_fuse() merges operations (fuse.c), vigil_net_bind()
 * binds weights by name and shape (weights.h) and vigil_net_plan() lays all maps out in
 * one arena (plan.c); vigil_net_run() walks the list.
 */
#ifndef VIGIL_CORE_NET_H
#define VIGIL_CORE_NET_H

#include "core/status.h"
#include "core/weights.h"
#include "kernels/kernels.h"

typedef struct VigilNet VigilNet;

typedef int VigilValue; /* a map of the net */
#define VIGIL_NONE (-1)

/* A map [h][w][c]; a vector is 1 x 1 x c; a list of tokens is 1 x tokens x c; attention
 * weights are [windows][h = heads][w = queries][c = keys]. */
typedef struct VigilShape {
    int h, w, c;
    bool vector; /* 1 x 1 at every input size, not only at this one: shown as [c] */
    int windows; /* 0: no attention weights */
} VigilShape;

/* Where the pixels of a map lie in the input of the network: (i, j) is centred at
 * (y + i step_y, x + j step_x), in pixels of the input whose first is centred at
 * (0.5, 0.5). */
typedef struct VigilGrid {
    double y, x, step_y, step_x;
} VigilGrid;

static inline size_t vigil_shape_size(VigilShape s)
{
    return (size_t)s.h * s.w * s.c * (s.windows ? s.windows : 1);
}

static inline size_t vigil_shape_pixels(VigilShape s)
{
    return (size_t)s.h * s.w;
}

/* As VigilTensor shows it: returns the rank. */
int vigil_shape_dims(VigilShape shape, int dims[4]);

/* ---- Describing ------------------------------------------------------------------ */

/* Which network at which input size; what an op or a block may depend on. */
typedef struct VigilNetConfig {
    int height, width;
    int classes;
    int window;         /* attention window of EMO; 0: the variant's own */
    size_t strip_bytes; /* of a thread for maps that are computed in strips (chain.h);
                           0: what suits a cache */
} VigilNetConfig;

/* NULL when out of memory. */
VigilNet *vigil_net_new(const VigilNetConfig *config);
void vigil_net_free(VigilNet **net);
const VigilNetConfig *vigil_net_config(const VigilNet *net);

/* The error that stuck, or VIGIL_OK. */
VigilStatus vigil_net_status(const VigilNet *net, VigilError *error);
void vigil_net_fail(VigilNet *net, VigilStatus status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Tensor and tap names are relative to a scope: push "stage1.0", name "v.conv" means
 * "stage1.0.v.conv".  An empty push changes nothing until its pop. */
void vigil_net_push(VigilNet *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vigil_net_pop(VigilNet *net);

/* The picture [height][width][3]. */
VigilValue vigil_net_input(VigilNet *net);

/* Names a value for taps; an empty name stands for the scope itself. */
VigilValue vigil_net_name(VigilNet *net, VigilValue value, const char *name);

/* Gives a value a further name for taps, beside the one it has; where another value has
 * that as its own name, the name means the other one. */
void vigil_net_alias(VigilNet *net, VigilValue value, const char *name);

/* Marks a result of the network under a name of its own: "logits". */
void vigil_net_output(VigilNet *net, VigilValue value, const char *name);

/* The result of the operation described last is computed only where a tap asks for it;
 * no operation may read it. */
VigilValue vigil_net_optional(VigilNet *net, VigilValue value);

VigilShape vigil_net_shape(const VigilNet *net, VigilValue value);
VigilGrid vigil_net_grid(const VigilNet *net, VigilValue value);

/* y = activation(norm(conv(x) + bias)); zero padding (kernel - 1) / 2 * dilation.
 * Weight `name`.weight [out, in / groups, kernel, kernel], `name`.bias [out]; batch
 * norm `norm`.{weight,bias,running_mean,running_var} [out]. */
typedef struct VigilConv {
    const char *name;
    const char *norm; /* NULL: none */
    float eps;        /* of norm */
    int out;          /* channels; ignored for depthwise: multiplier * those of x */
    int kernel, stride, dilation; /* 0 means 1 */
    bool depthwise, bias;
    bool linear; /* a layer over vectors or tokens: the weight is [out, in] */
    /* Runs of output channels that each see one run of the input channels; 1 x 1 with
     * stride 1 only.  0 means 1. */
    int groups;
    /* Output channels of each input channel of depthwise: channel o reads channel
     * o / multiplier.  0 means 1. */
    int multiplier;
    /* Channel shuffle of the result (before the activation, which makes no difference):
     * as vigil_net_shuffle, 0: none.  1 x 1 with stride 1; or depthwise, by as many
     * groups as channels go in. */
    int shuffle;
    /* NULL, or where files keep the rows of weight and bias in several tensors, as many
     * rows in each: their names instead of `name`, in order, NULL-terminated. */
    const char *const *parts;
    /* An earlier convolution has the same weights: they are not counted again. */
    bool shared;
    VigilActivation activation;
} VigilConv;

VigilValue vigil_net_conv(VigilNet *net, VigilValue x, const VigilConv *conv);

/* Batch norm on its own (before an attention or a convolution). */
VigilValue vigil_net_batch_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps);

/* Layer norm over the channels of each pixel: `name`.weight, .bias [c]. */
VigilValue vigil_net_layer_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps);

/* Group norm with one group: mean and variance over all values of the map, then scale
 * and shift of each channel: `name`.weight, .bias [c]. */
VigilValue vigil_net_group_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps);

/* Scaled dot-product attention, softmax over keys:
 *     y = softmax(q k^T / sqrt(width / heads)) v    in each head
 * Pixels of a map are tokens.  With `sequences` > 1 the tokens of all three are cut
 * into as many equal runs, and only tokens of the same run meet.  The attention weights
 * [sequences][heads][queries][keys] can be tapped as "attention". */
typedef struct VigilAttend {
    VigilValue q, k, v;
    int q_at, k_at, v_at; /* first channel of each in its map */
    int width; /* channels of each, all heads together; a multiple of heads */
    int heads;
    int sequences; /* 0 means 1 */
    VigilAttentionKind kind;
    int map_height, map_width; /* of the map whose pixels these are; 0: of k's, or of
                                  q's where the keys are tokens */
} VigilAttend;

/* y has the pixels of q and `width` channels. */
VigilValue vigil_net_attention(VigilNet *net, const VigilAttend *attend);

/* Self-attention over interleaved windows with the values taken from x itself; see
 * ops/window_attention.c.  `name`.weight [2c, c, 1, 1], .bias [2c]: queries, keys.  Tap
 * "attention": [windows][heads][window^2][window^2]. */
VigilValue vigil_net_window_attention(VigilNet *net, VigilValue x, const char *name,
                                      int heads, int window);

/* Separable self-attention over tokens [runs][tokens][1 + 2c], in each a query, then c
 * keys, then c values; each run of tokens (a row of the map) by itself:
 *     score = softmax over tokens(query),  context = sum over tokens(score * keys)
 *     y = ReLU(values) * context
 * y is [runs][tokens][c].  The scores [runs][1][1][tokens] can be tapped as
 * "attention"; they belong to pixels of a map map_height x map_width, unfolded. */
VigilValue vigil_net_separable_attention(VigilNet *net, VigilValue x, int map_height,
                                         int map_width);

/* A map [h][w][c] of even sides to its 2 x 2 patches [4][h / 2 * w / 2][c]: row p holds
 * the pixels at place (p / 2, p % 2) of their patch, patches in raster order. */
VigilValue vigil_net_unfold(VigilNet *net, VigilValue x);

/* Back to the map [height][width][c]. */
VigilValue vigil_net_fold(VigilNet *net, VigilValue x, int height, int width);

/* Bilinear, without antialiasing.  align_corners: the outer pixels of both maps lie on
 * each other; else their outer edges do. */
VigilValue vigil_net_resize(VigilNet *net, VigilValue x, int height, int width,
                            bool align_corners);

/* Each pixel of the result is the nearest one of x towards the first: row i of m is row
 * i n / m, rounded down, of n. */
VigilValue vigil_net_resize_nearest(VigilNet *net, VigilValue x, int height, int width);

/* Adaptive average pooling to height x width (He et al., "Spatial Pyramid Pooling",
 * ECCV 2014, section 2.2): row i of m is the mean of rows i n / m, rounded down, to
 * (i + 1) n / m, rounded up, of n; columns alike. */
VigilValue vigil_net_pool(VigilNet *net, VigilValue x, int height, int width);

/* Mean over all pixels: a vector. */
VigilValue vigil_net_mean(VigilNet *net, VigilValue x);

/* x scaled channel by channel by the vector s. */
VigilValue vigil_net_scale(VigilNet *net, VigilValue x, VigilValue s);

/* a + b, same shape. */
VigilValue vigil_net_add(VigilNet *net, VigilValue a, VigilValue b);

/* factor * a * b, element by element, same shape. */
VigilValue vigil_net_multiply(VigilNet *net, VigilValue a, VigilValue b, float factor);

/* activation(x); goes into the convolution before it where nobody looks at x. */
VigilValue vigil_net_activate(VigilNet *net, VigilValue x, VigilActivation activation);

/* The channels of a, then those of b: two maps of the same pixels, or two vectors. */
VigilValue vigil_net_concat(VigilNet *net, VigilValue a, VigilValue b);

/* The same for 1 to 5 of them, in this order. */
VigilValue vigil_net_concat_all(VigilNet *net, const VigilValue *maps, int count);

/* Channel shuffle (Zhang et al., "ShuffleNet", CVPR 2018, section 3.1) of c channels in
 * `groups` groups: channel o of the result is channel
 * (o mod groups) * (c / groups) + o div groups of x. */
VigilValue vigil_net_shuffle(VigilNet *net, VigilValue x, int groups);

/* Learned tokens that do not depend on the picture: the map 1 x count x width that is
 * the tensor `name`.weight [count, width]. */
VigilValue vigil_net_tokens(VigilNet *net, const char *name, int count, int width);

/* One token of a list as a vector. */
VigilValue vigil_net_token(VigilNet *net, VigilValue tokens, int index);

/* Dynamic ReLU (Chen et al., "Dynamic ReLU", ECCV 2020, section 3) with two slopes a
 * channel and no intercepts: y = max(2 t x, (2 t' - 1) x) in each of c channels, for a
 * vector [t, t'] of 2 c values in [0, 1]. */
VigilValue vigil_net_dynamic_relu(VigilNet *net, VigilValue x, VigilValue slopes);

/* Spatial-aware dynamic ReLU (Chen et al., "Mobile-Former", CVPR 2022, section 4.2):
 * the same with slopes of each pixel's own, sum over tokens(share * [t, t']), for
 * slopes [1][tokens][2c] and shares [h][w][tokens]. */
VigilValue vigil_net_spatial_dynamic_relu(VigilNet *net, VigilValue x,
                                          VigilValue slopes, VigilValue shares);

/* How pixels of x [h][w][c] relate to tokens [1][tokens][c]: factor * their inner
 * products, [h][w][tokens]. */
VigilValue vigil_net_relate(VigilNet *net, VigilValue x, VigilValue tokens,
                            float factor);

/* Softmax over the channels of each pixel. */
VigilValue vigil_net_softmax(VigilNet *net, VigilValue x);

/* x plus sinusoids that tell where a pixel lies (Carion et al., "End-to-End Object
 * Detection with Transformers", ECCV 2020, section 3.2), for attention in `heads`
 * heads.  Of each head's channels the first half, n of them, tells the row y of h:
 *
 *     sin(a / 10000^(2j / n)) in channel 2j, cos of it in 2j + 1,
 *     a = 2 pi (y + 1/2) / h
 *
 * and the second half the column in the same way.  c is a multiple of 4 heads. */
VigilValue vigil_net_add_positions(VigilNet *net, VigilValue x, int heads);

/* ---- Binding, compiling, running ------------------------------------------------- */

/* Reads or checks the weights of every operation in order; see weights.h.  The first
 * failure is in the binder. */
void vigil_net_bind(VigilNet *net, VigilBinder *binder);

/* Merges operations where nobody else looks at the map in between (fuse.c lists what).
 * Keeps named values that `keep` asks for. */
VigilStatus vigil_net_fuse(VigilNet *net, const char *const *keep, size_t n_keep,
                           VigilError *error);

/* Places every map and the scratch memory of `threads` threads in one arena.  Maps in
 * `keep` and outputs live to the end of the run. */
VigilStatus vigil_net_plan(VigilNet *net, const char *const *keep, size_t n_keep,
                           int threads, VigilError *error);

/* Keeps all attention weights, to be called before vigil_net_plan(). */
void vigil_net_keep_attention(VigilNet *net);

void vigil_net_run(VigilNet *net);

/* ---- Looking at it --------------------------------------------------------------- */

float *vigil_net_input_data(VigilNet *net);
/* The value of that name; VIGIL_NONE if there is none. */
VigilValue vigil_net_find(const VigilNet *net, const char *name);
const float *vigil_net_data(const VigilNet *net, VigilValue value);
const char *vigil_net_value_name(const VigilNet *net, VigilValue value);
/* The net's own copy of a value's name or further name; NULL if there is none. */
const char *vigil_net_own_name(const VigilNet *net, const char *name);
/* Output i; VIGIL_NONE past the last. */
VigilValue vigil_net_output_at(const VigilNet *net, size_t i, const char **name);
size_t vigil_net_arena_bytes(const VigilNet *net);
/* Multiply-accumulates of one run as described: merging may have left less to do, which
 * is what the layers tell. */
uint64_t vigil_net_macs(const VigilNet *net);
bool vigil_net_layer(const VigilNet *net, size_t i, VigilLayer *layer);
void vigil_net_time_layers(VigilNet *net, bool on);

#endif
