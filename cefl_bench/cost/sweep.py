"""Each compute switch alone and the helpful ones together: what they do to the speed of training, and to its numbers.

Every combination takes turns with eager float32, so that what else the machine does slows both alike. Its scores, and
the norm of its gradient, are compared with those of eager float32 on the same weights and videos.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Any, TypedDict

import numpy as np
import torch
from mmengine.config import Config
from typing_extensions import NotRequired

from cefl_bench.compute.switches import HALF, Compute, Precision
from cefl_bench.cost.ledger import one_line
from cefl_bench.cost.stopwatch import synchronise
from cefl_bench.cost.workload import Step, Workload
from cefl_bench.errors import UserError

EAGER = Compute()
SCORE_TOLERANCE: dict[Precision, float] = {"fp32": 1e-3, "fp32_strict": 1e-3, "tf32": 1e-2, "bf16": 5e-2, "fp16": 5e-2}
"""How far any score may be off, as a share of the largest one, by precision."""
GRADIENT_TOLERANCE = 2.0
"""By which factor the norm of the gradient may differ, up or down; dropout alone moves it by a few per cent."""
MIN_GAIN = 1.03
"""A switch is worth setting when training becomes so many times as fast, and the rounds spread less than that."""
SINGLES = {
    "cpu": (
        Compute(precision="bf16"),
        Compute(memory_format="channels_last"),
        Compute(memory_format="contiguous"),
        Compute(compile=True),
        Compute(fused=True),
    ),
    "cuda": (
        Compute(precision="tf32"),
        Compute(precision="bf16"),
        Compute(precision="fp16"),
        Compute(memory_format="channels_last"),
        Compute(memory_format="contiguous"),
        Compute(compile=True),
        Compute(cuda_graphs=True),
        Compute(fused=True),
        Compute(deterministic=True),
    ),
}


class Combination(TypedDict):
    """One combination of switches."""

    switches: str
    """As on a command line; `eager float32` for none."""
    compute: dict[str, Any]
    """As in a config."""
    refused: NotRequired[str]
    """Why it cannot run here; there are no numbers then."""
    videos_per_s: NotRequired[float]
    ratio: NotRequired[float]
    """To eager float32, median of the rounds."""
    ratio_iqr: NotRequired[float]
    score_error: NotRequired[float]
    """Largest difference of a score, as a share of the largest score."""
    score_tolerance: NotRequired[float]
    gradient_ratio: NotRequired[float]
    """Norm of the gradient, to that in eager float32; infinite where it is not finite."""
    correct: NotRequired[bool]
    """Whether both are within their tolerances."""


class Sweep(TypedDict):
    """All combinations of one config."""

    batch: int
    rounds: int
    combinations: list[Combination]
    use: dict[str, Any]
    """`compute` of the fastest correct combination in float32: the protocol stays the same."""
    use_in_any_precision: dict[str, Any]
    """`compute` of the fastest correct one of all."""


@dataclass(frozen=True)
class SweepOptions:
    """What is swept: on which device, at which batch, in how many rounds of at least so many seconds."""

    device: torch.device
    batch: int
    rounds: int = 5
    min_seconds: float = 1.0


def sweep(
    config: Config,
    video_shape: tuple[int, int, int, int, int],
    options: SweepOptions,
    say: Callable[[str], object] = lambda stage: None,
) -> Sweep:
    """Measure the switches of `SINGLES` alone, then those that help together, in float32 and in the best precision.

    Args:
        video_shape: (N, C, T, H, W) of one video as the network takes it.
        say: called with what is measured next.
    """
    torch.manual_seed(0)
    eager = Workload(config, video_shape, video_shape[-1], options.device, EAGER)
    bench = Bench(config, video_shape, options, eager)
    combinations: list[Combination] = []
    for compute in SINGLES[options.device.type]:
        say(str(compute))
        combinations.append(bench.measure(compute))
    for together in combined(combinations):
        say(str(together))
        combinations.append(bench.measure(together))
    own = Combination(
        switches="eager float32",
        compute={},
        videos_per_s=bench.eager_videos_per_s(),
        ratio=1.0,
        ratio_iqr=0.0,
        correct=True,
    )
    combinations.insert(0, own)
    return Sweep(
        batch=options.batch,
        rounds=options.rounds,
        combinations=combinations,
        use=best([one for one in combinations if "precision" not in one["compute"]]),
        use_in_any_precision=best(combinations),
    )


class Bench:
    """Compares a combination with eager float32.

    Args:
        eager: the network in eager float32; the others take over its weights.
    """

    def __init__(
        self, config: Config, video_shape: tuple[int, int, int, int, int], options: SweepOptions, eager: Workload
    ) -> None:
        self.config, self.video_shape, self.options = config, video_shape, options
        self.eager = eager
        self.weights = {name: value.clone() for name, value in eager.network.state_dict().items()}
        self.video = torch.randn(options.batch, *video_shape, device=options.device)
        self.scores, self.gradient = eager.check(self.video)
        self.eager_step = eager.training(options.batch)
        self._eager_seconds: list[float] = []

    def measure(self, compute: Compute) -> Combination:
        """Speed and correctness of a combination; or why it cannot run here."""
        named = Combination(switches=str(compute), compute=compute.changed())
        shape, device = self.video_shape, self.options.device
        try:
            work = Workload(self.config, shape, shape[-1], device, compute)
            work.network.load_state_dict(self.weights)
            scores, gradient = work.check(self.video)
            seconds = self._rounds(work.training(self.options.batch), work)
        except UserError as error:
            named["refused"] = str(error)
            return named
        except Exception as error:  # a compiler may be missing, or fail in any way
            named["refused"] = f"{type(error).__name__}: {one_line(error)}"
            return named
        finally:
            self.eager.set_up_torch()
        ratios = seconds[:, 0] / seconds[:, 1]
        score_error = float((scores - self.scores).abs().max() / self.scores.abs().max())
        ratio = gradient / self.gradient if isfinite(gradient) else float("inf")
        tolerance = SCORE_TOLERANCE[compute.precision]
        quarter, median, three_quarters = np.percentile(ratios, (25, 50, 75))
        return Combination(
            switches=str(compute),
            compute=compute.changed(),
            videos_per_s=self.options.batch / float(np.median(seconds[:, 1])),
            ratio=float(median),
            ratio_iqr=float(three_quarters - quarter),
            score_error=score_error,
            score_tolerance=tolerance,
            gradient_ratio=ratio,
            correct=score_error <= tolerance and 1 / GRADIENT_TOLERANCE <= ratio <= GRADIENT_TOLERANCE,
        )

    def eager_videos_per_s(self) -> float:
        """Of eager float32, median over all its turns."""
        return self.options.batch / float(np.median(self._eager_seconds))

    def _rounds(self, step: Step, work: Workload) -> np.ndarray:
        """(rounds, 2) seconds of a step in eager float32, and of another, in turns."""
        pair = ((self.eager, self.eager_step), (work, step))
        calls = []
        for owner, one in pair:
            owner.set_up_torch()
            one()  # the first call of all allocates, compiles, or looks for the fastest convolution
            seconds = self._time(one, 1)
            calls.append(max(1, ceil(self.options.min_seconds / self.options.rounds / seconds)))
        times = np.zeros((self.options.rounds, 2))
        for turn in range(self.options.rounds):
            for place, (owner, one) in enumerate(pair):
                owner.set_up_torch()
                times[turn, place] = self._time(one, calls[place])
        self._eager_seconds += times[:, 0].tolist()
        return times

    def _time(self, step: Step, calls: int) -> float:
        synchronise(self.options.device)
        start = time.perf_counter()
        for _ in range(calls):
            step()
        synchronise(self.options.device)
        return (time.perf_counter() - start) / calls


def combined(singles: Sequence[Combination]) -> list[Compute]:
    """What is worth trying together: the helpful switches without precision, and with the fastest helpful precision."""
    helpful = [one for one in singles if helps(one)]
    switches: dict[str, Any] = {}
    for one in sorted(helpful, key=lambda one: one["ratio"]):  # of two memory formats the faster one stays
        switches |= {name: value for name, value in one["compute"].items() if name != "precision"}
    if "cuda_graphs" in switches:
        switches.pop("compile", None)
    precisions = [one for one in helpful if "precision" in one["compute"]]
    tried = [one["compute"] for one in singles]
    together = [switches] if switches and switches not in tried else []
    if precisions:
        fastest = max(precisions, key=lambda one: one["ratio"])["compute"]
        together += [switches | fastest] if switches else []
        if fastest["precision"] in HALF and "memory_format" not in switches:
            together.append(switches | fastest | {"memory_format": "channels_last"})  # what half precision likes
    return [replace(EAGER, **one) for one in together]


def best(combinations: Sequence[Combination]) -> dict[str, Any]:
    """`compute` of the fastest correct combination; no switch where none is worth it."""
    helpful = [one for one in combinations if helps(one)]
    return max(helpful, key=lambda one: one["ratio"])["compute"] if helpful else {}


def helps(one: Combination) -> bool:
    """Whether a combination is correct, and faster than eager float32 by more than chance."""
    if "refused" in one or not one["correct"]:
        return False
    return one["ratio"] >= MIN_GAIN and one["ratio"] - one["ratio_iqr"] > 1
