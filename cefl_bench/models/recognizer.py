"""Recognizer: backbone -> aggregator -> head."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

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


class Outputs(NamedTuple):
    """What a model says of a batch of videos."""

    scores: Tensor
    """(B, K) logits."""
    clip_weights: Tensor | None = None
    """(B, N), where the aggregator has them and clips are no views."""
    view_scores: Tensor | None = None
    """(B, N, K) logits of each view, where clips are views."""


@MODELS.register_module()
class Recognizer(BaseModel):
    """(B, N, C, T, H, W) -> scores (B, K): encodes every clip, joins the clips of a video, classifies it.

    The aggregator and the head are built with the feature size of the part before, so a config repeats no width.

    Args:
        backbone, aggregator, head, data_preprocessor: configs of the parts.
        num_clips: regroup the frames of a video into this many consecutive clips; None keeps the clips as sampled.
        views: what was sampled as N clips are N views: each is classified alone, as a video of its own, and a video's
            scores are the logarithm of the mean of their softmax. In training each view has a loss.

    Raises:
        UserError: when `num_clips` is not a whole number from 1, or videos are mixed and the head has a loss that
            takes one class a video; in `forward`, when `num_clips` does not divide a video's frames, or the backbone's
            feature is not of its `feat_dim`.
    """

    def __init__(
        self,
        backbone: dict,
        aggregator: dict,
        head: dict,
        data_preprocessor: dict,
        num_clips: int | None = None,
        views: bool = False,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if num_clips is not None and (not isinstance(num_clips, int) or num_clips < 1):
            raise UserError(f"Recognizer: num_clips is {num_clips!r}: expected a whole number from 1, or None")
        self.num_clips, self.views = num_clips, views
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
        if mode == "loss":
            label = self._labels(others)
            if self.views:
                video, label = _as_videos(video), label.repeat_interleave(video.shape[1], dim=0)
            return self._losses(self.extract(video)[0], label)
        outputs = self.classify(video)
        if mode == "tensor":
            return outputs.scores
        outputs = _to_host(outputs)
        return [_prediction(i, outputs, others) for i in range(len(video))]

    def classify(self, video_BNCTHW: Tensor) -> Outputs:
        """Videos -> what the model says of them, views merged."""
        if not self.views:
            feature, clip_weights = self.extract(video_BNCTHW)
            return Outputs(self.head(feature), clip_weights)
        scores_BVK = self.head(self.extract(_as_videos(video_BNCTHW))[0]).unflatten(0, video_BNCTHW.shape[:2])
        view_scores_BVK = scores_BVK.float().log_softmax(dim=2)
        merged_BK = view_scores_BVK.logsumexp(dim=1) - math.log(video_BNCTHW.shape[1])
        return Outputs(merged_BK, None, view_scores_BVK)

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


def _as_videos(video_BNCTHW: Tensor) -> Tensor:
    """(B, N, C, T, H, W) -> (B * N, 1, C, T, H, W): every view a video."""
    return video_BNCTHW.flatten(0, 1).unsqueeze(1)


def _to_host(outputs: Outputs) -> Outputs:
    """All in the host's memory, in one copy: a GPU is waited for once a batch."""
    given = {name: part for name, part in outputs._asdict().items() if part is not None}
    rows = [part.flatten(1) for part in given.values()]
    split = torch.cat(rows, dim=1).cpu().split([row.shape[1] for row in rows], dim=1)
    there = {name: part.reshape(given[name].shape) for name, part in zip(given, split, strict=True)}
    return outputs._replace(**there)


def _prediction(i: int, outputs: Outputs, batch: Mapping[str, Any]) -> Prediction:
    """Video `i` of a batch of `Sample`s, with its scores in the place of its frames."""
    prediction = {key: value[i] for key, value in batch.items()}
    prediction["label"] = int(prediction["label"])
    allowed_K = prediction.pop("allowed_classes", None)
    for name, scores in (("scores", outputs.scores), ("view_scores", outputs.view_scores)):
        if scores is None:
            continue
        score = scores[i] if allowed_K is None else scores[i].masked_fill(~allowed_K, -torch.inf)
        prediction[name] = torch.full_like(score, torch.nan) if prediction["unreadable"] else score
    if outputs.clip_weights is not None and not prediction["unreadable"]:
        prediction["clip_weights"] = outputs.clip_weights[i]
    return cast(Prediction, prediction)
