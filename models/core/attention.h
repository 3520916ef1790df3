/*
 * Attention weights as images: which weight belongs to which pixel of a map, and where
 * that map lies in a frame.
 */
#ifndef VIGIL_CORE_ATTENTION_H
#define VIGIL_CORE_ATTENTION_H

#include "core/op.h"

/* How the attention weights `map` are described; `block` is left 0. */
VigilAttentionInfo vigil_attention_info(const VigilMap *map);

/* Whether the weights belong to the map: as many keys (TO_PIXELS) or queries
 * (TO_TOKENS) as it has pixels, as many square windows as cover it (WINDOWS), four
 * places of an even map (PATCHES, SCORES).  VIGIL_ERROR_SHAPE with all numbers. */
VigilStatus vigil_attention_check(const VigilAttentionInfo *info, VigilError *error);

/* How many attentions the net has; the weights of attention i in the order they run, or
 * VIGIL_NONE past the last.  Fills *info. */
size_t vigil_attention_count(const VigilNet *net);
VigilValue vigil_attention_at(const VigilNet *net, size_t i, VigilAttentionInfo *info);

/* The image [map_height][map_width] that vigil_session_attention_map() describes, of
 * weights [windows][heads][queries][keys] that passed the check.  A map of NULL only
 * checks head and token. */
VigilStatus vigil_attention_image(const VigilAttentionInfo *info, const float *weights,
                                  int head, int token, float *map, VigilError *error);

/* The rectangle of height x width cells of a grid, in the frame of `placed`, or in the
 * input of the network where that is NULL. */
VigilMapPlace vigil_attention_place(VigilGrid grid, int height, int width,
                                    const VigilPlacement *placed);

#endif
