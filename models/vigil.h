/*
 * libvigil: light-weight vision networks on an ordinary CPU.
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one public header of the engine.  A VigilModel is an opened weight file; it is
 * immutable, counted, and may be shared by any number of sessions and threads.  A
 * VigilSession is that model made ready for one input size, with working memory of its
 * own: it is used by one thread at a time.  Opening allocates; running does not.
 *
 * Tensors are float32, row-major, height x width x channels ("[h][w][c]").
 *
 *     VigilError e;
 *     VigilModel *model = NULL;
 *     VigilSession *session = NULL;
 *     if (vigil_model_open("emo_1m.safetensors", &model, &e) != VIGIL_OK ||
 *         vigil_session_open(model, NULL, &session, &e) != VIGIL_OK)
 *         fprintf(stderr, "%s\n", e.message);
 *     ... fill vigil_session_input(session) ...
 *     vigil_session_run(session);
 *     const float *logits = vigil_session_output(session, 0)->data;
 *     vigil_session_close(&session);
 *     vigil_model_close(&model);
 */
#ifndef VIGIL_H
#define VIGIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VIGIL_API __attribute__((visibility("default")))
#else
#define VIGIL_API
#endif

/* ---- Errors --------------------------------------------------------------------- */

typedef enum VigilStatus {
    VIGIL_OK = 0,
    VIGIL_ERROR_NOT_FOUND,   /* no such file, or no shipped model of that name */
    VIGIL_ERROR_IO,          /* the system refused to read; the message has strerror */
    VIGIL_ERROR_NO_MEMORY,   /* an allocation failed; nothing was leaked */
    VIGIL_ERROR_FORMAT,      /* the file is not well-formed */
    VIGIL_ERROR_UNSUPPORTED, /* well-formed, no network here: the closest is named */
    VIGIL_ERROR_SHAPE,       /* a tensor is missing, left over, or of another shape */
    VIGIL_ERROR_ARGUMENT,    /* a value given by the caller is out of its range */
} VigilStatus;

/* One sentence for people, naming the thing at fault and, where two numbers disagree,
 * both.  Functions that take a VigilError * accept NULL. */
typedef struct VigilError {
    VigilStatus status;
    char message[512];
} VigilError;

/* ---- What a model wants of its input -------------------------------------------- */

typedef enum VigilTask {
    VIGIL_TASK_CLASSIFICATION,
    VIGIL_TASK_DETECTION,
    VIGIL_TASK_SEGMENTATION,
} VigilTask;

typedef enum VigilChannelOrder { VIGIL_RGB, VIGIL_BGR } VigilChannelOrder;

/* How a picture of any size becomes height x width. */
typedef enum VigilResize {
    VIGIL_RESIZE_STRETCH,   /* both axes on their own */
    VIGIL_RESIZE_LETTERBOX, /* aspect ratio kept, centred, the rest is 0 after norm. */
    VIGIL_RESIZE_CROP,      /* shorter side to `resize_shorter`, then the centre */
    VIGIL_RESIZE_NONE,      /* pixels as they are: the picture must have this size */
} VigilResize;

/* All but POINT widen their support when they shrink (antialiasing, as PIL does). */
typedef enum VigilFilter {
    VIGIL_FILTER_BILINEAR,       /* triangle, half width 1 */
    VIGIL_FILTER_BICUBIC,        /* Keys, a = -0.5, half width 2 */
    VIGIL_FILTER_POINT_BILINEAR, /* two taps an axis whatever the scale, as OpenCV */
} VigilFilter;

/* Where a setting came from, weakest first. */
typedef enum VigilOrigin {
    VIGIL_ORIGIN_SCHEME,   /* the published preprocessing of this naming scheme */
    VIGIL_ORIGIN_METADATA, /* __metadata__ of the file */
    VIGIL_ORIGIN_OPTION,   /* the caller */
} VigilOrigin;

typedef struct VigilInput {
    int height, width;
    VigilChannelOrder channel_order; /* of the tensor */
    float mean[3], std[3]; /* in tensor channel order: t = (v / 255 - mean) / std */
    VigilResize resize;
    int resize_shorter; /* CROP: min(height, width) before the centre is cut */
    VigilFilter filter;
    struct {
        VigilOrigin size, channel_order, mean, std, resize;
    } origin;
} VigilInput;

/* Overrides by the caller; a field whose flag is unset changes nothing. */
typedef struct VigilInputOptions {
    int height, width; /* 0, 0: as the model wants; else 32..4096 each */
    bool has_channel_order, has_mean, has_std, has_resize;
    VigilChannelOrder channel_order;
    float mean[3], std[3]; /* std > 0 */
    VigilResize resize;
} VigilInputOptions;

/* ---- Models --------------------------------------------------------------------- */

typedef struct VigilModel VigilModel;

/* In what a network multiplies where it can do either. */
typedef enum VigilPrecision {
    VIGIL_PRECISION_AUTO, /* what the file says, else float32 */
    VIGIL_PRECISION_FLOAT32,
    VIGIL_PRECISION_INT8, /* where it is faster so on this processor: bytes, by ranges
                             of values that the file has been calibrated for */
} VigilPrecision;

typedef struct VigilModelInfo {
    const char *file;    /* as found when it was first opened; "formula": no file */
    const char *family;  /* "emo" */
    const char *variant; /* "EMO_1M" */
    const char *naming;  /* naming scheme of the tensors: "official" */
    VigilTask task;
    uint64_t parameters; /* trained values; running statistics are not counted */
    int classes;
    const char *const *labels;    /* [classes]; NULL: not known */
    const char *label_set;        /* "imagenet1k", "metadata", or NULL */
    VigilInput input;             /* scheme default and metadata; no caller's options */
    size_t memory_bytes;          /* weights as they are held, packed */
    VigilPrecision precision;     /* what AUTO is for this file; never AUTO */
    VigilOrigin precision_origin; /* SCHEME: the file does not say */
    bool calibrated;              /* the file has ranges for INT8 */
} VigilModelInfo;

/* Opens a weight file in safetensors form, recognises the network from its tensors and
 * packs the weights.  `name`: a path, or the name of a shipped model (searched in the
 * folders of the environment variable VIGIL_MODEL_PATH, then where it was installed);
 * NULL: the shipped default classifier.  A file that is open already, and has not been
 * replaced or rewritten since, is not read again: this is one more reference to the
 * same model.  On success *model is the caller's. */
VIGIL_API VigilStatus vigil_model_open(const char *name, VigilModel **model,
                                       VigilError *error);

/* A variant with formula weights: every value follows from the tensor's name, so that
 * implementations can be compared and speed measured without a file.  "NAME@NAMING"
 * chooses between the names that its checkpoints come with, as in "mobilevit_s@timm".
 * `gain` scales matrices (goldens of EMO use 1.25); classes >= 1. */
VIGIL_API VigilStatus vigil_model_open_formula(const char *variant, uint64_t seed,
                                               double gain, int classes,
                                               VigilModel **model, VigilError *error);

VIGIL_API VigilModel *vigil_model_ref(VigilModel *model);

/* Drops one reference and sets *model to NULL; NULL and pointers to NULL do nothing. */
VIGIL_API void vigil_model_close(VigilModel **model);

/* Valid until the model is closed. */
VIGIL_API const VigilModelInfo *vigil_model_info(const VigilModel *model);

/* The input with options applied (NULL: none), if the network allows them. */
VIGIL_API VigilStatus vigil_model_input(const VigilModel *model,
                                        const VigilInputOptions *options,
                                        VigilInput *input, VigilError *error);

/* A network that this library can run. */
typedef struct VigilVariant {
    const char *family, *name;
    VigilTask task;
    int height, width; /* native input */
    int classes;       /* of the published checkpoints; what the counts are for */
    uint64_t parameters;
    uint64_t macs; /* multiply-accumulates at the native input, batch 1 */
} VigilVariant;

VIGIL_API size_t vigil_variant_count(void);
/* Fills *variant; i < vigil_variant_count().  Strings are static. */
VIGIL_API VigilStatus vigil_variant_get(size_t i, VigilVariant *variant,
                                        VigilError *error);

/* Built-in label sets: "imagenet1k", "coco80", "voc21", "ade20k150", "camvid11".  NULL
 * where there is none of that name; *count gets its length.  Static. */
VIGIL_API const char *const *vigil_labels_builtin(const char *set, int *count);

/* ---- Sessions ------------------------------------------------------------------- */

typedef struct VigilSession VigilSession;

typedef struct VigilSessionOptions {
    VigilInputOptions input;
    int threads; /* at most this many; 0: as many processors as this process may use */
    const char *const *taps; /* named inner tensors to keep; see vigil_session_tap() */
    size_t n_taps;
    bool attention; /* keep all attention weights, as if each were named in `taps` */
    VigilPrecision precision; /* INT8 needs a calibrated file */
    bool calibrate; /* count values in each run, for vigil_session_ranges(); in float32
                     */
} VigilSessionOptions;

/* Inner or output tensor; `data` is rewritten by the next run. */
typedef struct VigilTensor {
    const char *name;
    int rank; /* 1: [c]; 3: [h][w][c]; 4: attention [window][head][query][key] */
    int shape[4];
    const float *data;
} VigilTensor;

/* What the weights [windows][heads][queries][keys] of an attention relate. */
typedef enum VigilAttentionKind {
    VIGIL_ATTENTION_TOKENS,    /* tokens to tokens: nothing to lay over a picture */
    VIGIL_ATTENTION_TO_PIXELS, /* queries are tokens, keys are pixels of the map */
    VIGIL_ATTENTION_TO_TOKENS, /* queries are pixels of the map, keys are tokens */
    VIGIL_ATTENTION_WINDOWS,   /* EMO: pixels of interleaved windows */
    VIGIL_ATTENTION_PATCHES,   /* MobileViT: pixels at the same place of 2 x 2 patches;
                                  a window is a place */
    VIGIL_ATTENTION_SCORES,    /* MobileViTv2: one weight a pixel; windows as above, one
                                  head, one query */
} VigilAttentionKind;

typedef struct VigilLayer {
    const char *name; /* of the output; the name taps are asked for by; until close */
    const char *kind; /* "conv 1x1", "depthwise 5x5", "window attention", ... */
    int rank, shape[4];
    uint64_t macs; /* multiply-accumulates that are done; merging may have saved some */
    uint64_t parameters;
    uint64_t nanoseconds; /* sum over the runs since timing was switched on */
} VigilLayer;

/* Makes the model ready for one input size.  NULL options: all defaults.  Keeps a
 * reference to the model. */
VIGIL_API VigilStatus vigil_session_open(VigilModel *model,
                                         const VigilSessionOptions *options,
                                         VigilSession **session, VigilError *error);
VIGIL_API void vigil_session_close(VigilSession **session);

/* The resolved input rules; valid until close. */
VIGIL_API const VigilInput *vigil_session_input_rules(const VigilSession *session);

/* The input tensor [height][width][3], to be filled before a run, which leaves it as it
 * is.  64-byte aligned. */
VIGIL_API float *vigil_session_input(VigilSession *session);

/* What it was opened with, never AUTO; *layers (may be NULL): how many layers multiply
 * in bytes, 0 where none is faster so. */
VIGIL_API VigilPrecision vigil_session_precision(const VigilSession *session,
                                                 int *layers);

/* Of a session that was opened to calibrate, after runs on pictures of the kind that
 * the model will see: the value of `int8_ranges` in the __metadata__ of a calibrated
 * file, for free(). */
VIGIL_API VigilStatus vigil_session_ranges(const VigilSession *session, char **json,
                                           VigilError *error);

/* Runs the network once.  Allocates nothing and cannot fail. */
VIGIL_API void vigil_session_run(VigilSession *session);

/* Output i of the head, NULL past the last.  Classification: "logits" [classes].
 * Detection: raw maps of each level, for vigil_detector_open().  Segmentation: "low"
 * [h][w][classes], logits at the resolution of the head; the tap "seg" has them at the
 * size of the input (4 bytes for each pixel and class). */
VIGIL_API const VigilTensor *vigil_session_output(const VigilSession *session,
                                                  size_t i);

/* A tap that was asked for at open, NULL otherwise.  Feature taps are [h][w][c]. */
VIGIL_API const VigilTensor *vigil_session_tap(const VigilSession *session,
                                               const char *name);

/* Multiply-accumulates of the network at this size, as papers count them; what is done
 * is the sum over the layers. */
VIGIL_API uint64_t vigil_session_macs(const VigilSession *session);
VIGIL_API size_t vigil_session_arena_bytes(const VigilSession *session);
/* Layers in the order they run.  False past the last. */
VIGIL_API bool vigil_session_layer(const VigilSession *session, size_t i,
                                   VigilLayer *layer);
/* Clears and switches the per-layer clocks. */
VIGIL_API void vigil_session_time_layers(VigilSession *session, bool on);

/* The instruction set level in use: "avx512", "avx2", "sse2", "neon" or "c".  The
 * environment variable VIGIL_ISA, read at the first use, forces a lower level. */
VIGIL_API const char *vigil_isa(void);

/* Processors this process may use: affinity mask, then cgroup CPU quota rounded up; at
 * least 1.  What a session takes when its options name no number of threads, and never
 * more than this. */
VIGIL_API int vigil_processors(void);

/* ---- Pictures to tensors -------------------------------------------------------- */

/* One component (R, G, B or Y, U, V) of a picture, seen in place.  Samples are bytes,
 * or lie in words of 16 bits whose other bits may be anything. */
typedef struct VigilComponent {
    const uint8_t *data;  /* sample (0, 0), of words their first byte */
    ptrdiff_t row_stride; /* bytes between rows; may be negative */
    int pixel_stride;     /* bytes between samples: 1..4; of words 2, 4, 6 or 8 */
    int shift_x, shift_y; /* log2 of the subsampling: 0 or 1 (shift_x: also 2) */
    int bits, low_bit;    /* of a word the sample's, from there on; 0, 0: bytes */
    bool big_endian;      /* the first byte of a word is the high one */
} VigilComponent;

typedef enum VigilColor {
    VIGIL_COLOR_RGB,  /* component 0, 1, 2 = R, G, B */
    VIGIL_COLOR_YUV,  /* component 0, 1, 2 = Y, Cb, Cr */
    VIGIL_COLOR_GRAY, /* component 0 only */
} VigilColor;

/* A picture in memory that stays the caller's. */
typedef struct VigilImage {
    int width, height; /* pixels, 1..32768 */
    VigilColor color;
    VigilComponent component[3];
    double kr, kb;   /* YUV: luma weights of red and blue: BT.601 0.299, 0.114; BT.709
                        0.2126, 0.0722; BT.2020 0.2627, 0.0593 */
    bool full_range; /* YUV and GRAY: 0..255, else 16..235 (chroma 16..240); of n
                        bits 0..2^n - 1, else times 2^(n - 8) */
    float site_x, site_y; /* where chroma sample (0, 0) lies inside its block of luma
                             pixels, as a fraction: 0.5 centred, 0 on the first pixel */
    double pixel_aspect;  /* width / height of one pixel; 1 for square ones */
} VigilImage;

/* A rectangle in fractions of the picture: 0 <= x, y; x + width <= 1. */
typedef struct VigilRegion {
    float x, y, width, height;
} VigilRegion;

/* Which part of the picture went where in the tensor, for mapping results back. */
typedef struct VigilPlacement {
    double src_x, src_y, src_width, src_height; /* pixels of the picture, real-valued */
    int dst_x, dst_y, dst_width, dst_height;    /* pixels of the tensor */
} VigilPlacement;

/* Turns pictures into input tensors: crop, resize, colour conversion and normalisation
 * in one pass over the source.  Holds the filter tables of the last geometry, so that
 * frames of a stream are converted without allocating; one per region that differs. */
typedef struct VigilPreprocess VigilPreprocess;

VIGIL_API VigilStatus vigil_preprocess_open(VigilPreprocess **preprocess,
                                            VigilError *error);
VIGIL_API void vigil_preprocess_close(VigilPreprocess **preprocess);

/* Fills `tensor` [input->height][input->width][3] from the picture, or from the part of
 * it that `region` names (NULL: all of it).  A region is clamped to the picture; one of
 * no area, or not finite, is VIGIL_ERROR_ARGUMENT.  *placed (may be NULL) tells what
 * went where.  Allocates only when the geometry differs from the previous call's. */
VIGIL_API VigilStatus vigil_preprocess_run(VigilPreprocess *preprocess,
                                           const VigilImage *image,
                                           const VigilRegion *region,
                                           const VigilInput *input, float *tensor,
                                           VigilPlacement *placed, VigilError *error);

/* ---- Attention maps ------------------------------------------------------------- */

/* One attention of a network.  Its weights [windows][heads][queries][keys] are kept,
 * and can be looked at, only where a session was asked for them. */
typedef struct VigilAttentionInfo {
    const char *name; /* the name taps are asked for by; until close */
    VigilAttentionKind kind;
    int block; /* of those of this kind, from 0, in the order they run */
    int windows, heads, queries, keys;
    int tokens;                /* that are no pixels: of TOKENS, TO_PIXELS, TO_TOKENS;
                                  else 0 */
    int map_height, map_width; /* of the map whose pixels are meant; TOKENS: 0, 0 */
    bool tapped;
} VigilAttentionInfo;

/* The rectangle that a map covers in a frame.  It may begin before the frame and end
 * behind it: cell (i, j) is the part from (y + i height / map_height) and
 * (x + j width / map_width) on. */
typedef struct VigilMapPlace {
    double x, y, width, height;
} VigilMapPlace;

/* Attention i of the network, tapped or not, in the order they run.  False past the
 * last. */
VIGIL_API bool vigil_session_attention(const VigilSession *session, size_t i,
                                       VigilAttentionInfo *info);

/* The weights of attention i, which must be tapped, after the last run, as an image:
 * map [map_height][map_width] gets what each pixel has to do with `token` in head
 * `head` (-1: the mean over heads).
 *
 *     kind       token                    map
 *     TO_PIXELS  query 0..tokens-1        its weights; they sum to 1
 *                -1                       their mean over the queries
 *     TO_TOKENS  key 0..tokens-1          the share of that token in each pixel
 *     WINDOWS    pixel y map_width + x    its weights, at the pixels of its window; 0
 *                                         elsewhere.  They sum to 1, or to less where
 *                                         padding of the window took a share
 *                -1                       attention received: the mean over all pixels
 *                                         as queries, each window scaled so that
 *                                         padding has no share; sums to 1, evenly
 *                                         spread attention gives the same everywhere
 *     PATCHES    pixel y map_width + x    the weights of its 2 x 2 patch: those of each
 *                                         of the four places, at pixels of that place,
 *                                         sum to 1
 *                -1                       attention received: their mean over patches
 *     SCORES     -1                       the weights; each place sums to 1
 *     TOKENS                              is refused: there is no image
 *
 * *place gets the rectangle that the map covers in the frame that `placed` speaks of,
 * as vigil_preprocess_run() told it; NULL: in pixels of the network's input.  A pixel
 * of a map is taken to lie in the middle of what it sees of the input.  Convolutions of
 * stride 2 centre their first pixel on the first of their input, so that after strides
 * of S in all the cells of a map are S wide, the first of them centred on the first
 * pixel of the input: n cells cover (1 - S) / 2 to (1 - S) / 2 + n S.  Where S divides
 * the size of the input, both ends lie (S - 1) / 2 before those of the input; at one
 * pixel more (225 for 224, S = 16) the map reaches out by (S - 1) / 2 on both sides.
 * A map that the network resizes lies where its pixels are taken from.
 *
 * map and place may be NULL.  VIGIL_ERROR_ARGUMENT, and nothing written, for an
 * attention, head or token that is none.  Allocates nothing. */
VIGIL_API VigilStatus vigil_session_attention_map(const VigilSession *session, size_t i,
                                                  int head, int token,
                                                  const VigilPlacement *placed,
                                                  float *map, VigilMapPlace *place,
                                                  VigilError *error);

/* ---- Results -------------------------------------------------------------------- */

typedef struct VigilClass {
    int index;   /* 0..classes-1 */
    float score; /* softmax, 0..1 */
} VigilClass;

/* The k best classes of `logits` [n], best first, ties by index, with softmax scores.
 * A NaN logit counts as -infinity: it scores 0 and comes last; where nothing is above
 * -infinity every score is 0.  Returns how many were written: min(k, n), none for k or
 * n below 1. */
VIGIL_API int vigil_top_classes(const float *logits, int n, int k, VigilClass *out);

/* ---- Detections ------------------------------------------------------------------ */

#define VIGIL_MAX_DETECTIONS (1 << 14) /* of one run */

/* In fractions of the input tensor, or of a picture. */
typedef struct VigilDetection {
    float x, y, width, height; /* x, y: left, top */
    int class_index;           /* 0..classes-1, the background not counted */
    float score;               /* 0..1 */
} VigilDetection;

/* All zero: as the network was published. */
typedef struct VigilDetectOptions {
    bool has_threshold, has_iou_threshold;
    float threshold;     /* 0..1, which scores must exceed */
    float iou_threshold; /* 0..1: of two boxes of a class that overlap by more than this
                            the lower-scored one goes; has no effect on networks that
                            predict a set, which were trained to tell objects once */
    int max_detections;  /* the best ones; 1..VIGIL_MAX_DETECTIONS */
    const float *class_threshold; /* [classes] 0..1, NaN: as threshold; NULL: all so */
    const bool *class_wanted;     /* [classes]; NULL: all */
    /* Boxes of another area, in fractions of the input tensor after clipping, neither
     * are results nor suppress any.  max_area 0: no limit. */
    float min_area, max_area;
} VigilDetectOptions;

/* What turns the outputs of one session into detections, the way the network was
 * published; used by the thread that uses the session. */
typedef struct VigilDetector VigilDetector;

/* Takes all memory that runs need.  The session must outlive the detector.  Copies what
 * the options (NULL: none) point to.  VIGIL_ERROR_ARGUMENT for a session of another
 * task and for options out of range. */
VIGIL_API VigilStatus vigil_detector_open(const VigilSession *session,
                                          const VigilDetectOptions *options,
                                          VigilDetector **detector, VigilError *error);
VIGIL_API void vigil_detector_close(VigilDetector **detector);

/* Replaces all options, from the next run on; an error leaves them as they were.
 * Allocates nothing. */
VIGIL_API VigilStatus vigil_detector_configure(VigilDetector *detector,
                                               const VigilDetectOptions *options,
                                               VigilError *error);

/* Detections in the outputs of the session's last run, best first, and their number.
 * placed: where in the input tensor the picture lies, to which boxes are clipped (NULL:
 * all of it).  *detections is valid until the next run.  Allocates nothing. */
VIGIL_API int vigil_detector_run(VigilDetector *detector, const VigilPlacement *placed,
                                 const VigilDetection **detections);

/* Carries a detection from the input tensor to the picture of width x height pixels
 * that was placed there, clipped to the picture.  False when nothing of it is in the
 * picture; *out is then as it was.  out may be in. */
VIGIL_API bool vigil_detection_to_picture(const VigilDetection *in,
                                          const VigilInput *input,
                                          const VigilPlacement *placed, int width,
                                          int height, VigilDetection *out);

/* ---- Class masks ------------------------------------------------------------------
 */

#define VIGIL_NO_CLASS 0xffff /* of a pixel that the network was not shown */

/* What turns the output of one session into a class for each pixel; used by the thread
 * that uses the session. */
typedef struct VigilSegmenter VigilSegmenter;

/* Takes all memory that runs need.  The session must outlive the segmenter.
 * VIGIL_ERROR_ARGUMENT for a session of another task and for more than 65535 classes.
 */
VIGIL_API VigilStatus vigil_segmenter_open(const VigilSession *session,
                                           VigilSegmenter **segmenter,
                                           VigilError *error);
VIGIL_API void vigil_segmenter_close(VigilSegmenter **segmenter);

/* mask [height][width] gets the class with the greatest logit of each pixel after the
 * session's last run, of equal ones the lowest, NaN counting as -infinity.  Logits
 * between those of the output "low" are interpolated bilinearly, as the network was
 * published, but in one step where that goes to the size of the input and on to the
 * picture's.  placed NULL: the mask covers the input of the network; else the picture
 * of width x height pixels that was placed there.  Allocates nothing. */
VIGIL_API void vigil_segmenter_run(VigilSegmenter *segmenter,
                                   const VigilPlacement *placed, int height, int width,
                                   uint16_t *mask);

#ifdef __cplusplus
}
#endif
#endif
