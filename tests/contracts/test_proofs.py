"""The contract checks of parts can fail: parts with a planted fault break the promise that they should."""

import pytest
import torch
from helpers.contracts import assert_kept, broken
from torch import nn

from cefl_bench.config import load_config
from cefl_bench.contracts.configs import examine_model
from cefl_bench.contracts.parts import examine_aggregator, examine_backbone, examine_head
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head
from cefl_bench.models.recognizer import Recognizer

SHAPE = (3, 4, 16, 16)
GRADIENT, HALF, META = (
    "every trained parameter gets a gradient",
    "runs in half precision",
    "builds and runs on the meta device",
)
RELOADED, COUNTED = "is the same after save and load", "FLOPs are counted"


class Good(Backbone):
    """Pools the clip and projects it."""

    def __init__(self) -> None:
        super().__init__()
        self.feat_dim = 8
        self.project = nn.Linear(3, 8)

    def forward(self, clip_BCTHW):
        return self.project(clip_BCTHW[..., :10, :].mean(dim=(2, 3, 4)))


class UnusedLayer(Good):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten = nn.Linear(8, 8)


class Frozen(UnusedLayer):
    """Frozen parameters need no gradient, used or not."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten.requires_grad_(False)
        self.project.bias.requires_grad_(False)


class FrozenAltogether(Good):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)


class MixesClips(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW - clip_BCTHW.mean(dim=0, keepdim=True))


class IgnoresItsClip(Good):
    def forward(self, clip_BCTHW):
        return super().forward(torch.ones_like(clip_BCTHW))


class WrongWidth(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW)[:, :5]


class OnlySinglePrecision(Good):
    def forward(self, clip_BCTHW):
        feature = super().forward(clip_BCTHW)
        return torch.lerp(feature, torch.ones(8, dtype=torch.float32, device=feature.device), 0.5)


class KeepsStateOutsideItsWeights(Good):
    def __init__(self) -> None:
        super().__init__()
        self.scale = 1.0

    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW) * self.scale

    def load_state_dict(self, state_dict, **options):
        self.scale = 2.0
        return super().load_state_dict(state_dict, **options)


class AsksForAValue(Good):
    def forward(self, clip_BCTHW):
        return super().forward(clip_BCTHW) * (1 + 0 * clip_BCTHW.sum().item())


class CannotBeCounted(Good):
    def forward(self, clip_BCTHW):
        return torch.fft.fft(super().forward(clip_BCTHW)).real


@pytest.mark.parametrize("cls", [Good, Frozen, FrozenAltogether])
def test_a_good_backbone_passes(cls):
    assert_kept(examine_backbone(cls.__name__, cls, SHAPE))


@pytest.mark.parametrize(
    ("cls", "reasons"),
    [
        (UnusedLayer, {GRADIENT: "without a gradient: forgotten.weight, forgotten.bias"}),
        (MixesClips, {"clips do not mix": "depends on the other clips"}),
        (IgnoresItsClip, {"clips do not mix": "does not depend on the clip"}),
        (WrongWidth, {"gives features (B, feat_dim)": "gives (2, 5): expected (B, feat_dim) = (2, 8)"}),
        (OnlySinglePrecision, {HALF: "RuntimeError"}),
        (KeepsStateOutsideItsWeights, {RELOADED: "something else"}),
        (AsksForAValue, {META: "meta", COUNTED: "does not run on the meta device"}),
        (CannotBeCounted, {COUNTED: "aten._fft"}),
    ],
)
def test_a_faulty_backbone_breaks_that_promise_and_no_other(cls, reasons):
    found = broken(examine_backbone(cls.__name__, cls, SHAPE))
    assert set(found) == set(reasons)
    assert all(reason in found[promise] for promise, reason in reasons.items()), found


class Unnormalised(Aggregator):
    def forward(self, feature_BND):
        return feature_BND.mean(dim=1), torch.ones(feature_BND.shape[:2], device=feature_BND.device)


class MixesVideos(Aggregator):
    def forward(self, feature_BND):
        return (feature_BND - feature_BND.mean(dim=0)).mean(dim=1), None


class NoPair(Aggregator):
    def forward(self, feature_BND):
        return feature_BND.mean(dim=1)


@pytest.mark.parametrize(
    ("cls", "promise", "reason"),
    [
        (Unnormalised, "gives a feature (B, feat_dim) and clip weights", "sum to 3.000: expected 1"),
        (MixesVideos, "videos do not mix", "depends on the other videos"),
        (NoPair, "gives a feature (B, feat_dim) and clip weights", "gives no pair"),
    ],
)
def test_a_faulty_aggregator_breaks_that_promise_and_no_other(cls, promise, reason):
    found = broken(examine_aggregator(cls.__name__, lambda: cls(in_dim=6), num_clips=3, in_dim=6))
    assert set(found) == {promise} and reason in found[promise]


class Linear(Head):
    def __init__(self, in_dim=6, num_classes=4):
        super().__init__(in_dim, num_classes)
        self.layer = nn.Linear(in_dim, num_classes)

    def forward(self, feature_BD):
        return self.layer(feature_BD)


class Nameless(Linear):
    def loss(self, feature_BD, label_B):
        return {"cross_entropy": super().loss(feature_BD, label_B)["loss_class"]}


class PerVideo(Linear):
    def loss(self, feature_BD, label_B):
        return {"loss_class": nn.functional.cross_entropy(self(feature_BD), label_B, reduction="none")}


class OneClassTooMany(Linear):
    def forward(self, feature_BD):
        return nn.functional.pad(super().forward(feature_BD), (0, 1))


class TrainsOnlyByItsLoss(Linear):
    """A layer that scores do not use, and a loss does."""

    def __init__(self):
        super().__init__()
        self.centre = nn.Parameter(torch.zeros(6))

    def loss(self, feature_BD, label_B):
        return super().loss(feature_BD, label_B) | {"loss_centre": (feature_BD - self.centre).square().mean()}


def test_a_head_is_trained_by_its_losses():
    assert_kept(examine_head("TrainsOnlyByItsLoss", TrainsOnlyByItsLoss, in_dim=6, num_classes=4))


@pytest.mark.parametrize(
    ("cls", "reasons"),
    [
        (Nameless, {"gives losses": "gives 'cross_entropy': expected keys loss_<what>"}),
        (PerVideo, {"gives losses": "of shape (8,): expected one number", GRADIENT: "RuntimeError"}),
        (OneClassTooMany, {"gives scores (B, K)": "gives (8, 5): expected (B, K) = (8, 4)"}),
    ],
)
def test_a_faulty_head_breaks_that_promise_and_no_other(cls, reasons):
    found = broken(examine_head(cls.__name__, cls, in_dim=6, num_classes=4))
    assert set(found) == set(reasons)
    assert all(reason in found[promise] for promise, reason in reasons.items()), found


def test_a_model_that_cannot_be_built_says_so_once():
    config = load_config("c3d_synthetic", {"model.backbone.size": 8})
    found = broken(examine_model(config))
    assert found["can be built"] == "C3D: size is 8, num_frames 16: expected at least 16 pixels and 1 frame"
    assert set(found) == {"can be built", "the cost of a video is counted"}


def test_a_part_of_a_config_is_checked_at_its_own_size_without_downloads():
    config = load_config("resnet18_frames_eian_synthetic", {"model.backbone.init_cfg": {"timm": "resnet18"}})
    assert_kept(examine_model(config))
    config.model.backbone.type, config.model.backbone.name = WrongFor48, "resnet10t"
    for name in ("name", "trunk_args", "init_cfg"):
        config.model.backbone.pop(name)
    found = broken(examine_model(config))
    assert found["gives features (B, feat_dim)"] == "gives (2, 5): expected (B, feat_dim) = (2, 8)"
    assert issubclass(config.model.type, Recognizer)


class WrongFor48(Good):
    """Wrong only for the size, and the frames per clip, of the synthetic corpus with four clips."""

    def forward(self, clip_BCTHW):
        feature = super().forward(clip_BCTHW)
        return feature[:, :5] if clip_BCTHW.shape[1:] == (3, 4, 48, 48) else feature
