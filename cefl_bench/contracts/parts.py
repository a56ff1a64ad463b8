"""What every backbone, aggregator and head promises, whoever wrote it."""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
    UnsupportedOperatorException,
)

from cefl_bench.contracts.promise import Outcome, expect, outcomes
from cefl_bench.cost.flops import count
from cefl_bench.cost.repeats import Repeats, forget_values
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.heads.base import Head

MIXING_TOLERANCE = 1e-4
"""By which the feature of a clip may change with the clips beside it: float error of another batch."""


@dataclass
class Part:
    """A part of a model that is checked.

    Args:
        build: makes it, with random weights.
        inputs: what it takes, a batch of at least two.
        objective: the module and the inputs -> a number that it would be trained on.
    """

    build: Callable[[], nn.Module]
    inputs: tuple[torch.Tensor, ...]
    objective: Callable[[Any, tuple[torch.Tensor, ...]], torch.Tensor]

    @cached_property
    def module(self) -> Any:
        """The part with its first weights; checks leave them as they are."""
        torch.manual_seed(0)
        module: Any = self.build()
        with _without_log():  # mmengine tells of every parameter how it starts
            module.init_weights()
        return module

    @cached_property
    def in_training(self) -> tuple[Any, torch.Tensor]:
        """A copy that has seen the inputs in train mode, and the number that it would be trained on."""
        module = copy.deepcopy(self.module).train()
        return module, self.objective(module, self.inputs)

    @cached_property
    def output(self) -> torch.Tensor:
        """What it gives for its inputs in eval mode."""
        return self.gives(*self.inputs)

    @torch.no_grad()
    def gives(self, *inputs: torch.Tensor) -> torch.Tensor:
        """What it gives for other inputs."""
        return _first(self.module.eval()(*inputs))


def examine_backbone(name: str, build: Callable[[], Backbone], clip_shape: tuple[int, ...]) -> Iterator[Outcome]:
    """Check a backbone on random clips (C, T, H, W)."""
    generator = torch.Generator().manual_seed(0)
    clip_BCTHW = torch.randn(2, *clip_shape, generator=generator)
    return outcomes(f"backbone {name}", Part(build, (clip_BCTHW,), _with_auxiliary_losses), BACKBONE | ANY_PART)


def examine_aggregator(name: str, build: Callable[[], Aggregator], num_clips: int, in_dim: int) -> Iterator[Outcome]:
    """Check an aggregator on random features."""
    generator = torch.Generator().manual_seed(0)
    feature_BND = torch.randn(2, num_clips, in_dim, generator=generator)
    return outcomes(f"aggregator {name}", Part(build, (feature_BND,), _with_auxiliary_losses), AGGREGATOR | ANY_PART)


def examine_head(name: str, build: Callable[[], Head], in_dim: int, num_classes: int) -> Iterator[Outcome]:
    """Check a head on random features of one video of every class, and of every class again."""
    generator = torch.Generator().manual_seed(0)
    label_B = torch.arange(num_classes).repeat(2)
    feature_BD = torch.randn(len(label_B), in_dim, generator=generator)

    def gives_losses(part: Part) -> None:
        losses = part.module.loss(feature_BD, label_B)
        expect(bool(losses), "loss() gives no loss: expected a dict of at least one")
        _check_losses("loss()", losses)

    def gives_scores(part: Part) -> None:
        shape, wanted = tuple(part.output.shape), (len(label_B), num_classes)
        expect(shape == wanted, f"gives {shape}: expected (B, K) = {wanted}")

    def objective(head: Any, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return sum(head.loss(*inputs, label_B).values())

    promises = {"gives scores (B, K)": gives_scores, "gives losses": gives_losses}
    return outcomes(f"head {name}", Part(build, (feature_BD,), objective), promises | ANY_PART)


def _check_losses(giver: str, losses: Mapping[str, torch.Tensor]) -> None:
    for key, loss in losses.items():
        expect(key.startswith("loss_"), f"{giver} gives {key!r}: expected keys loss_<what>, which mmengine adds up")
        expect(loss.dim() == 0, f"{giver} gives {key} of shape {tuple(loss.shape)}: expected one number")


def _auxiliary_losses(module: Any, inputs: tuple[torch.Tensor, ...]) -> Mapping[str, torch.Tensor]:
    """Those of a backbone or an aggregator that has seen the inputs; every video is of the first class."""
    return module.auxiliary_losses(torch.zeros(len(inputs[0]), dtype=torch.int64))


def _with_auxiliary_losses(module: Any, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    output = _first(module(*inputs)).square().sum()
    return output + sum(_auxiliary_losses(module, inputs).values())


def _gives_auxiliary_losses(part: Part) -> None:
    module, _ = part.in_training
    _check_losses("auxiliary_losses()", _auxiliary_losses(module, part.inputs))


def _gives_features(part: Part) -> None:
    shape, wanted = tuple(part.output.shape), (len(part.inputs[0]), part.module.feat_dim)
    expect(shape == wanted, f"gives {shape}: expected (B, feat_dim) = {wanted}")


def _keeps_clips_apart(part: Part) -> None:
    clip_BCTHW = part.inputs[0]
    changed = clip_BCTHW.clone()
    changed[1] = clip_BCTHW[1].flip(-1) + 1
    before, after = part.output, part.gives(changed)
    same = torch.allclose(after[0], before[0], atol=MIXING_TOLERANCE)
    expect(same, "a clip's feature depends on the other clips of the batch: expected each clip alone")
    expect(not torch.allclose(after[1], before[1]), "a clip's feature does not depend on the clip")


def _joins_clips(part: Part) -> None:
    feature_BND = part.inputs[0]
    with torch.no_grad():
        output = part.module.eval()(feature_BND)
    expect(isinstance(output, tuple) and len(output) == 2, "gives no pair: expected (feature, clip weights or None)")
    feature_BD, weight_BN = output
    wanted = (len(feature_BND), part.module.feat_dim)
    expect(feature_BD.shape == wanted, f"gives {tuple(feature_BD.shape)}: expected (B, feat_dim) = {wanted}")
    if weight_BN is not None:
        shape, clips = tuple(weight_BN.shape), tuple(feature_BND.shape[:2])
        expect(shape == clips, f"gives clip weights {shape}: expected (B, N) = {clips}")
        total_B = weight_BN.sum(dim=1)
        is_one = torch.allclose(total_B, torch.ones_like(total_B), atol=1e-4)
        expect(is_one, f"clip weights of a video sum to {total_B[0].item():.3f}: expected 1")


def _keeps_videos_apart(part: Part) -> None:
    feature_BND = part.inputs[0]
    changed = feature_BND.clone()
    changed[1:] += 1
    same = torch.allclose(part.gives(changed)[0], part.output[0], atol=MIXING_TOLERANCE)
    expect(same, "a video's feature depends on the other videos of the batch: expected each video alone")


def _learns(part: Part) -> None:
    module, objective = part.in_training
    learning = [name for name, parameter in module.named_parameters() if parameter.requires_grad]
    if not learning:
        return
    objective.backward()
    unused = [name for name in learning if module.get_parameter(name).grad is None]
    expect(
        not unused,
        f"parameters without a gradient: {', '.join(unused)}: use them, take them away, or set requires_grad=False",
    )


def _runs_in_half_precision(part: Part) -> None:
    """On tensors without values, if it can: a CPU takes minutes for a large 3D convolution in bfloat16."""
    module, autocast = copy.deepcopy(part.module).eval(), torch.autocast("cpu", torch.bfloat16)
    try:
        with _without_log(), FakeTensorMode(allow_non_fake_inputs=True) as fake, Repeats(), torch.no_grad(), autocast:
            forget_values(module, torch.device("cpu"))
            module(*map(fake.from_tensor, part.inputs))
    except (DataDependentOutputException, DynamicOutputShapeException, UnsupportedOperatorException):
        with autocast:
            part.gives(*part.inputs)


def _is_the_same_reloaded(part: Part) -> None:
    other = copy.deepcopy(part.module)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(part.module.state_dict())
    with torch.no_grad():
        reloaded = _first(other.eval()(*part.inputs))
    expect(
        torch.allclose(reloaded, part.output, atol=1e-5), "gives something else after its weights were saved and loaded"
    )


def _runs_on_meta(part: Part) -> None:
    with Repeats(), torch.device("meta"):
        part.build()
    on_meta = [tensor.to("meta") for tensor in part.inputs]
    with Repeats():
        shape = _first(copy.deepcopy(part.module).to("meta").eval()(*on_meta)).shape
    wanted = part.output.shape
    expect(shape == wanted, f"gives {tuple(shape)} on the meta device and {tuple(wanted)} on a real one")


def _is_counted(part: Part) -> None:
    on_meta = [tensor.to("meta") for tensor in part.inputs]
    macs = count(copy.deepcopy(part.module).to("meta").eval(), *on_meta).macs()
    has_weights = any(parameter.dim() > 1 for parameter in part.module.parameters())
    expect((macs > 0) == has_weights, f"counted {macs} MACs, and it has {'' if has_weights else 'no '}weights")


@contextmanager
def _without_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _first(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    return output if isinstance(output, torch.Tensor) else output[0]


BACKBONE: dict[str, Callable[[Part], None]] = {
    "gives features (B, feat_dim)": _gives_features,
    "clips do not mix": _keeps_clips_apart,
    "auxiliary losses are numbers by name": _gives_auxiliary_losses,
}
AGGREGATOR: dict[str, Callable[[Part], None]] = {
    "gives a feature (B, feat_dim) and clip weights": _joins_clips,
    "videos do not mix": _keeps_videos_apart,
    "auxiliary losses are numbers by name": _gives_auxiliary_losses,
}
ANY_PART: dict[str, Callable[[Part], None]] = {
    "every trained parameter gets a gradient": _learns,
    "runs in half precision": _runs_in_half_precision,
    "is the same after save and load": _is_the_same_reloaded,
    "builds and runs on the meta device": _runs_on_meta,
    "FLOPs are counted": _is_counted,
}
