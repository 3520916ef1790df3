"""Detectors over Mobile-Former in PyTorch: RetinaNet, and E2E-MF, which predicts a set.

Chen et al., "Mobile-Former: Bridging MobileNet and Transformer", CVPR 2022
(arXiv 2108.05895), section 4.2.  Neither code nor checkpoints of these were published: what
the paper leaves open, names of tensors included, is chosen here, and
models/networks/mobile_former_detectors.md tells which choices these are.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import mobile_former
from layers import init_weights
from mobile_former import CROSS_HEADS, VARIANTS, Same, Trunk, pointwise

COCO = 80  # classes


class Backbone(Trunk):
    """The maps at strides 8, 16 and 32, as the last block at each leaves them."""

    def __init__(self, variant, spatial=False):
        super().__init__(variant)
        self.strides = [2 * stride for _, _, stride in VARIANTS[variant]["blocks"]]
        for i, stride in enumerate(self.strides[1:], 1):
            self.strides[i] = self.strides[i - 1] * stride // 2
        for block in self.features:
            block.spatial = spatial

    def forward(self, x):
        last = {stride: y for stride, (y, _) in zip(self.strides, self.run(x))}
        return [last[stride] for stride in (8, 16, 32)]


def channels(variant):
    """Of the maps at strides 8, 16 and 32."""
    stride, last = 2, {}
    for _, cout, step in VARIANTS[variant]["blocks"]:
        stride *= step
        last[stride] = cout
    return [last[stride] for stride in (8, 16, 32)]


# ---- RetinaNet -------------------------------------------------------------------------

ANCHORS, PYRAMID, DEPTH = 9, 256, 4


class Conv(nn.Module):
    """A convolution under the name that mmdetection gives it."""

    def __init__(self, cin, cout, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2)

    def forward(self, x):
        return self.conv(x)


class Pyramid(nn.Module):
    """Lin et al., "Feature Pyramid Networks", CVPR 2017, and two further levels made of the
    backbone's last map."""

    def __init__(self, widths):
        super().__init__()
        self.lateral_convs = nn.ModuleList(Conv(c, PYRAMID, 1) for c in widths)
        levels = [Conv(PYRAMID, PYRAMID, 3) for _ in widths]
        levels += [Conv(widths[-1], PYRAMID, 3, 2), Conv(PYRAMID, PYRAMID, 3, 2)]
        self.fpn_convs = nn.ModuleList(levels)

    def forward(self, maps):
        merged = [conv(x) for conv, x in zip(self.lateral_convs, maps)]
        for i in range(len(merged) - 1, 0, -1):
            size = merged[i - 1].shape[2:]
            merged[i - 1] = merged[i - 1] + F.interpolate(merged[i], size, mode="nearest")
        levels = [conv(x) for conv, x in zip(self.fpn_convs, merged)]
        levels.append(self.fpn_convs[3](maps[-1]))
        levels.append(self.fpn_convs[4](levels[-1]))
        return levels


class RetinaHead(nn.Module):
    """Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, section 4."""

    def __init__(self, classes):
        super().__init__()
        self.cls_convs = nn.ModuleList(Conv(PYRAMID, PYRAMID, 3) for _ in range(DEPTH))
        self.reg_convs = nn.ModuleList(Conv(PYRAMID, PYRAMID, 3) for _ in range(DEPTH))
        self.retina_cls = nn.Conv2d(PYRAMID, ANCHORS * classes, 3, padding=1)
        self.retina_reg = nn.Conv2d(PYRAMID, ANCHORS * 4, 3, padding=1)

    def forward(self, x):
        cls = reg = x
        for a, b in zip(self.cls_convs, self.reg_convs):
            cls, reg = F.relu(a(cls)), F.relu(b(reg))
        return self.retina_cls(cls), self.retina_reg(reg)


class RetinaNet(nn.Module):
    """Per level l: logits cls_l [B, 9 classes, H, W] and box deltas reg_l [B, 36, H, W]."""

    def __init__(self, variant, classes=COCO):
        super().__init__()
        of = variant.removeprefix("retinanet_")
        self.backbone = Backbone(of)
        self.neck = Pyramid(channels(of))
        self.bbox_head = RetinaHead(classes)
        self.apply(init_weights)
        prior = 0.01  # of a class at an anchor, where training starts
        nn.init.constant_(self.bbox_head.retina_cls.bias, -math.log((1 - prior) / prior))

    def forward(self, x):
        outputs = {}
        for level, y in enumerate(self.neck(self.backbone(x))):
            outputs[f"cls_{level}"], outputs[f"reg_{level}"] = self.bbox_head(y)
        return outputs


# ---- E2E-MF ----------------------------------------------------------------------------

QUERIES, QUERY_WIDTH = 100, 256
EXPANSION = 6  # of blocks of the head
TEMPERATURE = 10000

# Channels of the head's maps; blocks at strides 32, 16 and 8.
HEADS = {
    "e2e_mobile_former_151m": (128, (5, 4)),
    "e2e_mobile_former_214m": (160, (5, 4)),
    "e2e_mobile_former_294m": (160, (5, 2, 2)),
    "e2e_mobile_former_508m": (224, (5, 2, 2)),
}


def sine(n, width):
    """[n, width]: sin and cos, in turn, of places 0..2 pi at width / 2 frequencies."""
    at = (torch.arange(n, dtype=torch.float64) + 0.5) / n * 2 * math.pi
    step = torch.arange(width // 2, dtype=torch.float64) / (width // 2)
    angle = at[:, None] * TEMPERATURE**-step
    return torch.stack((angle.sin(), angle.cos()), 2).flatten(1)


def positions(x):
    """[C, H, W]: of each head's channels the first half tells the row, the second the
    column."""
    c, h, w = x.shape[1:]
    half = c // CROSS_HEADS // 2
    rows = sine(h, half)[:, None].expand(h, w, half)
    columns = sine(w, half)[None].expand(h, w, half)
    of_head = torch.cat((rows, columns), 2)
    return of_head.repeat(1, 1, CROSS_HEADS).permute(2, 0, 1).to(x)


def mlp(width, *outs):
    """Linear layers with ReLU between."""
    layers = []
    for out in outs:
        layers += [nn.ReLU()] if layers else []
        layers.append(nn.Linear(width, out))
        width = out
    return nn.Sequential(*layers)


class Position(nn.Module):
    """Of the queries in the next block: g(p) + h(f)."""

    def __init__(self, width):
        super().__init__()
        self.g, self.h = mlp(width, width, width), mlp(width, width, width)

    def forward(self, p, f):
        return self.g(p) + self.h(f)


class HeadBlock(Same):
    """A Same block whose tokens are the queries f with their positions p."""

    def __init__(self, width):
        super().__init__(width, width, EXPANSION, QUERY_WIDTH, 1)
        self.position = Position(QUERY_WIDTH)

    def forward(self, x, f, p, finer=None):
        f = self.global_block(self.local_global(x, f, positions(x), p), p)
        x = self.mobile(x, f, finer)
        x = self.global_local(x, f, positions(x), p)
        return x, f, self.position(p, f)


class SameHeadBlock(HeadBlock):
    def mobile(self, x, f, finer):
        return super().mobile(x, f)


class UpHeadBlock(HeadBlock):
    """Goes on at the size of a finer map of the backbone, which is added in the end."""

    def __init__(self, width, finer):
        super().__init__(width)
        self.lateral = nn.Sequential(*pointwise(finer, width, 1))

    def mobile(self, x, f, finer):
        y = self.hyper1(self.conv1(x), f)
        y = F.interpolate(y, finer.shape[2:], mode="bilinear", align_corners=False)
        return self.conv3(self.hyper2(self.conv2(y), f)) + self.lateral(finer)


class E2EHead(nn.Module):
    def __init__(self, maps, width, blocks, classes):
        """maps: channels of the backbone's at strides 8, 16 and 32."""
        super().__init__()
        self.queries = nn.Embedding(QUERIES, QUERY_WIDTH)
        self.positions = nn.Embedding(QUERIES, QUERY_WIDTH)
        self.projection = nn.Sequential(*pointwise(maps[-1], width, 1))
        self.features = nn.ModuleList()
        for scale, count in enumerate(blocks):
            finer = maps[-1 - scale]
            first = UpHeadBlock(width, finer) if scale else SameHeadBlock(width)
            self.features.append(first)
            self.features.extend(SameHeadBlock(width) for _ in range(count - 1))
        self.local_global = mobile_former.MobileToFormer(width, QUERY_WIDTH)
        self.class_embed = nn.Linear(QUERY_WIDTH, classes + 1)
        self.box_embed = mlp(QUERY_WIDTH, QUERY_WIDTH, QUERY_WIDTH, 4)

    def forward(self, maps):
        *finer, x = maps
        x = self.projection(x)
        f = self.queries.weight.expand(len(x), -1, -1)
        p = self.positions.weight.expand(len(x), -1, -1)
        for block in self.features:
            up = isinstance(block, UpHeadBlock)
            x, f, p = block(x, f, p, finer.pop() if up else None)
        f = self.local_global(x, f, positions(x), p)
        return dict(cls_0=self.class_embed(f), reg_0=self.box_embed(f).sigmoid())


class E2EMobileFormer(nn.Module):
    """Of each query: logits of the classes and of "no object", cls_0 [B, 100, classes + 1],
    and a box cx, cy, w, h in fractions of the input, reg_0 [B, 100, 4]."""

    def __init__(self, variant, classes=COCO):
        super().__init__()
        of = variant.removeprefix("e2e_")
        self.backbone = Backbone(of, spatial=True)
        self.head = E2EHead(channels(of), *HEADS[variant], classes)
        self.apply(init_weights)

    def forward(self, x):
        return self.head(self.backbone(x))


def detections(outputs):
    """Of one picture [n, 6], best first: x0 y0 x1 y1 in fractions of the input, score and
    class of each query.  No two queries are compared: training made them differ."""
    score, label = outputs["cls_0"][0].softmax(-1)[:, :-1].max(-1)
    x, y, w, h = outputs["reg_0"][0].unbind(-1)
    rows = torch.stack((x - w / 2, y - h / 2, x + w / 2, y + h / 2, score, label), 1)
    rows[:, :4] = rows[:, :4].clamp(0, 1)
    return rows[score.argsort(descending=True)]


NETWORKS = {
    **{"retinanet_" + variant: RetinaNet for variant in VARIANTS},
    **{variant: E2EMobileFormer for variant in HEADS},
}


def build(variant, classes=COCO):
    return NETWORKS[variant](variant, classes)
