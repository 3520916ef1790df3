#include "backbones/mobilevit_names.h"

/* ---- What v1 and v2 have in common ------------------------------------------------
 */

#define CVNETS                                                                         \
    .conv_norm = { "block.conv", "block.norm" }, .stem = "conv_1", .layer = "layer_",  \
    .first_layer = 1, .residual = "", .down = "0", .unit = "1",                        \
    .expand = "block.exp_1x1", .depthwise = "block.conv_3x3",                          \
    .reduce = "block.red_1x1", .transformer = "global_rep.", .projection = "conv_proj"

#define TIMM                                                                           \
    .conv_norm = { "conv", "bn" }, .stem = "stem", .layer = "stages.", .residual = "", \
    .down = "0", .unit = "1", .expand = "conv1_1x1", .depthwise = "conv2_kxk",         \
    .reduce = "conv3_1x1", .local_spatial = "conv_kxk", .local_pointwise = "conv_1x1", \
    .transformer = "transformer.", .final_norm = "norm", .projection = "conv_proj",    \
    .classifier = "head.fc"

#define TRANSFORMERS(prefix)                                                           \
    .conv_norm = { "convolution", "normalization" }, .stem = prefix "conv_stem",       \
    .layer = prefix "encoder.layer.", .residual = "layer.",                            \
    .down = "downsampling_layer", .unit = "", .expand = "expand_1x1",                  \
    .depthwise = "conv_3x3", .reduce = "reduce_1x1", .local_spatial = "conv_kxk",      \
    .local_pointwise = "conv_1x1.convolution", .transformer = "transformer.layer.",    \
    .final_norm = "layernorm", .projection = "conv_projection",                        \
    .classifier = "classifier"

/* ---- v1 ----------------------------------------------------------------------------
 */

const MobileVitNames mobilevit_names_cvnets = {
    CVNETS,
    .local_spatial = "local_rep.conv_3x3",
    .local_pointwise = "local_rep.conv_1x1.block.conv",
    .fusion = "fusion",
    .in_transformer = { .norm1 = "pre_norm_mha.0",
                        .attention = "pre_norm_mha.1",
                        .qkv = "qkv_proj",
                        .out = "out_proj",
                        .norm2 = "pre_norm_ffn.0",
                        .expand = "pre_norm_ffn.1",
                        .reduce = "pre_norm_ffn.4" },
    .final_conv = "conv_1x1_exp",
    .classifier = "classifier.fc",
};

const MobileVitNames mobilevit_names_timm = {
    TIMM,
    .fusion = "conv_fusion",
    .in_transformer = { .norm1 = "norm1",
                        .attention = "attn",
                        .qkv = "qkv",
                        .out = "proj",
                        .norm2 = "norm2",
                        .expand = "mlp.fc1",
                        .reduce = "mlp.fc2" },
    .final_conv = "final_conv",
};

static const char *const query_key_value[] = { "attention.query", "attention.key",
                                               "attention.value", NULL };

const MobileVitNames mobilevit_names_transformers = {
    TRANSFORMERS("mobilevit."),
    .fusion = "fusion",
    .in_transformer = { .norm1 = "layernorm_before",
                        .attention = "attention",
                        .qkv = "attention.qkv",
                        .qkv_parts = query_key_value,
                        .out = "output.dense",
                        .norm2 = "layernorm_after",
                        .expand = "intermediate.dense",
                        .reduce = "output.dense" },
    .final_conv = "mobilevit.conv_1x1_exp",
};

/* ---- v2 ----------------------------------------------------------------------------
 */

const MobileVitNames mobilevitv2_names_cvnets = {
    CVNETS,
    .local_spatial = "local_rep.0",
    .local_pointwise = "local_rep.1.block.conv",
    .in_transformer = { .norm1 = "pre_norm_attn.0",
                        .attention = "pre_norm_attn.1",
                        .qkv = "qkv_proj.block.conv",
                        .out = "out_proj.block.conv",
                        .norm2 = "pre_norm_ffn.0",
                        .expand = "pre_norm_ffn.1.block.conv",
                        .reduce = "pre_norm_ffn.3.block.conv" },
    .classifier = "classifier.1",
};

const MobileVitNames mobilevitv2_names_timm = {
    TIMM,
    .in_transformer = { .norm1 = "norm1",
                        .attention = "attn",
                        .qkv = "qkv_proj",
                        .out = "out_proj",
                        .norm2 = "norm2",
                        .expand = "mlp.fc1",
                        .reduce = "mlp.fc2" },
};

const MobileVitNames mobilevitv2_names_transformers = {
    TRANSFORMERS("mobilevitv2."),
    .in_transformer = { .norm1 = "layernorm_before",
                        .attention = "attention",
                        .qkv = "qkv_proj.convolution",
                        .out = "out_proj.convolution",
                        .norm2 = "layernorm_after",
                        .expand = "ffn.conv1.convolution",
                        .reduce = "ffn.conv2.convolution" },
};
