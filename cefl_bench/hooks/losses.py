"""The losses of an epoch, one by one, for the hooks that tell of them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

TOTAL = "loss"
"""Mmengine's name for the sum, which is what is trained on."""
BATCHES_A_READING = 20
"""On a GPU: so late, at most, a loss that became NaN is found, and so seldom the host waits."""


class BatchLoss(NamedTuple):
    """The sum of the losses of one batch."""

    batch: int
    """Counted from 1 in the epoch."""
    loss: float


class EpochLosses:
    """Means over the batches of an epoch: of the sum, `loss`, and of each loss in it, `loss_<what>`.

    They stay where they are computed until somebody asks: reading one makes the host wait for all that a GPU has to do.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._waiting: list[dict[str, torch.Tensor]] = []
        self._num_batches = 0

    def add(self, outputs: Mapping[str, torch.Tensor]) -> None:
        """Take the losses of a batch from what a training step gives."""
        self._waiting.append({name: value.detach() for name, value in outputs.items() if name.startswith(TOTAL)})
        self._num_batches += 1

    @property
    def should_read(self) -> bool:
        """Whether enough batches have come since the last reading; on the host, where reading is free, every one is."""
        if not self._waiting:
            return False
        return len(self._waiting) >= BATCHES_A_READING or self._waiting[-1][TOTAL].device.type == "cpu"

    def read(self) -> list[BatchLoss]:
        """The sums of the batches that were added since the last reading; the host waits once."""
        if not self._waiting:
            return []
        first = self._num_batches - len(self._waiting) + 1
        tensors: list[torch.Tensor] = []
        for losses in self._waiting:
            tensors += losses.values()
        numbers = iter(torch.stack(tensors).cpu().tolist())
        sums = []
        for batch, losses in enumerate(self._waiting, start=first):
            for name in losses:
                value = next(numbers)
                self._values.setdefault(name, []).append(value)
                if name == TOTAL:
                    sums.append(BatchLoss(batch, value))
        self._waiting = []
        return sums

    def means(self) -> dict[str, float]:
        """The mean of each over the batches that have it, the sum first; empty before the first batch."""
        self.read()
        return {name: float(np.mean(values)) for name, values in self._values.items()}

    def in_words(self) -> str:
        """`loss 1.310`; where it has more than one part, `loss 1.310 (class 1.21, ial 0.1)`."""
        means = self.means()
        total = means.pop(TOTAL)
        parts = ", ".join(f"{name.removeprefix('loss_')} {mean:.3g}" for name, mean in means.items())
        return f"loss {total:.3f}" + (f" ({parts})" if len(means) > 1 else "")
