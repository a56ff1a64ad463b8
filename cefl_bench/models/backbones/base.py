"""The contract of a backbone."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from mmengine.model import BaseModule

from cefl_bench.errors import UserError
from cefl_bench.models.layers.positions import resized_for_timm
from cefl_bench.models.start import InitSource, check_source
from cefl_bench.models.weights import load_weights


class Backbone(BaseModule):
    """(B * N, C, T, H, W) -> (B * N, feat_dim): a clip becomes one feature, independent of the other clips.

    A subclass writes `forward`. One that must know which clips are of one video overrides `encode_videos` as well.

    The network that published weights exist for, where there is one, is called `trunk`.

    Args:
        init_cfg: where initial weights come from: `dict(checkpoint=FILE)`, `dict(timm=NAME)` or
            `dict(torchvision=NAME)`; None starts from scratch. They are loaded when training starts. `start="faces"`
            beside a checkpoint tells tables what it was trained on.
    """

    feat_dim: int
    """D, set by `__init__`."""

    tiny: ClassVar[dict[str, Any]] = {}
    """Arguments for a copy small enough for tests on a CPU."""

    init_source: InitSource = InitSource()
    """Where the initial weights came from, for result.json."""

    def __init__(self, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__()  # init_cfg stays here: mmengine would load the weights that fit and ignore the rest
        if init_cfg is not None:
            check_source(init_cfg)
        self.weights = init_cfg

    def init_weights(self) -> None:
        # Do not call super: it would re-initialise timm's layers, which got their weights when they were built.
        if self.weights is not None:
            self.init_source = load_weights(self, self.weights, self.resize_tables)

    def resize_tables(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Initial weights, by our names, with learned tables of positions brought from another clip size to this one.

        By default those of a vision transformer of timm.
        """
        return resized_for_timm(getattr(self, "trunk", None), weights)

    def depth_of(self, name: str) -> int | None:
        """How deep a parameter lies, for learning rates that fall with depth: 0 next to the pixels, blocks from 1 on.

        None for what follows the last block, which learns as fast as the head.

        Args:
            name: as `named_parameters` of this backbone has it.

        Raises:
            UserError: where a backbone does not tell.
        """
        raise UserError(
            f"{type(self).__name__} does not say how deep its parameters lie: take a backbone that does, such as "
            "VideoMAE or TimmFrames, or set optim_wrapper.paramwise_cfg.layer_decay=1"
        )

    def encode_videos(self, video_BNCTHW: torch.Tensor) -> torch.Tensor:
        """(B, N, C, T, H, W) -> (B, N, feat_dim): the clips of all videos as one batch."""
        return self(video_BNCTHW.flatten(0, 1)).unflatten(0, video_BNCTHW.shape[:2])

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def know_classes(self, num_classes: int) -> None:
        """Build what a loss of its own classifies with, into `num_classes` classes; by default nothing.

        `Recognizer` calls it once, when it has built the head, which knows the classes of the corpus.
        """

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        """Losses of its own, `loss_<what>`, which `Recognizer` adds to the head's; by default none.

        Asked for after `encode_videos` of the same B videos, in training alone. What a loss needs of it, `forward`
        keeps: there a video's clips come one after the other, B * N in all. Labels of mixed videos are (B, K) shares.
        """
        return {}
