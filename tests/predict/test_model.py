"""A model out of a checkpoint and a config that is given with it: the config must be that of the training."""

import pytest
from helpers.untrained import untrained

from cefl_bench.errors import UserError
from cefl_bench.predict.model import TrainedModel

LEAF = """
from mmengine.config import read_base

with read_base():
    from cefl_bench.configs.ceflnet_synthetic import *

model.backbone.trunk = "test_resnet"
model.backbone.trunk_args.channels = (8, 16, 16, 32)
data_preprocessor.size = 32
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("model") / "last.pth")


def given(tmp_path, change):
    (tmp_path / "leaf.py").write_text(LEAF + change)
    return tmp_path / "leaf.py"


@pytest.mark.parametrize("change", ["", "test_dataloader.dataset.pipeline[0].packed = True", "title = 'Mine'"])
def test_a_config_that_shows_the_same_frames(change, checkpoint, tmp_path):
    assert TrainedModel(checkpoint, given(tmp_path, change), "cpu").about.frame_size == 56


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("data_preprocessor.size = 40", r"data_preprocessor\.size: 32 != 40"),
        ("test_dataloader.dataset.pipeline[0].size = 64", r"test_dataloader\.dataset\.pipeline\.0\.size: 56 != 64"),
        ("test_dataloader.dataset.pipeline[1].scheme = 'dense'", r"[a-z_.]*\.1\.scheme: 'segments' != 'dense'"),
    ],
)
def test_a_config_that_fits_the_weights_and_shows_other_frames(change, told, checkpoint, tmp_path):
    with pytest.raises(UserError, match=f"was trained with another value of {told}: leave the config out"):
        TrainedModel(checkpoint, given(tmp_path, change), "cpu")
