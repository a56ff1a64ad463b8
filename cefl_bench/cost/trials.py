"""One kind of work, timed at several batches. One that does not fit into memory is a result, not a crash."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from cefl_bench.cost.measured import BatchSpeed, Comparison
from cefl_bench.cost.memory import MemoryGuard, PeakMemory
from cefl_bench.cost.stopwatch import Stopwatch, spread
from cefl_bench.cost.workload import Step
from cefl_bench.errors import UserError

MIN_SPEEDUP = 1.03
"""A larger batch is better when its videos per second grow so much; after two that are not better, the search ends."""
OUT_OF_MEMORY_WORDINGS = (
    "can't allocate memory",  # the CPU's allocator
    "CUDA out of memory",
    "CUDA error: out of memory",
    "ALLOC_FAILED",  # cuBLAS, cuDNN
    "nable to find an engine to execute this computation",  # cuDNN, when no workspace fits
)
CALLS_PER_BLOCK = {"cpu": 1, "cuda": 5}
MAX_ELEMENTS = 2**31 - 1
"""Of one tensor: many kernels count its elements in 32 bits."""
MAX_BATCH = {"cpu": 32, "cuda": 1024}


@dataclass(frozen=True)
class SpeedOptions:
    """The options of `tools/speed.py`; its --help explains them."""

    device: torch.device
    batch: int | None = None
    max_batch: int | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        for name, value in (("batch", self.batch), ("max-batch", self.max_batch)):
            if value is not None and value < 1:
                raise UserError(f"--{name} is {value}: expected 1 or more")


@dataclass
class Trials:
    """Times the call that `step` makes for a batch.

    Args:
        name: of the work, for `say`.
        step: batch -> the call to time, its input ready.
        input_bytes: size of the input of one video, the least that it takes in memory.
        elements: of the largest tensor that a layer gives for one video.
        say: called with what is measured next.
    """

    name: str
    step: Callable[[int], Step]
    options: SpeedOptions
    input_bytes: int
    elements: int = 1
    say: Callable[[str], object] = lambda stage: None

    def __post_init__(self) -> None:
        self.guard = MemoryGuard(self.options.device, self.input_bytes)

    def compare(self, batch: int, start: int) -> Comparison:
        """Time a fixed batch, and find the fastest of the powers of two from `start` to the limit that fit."""
        stopwatch = self.options.stopwatch
        quick = replace(stopwatch, warmup=2, iterations=3, min_seconds=stopwatch.min_seconds / 4)
        limit = self.options.max_batch or MAX_BATCH[self.options.device.type]
        tried: list[BatchSpeed] = []
        fastest: BatchSpeed | None = None
        size, slower_in_a_row = start, 0
        while size <= limit and slower_in_a_row < 2:
            timed = self.measure(size, quick)
            tried.append(timed)
            if "out_of_memory" in timed:
                break
            if fastest is None or timed["videos_per_s"] > MIN_SPEEDUP * fastest["videos_per_s"]:
                fastest, slower_in_a_row = timed, 0
            else:
                slower_in_a_row += 1
            size *= 2
        fixed = self.measure(batch)
        candidates = [fixed]
        if fastest is not None and fastest["batch"] != batch:
            candidates.append(self.measure(fastest["batch"]))
        fitting = [candidate for candidate in candidates if "videos_per_s" in candidate]
        best = max(fitting, key=lambda candidate: candidate["videos_per_s"], default=None)
        return Comparison(fixed=fixed, best=best, tried=tried)

    def measure(self, batch: int, stopwatch: Stopwatch | None = None, per_block: int | None = None) -> BatchSpeed:
        """Time one batch, or say why there was no memory for it."""
        self.say(f"{self.name}, batch {batch}")
        device = self.options.device
        reason = self.guard.refuses(batch) or self._too_large(batch)
        seconds = None
        memory = PeakMemory(device)
        if reason is None:
            try:
                with memory:
                    seconds = (stopwatch or self.options.stopwatch).time(
                        self.step(batch), device, per_block or CALLS_PER_BLOCK[device.type], memory.begin
                    )
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                reason = str(error).split("\n")[0] or "out of memory"
        if seconds is None:  # outside of `except`, whose traceback holds the tensors
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
            return BatchSpeed(batch=batch, out_of_memory=reason or "out of memory")
        self.guard.learn(batch, memory.rise)
        times = spread(seconds)
        return BatchSpeed(batch=batch, **times, videos_per_s=batch / times["median_ms"] * 1e3, memory=memory.report)

    def _too_large(self, batch: int) -> str | None:
        """Why a batch is not tried, whatever memory there is."""
        if batch * self.elements <= MAX_ELEMENTS:
            return None
        return f"not tried: its largest tensor would have {batch * self.elements:.2g} elements, over {MAX_ELEMENTS:.2g}"


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory did not suffice; PyTorch does not always raise its exception for that."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(wording in str(error) for wording in OUT_OF_MEMORY_WORDINGS)
