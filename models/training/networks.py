"""The networks by the names of their variants."""

import deeplabv3
import emo
import mobile_former
import mobilevit
import ssdlite

FAMILIES = {
    "deeplabv3-emo": (deeplabv3.DeepLabv3, deeplabv3.VARIANTS),
    "emo": (emo.EMO, emo.VARIANTS),
    "mobile_former": (mobile_former.MobileFormer, mobile_former.VARIANTS),
    "mobilevit": (mobilevit.MobileViT, mobilevit.VARIANTS),
    "ssdlite-emo": (ssdlite.SSDLite, ssdlite.VARIANTS),
}
VARIANTS = {v: family for family, (_, rows) in FAMILIES.items() for v in rows}


def build(variant, classes=1000, window=7):
    """window: side of EMO's attention windows in pixels; the others have no such thing."""
    network, _ = FAMILIES[VARIANTS[variant]]
    return network(variant, classes, *([window] if has_windows(variant) else []))


def has_windows(variant):
    return "emo" in VARIANTS[variant]


def namings(variant):
    """The naming schemes of the variant's checkpoints, that of its definition here first."""
    if VARIANTS[variant] != "mobilevit":
        return ("official",)
    return mobilevit.NAMINGS[:1] if variant.startswith("mobilevitv3") else mobilevit.NAMINGS


def rename(state, naming):
    """A state dict of ours under one of namings()."""
    return mobilevit.rename(state, naming) if naming in mobilevit.NAMINGS else dict(state)


def load(model, state):
    """Loads tensors under any of namings(); only the counters of batch norm may be
    missing."""
    own = model.state_dict()
    counters = {n: v for n, v in own.items() if n.endswith("num_batches_tracked")}
    model.load_state_dict({**counters, **mobilevit.own_names(state, model)})
