"""Whether the running averages that tests take follow a training: BatchNorm's statistics, and averaged weights.

An average that moves by `momentum` a batch still holds (1 - momentum) ** batches of what it started with. Where that is
much, the training loss falls and the scores stay at chance.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.model import ExponentialMovingAverage
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

MOST_LEFT = 0.1
"""The share of the start that may be left at the end."""
EMA_MOMENTUM = inspect.signature(ExponentialMovingAverage).parameters["momentum"].default
"""By how much `EMAHook` moves an average a batch, unless it is told."""


def late_statistics(network: nn.Module, num_batches: int) -> str | None:
    """A line on the slowest BatchNorm of an untrained network, where it will not have followed the training."""
    momenta = {
        name: module.momentum
        for name, module in network.named_modules()
        # None: the mean of all batches so far, which nothing of the start is in
        if isinstance(module, _BatchNorm) and module.track_running_stats and module.momentum is not None
    }
    if not momenta:
        return None
    name = min(momenta, key=lambda name: momenta[name])
    return _line(f"BatchNorm {name} moves its running statistics", momenta[name], num_batches)


def late_weights(ema_cfg: Mapping[str, Any], num_batches: int) -> str | None:
    """A line on averaged weights that will not have followed the training.

    Args:
        ema_cfg: what mmengine's `EMAHook` makes its average of.
        num_batches: from the one at which the average begins, as the weights then are.
    """
    if ema_cfg["type"] not in (ExponentialMovingAverage, ExponentialMovingAverage.__name__):
        return None
    return _line("EMAHook moves the averaged weights", ema_cfg.get("momentum", EMA_MOMENTUM), num_batches - 1)


def _line(what: str, momentum: float, num_batches: int) -> str | None:
    left = (1 - momentum) ** num_batches
    if left <= MOST_LEFT:
        return None
    return (
        f"tests will be of little worth: {what} by {momentum:g} a batch, so after the {num_batches:,} batches of this "
        f"training they still hold {left:.0%} of what they started with; train longer, or give it a higher momentum"
    )
