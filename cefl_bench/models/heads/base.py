"""The contract of a head."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule


class Head(BaseModule):
    """(B, D) -> scores (B, K), logits; `loss` turns them into a dict of losses.

    Args:
        in_dim: D of what comes in; `Recognizer` sets it.
        num_classes: K.
    """

    tiny: ClassVar[dict[str, Any]] = {}

    def __init__(self, in_dim: int, num_classes: int) -> None:
        super().__init__()
        self.in_dim, self.num_classes = in_dim, num_classes

    def forward(self, feature_BD: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def loss(self, feature_BD: torch.Tensor, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        """Cross-entropy against the labels; a head with another loss overrides this. Keys are `loss_<what>`."""
        return {"loss_class": F.cross_entropy(self(feature_BD), label_B)}
