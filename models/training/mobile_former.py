"""Mobile-Former in PyTorch, under the tensor names of the published checkpoints.

Chen et al., "Mobile-Former: Bridging MobileNet and Transformer", CVPR 2022
(arXiv 2108.05895), figure 3: a chain of bottlenecks on a map (Mobile) and a transformer on
a few tokens (Former), which exchange what they know in every block.
"""

import torch
import torch.nn.functional as F
from torch import nn

from layers import init_weights


def variant(stem, tokens, width, fc, groups, *blocks):
    """tokens x width: the tokens; groups: of the 1 x 1 convolutions; one row a block:
    expansion, channels, stride.  The first block is a Lite one."""
    return dict(stem=stem, tokens=tokens, width=width, fc=fc, groups=groups, blocks=blocks)


# fmt: off
VARIANTS = {
    "mobile_former_26m": variant(
        8, 3, 128, 1024, 4, (3, 12, 2), (3, 12, 1), (6, 24, 2), (3, 24, 1), (6, 48, 2),
        (4, 48, 1), (6, 64, 1), (6, 96, 2), (6, 96, 1)),
    "mobile_former_52m": variant(
        8, 3, 128, 1024, 1, (3, 12, 2), (3, 12, 1), (6, 24, 2), (3, 24, 1), (6, 48, 2),
        (4, 48, 1), (6, 64, 1), (6, 96, 2), (6, 96, 1)),
    "mobile_former_96m": variant(
        12, 4, 128, 1280, 1, (2, 12, 1), (6, 16, 2), (6, 32, 2), (3, 32, 1), (6, 64, 2),
        (4, 64, 1), (6, 88, 1), (6, 128, 2), (6, 128, 1)),
    "mobile_former_151m": variant(
        12, 6, 192, 1280, 1, (2, 12, 1), (6, 16, 2), (3, 16, 1), (6, 32, 2), (3, 32, 1),
        (6, 64, 2), (4, 64, 1), (6, 88, 1), (6, 88, 1), (6, 128, 2), (6, 128, 1),
        (6, 128, 1)),
    "mobile_former_214m": variant(
        12, 6, 192, 1600, 1, (2, 12, 1), (6, 20, 2), (3, 20, 1), (6, 40, 2), (4, 40, 1),
        (6, 80, 2), (4, 80, 1), (6, 112, 1), (6, 112, 1), (6, 160, 2), (6, 160, 1),
        (6, 160, 1)),
    "mobile_former_294m": variant(
        16, 6, 192, 1920, 1, (2, 16, 1), (6, 24, 2), (4, 24, 1), (6, 48, 2), (4, 48, 1),
        (6, 96, 2), (4, 96, 1), (6, 128, 1), (6, 128, 1), (6, 192, 2), (6, 192, 1),
        (6, 192, 1)),
    "mobile_former_508m": variant(
        24, 6, 192, 1920, 1, (2, 24, 1), (6, 40, 2), (3, 40, 1), (6, 72, 2), (3, 72, 1),
        (6, 128, 2), (4, 128, 1), (6, 176, 1), (6, 176, 1), (6, 240, 2), (6, 240, 1),
        (6, 240, 1)),
}
# fmt: on
SECOND_EXPANSION = 4  # of Down blocks
CROSS_HEADS, FORMER_HEADS = 2, 4


# ---- Former and its two bridges --------------------------------------------------------


def by_heads(x, heads):
    """[B, heads, n, C / heads] of [B, n, C]."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def logits(q, k, heads):
    """[B, heads, n, m] of queries [B, n, C] and keys [B, m, C]."""
    q, k = by_heads(q, heads), by_heads(k, heads)
    return q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)


def attention(q, k, v, heads):
    """[B, n, C] of queries [B, n, C], keys and values [B, m, C]."""
    a = logits(q, k, heads).softmax(-1)
    return (a @ by_heads(v, heads)).transpose(1, 2).flatten(2)


def pixels(x):
    """A map [B, C, H, W] as a list [B, HW, C]."""
    return x.flatten(2).transpose(1, 2)


class MobileToFormer(nn.Module):
    """Tokens look at the pixels of the map; what they see is gated by the tokens."""

    def __init__(self, channels, width):
        super().__init__()
        self.q = nn.Linear(width, channels)
        self.alpha = nn.Sequential(nn.Linear(width, channels), nn.Hardsigmoid())
        self.proj = nn.Linear(channels, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x, z, x_at=0, z_at=0):
        """x_at, z_at: positions, added to both where they are compared."""
        seen = attention(self.q(z + z_at), pixels(x + x_at), pixels(x), CROSS_HEADS)
        return self.layer_norm(z + self.proj(seen * (2 * self.alpha(z))))

    def shares(self, x, z, size):
        """[B, T, *size]: how much each token is meant where its look at pixels before the
        softmax, of both heads and pooled to that size, says so."""
        look = logits(self.q(z), pixels(x), CROSS_HEADS).mean(1)
        look = look.reshape(*look.shape[:2], *x.shape[2:])
        return F.adaptive_avg_pool2d(look, size).softmax(1)


class Former(nn.Module):
    """A transformer layer whose keys and values are the tokens themselves."""

    def __init__(self, width):
        super().__init__()
        self.q = nn.Linear(width, width)
        self.channel_mlp = nn.Linear(width, width)
        self.layer_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.ffn_norm = nn.LayerNorm(width)

    def forward(self, z, z_at=0):
        at = z + z_at
        seen = attention(self.q(at), at, z, FORMER_HEADS)
        z = self.layer_norm(z + self.channel_mlp(seen))
        return self.ffn_norm(z + self.ffn(z))


class FormerToMobile(nn.Module):
    """Pixels look at the tokens."""

    def __init__(self, channels, width):
        super().__init__()
        self.k = nn.Linear(width, channels)
        self.proj = nn.Linear(width, channels)

    def forward(self, x, z, x_at=0, z_at=0):
        seen = attention(pixels(x + x_at), self.k(z + z_at), self.proj(z), CROSS_HEADS)
        return x + seen.transpose(1, 2).reshape(x.shape)


# ---- Mobile ----------------------------------------------------------------------------


class ChannelShuffle(nn.Module):
    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        return x.reshape(len(x), self.groups, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


class DynamicReLU(nn.Module):
    """max(a1 x, a2 x); the two slopes of a channel come from the first token, or, where
    there are shares [B, T, H, W], those of a pixel from all tokens in these shares."""

    def __init__(self, channels, width):
        super().__init__()
        self.hyper = nn.Sequential(
            nn.Linear(width, width // 4),
            nn.ReLU(),
            nn.Linear(width // 4, 2 * channels),
            nn.Hardsigmoid(),
        )

    def forward(self, x, z, shares=None):
        if shares is None:
            slopes = self.hyper(z[:, 0])[:, :, None, None]
        else:
            slopes = torch.einsum("btc,bthw->bchw", self.hyper(z), shares)
        a1, a2 = (2 * slopes).chunk(2, 1)
        return torch.maximum(a1 * x, (a2 - 1) * x)


def pointwise(cin, cout, groups):
    return [nn.Conv2d(cin, cout, 1, groups=groups, bias=False), nn.BatchNorm2d(cout)]


def depthwise(cin, cout, stride=1):
    """3 x 3; output channel o reads input channel o div (cout / cin)."""
    conv = nn.Conv2d(cin, cout, 3, stride, 1, groups=cin, bias=False)
    return [conv, nn.BatchNorm2d(cout)]


def shuffle(channel_groups, groups):
    """Where the 1 x 1 convolutions are in groups."""
    return ChannelShuffle(channel_groups) if groups > 1 else nn.Identity()


class Lite(nn.Module):
    """Depth-wise separable; tokens pass by."""

    def __init__(self, cin, cout, stride, expansion, groups):
        super().__init__()
        mid = expansion * cin
        self.skip = stride == 1 and cin == cout
        self.conv = nn.Sequential(
            *depthwise(cin, mid, stride),
            nn.ReLU6(),
            shuffle(cin, groups),
            *pointwise(mid, cout, groups),
        )

    def forward(self, x, z):
        y = self.conv(x)
        return (x + y if self.skip else y), z


class Block(nn.Module):
    """Both streams with their bridges; mobile() is the bottleneck.  With `spatial` its
    dynamic ReLUs are spatial-aware: slopes of a pixel come from all tokens."""

    stride, spatial = 1, False

    def __init__(self, cin, cout, width):
        super().__init__()
        self.local_global = MobileToFormer(cin, width)
        self.global_block = Former(width)
        self.global_local = FormerToMobile(cout, width)

    def forward(self, x, z):
        shares = None
        if self.spatial:
            size = [-(-n // self.stride) for n in x.shape[2:]]
            shares = self.local_global.shares(x, z, size)
        z = self.global_block(self.local_global(x, z))
        return self.global_local(self.mobile(x, z, shares), z), z


class Same(Block):
    """Expand, depth-wise convolution, project."""

    def __init__(self, cin, cout, expansion, width, groups):
        super().__init__(cin, cout, width)
        mid = expansion * cin
        self.skip = cin == cout
        self.conv1 = nn.Sequential(*pointwise(cin, mid, groups), shuffle(groups, groups))
        self.hyper1 = DynamicReLU(mid, width)
        self.conv2 = nn.Sequential(*depthwise(mid, mid))
        self.hyper2 = DynamicReLU(mid, width)
        self.conv3 = nn.Sequential(*pointwise(mid, cout, groups), shuffle(groups, groups))

    def mobile(self, x, z, shares=None):
        y = self.hyper1(self.conv1(x), z, shares)
        y = self.conv3(self.hyper2(self.conv2(y), z, shares))
        return x + y if self.skip else y


class Down(Block):
    """Stride 2: depth-wise expansion and projection, twice, a skip around the second."""

    stride = 2

    def __init__(self, cin, cout, expansion, width, groups):
        super().__init__(cin, cout, width)
        mid, mid2 = expansion * cin, SECOND_EXPANSION * cout
        self.conv1 = nn.Sequential(*depthwise(cin, mid, 2), shuffle(cin, groups))
        self.hyper1 = DynamicReLU(mid, width)
        self.conv2 = nn.Sequential(*pointwise(mid, cout, groups))
        self.conv3 = nn.Sequential(*depthwise(cout, mid2), shuffle(cout, groups))
        self.hyper3 = DynamicReLU(mid2, width)
        self.conv4 = nn.Sequential(*pointwise(mid2, cout, groups))

    def mobile(self, x, z, shares=None):
        x = self.conv2(self.hyper1(self.conv1(x), z, shares))
        return x + self.conv4(self.hyper3(self.conv3(x), z, shares))


# ---- The network -----------------------------------------------------------------------


class Classifier(nn.Module):
    """On the pooled map and the first token."""

    def __init__(self, channels, width, fc, groups, classes):
        super().__init__()
        mid = 6 * channels
        conv = pointwise(channels, mid, groups)
        self.conv = nn.Sequential(shuffle(groups, groups), *conv, nn.ReLU6())
        norm = nn.BatchNorm1d(fc)
        self.fc = nn.Sequential(nn.Linear(mid + width, fc), norm, nn.Hardswish())
        drop = nn.Identity()  # the published code drops values here
        self.classifier = nn.Sequential(drop, nn.Linear(fc, classes))

    def forward(self, x, z):
        pooled = F.hardswish(self.conv(x).mean((2, 3)))
        return self.classifier(self.fc(torch.cat((pooled, z[:, 0]), 1)))


class Trunk(nn.Module):
    """All blocks of a variant: what classifiers and detectors share."""

    def __init__(self, variant):
        super().__init__()
        self.variant = variant
        v = VARIANTS[variant]
        cin, width, groups = v["stem"], v["width"], v["groups"]
        self.tokens = nn.Embedding(v["tokens"], width)
        conv = nn.Conv2d(3, cin, 3, 2, 1, bias=False)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(cin), nn.ReLU6())
        self.features = nn.ModuleList()
        for expansion, cout, stride in v["blocks"]:
            if not self.features:
                block = Lite(cin, cout, stride, expansion, groups)
            elif stride == 1:
                block = Same(cin, cout, expansion, width, groups)
            else:
                block = Down(cin, cout, expansion, width, groups)
            self.features.append(block)
            cin = cout

    def run(self, x):
        """Map and tokens after each block."""
        z = self.tokens.weight.expand(len(x), -1, -1)
        x = self.stem(x)
        for block in self.features:
            x, z = block(x, z)
            yield x, z


class MobileFormer(Trunk):
    def __init__(self, variant="mobile_former_26m", classes=1000):
        super().__init__(variant)
        v = VARIANTS[variant]
        channels, width = v["blocks"][-1][1], v["width"]
        self.local_global = MobileToFormer(channels, width)
        self.classifier = Classifier(channels, width, v["fc"], v["groups"], classes)
        self.apply(init_weights)

    def forward(self, x):
        *_, (x, z) = self.run(x)
        return self.classifier(x, self.local_global(x, z))
