"""The contract tests can fail: parts and a config with a planted fault."""

from pathlib import Path

import pytest
import torch
from helpers.checks import check_aggregator, check_backbone, check_config, check_head
from torch import nn

from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head

CONFIGS = Path(__file__).parents[2] / "configs"


class Good(Backbone):
    """Pools the clip and projects it."""

    def __init__(self) -> None:
        super().__init__()
        self.feat_dim = 8
        self.project = nn.Linear(3, 8)

    def forward(self, clip_BCTHW):
        return self.project(clip_BCTHW[..., :50, :].mean(dim=(2, 3, 4)))


class UnusedLayer(Good):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten = nn.Linear(8, 8)


class MixesClips(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW - clip_BCTHW.mean(dim=0, keepdim=True))


class WrongWidth(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW)[:, :5]


class OnlySinglePrecision(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW) + torch.zeros(8, dtype=torch.float32)


class ForgetsItsState(Good):
    def __init__(self) -> None:
        super().__init__()
        self.offset = torch.randn(8)

    def forward(self, clip_BCTHW):
        self.offset = self.offset + 1
        return super().forward(clip_BCTHW) + self.offset.to(clip_BCTHW)


def test_a_good_backbone_passes():
    check_backbone(Good)


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (UnusedLayer, "without a gradient: .*forgotten"),
        (MixesClips, "depends on the other clips"),
        (WrongWidth, "expected .B, feat_dim."),
        (OnlySinglePrecision, "half precision"),
        (ForgetsItsState, "other clips"),
    ],
)
def test_a_faulty_backbone_fails(cls, reason):
    with pytest.raises(AssertionError, match=reason):
        check_backbone(cls)


def test_an_aggregator_whose_weights_do_not_sum_to_one_fails():
    class Unnormalised(Aggregator):
        def forward(self, feature_BND):
            return feature_BND.mean(dim=1), torch.ones(feature_BND.shape[:2])

    with pytest.raises(AssertionError):
        check_aggregator(Unnormalised)


def test_a_head_whose_loss_has_another_name_fails():
    class Nameless(Head):
        def __init__(self, in_dim, num_classes):
            super().__init__(in_dim, num_classes)
            self.layer = nn.Linear(in_dim, num_classes)

        def forward(self, feature_BD):
            return self.layer(feature_BD)

        def loss(self, feature_BD, label_B):
            return {"cross_entropy": super().loss(feature_BD, label_B)["loss_class"]}

    with pytest.raises(AssertionError):
        check_head(Nameless)


LAST_LINE = "schedules.fair import *"


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (
            "ceflnet_dfew.py",
            (LAST_LINE, f"{LAST_LINE}\n\nmodel.head.num_classes = 6"),
            "6 classes, DFEW has 7",
        ),
        ("ceflnet_dfew.py", ("configs/ceflnet_dfew.py", "configs/other.py"), "title and the command"),
        (
            "ceflnet_dfew.py",
            (LAST_LINE, LAST_LINE + 40 * "\n" + "#"),
            "under 40 lines",
        ),
    ],
    ids=["wrong class count", "another command", "too long"],
)
def test_a_faulty_config_fails(name, change, reason, tmp_path):
    (tmp_path / "_base_").symlink_to(CONFIGS / "_base_")
    text = (CONFIGS / name).read_text()
    assert change[0] in text
    (tmp_path / name).write_text(text.replace(*change))
    with pytest.raises(AssertionError, match=reason):
        check_config(tmp_path / name)
