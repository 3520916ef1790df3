/*
 * What an operation is: the inside of the net, for ops/ and the files that compile it.
 */
#ifndef VIGIL_CORE_OP_H
#define VIGIL_CORE_OP_H

#include "core/net.h"
#include "core/ranges.h"
#include "core/share.h"
#include "core/threads.h"

typedef struct VigilNode VigilNode;
typedef struct VigilOp VigilOp;
typedef struct VigilChain VigilChain; /* chain.h */
typedef struct VigilRows VigilRows;

#define VIGIL_MAX_INPUTS 5
#define VIGIL_MAX_DEPTH 8 /* of scopes */

struct VigilOp {
    /* For listings: "conv 1x1", from the node's own description. */
    void (*kind)(const VigilNode *node, char *out, size_t size);
    /* Finds or reads the weights.  NULL: has none. */
    void (*bind)(VigilNode *node, VigilBinder *binder);
    /* Multiply-accumulates of one run.  NULL: none. */
    uint64_t (*macs)(const VigilNode *node);
    /* Floats of scratch that each of the threads needs.  NULL: none. */
    size_t (*scratch)(const VigilNode *node);
    void (*run)(const VigilNode *node, VigilNet *net);
    /* Rows row0..row1-1 of a convolution alone, on one thread.  NULL: cannot. */
    void (*rows)(const VigilNode *node, const VigilRows *rows, int row0, int row1);
    /* Whether this one can.  NULL: yes. */
    bool (*has_rows)(const VigilNode *node);
};

struct VigilNode {
    const VigilOp *op;
    const char *name; /* of the weights, absolute; keys of the store derive from it */
    char kind[32];    /* for listings, set by plan.c */
    VigilValue in[VIGIL_MAX_INPUTS];
    int n_in;
    VigilValue residual; /* added by the epilogue (fuse.c), or VIGIL_NONE */
    VigilValue out;
    VigilValue side;                /* attention weights, or VIGIL_NONE */
    VigilShape in_shape, out_shape; /* of in[0] and out */
    void *data;                     /* the op's own description */
    const VigilWeights *weights;
    bool dead;         /* merged into another one */
    VigilChain *chain; /* of which it is a member (chain.c), or NULL */
    uint64_t parameters, nanoseconds;

    /* Set by plan.c. */
    const float *x[VIGIL_MAX_INPUTS];
    const float *r;
    float *y;
    float *side_data; /* NULL unless somebody taps it */
    float *scratch;   /* [threads][scratch_stride] */
    size_t scratch_stride;
};

typedef struct VigilMap {
    const char *name;
    VigilShape shape;
    VigilGrid grid;            /* of attention weights: of the map they relate to */
    int producer;              /* node */
    bool on_demand;            /* attention weights: computed only if kept */
    bool optional;             /* its operation is dropped unless it is kept */
    bool kept;                 /* a tap asks for it (plan.c) */
    VigilAttentionKind kind;   /* of attention weights */
    int map_height, map_width; /* of the map that they relate pixels of */
    size_t offset;             /* floats in the arena */
    VigilValue moved;          /* merged into this value (fuse.c) or a name of it,
                                  or VIGIL_NONE */
} VigilMap;

struct VigilNet {
    VigilNetConfig config;
    VigilError error;
    char scope[VIGIL_MAX_NAME];
    size_t scope_length[VIGIL_MAX_DEPTH]; /* before each push */
    int depth;
    struct Chunk *chunks; /* strings and descriptions */

    VigilNode *node;
    size_t n_nodes, cap_nodes;
    VigilMap *map;
    size_t n_maps, cap_maps;
    struct {
        VigilValue value;
        const char *name;
    } output[16];
    size_t n_outputs;
    uint64_t macs; /* as described; set before merging */

    int most_threads; /* that there is scratch memory for */
    int threads;      /* of the operation that runs */
    VigilPace pace;
    float *arena;
    size_t arena_floats;
    bool timed;
};

/* Memory that lives as long as the net, cleared; NULL sticks as an error. */
void *vigil_net_alloc(VigilNet *net, size_t bytes);

/* "scope.name" (or the scope alone for ""), living as long as the net. */
const char *vigil_net_absolute(VigilNet *net, const char *name);

/* Appends an operation over inputs in[0..n_in-1] with a cleared description of
 * data_size bytes.  NULL after an error.  The pointer is valid until the next call. */
VigilNode *vigil_net_append(VigilNet *net, const VigilOp *op, const char *name,
                            const VigilValue *in, int n_in, VigilShape out,
                            size_t data_size);

/* A result lies on the grid of its operation's first input until that says otherwise:
 * that pixel (0, 0) of `out` is centred at pixel (first_y, first_x) of that input, and
 * the others at every step-th from there; steps above 0. */
void vigil_net_regrid(VigilNet *net, VigilValue out, double first_y, double step_y,
                      double first_x, double step_x);

/* Gives the node that was appended last a second result, the attention weights, which
 * is computed only where a tap asks for it.  It is called "attention" in the scope in
 * force and relates pixels of a map map_height x map_width, which lies on the grid of
 * the node's first input, or of its second for TO_PIXELS.  Weights that do not go with
 * that map (attention.h) stick as an error. */
void vigil_net_attention_tap(VigilNet *net, VigilNode *node, VigilShape shape,
                             VigilAttentionKind kind, int map_height, int map_width);

/* Where values ended up after merges. */
VigilValue vigil_net_resolve(const VigilNet *net, VigilValue value);

/* ---- Shared by operations -------------------------------------------------------- */

/* scale and shift of a batch norm in double: a = weight / sqrt(var + eps),
 * b = bias - a mean.  False in CHECK mode and after a failure. */
bool vigil_bind_batch_norm(VigilBinder *binder, const char *name, size_t c, float eps,
                           double **a, double **b);

/* `prefix`.`last` in out. */
const char *vigil_join(char out[VIGIL_MAX_NAME], const char *prefix, const char *last);

/* Rows per task so that one is worth handing to a thread. */
size_t vigil_grain(uint64_t macs_per_item);

/* Computes `count` items of an operation, in ranges of at least `least`, on as many
 * threads as are worth it for `macs` multiply-accumulates in all.  `n` is the task's
 * context. */
void vigil_net_parallel(const VigilNet *net, uint64_t macs, size_t count, size_t least,
                        VigilTaskFunction task, const VigilNode *n);

/* ---- Convolutions, which other operations merge into ------------------------------
 */

#define VIGIL_MAX_PARTS 3 /* tensors of one weight */

typedef struct VigilConvNode {
    VigilConv conv;
    const char *part[VIGIL_MAX_PARTS]; /* absolute */
    int n_parts;                       /* 0: the node's name */
    const char *norm;                  /* absolute, after the convolution */
    const char *pre_norm; /* absolute, merged from before it; needs a 1 x 1 kernel */
    float pre_eps;
    /* Linear 1 x 1 convolution before this one, merged into it (fuse.c): the weight is
     * the product of both.  NULL: none. */
    const VigilNode *first;
    VigilRange range;            /* of x, where it multiplies in bytes (quantise.c) */
    struct VigilHistogram *seen; /* of x, where that is calibrated; else NULL */
} VigilConvNode;

typedef struct VigilNormNode {
    float eps;
} VigilNormNode;

typedef struct VigilActivateNode {
    VigilActivation activation;
} VigilActivateNode;

typedef struct VigilSeparableNode {
    const VigilNode *projection; /* the convolution that makes queries, keys and values,
                                    merged into the attention (fuse.c); NULL: not */
} VigilSeparableNode;

extern const VigilOp vigil_op_conv, vigil_op_conv_bytes, vigil_op_depthwise,
    vigil_op_winograd, vigil_op_batch_norm, vigil_op_add, vigil_op_activate,
    vigil_op_dynamic_relu, vigil_op_mean, vigil_op_separable_attention;

#endif
