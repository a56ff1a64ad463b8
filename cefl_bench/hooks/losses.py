"""The losses of an epoch, one by one, for the hooks that tell of them."""

from collections.abc import Mapping

import numpy as np
import torch

TOTAL = "loss"
"""Mmengine's name for the sum, which is what is trained on."""


class EpochLosses:
    """Means over the batches of an epoch: of the sum, `loss`, and of each loss in it, `loss_<what>`."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, outputs: Mapping[str, torch.Tensor]) -> float:
        """Take the losses of a batch from what a training step gives. Returns: their sum."""
        for name, value in outputs.items():
            if name.startswith(TOTAL):
                self._values.setdefault(name, []).append(value.item())
        return self._values[TOTAL][-1]

    def means(self) -> dict[str, float]:
        """The mean of each over the batches that have it, the sum first; empty before the first batch."""
        return {name: float(np.mean(values)) for name, values in self._values.items()}

    def in_words(self) -> str:
        """`loss 1.310`; where it has more than one part, `loss 1.310 (class 1.21, ial 0.1)`."""
        means = self.means()
        total = means.pop(TOTAL)
        parts = ", ".join(f"{name.removeprefix('loss_')} {mean:.3g}" for name, mean in means.items())
        return f"loss {total:.3f}" + (f" ({parts})" if len(means) > 1 else "")
