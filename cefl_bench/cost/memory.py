"""Peak memory of a measurement, and whether a batch would fit before it is tried."""

import ctypes
import gc
from pathlib import Path
from types import TracebackType

import torch
from typing_extensions import Self

MEMORY_MEASURE = {
    "cuda": "peak of PyTorch's allocator during the measurement, weights included: allocated by tensors, reserved from "
    "the device",
    "cpu": "resident memory of the whole process, from /proc: its peak during the measurement, and how far that lies "
    "above the start of the measurement, when the model is built and freed memory was handed back to the system",
}
MEMORY_MARGIN = 1.25
"""Predicted need of a batch over its share of the last one: libraries keep buffers that do not grow evenly."""
USABLE_SHARE = 0.8
"""Of the memory that is free on a CPU; the rest is left to other processes."""


class PeakMemory:
    """Measures the peak between `with` and its end: `report`, and `rise` in bytes above the start.

    On a CPU it is read from Linux's /proc, where the peak can be reset; elsewhere there is no number and `report` is
    empty.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.report: dict[str, int] = {}
        self.rise: int | None = None

    def __enter__(self) -> Self:
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            _hand_back_freed_memory()
            self._before = _resident("VmRSS") if _reset_peak() else None
        return self

    def begin(self) -> None:
        """Forget the peak so far: what a warm-up tried on a GPU, such as workspaces, is not what a call takes."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.device.type == "cuda":
            self.report = {
                "peak_allocated_bytes": torch.cuda.max_memory_allocated(self.device),
                "peak_reserved_bytes": torch.cuda.max_memory_reserved(self.device),
            }
        elif self._before is not None:
            peak = _resident("VmHWM")
            self.rise = max(peak - self._before, 0)
            self.report = {"rss_rise_bytes": self.rise, "peak_rss_bytes": peak}


class MemoryGuard:
    """Refuses a batch on a CPU that would need more memory than is free, judged by the batch before it.

    Args:
        input_bytes: the input of one video.

    A GPU refuses by itself, without harm. A CPU does not: the machine swaps, or the system kills a process.
    """

    def __init__(self, device: torch.device, input_bytes: int) -> None:
        self.active = device.type == "cpu"
        self._input_bytes = self._per_video = float(input_bytes)

    def learn(self, batch: int, rise: int | None) -> None:
        """Remember how far memory rose for a batch; never less than its input."""
        self._per_video = max((rise or 0) / batch, self._input_bytes)

    def refuses(self, batch: int) -> str | None:
        """Why the batch is not tried, or None when it may be."""
        free = available_memory() if self.active else None
        if free is None:
            return None
        needed = MEMORY_MARGIN * self._per_video * batch
        if needed <= USABLE_SHARE * free:
            return None
        return f"not tried: would need about {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"


def available_memory() -> int | None:
    """Bytes that this process may still take, by the system and by the limit of its container; None when unknown."""
    try:
        meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
        free = next(int(line.split()[1]) * 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None
    try:
        limit, used = (Path("/sys/fs/cgroup", name).read_text().strip() for name in ("memory.max", "memory.current"))
        return min(free, int(limit) - int(used))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return free


def _resident(field: str) -> int:
    """`VmRSS` (now) or `VmHWM` (peak) of this process, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _reset_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): resets VmHWM
    except OSError:
        return False
    return True


def _hand_back_freed_memory() -> None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
