"""A backbone or an aggregator adds losses of its own: they are trained on, checked, and told apart by name."""

import pytest
import torch
from helpers.auxiliary import SpreadOfClips
from helpers.contracts import assert_kept, broken
from torch import nn

from cefl_bench.contracts.parts import examine_aggregator, examine_backbone
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer

NUM_CLASSES = 3


class ClassifiesEachClip(Backbone):
    """A backbone with a classifier of its own, which scores do not use and its loss trains."""

    def __init__(self, name: str = "loss_clip") -> None:
        super().__init__()
        self.feat_dim, self.name = 4, name
        self.project, self.classify = nn.Linear(3, 4), nn.Linear(4, NUM_CLASSES)

    def forward(self, clip_BCTHW):
        self.kept = self.project(clip_BCTHW.mean(dim=(2, 3, 4)))
        return self.kept

    def auxiliary_losses(self, label_B):
        label_of_clips = label_B.repeat_interleave(len(self.kept) // len(label_B))
        return {self.name: nn.functional.cross_entropy(self.classify(self.kept), label_of_clips)}


class LossPerClip(ClassifiesEachClip):
    def auxiliary_losses(self, label_B):
        return {"loss_clip": self.classify(self.kept).square().mean(dim=1)}


@pytest.fixture
def batch():
    return torch.randn(2, 5, 3, 4, 8, 8), torch.tensor([2, 0])


def recognizer(name="loss_clip"):
    return Recognizer(
        backbone=dict(type=ClassifiesEachClip, name=name),
        aggregator=dict(type=SpreadOfClips),
        head=dict(type=LinearHead, num_classes=NUM_CLASSES),
        data_preprocessor=dict(type=VideoPreprocessor, size=8),
    )


def test_the_losses_of_all_parts_are_trained_on_together(batch):
    model = recognizer()
    video, label = batch
    losses = model(video, mode="loss", label=label)
    assert list(losses) == ["loss_class", "loss_clip", "loss_spread"]
    feature = model.backbone.encode_videos(video)
    spread = ((feature - feature.mean(dim=1, keepdim=True)) ** 2).mean()
    torch.testing.assert_close(losses["loss_spread"], 0.01 * spread)
    each = [nn.functional.cross_entropy(model.backbone.classify(feature[:, clip]), label) for clip in range(5)]
    torch.testing.assert_close(losses["loss_clip"], sum(each) / 5)
    total, told = model.parse_losses(losses)
    torch.testing.assert_close(total, sum(losses.values()))
    assert set(told) == {"loss", *losses}
    total.backward()
    assert model.backbone.classify.weight.grad.any()


def test_a_test_asks_for_no_losses(batch, monkeypatch):
    model = recognizer().eval()
    monkeypatch.setattr(ClassifiesEachClip, "auxiliary_losses", None)
    assert model(batch[0]).shape == (2, NUM_CLASSES)


@pytest.mark.parametrize("name", ["loss_class", "loss_spread"])
def test_two_losses_of_one_name_are_an_error(name, batch):
    with pytest.raises(UserError, match=f"auxiliary_losses gives '{name}', which another part gives too"):
        recognizer(name)(batch[0], mode="loss", label=batch[1])


def test_parts_with_losses_keep_their_contract():
    assert_kept(examine_backbone("ClassifiesEachClip", ClassifiesEachClip, (3, 4, 16, 16)))
    assert_kept(examine_aggregator("SpreadOfClips", lambda: SpreadOfClips(in_dim=6), num_clips=3, in_dim=6))


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: ClassifiesEachClip("auxiliary"), "gives 'auxiliary': expected keys loss_<what>"),
        (LossPerClip, "gives loss_clip of shape (2,): expected one number"),
    ],
)
def test_losses_that_could_not_be_added_up_are_told(build, reason):
    assert reason in broken(examine_backbone("part", build, (3, 4, 16, 16)))["auxiliary losses are numbers by name"]
