"""SSDLite over EMO in PyTorch, under the tensor names of mmdetection.

Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016 (arXiv 1512.02325); depth-wise
separable predictors as in MobileNetV2 (arXiv 1801.04381, section 6.2).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import emo
from layers import init_weights

# Variants and their backbones.
VARIANTS = {f"ssdlite_emo_{size}": f"EMO_{size}" for size in ("1M", "2M", "5M")}
EPS = 1e-3
CELL_ANCHORS = 6
EXTRA = (512, 256, 256, 128)
LEVELS = 2 + len(EXTRA)
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2


class ConvBn(nn.Module):
    """Convolution, batch norm, ReLU6."""

    def __init__(self, cin, cout, kernel=1, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=EPS)

    def forward(self, x):
        return F.relu6(self.bn(self.conv(x)))


class Separable(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.depthwise_conv = ConvBn(cin, cin, 3, 2, groups=cin)
        self.pointwise_conv = ConvBn(cin, cout)

    def forward(self, x):
        return self.pointwise_conv(self.depthwise_conv(x))


def extra_layer(cin, cout):
    return nn.Sequential(ConvBn(cin, cout // 2), Separable(cout // 2, cout))


def predictor(cin, cout):
    return nn.Sequential(ConvBn(cin, cin, 3, groups=cin), nn.Conv2d(cin, cout, 1))


class Neck(nn.Module):
    def __init__(self, cin):
        super().__init__()
        widths = (cin, *EXTRA)
        self.extra_layers = nn.ModuleList(map(extra_layer, widths, EXTRA))

    def forward(self, stride16, stride32):
        maps = [stride16, stride32]
        for layer in self.extra_layers:
            maps.append(layer(maps[-1]))
        return maps


class Head(nn.Module):
    def __init__(self, widths, classes):
        super().__init__()
        scores = classes + 1
        self.cls_convs = nn.ModuleList(predictor(c, CELL_ANCHORS * scores) for c in widths)
        self.reg_convs = nn.ModuleList(predictor(c, CELL_ANCHORS * 4) for c in widths)

    def forward(self, maps):
        return [
            torch.cat([self.values(conv(x), x.shape[0]) for conv, x in zip(convs, maps)], 1)
            for convs in (self.cls_convs, self.reg_convs)
        ]

    @staticmethod
    def values(x, batch):
        """[B, anchors x n, H, W] to [B, H x W x anchors, n]."""
        n = x.shape[1] // CELL_ANCHORS
        return x.permute(0, 2, 3, 1).reshape(batch, -1, n)


class SSDLite(nn.Module):
    """Input [B, 3, H, W]; scores [B, anchors, classes + 1], the background last, before
    softmax; and deltas [B, anchors, 4]: centre x, y, width, height."""

    def __init__(self, variant="ssdlite_emo_1M", classes=80, window=7):
        super().__init__()
        self.backbone = emo.backbone(VARIANTS[variant], window)
        channels = emo.VARIANTS[VARIANTS[variant]]["channels"]
        self.neck = Neck(channels[3])
        self.bbox_head = Head((*channels[2:], *EXTRA), classes)
        self.neck.apply(init_weights)
        self.bbox_head.apply(init_weights)

    def forward(self, x):
        return self.bbox_head(self.neck(*self.backbone.features(x)[3:]))


def map_sizes(height, width):
    """(height, width) of the map of each level."""
    maps = [(math.ceil(height / s), math.ceil(width / s)) for s in (16, 32)]
    while len(maps) < LEVELS:
        maps.append(tuple((n + 1) // 2 for n in maps[-1]))
    return maps


def anchors(height, width, sizes):
    """[anchors][centre x, y, width, height] in fractions of the input.  Those of level i
    are sizes[i] to sizes[i + 1] large, also fractions; cells divide the input evenly."""
    rows = []
    for (h, w), low, high in zip(map_sizes(height, width), sizes, sizes[1:]):
        shapes = [(low, low), (math.sqrt(low * high),) * 2]
        for ratio in (2, 3):
            flat = low * math.sqrt(ratio), low / math.sqrt(ratio)
            shapes += [flat, flat[::-1]]
        for y in range(h):
            for x in range(w):
                rows += [((x + 0.5) / w, (y + 0.5) / h, *shape) for shape in shapes]
    return torch.tensor(rows).clamp_(0, 1)


def corners(b):
    """Centre and size to x0, y0, x1, y1."""
    return torch.cat([b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2], -1)


def decode(deltas, anchor):
    """Deltas of anchors to corners."""
    centre = anchor[..., :2] + deltas[..., :2] * CENTRE_VARIANCE * anchor[..., 2:]
    size = anchor[..., 2:] * (deltas[..., 2:] * SIZE_VARIANCE).clamp(-4.135, 4.135).exp()
    return corners(torch.cat([centre, size], -1))


def iou(a, b):
    """[..., N, 4] and [..., M, 4], corners, to [..., N, M]."""
    low = torch.maximum(a[..., :, None, :2], b[..., None, :, :2])
    high = torch.minimum(a[..., :, None, 2:], b[..., None, :, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area = [(c[..., 2:] - c[..., :2]).prod(-1) for c in (a, b)]
    return inter / (area[0][..., :, None] + area[1][..., None, :] - inter).clamp(min=1e-9)


def generalised_iou(a, b):
    """[N, 4] and [N, 4], corners, to [N], in -1..1 (arXiv 1902.09630, section 3.1)."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    area = [(c[:, 2:] - c[:, :2]).prod(-1) for c in (a, b)]
    inter, hull = inter.prod(-1), hull.prod(-1).clamp(min=1e-9)
    union = area[0] + area[1] - inter
    return inter / union.clamp(min=1e-9) - (hull - union) / hull


def suppress(boxes, scores, threshold):
    """Indices of the boxes of one class that stay, best first."""
    order, keep = scores.argsort(descending=True), []
    overlap = iou(boxes, boxes) > threshold
    gone = torch.zeros(len(boxes), dtype=torch.bool)
    for k in order.tolist():
        if not gone[k]:
            keep.append(k)
            gone |= overlap[k]
    return keep


def detect(scores, deltas, anchor, threshold=0.02, iou_threshold=0.45, limit=100):
    """Of one picture: rows (x0, y0, x1, y1, score, class), fractions of the input, best
    first."""
    probability, boxes, rows = scores.softmax(-1), decode(deltas, anchor).clamp(0, 1), []
    for c in range(probability.shape[1] - 1):
        at = (probability[:, c] > threshold).nonzero()[:, 0]
        at = at[probability[at, c].argsort(descending=True)[:400]]
        for k in suppress(boxes[at], probability[at, c], iou_threshold):
            rows.append((*boxes[at[k]].tolist(), probability[at[k], c].item(), c))
    return sorted(rows, key=lambda r: -r[4])[:limit]
