"""Times a call with the device synchronised. Every single time is kept, for the median and the spread."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from cefl_bench.cost.measured import Times
from cefl_bench.errors import UserError

MAX_SECONDS_RATIO = 20
"""A slow call is timed for at most so many times `min_seconds`, with fewer iterations than asked for."""
MIN_ITERATIONS = 3


@dataclass(frozen=True)
class Stopwatch:
    """How long to measure.

    Args:
        warmup: calls before the clock starts, at least one.
        iterations: timed calls at least, unless they are slow (`MAX_SECONDS_RATIO`).
        min_seconds: timed seconds at least.
    """

    warmup: int = 5
    iterations: int = 20
    min_seconds: float = 1.0

    def __post_init__(self) -> None:
        for name, value, least in (("warmup", self.warmup, 1), ("iterations", self.iterations, MIN_ITERATIONS)):
            if value < least:
                raise UserError(f"--{name} is {value}: expected {least} or more")
        if not 0 < self.min_seconds < float("inf"):
            raise UserError(f"--min-seconds is {self.min_seconds}: expected more than 0")

    def time(
        self,
        call: Callable[[], object],
        device: torch.device,
        per_block: int = 1,
        begin: Callable[[], object] | None = None,
    ) -> np.ndarray:
        """(blocks,) seconds per call.

        Args:
            per_block: calls between two synchronisations. One measures latency; several let a GPU run while the next
                call is prepared, as in a loop over batches.
            begin: called between the warm-up and the first timed call.
        """
        max_seconds = MAX_SECONDS_RATIO * self.min_seconds
        start = time.perf_counter()
        for _ in range(self.warmup):
            call()
            synchronise(device)
            if time.perf_counter() - start > max_seconds / 4:
                break
        if begin is not None:
            begin()
        blocks: list[float] = []
        while len(blocks) < self.iterations or sum(blocks) < self.min_seconds:
            if len(blocks) >= MIN_ITERATIONS and sum(blocks) > max_seconds:
                break
            start = time.perf_counter()
            for _ in range(per_block):
                call()
            synchronise(device)
            blocks.append(time.perf_counter() - start)
        return np.array(blocks) / per_block


def synchronise(device: torch.device) -> None:
    """Wait until the device has finished all work that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def spread(seconds: np.ndarray) -> Times:
    """(n,) times of one call in seconds -> their median and spread in milliseconds."""
    quarter, median, three_quarters, p95 = np.percentile(seconds * 1e3, (25, 50, 75, 95))
    return Times(median_ms=float(median), p95_ms=float(p95), iqr_ms=float(three_quarters - quarter), timed=len(seconds))
