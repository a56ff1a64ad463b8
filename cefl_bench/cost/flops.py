"""Parameters and multiply-accumulates of a model, counted without weights and without a device, by two counters."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import nn

from cefl_bench.cost.cross_check import cross_check
from cefl_bench.cost.ledger import Entries, count_on_meta, one_line
from cefl_bench.cost.operators import KINDS, NeedsValues, Uncountable
from cefl_bench.cost.repeats import Repeats
from cefl_bench.cost.trial import check_takes
from cefl_bench.errors import UserError
from cefl_bench.records import Cost, CountedCost, CrossCheck, PartCost, UncountedCost
from cefl_bench.registry import MODELS

COUNTER = f"torch {torch.__version__} FlopCounterMode, meta device"


@dataclass
class Count:
    """What a network costs: `entries` of the canonical counter, and how the second compares."""

    entries: Entries
    cross_check: CrossCheck

    def macs(self, part: str = "") -> int:
        """Multiply-accumulates of the part of this name and all within; of the whole without a name."""
        return sum(macs for (module, _, _), macs in self.entries.items() if _within(module, part))

    def by_kind(self, part: str = "") -> dict[str, int]:
        """MACs per kind of layer (`KINDS`), the kinds that occur."""
        kinds = dict.fromkeys(KINDS, 0)
        for (module, kind, _), macs in self.entries.items():
            kinds[kind] += macs if _within(module, part) else 0
        return {kind: macs for kind, macs in kinds.items() if macs}


def count(network: nn.Module, *inputs: torch.Tensor) -> Count:
    """Count a network on inputs, both of the meta device, with both counters.

    Raises:
        Uncountable: naming the operator and the module it stands in, when no counter knows one or the counters
            disagree; or why the network does not run without values.
    """
    trained = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    for parameter, _ in trained:  # for frozen weights torch runs other matrix products, which are of another kind
        parameter.requires_grad_(parameter.is_floating_point())
    try:
        with Repeats():
            entries = count_on_meta(network, *inputs)
            return Count(entries, cross_check(network, inputs, entries))
    finally:
        for parameter, requires_grad in trained:
            parameter.requires_grad_(requires_grad)


def model_cost(model: Mapping[str, Any], video_shape: tuple[int, int, int, int, int], views: int = 1) -> CountedCost:
    """Count one video through a model, in eval mode.

    A MAC is one multiplication with its addition, and two FLOPs. Counted are convolutions, matrix products, attention
    and recurrent layers; elementwise operators, norms and pools are not, as usual.

    Args:
        model: its config, with the `data_preprocessor` in it.
        video_shape: (N, C, T, H, W) of one view, the set of frames that goes through the model at once.
        views: how many views of a video a test averages.

    Raises:
        Uncountable: as `count`.
        UserError: when the model does not take such a video at all.
    """
    try:
        return network_cost(on_meta(model), video_shape, views)
    except NeedsValues:
        check_takes(model, video_shape)
        raise


def network_cost(network: nn.Module, video_shape: tuple[int, int, int, int, int], views: int = 1) -> CountedCost:
    """`model_cost` of a network that is built, on the meta device.

    Raises:
        Uncountable: as `count`.
    """
    counted = count(network.eval(), torch.empty(1, *video_shape, device="meta"))
    parts = {}
    for name, part in network.named_children():
        if name != "data_preprocessor":
            params, trainable_params = _parameters(part)
            kinds = _times(views, counted.by_kind(name))
            parts[name] = PartCost(
                params=params, trainable_params=trainable_params, macs=views * counted.macs(name), by_kind=kinds
            )
    macs = counted.macs()
    params, trainable_params = _parameters(network)
    return CountedCost(
        params=params,
        trainable_params=trainable_params,
        macs=views * macs,
        flops=2 * views * macs,
        macs_per_view=macs,
        views=views,
        input_shape=list(video_shape),
        num_frames=_num_frames(video_shape, views),
        by_kind=_times(views, counted.by_kind()),
        by_part=parts,
        counter=COUNTER,
        cross_check=counted.cross_check,
    )


def cost_or_reason(model: Mapping[str, Any], video_shape: tuple[int, int, int, int, int], views: int = 1) -> Cost:
    """`model_cost`, or where it is not known: `macs` and `flops` None, and `uncounted`, the reason.

    For a training, which a new operator must not keep from starting.

    Raises:
        UserError: when the model does not take such a video at all.
    """
    try:
        return model_cost(model, video_shape, views)
    except Uncountable as error:
        reason = str(error)
    params: int | None = None
    trainable_params: int | None = None
    with suppress(NeedsValues):
        params, trainable_params = _parameters(on_meta(model))
    return UncountedCost(
        params=params,
        trainable_params=trainable_params,
        macs=None,
        flops=None,
        uncounted=reason,
        views=views,
        input_shape=list(video_shape),
        num_frames=_num_frames(video_shape, views),
    )


def on_meta(model: Mapping[str, Any]) -> nn.Module:
    """The network of a config, without values.

    Raises:
        NeedsValues: when it cannot be built so.
        UserError: when it cannot be built at all.
    """
    try:
        with Repeats(), torch.device("meta"):
            return MODELS.build(dict(model))
    except UserError:
        raise
    except Exception as error:
        raise NeedsValues(f"the model cannot be built on the meta device ({one_line(error)})") from None


def _parameters(module: nn.Module) -> tuple[int, int]:
    """How many numbers a module has as parameters, and how many of them are trained."""
    total = trainable = 0
    for parameter in module.parameters():
        total += prod(parameter.shape)
        trainable += prod(parameter.shape) if parameter.requires_grad else 0
    return total, trainable


def _num_frames(video_shape: tuple[int, int, int, int, int], views: int) -> int:
    return views * video_shape[0] * video_shape[2]


def _times(views: int, by_kind: dict[str, int]) -> dict[str, int]:
    return {kind: views * macs for kind, macs in by_kind.items()}


def _within(module: str, part: str) -> bool:
    return not part or module == part or module.startswith(f"{part}.")
