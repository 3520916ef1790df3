"""What the networks share: where training starts from."""

from torch import nn


def init_weights(m):
    """Truncated normal: 0.02 for linear layers, 1 / sqrt(fan in) for convolutions."""
    if isinstance(m, nn.Linear):
        nn.init.trunc_normal_(m.weight, std=0.02)
        nn.init.zeros_(m.bias)
    elif isinstance(m, nn.Conv2d):
        fan_in = m.weight[0].numel()
        nn.init.trunc_normal_(m.weight, std=fan_in**-0.5)
        if m.bias is not None:
            nn.init.zeros_(m.bias)
