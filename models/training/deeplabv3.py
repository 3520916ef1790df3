"""DeepLabv3 over EMO in PyTorch, under the tensor names of mmsegmentation.

Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation"
(arXiv 1706.05587), section 3.3, on the stride-32 map.
"""

import torch
import torch.nn.functional as F
from torch import nn

import emo
from layers import init_weights

# Variants and their backbones.
VARIANTS = {f"deeplabv3_emo_{size}": f"EMO_{size}" for size in ("1M", "2M", "5M")}
EPS = 1e-5
CHANNELS = 256
RATES = (1, 12, 24, 36)


class ConvBn(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, cin, cout, kernel=1, rate=1):
        super().__init__()
        pad = rate * (kernel // 2)
        self.conv = nn.Conv2d(cin, cout, kernel, 1, pad, rate, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=EPS)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Head(nn.Module):
    """Atrous spatial pyramid pooling and a classifier of pixels."""

    def __init__(self, cin, classes):
        super().__init__()
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvBn(cin, CHANNELS))
        self.aspp_modules = nn.ModuleList(
            ConvBn(cin, CHANNELS, 1 if rate == 1 else 3, rate) for rate in RATES)
        self.bottleneck = ConvBn((1 + len(RATES)) * CHANNELS, CHANNELS, 3)
        self.conv_seg = nn.Conv2d(CHANNELS, classes, 1)

    def forward(self, x):
        pooled = self.image_pool(x).expand(-1, -1, *x.shape[2:])
        parts = [pooled, *(module(x) for module in self.aspp_modules)]
        return self.conv_seg(self.bottleneck(torch.cat(parts, 1)))


class DeepLabv3(nn.Module):
    """Input [B, 3, H, W]; logits [B, classes, H / 32, W / 32]."""

    def __init__(self, variant="deeplabv3_emo_1M", classes=150, window=7):
        super().__init__()
        self.backbone = emo.backbone(VARIANTS[variant], window)
        self.decode_head = Head(emo.VARIANTS[VARIANTS[variant]]["channels"][3], classes)
        self.decode_head.apply(init_weights)

    def forward(self, x):
        return self.decode_head(self.backbone.features(x)[4])


def full_size(logits, height, width):
    """The logits of each pixel."""
    return F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
