# SPDX-License-Identifier: LGPL-2.1-or-later
"""Multiply-accumulates of a network of models/training as the papers count them: those of
convolutions, linear layers and products of activations."""
import contextlib

from torch_case import torch

import mobile_former
from torch import nn


def of_convolution(m, inputs, y):
    return y.shape[-2:].numel() * m.weight.numel()


def of_linear(m, inputs, y):
    return inputs[0].shape[:-1].numel() * m.weight.numel()


def of_bridge(m, inputs, y):
    """Queries with keys, weights with values."""
    x, z = inputs[:2]
    return 2 * x.numel() * z.shape[1]


def of_former(m, inputs, y):
    return 2 * inputs[0].numel() * inputs[0].shape[1]


def of_dynamic_relu(m, inputs, y):
    """Two slopes of each value, mixed of those of all tokens."""
    shares = inputs[2] if len(inputs) > 2 else None
    return 0 if shares is None else 2 * y.numel() * shares.shape[1]


def of_block(m, inputs, y):
    """The shares of spatial-aware dynamic ReLUs begin with queries times pixels.  Those
    queries, which the definition computes twice, are needed once."""
    if not m.spatial:
        return 0
    tokens = inputs[1].shape[1]
    return tokens * (inputs[0].numel() - m.local_global.q.weight.numel())


RULES = {
    nn.Conv2d: of_convolution,
    nn.Linear: of_linear,
    mobile_former.MobileToFormer: of_bridge,
    mobile_former.FormerToMobile: of_bridge,
    mobile_former.Former: of_former,
    mobile_former.DynamicReLU: of_dynamic_relu,
    mobile_former.Block: of_block,
}


def count(model, height, width):
    """For one picture of that size."""
    total = 0

    def hook(rule):
        def add(m, inputs, y):
            nonlocal total
            total += rule(m, inputs, y)
        return add

    with contextlib.ExitStack() as hooks, torch.no_grad():
        for m in model.modules():
            for kind, rule in RULES.items():
                if isinstance(m, kind):
                    handle = m.register_forward_hook(hook(rule))
                    hooks.callback(handle.remove)
        model(torch.zeros(1, 3, height, width))
    return total
