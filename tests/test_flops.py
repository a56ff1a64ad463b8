"""What a model costs: published numbers, formulas by hand, and models built to fool a counter."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from conftest import ROOT, TINY, run_tool
from mmcv.transforms import BaseTransform
from torch import nn
from torchvision.models.video import r3d_18

from cefl_bench.config import load_config
from cefl_bench.cost.flops import Count, cost_or_reason, count, model_cost
from cefl_bench.cost.operators import Uncountable
from cefl_bench.cost.table import cost_table, readable
from cefl_bench.errors import UserError
from cefl_bench.facts import config_cost, video_shape
from cefl_bench.models.aggregators.mean_clips import MeanClips
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.registry import TRANSFORMS

CONFIGS = ROOT / "configs"
B, T, D, H = 2, 16, 64, 48


def counted(build, *shape: int) -> Count:
    with torch.device("meta"):
        return count(build().eval(), torch.empty(shape))


class Attention(nn.Module):
    """Pre-norm attention with the functional form, as backbones write it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(D), nn.Linear(D, 3 * D, bias=False), nn.Linear(D, D)

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).unflatten(2, (3, 4, D // 4)).permute(2, 0, 3, 1, 4)
        return x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    """Torch's module, which fuses itself in eval mode."""

    def __init__(self, need_weights: bool) -> None:
        super().__init__()
        self.attention, self.need_weights = nn.MultiheadAttention(D, 4, batch_first=True), need_weights

    def forward(self, x):
        return self.attention(x, x, x, need_weights=self.need_weights)[0]


class SubclassedConvolution(nn.Conv3d):
    """Counters that look at types take it for something else."""


class Inside(nn.Module):
    """Runs a function or a module as `temporal`, after a layer that everybody counts."""

    def __init__(self, function) -> None:
        super().__init__()
        self.frame = nn.Linear(D, D)
        self.temporal = function if isinstance(function, nn.Module) else Applied(function)

    def forward(self, x):
        return self.temporal(self.frame(x))


class Applied(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@torch.library.custom_op("cefl_bench_tests::gram", mutates_args=())
def gram(x: torch.Tensor) -> torch.Tensor:
    return x @ x.transpose(1, 2)


@gram.register_fake
def _(x):
    return x.new_empty(x.shape[0], x.shape[1], x.shape[1])


@torch.library.custom_op("cefl_bench_tests::square", mutates_args=(), tags=[torch.Tag.pointwise])
def square(x: torch.Tensor) -> torch.Tensor:
    return x @ x.transpose(1, 2) @ x


@square.register_fake
def _(x):
    return torch.empty_like(x)


@torch.library.custom_op("cefl_bench_tests::gram_on_cpu", mutates_args=())
def gram_on_cpu(x: torch.Tensor) -> torch.Tensor:
    return x @ x.transpose(1, 2)


def scripted(x: torch.Tensor) -> torch.Tensor:
    return torch.bmm(x, x.transpose(1, 2))


class HiddenFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x @ x.transpose(1, 2)


def test_published_numbers_of_video_networks():
    cost = config_cost(load_config(CONFIGS / "ceflnet_dfew_paper.py"))
    assert cost["params"] == 12_919_624
    assert cost["macs"] / 1e9 == pytest.approx(63.52, rel=1e-3)
    assert cost["input_shape"] == [7, 3, 5, 224, 224] and cost["num_frames"] == 35 and cost["views"] == 1
    r3d = counted(lambda: r3d_18(num_classes=7), 1, 3, 16, 112, 112)
    assert r3d.macs() / 1e9 == pytest.approx(40.7, rel=1e-3)
    assert counted(lambda: r3d_18(num_classes=7), 4, 3, 4, 112, 112).macs() / 1e9 == pytest.approx(43.15, rel=1e-3)


def test_vision_transformer_by_the_formula():
    vit = counted(lambda: timm.create_model("vit_base_patch16_224"), 1, 3, 224, 224)
    tokens, dim = 197, 768
    assert vit.by_kind() == {
        "convolution": 196 * dim * 3 * 16 * 16,
        "linear": 12 * tokens * 12 * dim * dim + dim * 1000,
        "attention": 12 * 2 * tokens * tokens * dim,
    }


@pytest.mark.parametrize(
    ("build", "kinds"),
    [
        (lambda: nn.TransformerEncoderLayer(D, 4, H, batch_first=True), {"linear": 4 * D * D + 2 * D * H}),
        (
            lambda: nn.TransformerEncoderLayer(D, 4, H, batch_first=True, norm_first=True),
            {"linear": 4 * D * D + 2 * D * H},
        ),
        (lambda: SelfAttention(need_weights=False), {"linear": 4 * D * D}),
        (lambda: SelfAttention(need_weights=True), {"linear": 4 * D * D}),
        (lambda: SelfAttention(need_weights=False).requires_grad_(False), {"linear": 4 * D * D}),
        (Attention, {"linear": 4 * D * D}),
    ],
    ids=["fused encoder", "pre-norm encoder", "fused attention", "weights wanted", "frozen", "functional"],
)
def test_attention_by_the_formula(build, kinds):
    per_token = kinds | {"attention": 2 * T * D}
    assert counted(build, B, T, D).by_kind() == {kind: B * T * macs for kind, macs in per_token.items()}


@pytest.mark.parametrize(
    ("build", "per_step"),
    [
        (lambda: nn.LSTM(D, H, batch_first=True), 4 * H * (D + H)),
        (lambda: nn.LSTM(D, H, num_layers=2, bidirectional=True), 2 * 4 * H * (D + H) + 2 * 4 * H * (2 * H + H)),
        (
            lambda: nn.LSTM(D, H, 2, proj_size=8, bidirectional=True, bias=False),
            2 * (4 * H * (D + 8) + 8 * H) + 2 * (4 * H * (2 * 8 + 8) + 8 * H),
        ),
        (lambda: nn.GRU(D, H, num_layers=2, batch_first=True), 3 * H * (D + H) + 3 * H * (H + H)),
        (lambda: nn.RNN(D, H, nonlinearity="relu"), H * (D + H)),
    ],
    ids=["LSTM", "two layers, both directions", "projected", "GRU", "RNN"],
)
def test_recurrent_layers_by_the_formula(build, per_step):
    assert counted(build, B, T, D).by_kind() == {"recurrent": B * T * per_step}


@pytest.mark.parametrize(
    ("build", "shape", "macs"),
    [
        (lambda: SubclassedConvolution(3, 8, 3), (B, 3, 6, 10, 12), B * 8 * 3 * 27 * 4 * 8 * 10),
        (
            lambda: nn.Conv3d(4, 8, (1, 3, 3), padding=(0, 1, 1), stride=2, groups=2),
            (B, 4, 6, 8, 8),
            B * 8 * 2 * 9 * 48,
        ),
        (lambda: nn.Conv2d(4, 8, 4, padding="same"), (B, 4, 6, 9), B * 8 * 4 * 16 * 54),
        (lambda: nn.Conv1d(4, 8, 3, padding="valid"), (4, 10), 8 * 4 * 3 * 8),
        (lambda: nn.ConvTranspose2d(4, 8, 3, stride=2), (B, 4, 6, 9), B * 8 * 4 * 9 * 54),
        (lambda: Applied(lambda x: x @ x.new_empty(x.shape[-1])), (T, D), T * D),
        (lambda: Applied(lambda x: torch.einsum("btd,bsd->bts", x, x)), (B, T, D), B * T * T * D),
        (lambda: Applied(lambda x: x.new_empty(B, 4, 1, T) @ x[:, None]), (B, T, D), B * 4 * T * D),
    ],
    ids=["subclass", "strided, grouped", "same", "no batch", "transposed", "matrix by vector", "einsum", "broadcast"],
)
def test_convolutions_and_products_by_the_formula(build, shape, macs):
    result = counted(build, *shape)
    assert result.macs() == macs and result.cross_check["macs"] == pytest.approx(macs, rel=5e-3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (gram, r"operator cefl_bench_tests\.gram in temporal is counted by no counter"),
        (square, r"operator cefl_bench_tests\.square in temporal is counted by no counter"),
        (torch.jit.script(scripted), r"disagree: .* most over prim::CallFunction in temporal"),
        (torch.jit.script(nn.Linear(D, D)), "temporal is a scripted module"),
        (HiddenFunction.apply, r"disagree: .* most over prim::PythonOp\.HiddenFunction in temporal"),
        (lambda x: torch.fft.fft(x).real, r"operator aten\._fft_\w+ in temporal is counted by no counter"),
        (lambda x: torch.cdist(x, x), r"operator aten\._cdist\w* in temporal is counted by no counter"),
        (gram_on_cpu, r"does not run on the meta device in temporal \("),
        (lambda x: x * x.sum().item(), r"does not run on the meta device in temporal \("),
    ],
    ids=[
        "custom",
        "custom, called elementwise",
        "scripted",
        "scripted module",
        "autograd function",
        "fft",
        "cdist",
        "CPU only",
        "asks for a value",
    ],
)
def test_what_nobody_counts_is_named(function, message):
    with pytest.raises(Uncountable, match=message) as error:
        counted(lambda: Inside(function).to("meta"), B, T, D)
    assert "\n" not in str(error.value)


def test_free_operators_are_free():
    class Free(nn.Module):
        def forward(self, x):
            x = F.gelu(F.layer_norm(x, (D,))).transpose(1, 2)
            x = F.hardswish(F.interpolate(F.max_pool1d(x, 2), scale_factor=2.0))
            return x.cumsum(-1).softmax(-1).topk(2).values.amax(-1)

    assert counted(Free, B, T, D).macs() == 0


class Tell(Backbone):
    """A backbone whose temporal layer no counter knows."""

    def __init__(self, function=gram) -> None:
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
    assert "operator cefl_bench_tests.gram in backbone.temporal" in cost["uncounted"]
    json.dumps(cost, allow_nan=False)


def test_a_mistake_in_the_config_is_no_missing_count():
    config = recognizer(function=torch.relu) | {"num_clips": 7}
    with pytest.raises(UserError, match="num_clips is 7") as error:
        cost_or_reason(config, (1, 3, 16, 8, 8))
    assert not isinstance(error.value, Uncountable)


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
    cost = {"config": "mine", **model_cost(recognizer(function=torch.relu), (4, 3, 5, 8, 8))}
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
        *(tmp_path / "missing.py", "--json", tmp_path / "costs.json"),
        check=False,
        env={"PATH": str(Path(sys.executable).parent), "CEFL_BENCH_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert "fooled_synthetic.py" in first and "num_clips is 5" in first and "missing.py" in second
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
