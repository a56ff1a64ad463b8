"""The contract of a head."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from typing_extensions import Unpack

from cefl_bench.errors import UserError
from cefl_bench.functional.loss_options import BALANCED, ONE_CLASS_LOSSES, LossOptions, check_loss_options
from cefl_bench.functional.losses import ec_stfl_loss, focal_loss, intensity_aware_loss


class Head(BaseModule):
    """(B, D) -> scores (B, K), logits; `loss` turns them into a dict of losses.

    A subclass hands `**losses` on to `Head.__init__`.

    Args:
        in_dim: D of what comes in; `Recognizer` sets it.
        num_classes: K.
        **losses: `LossOptions`; without any, the loss is the cross-entropy.

    Raises:
        UserError: when an option of the loss is not what it should be.
    """

    tiny: ClassVar[dict[str, Any]] = {}

    def __init__(self, in_dim: int, num_classes: int, **losses: Unpack[LossOptions]) -> None:
        super().__init__()
        check_loss_options(losses, num_classes, type(self).__name__)
        self.in_dim, self.num_classes, self.losses = in_dim, num_classes, losses
        weights = losses.get("class_weights")
        known = weights is not None and weights != BALANCED
        weight_K = torch.tensor(cast(Sequence[float], weights), dtype=torch.float32) if known else None
        self.register_buffer("class_weights", weight_K, persistent=False)

    def forward(self, feature_BD: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def check_soft_labels(self) -> None:
        """Refuse soft labels for losses that take one class a video; a head with losses of its own overrides this.

        Raises:
            UserError: naming the first of them.
        """
        for name in ONE_CLASS_LOSSES:
            if self.losses.get(name):
                raise UserError(
                    f"{type(self).__name__}: {name} takes one class a video, and data_preprocessor.mix gives it two: "
                    "leave one of them out"
                )

    def loss(self, feature_BD: torch.Tensor, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        """Losses against the labels, which are added up; a head with other losses overrides this.

        Labels are (B,), or (B, K) shares of classes where videos are mixed, which `check_soft_labels` has let pass.

        Keys are `loss_<what>`: `loss_class`, and `loss_ial` and `loss_ec_stfl`, times their weight, where it is not 0.
        """
        if self.losses.get("class_weights") == BALANCED:
            raise UserError(
                f"{type(self).__name__}: class_weights is {BALANCED!r}, and nobody has counted the training videos: "
                "train with tools/train.py, or give a number for each class"
            )
        score_BK = self(feature_BD)
        losses = {"loss_class": self._loss_class(score_BK, label_B)}
        if factor := self.losses.get("ial_weight"):
            losses["loss_ial"] = factor * intensity_aware_loss(score_BK, label_B)
        if factor := self.losses.get("ec_stfl_weight"):
            losses["loss_ec_stfl"] = factor * ec_stfl_loss(feature_BD, label_B)
        return losses

    def _loss_class(self, score_BK: torch.Tensor, label_B: torch.Tensor) -> torch.Tensor:
        weight_K = cast("torch.Tensor | None", self.class_weights)
        if gamma := self.losses.get("focal_gamma"):
            return focal_loss(score_BK, label_B, gamma, weight_K)
        smoothing = self.losses.get("label_smoothing", 0.0)
        loss = F.cross_entropy(score_BK, label_B, weight_K, label_smoothing=smoothing)
        if label_B.dim() == 2 and weight_K is not None:  # of soft labels torch takes the plain mean
            loss = loss * len(label_B) / (label_B @ weight_K).sum()
        return loss
