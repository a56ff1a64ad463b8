"""A timm network that encodes single frames."""

from typing import Any

import torch
from torch import nn

from cefl_bench.errors import UserError


def frame_trunk(name: str, pooled: bool = False, **arguments: Any) -> tuple[nn.Module, int]:
    """Build the timm network `name` without its classifier: frames (B, 3, H, W) -> (B, D), globally pooled.

    It starts with random weights; others are loaded by the backbone's `init_cfg`. timm starts a ResNet with the last
    BatchNorm of every residual block at zero, unless `zero_init_last=False` is among the arguments.

    Args:
        pooled: leave out the layers that some networks have between their last map and the classifier, such as VGG's
            two linear layers: the feature is the map, averaged.
        **arguments: passed to `timm.create_model`, such as `img_size` for a vision transformer.

    Returns:
        The network and D.

    Raises:
        UserError: when timm has no such network, cannot build it with these arguments, or it has nothing to leave out.
    """
    import timm  # as in `models/start.py`

    if not timm.is_model(name.split(".")[0]):
        raise UserError(f"timm has no network {name!r}: expected one of timm.list_models()")
    try:
        network: Any = timm.create_model(name, num_classes=0, **arguments)
    except Exception as error:  # every network of timm checks its arguments in its own way
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"timm cannot build {name!r} with trunk_args {arguments} ({reason}): expected arguments that it takes"
        ) from None
    if pooled:
        if not isinstance(getattr(network, "pre_logits", None), nn.Module):
            raise UserError(f"timm's {name!r} has no layers before its classifier: leave pooled=True out of trunk_args")
        network.pre_logits, network.head_hidden_size = nn.Identity(), network.num_features
    # Not timm's `num_features`, which for some networks is the width before a last layer that this one keeps.
    dim = network.head_hidden_size
    # Channels last: a third faster on a CPU, and what a GPU wants in half precision.
    return network.to(memory_format=torch.channels_last), dim
