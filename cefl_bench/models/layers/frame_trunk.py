"""A timm network that encodes single frames."""

from typing import Any

import timm
import torch
from torch import nn

from cefl_bench.errors import UserError


def frame_trunk(name: str, **arguments: Any) -> nn.Module:
    """The timm network `name` without its classifier: frames (B, 3, H, W) -> (B, D), globally pooled.

    D is its `head_hidden_size`; timm's `num_features` is not the pooled width of every network. It starts with random
    weights: initial weights are the backbone's `init_cfg`.

    Raises:
        UserError: when timm has no such network.
    """
    if not timm.is_model(name.split(".")[0]):
        raise UserError(f"timm has no network {name!r}: expected one of timm.list_models()")
    network = timm.create_model(name, num_classes=0, **arguments)
    # Channels last: a third faster on a CPU, and what a GPU wants in half precision.
    return network.to(memory_format=torch.channels_last)
