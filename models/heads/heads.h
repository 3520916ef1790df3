/* What turns features into answers. */
#ifndef VIGIL_HEADS_H
#define VIGIL_HEADS_H

#include "core/net.h"

/* Mean over pixels, then one linear layer `name` [classes, c]: the output "logits". */
void vigil_head_classifier(VigilNet *net, VigilValue features, const char *name);

#endif
