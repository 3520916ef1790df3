"""EMO in PyTorch, under the tensor names of the published checkpoints.

Zhang et al., "Rethinking Mobile Block for Efficient Attention-based Models", ICCV 2023
(arXiv 2301.01146).  The Inverted Residual Mobile Block of section 3.2: normalise, mix with
window self-attention (stages 3 and 4), expand, depth-wise convolution, project, add.
"""

import torch
import torch.nn.functional as F
from torch import nn

from layers import init_weights

EPS = 1e-6

# One row a variant: blocks, channels, expansion and head width of stages 1 to 4.
VARIANTS = {
    "EMO_1M": dict(
        depths=(2, 2, 8, 3),
        channels=(32, 48, 80, 168),
        expansion=(2, 2.5, 3, 3.5),
        head_width=(16, 16, 20, 21),
    ),
    "EMO_2M": dict(
        depths=(3, 3, 9, 3),
        channels=(32, 48, 120, 200),
        expansion=(2, 2.5, 3, 3.5),
        head_width=(16, 16, 20, 20),
    ),
    "EMO_5M": dict(
        depths=(3, 3, 9, 3),
        channels=(48, 72, 160, 288),
        expansion=(2, 3, 4, 4),
        head_width=(24, 24, 32, 32),
    ),
    "EMO_6M": dict(
        depths=(3, 3, 9, 3),
        channels=(48, 72, 160, 320),
        expansion=(2, 3, 4, 5),
        head_width=(16, 24, 20, 32),
    ),
}
STEM_CHANNELS = 24


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel of an NCHW map."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=EPS)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Conv(nn.Module):
    """A convolution, then batch norm and SiLU where `norm` is set."""

    def __init__(self, cin, cout, kernel=1, stride=1, groups=1, bias=False, norm=False):
        super().__init__()
        pad = (kernel - 1) // 2
        self.conv = nn.Conv2d(cin, cout, kernel, stride, pad, groups=groups, bias=bias)
        self.norm = nn.BatchNorm2d(cout, eps=EPS) if norm else None

    def forward(self, x):
        x = self.conv(x)
        return x if self.norm is None else F.silu(self.norm(x))


class PatchEmbed(nn.Module):
    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(3, STEM_CHANNELS, 3, 2, 1)
        norm = nn.BatchNorm2d(STEM_CHANNELS, eps=EPS)
        self.convs = nn.ModuleList([nn.Sequential(conv, norm)])

    def forward(self, x):
        return self.convs[0](x)


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, channels, 1)
        self.conv_expand = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        s = F.silu(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.conv_expand(s))


class StemBlock(nn.Module):
    """Depth-wise convolution, squeeze-excite, projection; neither expansion nor skip."""

    def __init__(self, channels):
        super().__init__()
        self.conv_local = Conv(channels, channels, 3, groups=channels, norm=True)
        self.se = SqueezeExcite(channels)
        self.proj = Conv(channels, channels)

    def forward(self, x):
        return self.proj(self.se(self.conv_local(x)))


def window_partition(x, w):
    """[B, C, H, W], H and W multiples of w, to [B n1 n2, w w, C].  Windows interleave:
    pixel (y, x) goes to window (y mod n1, x mod n2)."""
    b, c, h, wd = x.shape
    x = x.reshape(b, c, w, h // w, w, wd // w)
    return x.permute(0, 3, 5, 2, 4, 1).reshape(-1, w * w, c)


def window_merge(x, w, b, h, wd):
    c = x.shape[-1]
    x = x.reshape(b, h // w, wd // w, w, w, c)
    return x.permute(0, 5, 3, 1, 4, 2).reshape(b, c, h, wd)


class Block(nn.Module):
    """Inverted Residual Mobile Block.  `late` blocks (stages 3 and 4) use channel LN and
    GELU, the others batch norm and SiLU."""

    def __init__(self, cin, cout, stride, expansion, kernel, late, heads, window):
        super().__init__()
        mid = int(cin * expansion)
        self.late, self.heads, self.window = late, heads, window
        self.skip = stride == 1 and cin == cout
        self.norm = ChannelNorm(cin) if late else nn.BatchNorm2d(cin, eps=EPS)
        if heads:
            self.qk = Conv(cin, 2 * cin, bias=True)
        self.v = Conv(cin, mid, bias=True)
        self.conv_local = Conv(mid, mid, kernel, stride, groups=mid, norm=True)
        self.proj = Conv(mid, cout)

    def attend(self, x):
        b, c, h, w = x.shape
        win, heads = self.window, self.heads
        x = F.pad(x, (0, -w % win, 0, -h % win))
        hp, wp = x.shape[2:]
        qk = window_partition(self.qk(x), win)
        q, k = qk.reshape(-1, win * win, 2, heads, c // heads).permute(2, 0, 3, 1, 4)
        v = window_partition(x, win)
        v = v.reshape(-1, win * win, heads, c // heads).transpose(1, 2)
        a = (q * (c // heads) ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        o = (a @ v).transpose(1, 2).reshape(-1, win * win, c)
        return window_merge(o, win, b, hp, wp)[:, :, :h, :w]

    def forward(self, x):
        y = self.norm(x)
        if self.heads:
            y = self.attend(y)
        y = self.v(y)
        y = F.gelu(y) if self.late else F.silu(y)
        y = y + self.conv_local(y) if self.skip else self.conv_local(y)
        y = self.proj(y)
        return x + y if self.skip else y


class EMO(nn.Module):
    def __init__(self, variant="EMO_1M", classes=1000, window=7):
        super().__init__()
        v = VARIANTS[variant]
        self.stage0 = nn.ModuleList([PatchEmbed(), StemBlock(STEM_CHANNELS)])
        cin = STEM_CHANNELS
        for s in range(4):
            late, blocks = s >= 2, []
            for j in range(v["depths"][s]):
                first, cout = j == 0, v["channels"][s]
                blocks.append(
                    Block(
                        cin,
                        cout,
                        stride=2 if first else 1,
                        expansion=v["expansion"][s] * (2 if first else 1),
                        kernel=5 if late else 3,
                        late=late,
                        heads=cout // v["head_width"][s] if late and not first else 0,
                        window=window,
                    )
                )
                cin = cout
            setattr(self, f"stage{s + 1}", nn.ModuleList(blocks))
        self.norm = ChannelNorm(cin)
        self.head = nn.Linear(cin, classes)
        self.apply(init_emo)

    def set_window(self, window):
        for m in self.modules():
            if isinstance(m, Block):
                m.window = window

    def features(self, x):
        """The last map of each of stages 0 to 4; strides 2, 4, 8, 16, 32."""
        maps = []
        for s in range(5):
            for block in getattr(self, f"stage{s}"):
                x = block(x)
            maps.append(x)
        return maps

    def forward(self, x):
        return self.head(self.norm(self.features(x)[-1]).mean((2, 3)))


def backbone(variant, window):
    """EMO without what only classifies, for detectors and segmenters: features()."""
    net = EMO(variant, 1, window)
    del net.norm, net.head
    return net


def init_emo(m):
    """Blocks with a skip begin close to the identity."""
    if isinstance(m, Block) and m.skip:
        nn.init.trunc_normal_(m.proj.conv.weight, std=0.02)
    else:
        init_weights(m)
