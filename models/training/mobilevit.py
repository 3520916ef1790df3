"""MobileViT v1, v2 and v3 in PyTorch, under the tensor names of ml-cvnets.

v1: Mehta and Rastegari, "MobileViT: Light-weight, General-purpose, and Mobile-friendly
Vision Transformer", ICLR 2022 (arXiv 2110.02178), figure 1b.  v2: the same, "Separable
Self-attention for Mobile Vision Transformers", TMLR 2023 (arXiv 2206.02680), section 3.
v3: Wadekar and Chaurasia, "MobileViTv3: Mobile-Friendly Vision Transformer with Simple and
Effective Fusion of Local, Global and Input Features" (arXiv 2209.15159), figure 1; its
variants with a width in the name are built on v2, the others on v1.

rename() and own_names() turn state dicts of v1 and v2 into those of timm and Hugging Face
and back.
"""

import re
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from layers import init_weights


def first(widths, dims, head, expansion, depths=(2, 4, 3)):
    """A variant on v1.  widths: channels of stem and layers 1 to 5; dims: of the
    transformers of layers 3 to 5; head: of the last convolution."""
    return dict(
        widths=widths, dims=dims, depths=depths, expansion=expansion, head=head, layer2=3
    )


def second(multiplier):
    """A variant on v2, whose transformers are half as wide as their layers."""
    widths = [int(w * multiplier) for w in (32, 64, 128, 256, 384, 512)]
    dims = [w // 2 for w in widths[3:]]
    return dict(widths=widths, dims=dims, depths=(2, 4, 3), expansion=2, head=0, layer2=2)


FAST = (2, 2, 3)
VARIANTS = {
    "mobilevit_xxs": first((16, 16, 24, 48, 64, 80), (64, 80, 96), 320, 2),
    "mobilevit_xs": first((16, 32, 48, 64, 80, 96), (96, 120, 144), 384, 4),
    "mobilevit_s": first((16, 32, 64, 96, 128, 160), (144, 192, 240), 640, 4),
    "mobilevitv2_050": second(0.5),
    "mobilevitv2_075": second(0.75),
    "mobilevitv2_100": second(1),
    "mobilevitv2_125": second(1.25),
    "mobilevitv2_150": second(1.5),
    "mobilevitv2_175": second(1.75),
    "mobilevitv2_200": second(2),
    "mobilevitv3_xxs": first((16, 16, 24, 64, 80, 128), (64, 80, 96), 512, 2),
    "mobilevitv3_xs": first((16, 32, 48, 96, 160, 160), (96, 120, 144), 640, 4),
    "mobilevitv3_s": first((16, 32, 64, 128, 256, 320), (144, 192, 240), 960, 4),
    "mobilevitv3_xxs_l2": first((16, 16, 24, 64, 80, 128), (64, 80, 96), 512, 2, FAST),
    "mobilevitv3_xs_l2": first((16, 32, 48, 96, 160, 160), (96, 120, 144), 640, 4, FAST),
    "mobilevitv3_s_l2": first((16, 32, 64, 128, 256, 320), (144, 192, 240), 960, 4, FAST),
    "mobilevitv3_050": second(0.5),
    "mobilevitv3_075": second(0.75),
    "mobilevitv3_100": second(1),
}
HEADS = 4  # of each self-attention of v1


def conv(cin, cout, kernel=1, stride=1, groups=1, norm=True, act=True, bias=False):
    """A convolution, then batch norm and SiLU; tensors `block.conv` and `block.norm`."""
    pad = (kernel - 1) // 2
    layer = nn.Conv2d(cin, cout, kernel, stride, pad, groups=groups, bias=bias)
    block = OrderedDict(conv=layer)
    if norm:
        block["norm"] = nn.BatchNorm2d(cout)
    if act:
        block["act"] = nn.SiLU()
    return nn.Sequential(OrderedDict(block=nn.Sequential(block)))


def plain(cin, cout, bias=False, act=False):
    """A 1 x 1 convolution without norm."""
    return conv(cin, cout, norm=False, act=act, bias=bias)


class InvertedResidual(nn.Module):
    """Expand, depth-wise convolution, project; the input is added where shapes agree."""

    def __init__(self, cin, cout, stride, expansion):
        super().__init__()
        mid = cin * expansion
        self.skip = stride == 1 and cin == cout
        self.block = nn.Sequential(
            OrderedDict(
                exp_1x1=conv(cin, mid),
                conv_3x3=conv(mid, mid, 3, stride, groups=mid),
                red_1x1=conv(mid, cout, act=False),
            )
        )

    def forward(self, x):
        return x + self.block(x) if self.skip else self.block(x)


def resize(x, size, align_corners):
    if x.shape[2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def resize_even(x, align_corners):
    return resize(x, torch.Size(n + n % 2 for n in x.shape[2:]), align_corners)


def unfold(x):
    """[B, C, H, W] to [B, C, 4, N]: the pixels at each place of the N 2 x 2 patches."""
    b, c, h, w = x.shape
    x = x.reshape(b, c, h // 2, 2, w // 2, 2)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(b, c, 4, h * w // 4)


def fold(x, h, w):
    b, c = x.shape[:2]
    x = x.reshape(b, c, 2, 2, h // 2, w // 2)
    return x.permute(0, 1, 4, 2, 5, 3).reshape(b, c, h, w)


# ---- v1: self-attention among the pixels at one place of all patches ------------------


class SelfAttention(nn.Module):
    """Of tokens [B, 4, N, d]."""

    def __init__(self, d):
        super().__init__()
        self.qkv_proj = nn.Linear(d, 3 * d)
        self.out_proj = nn.Linear(d, d)

    def forward(self, x):
        b, p, n, d = x.shape
        qkv = self.qkv_proj(x).reshape(b, p, n, 3, HEADS, d // HEADS)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)
        a = (q * (d // HEADS) ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        return self.out_proj((a @ v).transpose(2, 3).reshape(b, p, n, d))


class TransformerLayer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.pre_norm_mha = nn.Sequential(nn.LayerNorm(d), SelfAttention(d))
        self.pre_norm_ffn = nn.Sequential(
            nn.LayerNorm(d),
            nn.Linear(d, 2 * d),
            nn.SiLU(),
            nn.Identity(),  # the published code drops values here
            nn.Linear(2 * d, d),
        )

    def forward(self, x):
        x = x + self.pre_norm_mha(x)
        return x + self.pre_norm_ffn(x)


class Block(nn.Module):
    """Of v1, and of v3 on it: local convolutions, transformer, fusion.  v1 fuses the input
    with the global map by a 3 x 3 convolution, v3 the local with the global map by a
    1 x 1 convolution, and adds the input."""

    def __init__(self, c, d, depth, v3):
        super().__init__()
        self.v3 = v3
        self.local_rep = nn.Sequential(
            OrderedDict(conv_3x3=conv(c, c, 3, groups=c if v3 else 1), conv_1x1=plain(c, d))
        )
        layers = [TransformerLayer(d) for _ in range(depth)]
        self.global_rep = nn.Sequential(*layers, nn.LayerNorm(d))
        self.conv_proj = conv(d, c)
        self.fusion = conv(d + c, c) if v3 else conv(2 * c, c, 3)

    def forward(self, x):
        local = self.local_rep(x)
        y = resize_even(local, align_corners=False)
        h, w = y.shape[2:]
        y = self.global_rep(unfold(y).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        y = resize(fold(y, h, w), x.shape[2:], align_corners=False)
        y = self.conv_proj(y)
        if self.v3:
            return x + self.fusion(torch.cat((local, y), 1))
        return self.fusion(torch.cat((x, y), 1))


# ---- v2: separable self-attention ------------------------------------------------------


class SeparableAttention(nn.Module):
    """Of [B, d, 4, N]: the keys are summed under one weight a pixel, the values scaled by
    the sum."""

    def __init__(self, d):
        super().__init__()
        self.qkv_proj = plain(d, 1 + 2 * d, bias=True)
        self.out_proj = plain(d, d, bias=True)

    def forward(self, x):
        d = x.shape[1]
        q, k, v = self.qkv_proj(x).split((1, d, d), 1)
        context = (q.softmax(-1) * k).sum(-1, keepdim=True)
        return self.out_proj(F.relu(v) * context)


class SeparableLayer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.pre_norm_attn = nn.Sequential(nn.GroupNorm(1, d), SeparableAttention(d))
        self.pre_norm_ffn = nn.Sequential(
            nn.GroupNorm(1, d),
            plain(d, 2 * d, bias=True, act=True),
            nn.Identity(),  # the published code drops values here
            plain(2 * d, d, bias=True),
        )

    def forward(self, x):
        x = x + self.pre_norm_attn(x)
        return x + self.pre_norm_ffn(x)


class SeparableBlock(nn.Module):
    """Of v2, and of v3 on it, which projects the global with the local map and adds the
    input.  A map of odd size is enlarged and stays so."""

    def __init__(self, c, d, depth, v3):
        super().__init__()
        self.v3 = v3
        self.local_rep = nn.Sequential(conv(c, c, 3, groups=c), plain(c, d))
        layers = [SeparableLayer(d) for _ in range(depth)]
        self.global_rep = nn.Sequential(*layers, nn.GroupNorm(1, d))
        self.conv_proj = conv(2 * d if v3 else d, c, act=False)

    def forward(self, x):
        x = resize_even(x, align_corners=True)
        local = self.local_rep(x)
        y = fold(self.global_rep(unfold(local)), *x.shape[2:])
        if self.v3:
            return x + self.conv_proj(torch.cat((y, local), 1))
        return self.conv_proj(y)


# ---- The network -----------------------------------------------------------------------


class MobileViT(nn.Module):
    def __init__(self, variant="mobilevit_xxs", classes=1000):
        super().__init__()
        v, v3 = VARIANTS[variant], variant.startswith("mobilevitv3")
        widths, expansion, on_v1 = v["widths"], v["expansion"], v["head"] > 0
        self.conv_1 = conv(3, widths[0], 3, 2)
        for i in range(1, 6):
            cin, cout = widths[i - 1], widths[i]
            layer = [InvertedResidual(cin, cout, 1 if i == 1 else 2, expansion)]
            if i == 2:
                more = v["layer2"] - 1
                layer += [InvertedResidual(cout, cout, 1, expansion) for _ in range(more)]
            if i >= 3:
                block = Block if on_v1 else SeparableBlock
                layer.append(block(cout, v["dims"][i - 3], v["depths"][i - 3], v3))
            setattr(self, f"layer_{i}", nn.Sequential(*layer))
        self.conv_1x1_exp = conv(cout, v["head"]) if on_v1 else nn.Identity()
        linear = nn.Linear(v["head"] or cout, classes)
        self.classifier = nn.ModuleDict({"fc" if on_v1 else "1": linear})
        self.apply(init_weights)

    def forward(self, x):
        x = self.conv_1(x)
        for i in range(1, 6):
            x = getattr(self, f"layer_{i}")(x)
        x = self.conv_1x1_exp(x).mean((2, 3))
        for linear in self.classifier.values():
            x = linear(x)
        return x


# ---- Other names -----------------------------------------------------------------------

NAMINGS = ("ml-cvnets", "timm", "transformers")
NAMES = (  # ml-cvnets, timm, transformers; applied one after the other
    (r"\.block\.norm\.", ".bn.", ".normalization."),
    (r"local_rep\.(conv_1x1|1)\.block\.conv", "conv_1x1", "conv_1x1.convolution"),
    (r"pre_norm_attn\.1\.(\w+)\.block\.conv", r"attn.\1", r"attention.\1.convolution"),
    (r"pre_norm_ffn\.1\.block\.conv", "mlp.fc1", "ffn.conv1.convolution"),
    (r"pre_norm_ffn\.3\.block\.conv", "mlp.fc2", "ffn.conv2.convolution"),
    (r"\.block\.conv\.", ".conv.", ".convolution."),
    (r"^conv_1\.", "stem.", "conv_stem."),
    (r"^conv_1x1_exp", "final_conv", "conv_1x1_exp"),
    (r"^classifier\.(fc|1)", "head.fc", "classifier"),
    (r"block\.exp_1x1", "conv1_1x1", "expand_1x1"),
    (r"block\.conv_3x3", "conv2_kxk", "conv_3x3"),
    (r"block\.red_1x1", "conv3_1x1", "reduce_1x1"),
    (r"local_rep\.(conv_3x3|0)", "conv_kxk", "conv_kxk"),
    (r"pre_norm_(mha|attn)\.0", "norm1", "layernorm_before"),
    (r"pre_norm_mha\.1\.qkv_proj", "attn.qkv", "attention.attention.qkv"),
    (r"pre_norm_mha\.1\.out_proj", "attn.proj", "attention.output.dense"),
    (r"pre_norm_ffn\.0", "norm2", "layernorm_after"),
    (r"pre_norm_ffn\.1", "mlp.fc1", "intermediate.dense"),
    (r"pre_norm_ffn\.4", "mlp.fc2", "output.dense"),
    (r"global_rep\.\d\.(weight|bias)$", r"norm.\1", r"layernorm.\1"),
    (r"global_rep", "transformer", "transformer.layer"),
    (r"conv_proj\.", "conv_proj.", "conv_projection."),
    (r"fusion\.", "conv_fusion.", "fusion."),
)
QKV = ("query", "key", "value")  # one tensor, but three in v1 of transformers


def other_name(name, naming, root):
    """A tensor's name in timm or, below the module `root`, in transformers."""
    column = NAMINGS.index(naming)
    for row in NAMES:
        name = re.sub(row[0], row[column], name)
    layer = re.match(r"layer_(\d)\.(\d)\.", name)
    if layer:
        i, j = int(layer[1]) - 1, int(layer[2])
        if naming == "timm":
            place = f"stages.{i}.{j}."
        else:  # from layer 3 on: one block after what halves the map
            place = f"layer.{j}." if i < 2 else ("downsampling_layer.", "")[j]
            place = f"encoder.layer.{i}.{place}"
        name = place + name[layer.end() :]
    if naming == "transformers" and not name.startswith("classifier"):
        name = f"{root}.{name}"
    return name


def other_names(names, naming):
    """(name, [its name or names elsewhere]) of all tensors of a network."""
    root = "mobilevitv2" if any("pre_norm_attn" in n for n in names) else "mobilevit"
    for name in names:
        other = other_name(name, naming, root)
        split = QKV if ".attention.attention.qkv." in other else ("qkv",)
        yield name, [other.replace(".qkv.", f".{part}.") for part in split]


def rename(state, naming):
    """A state dict of v1 or v2 under the names of `naming`.  timm's published files take
    RGB, those of v1 elsewhere BGR: values, and with them that order, do not change."""
    if naming == "ml-cvnets":
        return dict(state)
    renamed = {}
    for name, others in other_names(state, naming):
        values = state[name]
        renamed.update(zip(others, values.chunk(3) if len(others) == 3 else [values]))
    return renamed


def own_names(state, model):
    """The reverse: `state`, under whichever names, as `model` calls its tensors."""
    if "stem.conv.weight" in state:
        naming = "timm"
    elif any(n.startswith("mobilevit") for n in state):
        naming = "transformers"
    else:
        return dict(state)
    own = dict(state)
    for name, others in other_names(model.state_dict(), naming):
        if all(n in own for n in others):
            parts = [own.pop(n) for n in others]
            own[name] = torch.cat(parts) if len(parts) == 3 else parts[0]
    return own
