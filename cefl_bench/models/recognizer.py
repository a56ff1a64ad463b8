"""Recognizer: backbone -> aggregator -> head."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from mmengine.model import BaseModel
from torch import Tensor

from cefl_bench.errors import UserError
from cefl_bench.functional.mixing import soft_labels
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head
from cefl_bench.records import Prediction
from cefl_bench.registry import MODELS


@MODELS.register_module()
class Recognizer(BaseModel):
    """(B, N, C, T, H, W) -> scores (B, K): encodes every clip, joins the clips of a video, classifies it.

    The aggregator and the head are built with the feature size of the part before, so a config repeats no width.

    Args:
        backbone, aggregator, head, data_preprocessor: configs of the parts.
        num_clips: regroup the frames of a video into this many consecutive clips; None keeps the clips as sampled.

    Raises:
        UserError: when `num_clips` is not a whole number from 1, or videos are mixed and the head has a loss that
            takes one class a video; in `forward`, when it does not divide a video's
            frames, or the backbone's feature is not of its `feat_dim`.
    """

    def __init__(
        self, backbone: dict, aggregator: dict, head: dict, data_preprocessor: dict, num_clips: int | None = None
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if num_clips is not None and (not isinstance(num_clips, int) or num_clips < 1):
            raise UserError(f"Recognizer: num_clips is {num_clips!r}: expected a whole number from 1, or None")
        self.num_clips = num_clips
        self.backbone: Backbone = MODELS.build(backbone)
        self.aggregator: Aggregator = MODELS.build(aggregator | {"in_dim": self.backbone.feat_dim})
        self.head: Head = MODELS.build(head | {"in_dim": self.aggregator.feat_dim})
        if getattr(self.data_preprocessor, "mixing", None) is not None:
            self.head.check_soft_labels()
        self.backbone.know_classes(self.head.num_classes)

    def extract(self, video_BNCTHW: Tensor) -> tuple[Tensor, Tensor | None]:
        """Videos -> their features (B, D), and the clip weights (B, N) where the aggregator has them."""
        if self.num_clips is not None:
            video_BNCTHW = _regroup(video_BNCTHW, self.num_clips)
        feature_BND = self.backbone.encode_videos(video_BNCTHW)
        if feature_BND.shape[2:] != (self.backbone.feat_dim,):
            raise UserError(
                f"Recognizer: {type(self.backbone).__name__} gives {tuple(feature_BND.shape[2:])} values per clip: "
                f"expected one feature of {self.backbone.feat_dim}; name a network that pools its map or tokens"
            )
        return self.aggregator(feature_BND)

    def forward(
        self, video: Tensor, mode: str = "tensor", **others: Any
    ) -> Tensor | dict[str, Tensor] | list[Prediction]:
        """`tensor`: scores (B, K). `loss`: the head's losses. `predict`: a `Prediction` per video, on the host."""
        feature, clip_weights = self.extract(video)
        if mode == "loss":
            return self._losses(feature, self._labels(others))
        scores = self.head(feature)
        if mode == "tensor":
            return scores
        scores, clip_weights = _to_host(scores, clip_weights)
        return [_prediction(i, scores, clip_weights, others) for i in range(scores.shape[0])]

    def _labels(self, batch: Mapping[str, Any]) -> Tensor:
        """(B,), or (B, K) where videos are mixed."""
        if "partner_label" not in batch:
            return batch["label"]
        return soft_labels(batch["label"], batch["partner_label"], batch["partner_share"], self.head.num_classes)

    def _losses(self, feature_BD: Tensor, label_B: Tensor) -> dict[str, Tensor]:
        """The losses of the head, and those that the other parts add."""
        losses = dict(self.head.loss(feature_BD, label_B))
        for part in (self.backbone, self.aggregator):
            for name, loss in part.auxiliary_losses(label_B).items():
                if name in losses:
                    raise UserError(
                        f"{type(part).__name__}: auxiliary_losses gives {name!r}, which another part gives too: "
                        "expected a name of its own"
                    )
                losses[name] = loss
        return losses


def _regroup(video_BNCTHW: Tensor, num_clips: int) -> Tensor:
    """(B, N, C, T, H, W) -> (B, num_clips, C, N * T / num_clips, H, W), frames in order."""
    total = video_BNCTHW.shape[1] * video_BNCTHW.shape[3]
    if total % num_clips:
        raise UserError(f"Recognizer: num_clips is {num_clips}: expected a divisor of the {total} frames of a video")
    frames = video_BNCTHW.movedim(2, 3).flatten(1, 2)  # (B, N * T, C, H, W)
    return frames.unflatten(1, (num_clips, total // num_clips)).movedim(3, 2)


def _to_host(scores_BK: Tensor, clip_weights_BN: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Both in the host's memory, in one copy: a GPU is waited for once a batch."""
    if clip_weights_BN is None:
        return scores_BK.cpu(), None
    together = torch.cat([scores_BK, clip_weights_BN], dim=1).cpu()
    scores, clip_weights = together.split([scores_BK.shape[1], clip_weights_BN.shape[1]], dim=1)
    return scores, clip_weights


def _prediction(i: int, scores_BK: Tensor, clip_weights_BN: Tensor | None, batch: Mapping[str, Any]) -> Prediction:
    """Video `i` of a batch of `Sample`s, with its scores in the place of its frames."""
    prediction = {key: value[i] for key, value in batch.items()}
    prediction["label"] = int(prediction["label"])
    scores_K = scores_BK[i]
    if "allowed_classes" in prediction:
        scores_K = scores_K.masked_fill(~prediction.pop("allowed_classes"), -torch.inf)
    if prediction["unreadable"]:
        scores_K = torch.full_like(scores_K, torch.nan)
    elif clip_weights_BN is not None:
        prediction["clip_weights"] = clip_weights_BN[i]
    prediction["scores"] = scores_K
    return cast(Prediction, prediction)
