"""One kind of work, timed at several batches; a batch that does not fit into memory is an answer, not a crash."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from cefl_bench.cost.memory import MemoryGuard, PeakMemory
from cefl_bench.cost.stopwatch import Stopwatch, spread
from cefl_bench.cost.workload import Step
from cefl_bench.errors import UserError

WORTH = 1.03
"""A larger batch must be so much faster to be called better; after two that are not, the search ends."""
CALLS_PER_BLOCK = {"cpu": 1, "cuda": 5}
MAX_BATCH = {"cpu": 32, "cuda": 1024}


@dataclass(frozen=True)
class SpeedOptions:
    """What the command line says: see `tools/speed.py --help`."""

    device: torch.device
    batch: int | None = None
    max_batch: int | None = None
    precision: str = "fp32"
    compiled: bool = False
    memory_format: str = "own"
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        for name, value in (("batch", self.batch), ("max-batch", self.max_batch)):
            if value is not None and value < 1:
                raise UserError(f"--{name} is {value}: expected 1 or more")
        if self.precision == "fp16" and self.device.type == "cpu":
            raise UserError("--precision fp16 needs a CUDA device: on a CPU use bf16")


@dataclass
class Trials:
    """Times what `step` gives for a batch.

    Args:
        name: of the work, for `say`, which is told what comes next.
        step: batch -> the call to time, its input ready.
        input_bytes: the input of one video, the least that it takes in memory.
    """

    name: str
    step: Callable[[int], Step]
    options: SpeedOptions
    input_bytes: int
    say: Callable[[str], object] = lambda stage: None

    def __post_init__(self) -> None:
        self.guard = MemoryGuard(self.options.device, self.input_bytes)

    def compare(self, batch: int, start: int) -> dict[str, Any]:
        """The fixed batch, and the fastest of the powers of two from `start` to the limit, of those that fit."""
        stopwatch = self.options.stopwatch
        quick = replace(stopwatch, warmup=2, iterations=3, min_seconds=stopwatch.min_seconds / 4)
        limit, size, worse = self.options.max_batch or MAX_BATCH[self.options.device.type], start, 0
        tried: list[dict[str, Any]] = []
        fastest = None
        while size <= limit and worse < 2:
            tried.append(self.measure(size, quick))
            if "out_of_memory" in tried[-1]:
                break
            better = fastest is None or tried[-1]["videos_per_s"] > WORTH * fastest["videos_per_s"]
            fastest, worse = (tried[-1], 0) if better else (fastest, worse + 1)
            size *= 2
        fixed = self.measure(batch)
        if fastest is None or fastest["batch"] == batch:
            best = fixed if "out_of_memory" not in fixed else None
        else:
            best = self.measure(fastest["batch"])
            best = max((b for b in (best, fixed) if "videos_per_s" in b), key=lambda b: b["videos_per_s"], default=None)
        return {"fixed": fixed, "best": best, "tried": tried}

    def measure(self, batch: int, stopwatch: Stopwatch | None = None, per_block: int | None = None) -> dict[str, Any]:
        """Time one batch, or say why there was no memory for it."""
        self.say(f"{self.name}, batch {batch}")
        device = self.options.device
        reason, seconds = self.guard.refuses(batch), None
        memory = PeakMemory(device)
        if reason is None:
            try:
                with memory:
                    seconds = (stopwatch or self.options.stopwatch).time(
                        self.step(batch), device, per_block or CALLS_PER_BLOCK[device.type]
                    )
            except (RuntimeError, MemoryError) as error:
                if not _out_of_memory(error):
                    raise
                reason = str(error).split("\n")[0] or "out of memory"
        if seconds is None:  # outside of `except`, whose traceback holds the tensors
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
            return {"batch": batch, "out_of_memory": reason}
        self.guard.learn(batch, memory.rise)
        times = spread(seconds)
        return {"batch": batch, **times, "videos_per_s": batch / times["median_ms"] * 1e3, "memory": memory.report}


def _out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory did not suffice; on a CPU PyTorch raises a bare RuntimeError."""
    wordings = ("can't allocate memory", "CUDA out of memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in wordings)
