/* Dynamic ReLUs: with slopes for the whole map, and with slopes of each pixel. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>

static void dynamic_relu_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    vigil_kernels()->dynamic_relu(n->x[0] + begin * c, end - begin, c, n->x[1],
                                  n->y + begin * c);
}

static void dynamic_relu_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(2 * (uint64_t)n->in_shape.c), dynamic_relu_pixels,
                   (void *)n);
}

static void dynamic_relu_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "dynamic ReLU");
}

const VigilOp vigil_op_dynamic_relu = { .kind = dynamic_relu_kind,
                                        .run = dynamic_relu_run };

VigilValue vigil_net_dynamic_relu(VigilNet *net, VigilValue x, VigilValue slopes)
{
    VigilShape shape = vigil_net_shape(net, x);
    size_t have = vigil_shape_size(vigil_net_shape(net, slopes));
    VigilValue in[] = { x, slopes };
    if (have != 2 * (size_t)shape.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%zu slopes for a dynamic ReLU of %d channels, which needs %d",
                       have, shape.c, 2 * shape.c);
    VigilNode *n =
        vigil_net_append(net, &vigil_op_dynamic_relu, "dynamic_relu", in, 2, shape, 0);
    return n ? n->out : VIGIL_NONE;
}

/* ---- Spatial-aware -----------------------------------------------------------------
 */

#define BLOCK 16 /* pixels whose slopes are mixed at a time */

typedef struct Spatial {
    size_t tokens;
} Spatial;

static size_t packed_size(const VigilNode *n)
{
    size_t slopes = 2 * (size_t)n->in_shape.c;
    return vigil_kernels()->gemm_pack_size(slopes, ((Spatial *)n->data)->tokens);
}

/* Scratch: the tokens' slopes packed, then those of a block of pixels. */
static void spatial_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const VigilKernels *kernels = vigil_kernels();
    size_t c = (size_t)n->in_shape.c, tokens = ((Spatial *)n->data)->tokens;
    float *packed = n->scratch + (size_t)worker * n->scratch_stride;
    float *slopes = packed + packed_size(n);
    kernels->gemm_pack(n->x[1], 2 * c, tokens, 1, 2 * c, packed);
    for (size_t p = begin; p < end; p += BLOCK) {
        size_t pixels = end - p < BLOCK ? end - p : BLOCK;
        kernels->gemm(&(VigilGemm) { .m = pixels,
                                     .n = 2 * c,
                                     .k = tokens,
                                     .a = n->x[2] + p * tokens,
                                     .lda = tokens,
                                     .b = packed,
                                     .c = slopes,
                                     .ldc = 2 * c });
        for (size_t i = 0; i < pixels; i++)
            kernels->dynamic_relu(n->x[0] + (p + i) * c, 1, c, slopes + i * 2 * c,
                                  n->y + (p + i) * c);
    }
}

static uint64_t spatial_macs(const VigilNode *n)
{
    return 2 * vigil_shape_size(n->in_shape) * ((Spatial *)n->data)->tokens;
}

static void spatial_run(const VigilNode *n, VigilNet *net)
{
    size_t pixels = vigil_shape_pixels(n->in_shape);
    size_t grain = vigil_grain(spatial_macs(n) / pixels);
    vigil_parallel(net->threads, pixels, (grain + BLOCK - 1) / BLOCK * BLOCK,
                   spatial_pixels, (void *)n);
}

static size_t spatial_scratch(const VigilNode *n)
{
    return packed_size(n) + 2 * (size_t)n->in_shape.c * BLOCK;
}

static void spatial_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "spatial dynamic ReLU");
}

static const VigilOp op_spatial = { .kind = spatial_kind,
                                    .macs = spatial_macs,
                                    .scratch = spatial_scratch,
                                    .run = spatial_run };

VigilValue vigil_net_spatial_dynamic_relu(VigilNet *net, VigilValue x,
                                          VigilValue slopes, VigilValue shares)
{
    VigilShape shape = vigil_net_shape(net, x), of = vigil_net_shape(net, slopes);
    VigilShape share = vigil_net_shape(net, shares);
    VigilValue in[] = { x, slopes, shares };
    if (of.c != 2 * shape.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%d slopes for a dynamic ReLU of %d channels, which needs %d",
                       of.c, shape.c, 2 * shape.c);
    if (share.h != shape.h || share.w != shape.w ||
        (size_t)share.c != vigil_shape_pixels(of))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "shares %d x %d x %d of the slopes of %zu tokens for a map of "
                       "%d x %d pixels",
                       share.h, share.w, share.c, vigil_shape_pixels(of), shape.h,
                       shape.w);
    VigilNode *n = vigil_net_append(net, &op_spatial, "dynamic_relu", in, 3, shape,
                                    sizeof(Spatial));
    if (!n)
        return VIGIL_NONE;
    ((Spatial *)n->data)->tokens = vigil_shape_pixels(of);
    return n->out;
}
