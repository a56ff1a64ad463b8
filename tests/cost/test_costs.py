"""What a config costs: parts, views, the shape of a video without one, the table, the tool, and a training."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.run import ROOT, TINY, run_tool
from mmcv.transforms import BaseTransform
from torch import nn

from cefl_bench.commands.facts import video_shape
from cefl_bench.config import load_config
from cefl_bench.cost.flops import cost_or_reason, model_cost
from cefl_bench.cost.operators import Uncountable
from cefl_bench.cost.table import cost_table, readable
from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.backbones.timm_frames import TimmFrames
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.registry import TRANSFORMS

CONFIGS = ROOT / "configs"
D = 64


class Applied(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@torch.library.custom_op("cefl_bench_tests::relate", mutates_args=())
def relate(x: torch.Tensor) -> torch.Tensor:
    return x @ x.transpose(1, 2)


@relate.register_fake
def _(x):
    return x.new_empty(x.shape[0], x.shape[1], x.shape[1])


class Tell(Backbone):
    """A backbone whose temporal layer no counter knows."""

    def __init__(self, function=relate) -> None:
        super().__init__()
        self.feat_dim = D
        self.frame, self.temporal = nn.Linear(3, D), Applied(function)

    def forward(self, clip_BCTHW):
        feature_BTD = self.frame(clip_BCTHW.mean(dim=(3, 4)).transpose(1, 2))
        return feature_BTD.mean(dim=1) + self.temporal(feature_BTD).mean()


def recognizer(**backbone) -> dict:
    return dict(
        type=Recognizer,
        backbone=dict(type=Tell, **backbone),
        aggregator=dict(type=MeanClips),
        head=dict(type=LinearHead, num_classes=7),
        data_preprocessor=dict(type=VideoPreprocessor, size=8),
    )


def test_parts_and_views_add_up():
    cost = model_cost(recognizer(function=torch.relu), (4, 3, 5, 8, 8), views=3)
    backbone, head = 4 * 5 * 3 * D, D * 7
    assert cost["macs_per_view"] == backbone + head and cost["macs"] == 3 * (backbone + head)
    assert cost["flops"] == 2 * cost["macs"] and cost["views"] == 3 and cost["num_frames"] == 3 * 4 * 5
    assert {name: part["macs"] for name, part in cost["by_part"].items()} == {
        "backbone": 3 * backbone,
        "aggregator": 0,
        "head": 3 * head,
    }
    assert cost["by_part"]["head"]["params"] == 7 * D + 7 and cost["by_part"]["aggregator"]["params"] == 0
    assert sum(part["params"] for part in cost["by_part"].values()) == cost["params"]


def test_frozen_parameters_are_told_apart():
    class Frozen(Tell):
        def __init__(self) -> None:
            super().__init__(torch.relu)
            self.frame.requires_grad_(False)

    cost = model_cost(recognizer() | {"backbone": dict(type=Frozen)}, (1, 3, 4, 8, 8))
    assert cost["params"] - cost["trainable_params"] == 3 * D + D


def test_a_training_gets_the_reason_instead():
    cost = cost_or_reason(recognizer(), (4, 3, 5, 8, 8))
    assert cost["macs"] is None and cost["flops"] is None and cost["params"] == 3 * D + D + 7 * D + 7
    assert "operator cefl_bench_tests.relate in backbone.temporal" in cost["uncounted"]
    json.dumps(cost, allow_nan=False)


def test_a_mistake_in_the_config_is_no_missing_count():
    config = recognizer(function=torch.relu) | {"num_clips": 7}
    with pytest.raises(UserError, match="num_clips is 7") as error:
        cost_or_reason(config, (1, 3, 16, 8, 8))
    assert not isinstance(error.value, Uncountable)


class AsksForAValue(Tell):
    """Runs, but not without values."""

    def __init__(self) -> None:
        super().__init__(lambda x: x * x.sum().item())


class RefusesItsInput(Tell):
    def __init__(self) -> None:
        super().__init__(lambda x: x @ torch.zeros(3, 3))


class CannotBeBuilt(Tell):
    def __init__(self) -> None:
        super().__init__()
        self.frame.weight.view(-1)[10**9].item()


def test_a_network_that_needs_values_is_uncounted_and_trains():
    cost = cost_or_reason(recognizer() | {"backbone": dict(type=AsksForAValue)}, (2, 3, 4, 8, 8))
    assert cost["macs"] is None and cost["params"] == 3 * D + D + 7 * D + 7
    assert "does not run on the meta device in backbone.temporal" in cost["uncounted"]


@pytest.mark.parametrize(
    ("backbone", "messages"),
    [
        (
            dict(type=TimmFrames, name="vit_tiny_patch16_224"),
            (
                "TimmFrames(name='vit_tiny_patch16_224') cannot take a video of 1 x 3 x 16 x 112 x 112",
                "backbone.trunk.patch_embed fails (AssertionError: Input height (112)",
                "; set model.backbone.trunk_args.img_size=112, with which it runs",
            ),
        ),
        (
            dict(type=TimmFrames, name="vit_tiny_patch16_224", trunk_args=dict(img_size="big")),
            ("'vit_tiny_patch16_224'", "{'img_size': 'big'}"),
        ),
        (dict(type=TimmFrames, name="resnet18", trunk_args=dict(block=7)), ("'resnet18'", "{'block': 7}")),
        (
            dict(type=RefusesItsInput),
            ("RefusesItsInput()", "backbone.temporal fails (RuntimeError", "; change data_preprocessor.size or"),
        ),
        (dict(type=CannotBeBuilt), ("cannot be built (IndexError",)),
    ],
    ids=["another size", "a size it cannot have", "argument of another kind", "multiplies other shapes", "constructor"],
)
def test_a_network_that_cannot_take_the_input_is_named_before_training(backbone, messages):
    model = recognizer() | {"backbone": backbone}
    for count in (cost_or_reason, model_cost):
        with pytest.raises(UserError) as error:
            count(model, (1, 3, 16, 112, 112))
        assert not isinstance(error.value, Uncountable) and "\n" not in str(error.value)
        assert all(message in str(error.value) for message in messages), str(error.value)


def test_a_network_told_the_size_takes_it():
    backbone = dict(type=TimmFrames, name="vit_tiny_patch16_224", trunk_args=dict(img_size=112))
    assert model_cost(recognizer() | {"backbone": backbone}, (1, 3, 2, 112, 112))["macs"] > 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (1, (1, 3, 16, 112, 112))),
        ({"test_dataloader.dataset.pipeline.1.num_segments": 8}, (1, (1, 3, 8, 112, 112))),
        (
            {"test_dataloader.dataset.pipeline.1.scheme": "ceflnet", "data_preprocessor.size": 96},
            (1, (7, 3, 5, 96, 96)),
        ),
        (
            {
                "test_dataloader.dataset.pipeline.1.scheme": "ceflnet",
                "test_dataloader.dataset.pipeline.1.num_clips": 3,
                "test_dataloader.dataset.pipeline.1.num_frames_per_clip": 4,
            },
            (1, (3, 3, 4, 112, 112)),
        ),
    ],
    ids=["segments", "fewer segments", "ceflnet", "other clips"],
)
def test_shape_of_a_video_is_known_without_one(options, expected, monkeypatch, tmp_path):
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    assert video_shape(load_config(CONFIGS / "ceflnet_dfew.py", options)) == expected


@TRANSFORMS.register_module()
class TwoViews(BaseTransform):
    """Stands in for a pipeline that looks at a video twice."""

    def transform(self, results):
        return results | {"video": results["video"][None].repeat(2, axis=0)}


@TRANSFORMS.register_module()
class EveryFrame(BaseTransform):
    def transform(self, results):
        return results | {"frame_indices": np.arange(len(results["frames"]))[None]}


def test_views_come_from_the_pipeline_and_every_length_gives_one_shape():
    config = load_config(CONFIGS / "ceflnet_dfew.py")
    config.test_dataloader.dataset.pipeline.append(dict(type=TwoViews))
    assert video_shape(config) == (2, (1, 3, 16, 112, 112))
    config = load_config(CONFIGS / "ceflnet_dfew.py")
    config.test_dataloader.dataset.pipeline[1] = dict(type=EveryFrame)
    with pytest.raises(UserError, match="for a short and a long video"):
        video_shape(config)


def test_table_and_numbers():
    assert [readable(n) for n in (0, 999, 12_919_624, 63_515_400_576, 2 * 10**12)] == [
        *("0", "999", "12.92 M", "63.52 G", "2.000 T"),
    ]
    cost = ("mine", model_cost(recognizer(function=torch.relu), (4, 3, 5, 8, 8)))
    header, row, *parts = cost_table([cost]).splitlines()
    assert row.split()[0] == "mine" and "4 x 3 x 5 x 8 x 8" in row and row.endswith("+0.00%")
    assert [line.split()[0] for line in parts[:5]] == ["backbone", "linear", "aggregator", "head", "linear"]
    end = header.index(" MACs ") + len(" MACs") - 1
    assert all(line[end] != " " == line[end + 1] for line in (row, *parts[:5])), "columns do not line up"
    assert "is two FLOPs" in cost_table([cost])


@pytest.mark.slow
def test_tool_counts_configs_without_data_and_goes_on_after_an_error(tmp_path):
    shutil.copytree(CONFIGS / "_base_", tmp_path / "_base_")
    text = (CONFIGS / "ceflnet_synthetic.py").read_text()
    (tmp_path / "fooled_synthetic.py").write_text(text + "model.num_clips = 5\n")
    done = run_tool(
        *("flops.py", tmp_path / "fooled_synthetic.py", CONFIGS / "ceflnet_synthetic.py"),
        *("--json", tmp_path / "costs.json"),
        check=False,
        env={"PATH": str(Path(sys.executable).parent), "CEFL_BENCH_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert "fooled_synthetic.py" in told and "num_clips is 5" in told
    (cost,) = json.loads((tmp_path / "costs.json").read_text())
    assert cost["config"] == "ceflnet_synthetic" and cost["flops"] == 2 * cost["macs"] > 0
    assert cost["cross_check"]["relative_difference"] == 0 and "fvcore" in cost["cross_check"]["counter"]
    assert set(cost["by_part"]) == {"backbone", "aggregator", "head"}
    assert readable(cost["macs"]) in done.stdout and "ceflnet_synthetic" in done.stdout


@pytest.mark.slow
def test_a_model_that_nobody_can_count_still_trains(with_data, tmp_path):
    (tmp_path / "configs").mkdir()
    shutil.copytree(CONFIGS / "_base_", tmp_path / "configs" / "_base_")
    (tmp_path / "spectral.py").write_text(
        "import torch\n"
        "from cefl_bench.models.aggregators.mean_clips import MeanClips\n"
        "class Spectral(MeanClips):\n"
        "    def forward(self, feature_BND):\n"
        "        return torch.fft.fft(feature_BND).real.mean(dim=1), None\n"
    )
    text = (
        (CONFIGS / "ceflnet_synthetic.py")
        .read_text()
        .replace("\nmodel.", "\nfrom spectral import Spectral\n\nmodel.", 1)
    )
    config = tmp_path / "configs" / "spectral_synthetic.py"
    config.write_text(text.replace("model.aggregator.init_std = 0.02", "model.aggregator = dict(type=Spectral)"))
    done = run_tool(
        *("train.py", config, "--work-dir", tmp_path / "run", "--cfg-options", *TINY, "train_cfg.max_epochs=1"),
        env={"PATH": "/usr/bin:/bin", "CEFL_BENCH_DATA": str(with_data), "PYTHONPATH": f"{ROOT}:{tmp_path}"},
    )
    (warning,) = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert "aten._fft" in warning and "aggregator" in warning
    cost = json.loads((tmp_path / "run" / "result.json").read_text())["cost"]
    assert cost["macs"] is None and cost["uncounted"] in warning and cost["params"] > 0
