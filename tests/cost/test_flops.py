"""What a model costs: published numbers, formulas by hand, and models built to fool a counter."""

import pytest
import timm
import torch
import torch.nn.functional as F
from helpers.run import ROOT
from torch import nn
from torchvision.models.video import r3d_18

from cefl_bench.commands.facts import config_cost
from cefl_bench.config import load_config
from cefl_bench.cost.flops import Count, count
from cefl_bench.cost.operators import Uncountable

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
