"""What a training says before it begins of a network that does not take its frames."""

import pytest
import torch

from cefl_bench.config import load_config
from cefl_bench.cost.flops import model_cost
from cefl_bench.cost.trial import check_takes
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone


def frames_of(name: str) -> dict:
    config = load_config("resnet18_frames_dfew", {"model.backbone.name": name})
    return {**config.model, "data_preprocessor": config.data_preprocessor}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dla34", r"level5\.tree1 fails .*; set data_preprocessor\.size=128, with which it runs$"),
        ("vit_tiny_patch16_224", r"; set model\.backbone\.trunk_args\.img_size=112, with which it runs$"),
    ],
    ids=["no argument for the size, and 112 is not 32 times anything", "an argument for the size"],
)
def test_a_setting_with_which_a_network_runs_is_told(name, told):
    with pytest.raises(UserError, match=told):
        check_takes(frames_of(name), (1, 3, 1, 112, 112))


def test_what_is_told_is_an_option_that_works():
    options = {"model.backbone.name": "vit_tiny_patch16_224", "model.backbone.trunk_args.img_size": 112}
    config = load_config("resnet18_frames_dfew", options)
    check_takes({**config.model, "data_preprocessor": config.data_preprocessor}, (1, 3, 1, 112, 112))


class GivesTokens(Backbone):
    """As some encoders of timm do, which do not pool: a head would give scores for every token."""

    feat_dim = 4

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return clip_BCTHW.new_zeros(clip_BCTHW.shape[0], 9, 4)


def test_a_network_that_does_not_pool_its_tokens_is_refused():
    model = frames_of("resnet18") | {"backbone": dict(type=GivesTokens)}
    with pytest.raises(UserError, match=r"GivesTokens gives \(9, 4\) values per clip: expected one feature of 4;"):
        model_cost(model, (1, 3, 2, 8, 8))
