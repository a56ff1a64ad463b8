"""A method that lives in another repository: its leaf takes bases of the toolkit and names a class of its own."""

import json
import os

from helpers.run import run_tool

BACKBONE = '''
from torch import nn

from cefl_bench.models.backbones.base import Backbone


class BrightFrames(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, 4): how bright each channel is on average."""

    def __init__(self):
        super().__init__()
        self.layers, self.feat_dim = nn.Linear(3, 4), 4

    def forward(self, clips):
        return self.layers(clips.mean((2, 3, 4)))
'''
LEAF = """
from mmengine.config import read_base
from theirs.backbone import BrightFrames

with read_base():
    from cefl_bench.configs._base_.datasets.synthetic import *
    from cefl_bench.configs._base_.loaders.synthetic import *
    from cefl_bench.configs._base_.models.c3d import *
    from cefl_bench.configs._base_.runtime import *
    from cefl_bench.configs._base_.schedules.synthetic import *

method, title = "bright_frames", "Bright frames"
model.backbone = dict(type=BrightFrames)
"""


def test_it_is_checked_trained_tested_and_costed_like_ours(data_home, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "backbone.py").write_text(BACKBONE)
    (tmp_path / "leaf.py").write_text(LEAF)
    place = {
        "cwd": tmp_path,
        "env": os.environ | {"PYTHONPATH": str(tmp_path), "CEFL_BENCH_DATA": str(data_home)},
    }
    assert "promises kept" in run_tool("check.py", "leaf.py", **place).stdout
    quick = ("--cfg-options", "train_cfg.max_epochs=1", "train_dataloader.num_workers=0")
    run_tool("train.py", "leaf.py", "--work-dir", "run", *quick, **place)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["method"], result["title"]) == ("bright_frames", "Bright frames")
    assert result["cost"]["params"] == 4 * 4 + 5 * 7
    run_tool("test.py", "leaf.py", "run/last.pth", **place)
    tested = json.loads((tmp_path / "run" / "test" / "result.json").read_text())["metrics"]["checkpoint"]
    trained = result["metrics"]["last"]
    assert {name: tested[name] for name in trained} == trained
    assert "leaf" in run_tool("flops.py", "leaf.py", **place).stdout
    # The config in the run's folder is the user's file as well, and may name their class.
    assert "leaf" in run_tool("flops.py", "run/config.py", **place).stdout
    refused = run_tool("predict.py", "run/last.pth", data_home / "synthetic_demo" / "videos", check=False, **place)
    assert "'theirs.backbone.BrightFrames' is not one that this toolkit looks up by name" in refused.stderr
    predictor = ("predict.py", "run/last.pth", "--config", "run/config.py", "--faces", "none", "--out", "seen")
    run_tool(*predictor, next((data_home / "synthetic_demo" / "videos").iterdir()), **place)
    assert list((tmp_path / "seen").rglob("timeline.csv"))
