"""Whether BatchNorm's running statistics, which tests take, follow a training."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

MOST_LEFT = 0.1
"""The share of the statistics of untrained weights that may be left at the end."""


def late_statistics(network: nn.Module, num_steps: int) -> str | None:
    """A line on the slowest BatchNorm of an untrained network, where it will not have followed the training.

    A step moves running statistics by `momentum`, so that (1 - momentum) ** num_steps of the start is left. What the
    network does in tests then has little to do with what it learnt: the training loss falls and the scores stay at
    chance.

    Args:
        num_steps: batches that the network will see in training.
    """
    momenta = {
        name: module.momentum
        for name, module in network.named_modules()
        # None: the mean of all batches so far, which nothing of the start is in
        if isinstance(module, _BatchNorm) and module.track_running_stats and module.momentum is not None
    }
    if not momenta:
        return None
    name = min(momenta, key=lambda name: momenta[name])
    left = (1 - momenta[name]) ** num_steps
    if left <= MOST_LEFT:
        return None
    return (
        f"tests will be of little worth: BatchNorm {name} moves its running statistics by {momenta[name]:g} a batch, "
        f"so after the {num_steps:,} batches of this training {left:.0%} of them is what they started with: train "
        "longer, or give it a higher momentum"
    )
