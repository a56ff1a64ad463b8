"""A timm network that encodes single frames."""

from typing import Any

import timm
import torch
from torch import nn

from cefl_bench.errors import UserError


def frame_trunk(name: str, **arguments: Any) -> nn.Module:
    """The timm network `name` without its classifier: frames (B, 3, H, W) -> (B, D), globally pooled.

    D is its `head_hidden_size`; timm's `num_features` is not the pooled width of every network. It starts with random
    weights (others are the backbone's `init_cfg`), a ResNet with the last BatchNorm of every residual block at zero,
    unless `zero_init_last=False`.

    Raises:
        UserError: when timm has no such network, or it does not take the arguments.
    """
    if not timm.is_model(name.split(".")[0]):
        raise UserError(f"timm has no network {name!r}: expected one of timm.list_models()")
    try:
        network = timm.create_model(name, num_classes=0, **arguments)
    except TypeError as error:
        raise UserError(
            f"timm's {name} does not take trunk_args {arguments} ({error}): expected what it takes"
        ) from None
    # Channels last: a third faster on a CPU, and what a GPU wants in half precision.
    return network.to(memory_format=torch.channels_last)
