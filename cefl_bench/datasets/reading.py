"""Which video each data worker is reading, told where the main process can see it when a worker is killed."""

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakSet

import torch
from torch.utils.data import get_worker_info

from cefl_bench.errors import UserError

if TYPE_CHECKING:
    from cefl_bench.datasets.base import VideoDataset

MAX_WORKERS = 512
"""Workers of one loader that are told apart; later ones write over the first."""
NO_VIDEO = -1
GRACE_SECONDS = 1.0
"""How long a process takes to end after its sockets are closed."""
DEATH_MESSAGE = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")
"""How torch says that workers died: with their process ids."""
SIGNAL_MESSAGE = re.compile(r"killed by signal: (\w[\w ]*)")
"""Said in the same error, or in the one that it was raised from."""
_datasets: "WeakSet[VideoDataset]" = WeakSet()


class Reading:
    """What every worker of one dataset is at: a row (process id, index of a video) each, in shared memory."""

    def __init__(self, dataset: "VideoDataset") -> None:
        self._rows = torch.full((MAX_WORKERS, 2), NO_VIDEO, dtype=torch.int64).share_memory_()
        _datasets.add(dataset)

    def begin(self, index: int) -> None:
        """Note that this process reads a video; only workers do."""
        worker = get_worker_info()
        if worker is not None:
            self._rows.numpy()[worker.id % MAX_WORKERS] = os.getpid(), index

    def end(self) -> None:
        """Note that it is read."""
        self.begin(NO_VIDEO)

    def videos(self) -> dict[int, int]:
        """Process id -> index of the video, of every worker that has begun one and not ended it."""
        return {process: index for process, index in self._rows.tolist() if index != NO_VIDEO}


@contextmanager
def named_deaths() -> Iterator[None]:
    """Let the death of a data worker inside the block end in an error that names the video it was at.

    Raises:
        UserError: instead of torch's error, when a worker was killed: by a broken video, lack of memory, or by hand.
    """
    try:
        yield
    except (RuntimeError, OSError, EOFError) as error:
        # torch's handler raises whenever a worker ends: also here, and on the way out
        handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        said = DEATH_MESSAGE.search(str(error))
        # an OSError: what a dead worker had read before is in memory that went with it
        dead = [int(number) for number in said[1].split(",")] if said else _dead_workers()
        if not dead:
            signal.signal(signal.SIGCHLD, handler)
            raise
        known = SIGNAL_MESSAGE.search(f"{error} {error.__cause__}")
        raise UserError(_story(_videos_of(dead), known[1] if known else "")) from None


def _dead_workers() -> list[int]:
    """The processes that were reading a video and have ended, in case one is about to be found dead."""
    reading: set[int] = set()
    for dataset in list(_datasets):
        reading |= dataset.reading.videos().keys()
    deadline = time.monotonic() + GRACE_SECONDS
    while reading:
        dead = reading - {child.pid for child in multiprocessing.active_children()}
        if dead or time.monotonic() > deadline:
            return sorted(dead)
        time.sleep(0.01)
    return []


def _videos_of(processes: list[int]) -> list[str]:
    """The paths of the videos that these processes were reading."""
    paths = []
    for dataset in list(_datasets):
        for process, index in dataset.reading.videos().items():
            if process in processes:
                paths.append(dataset.get_data_info(index)["path"])
    return paths


def _story(paths: list[str], signal_name: str) -> str:
    how = f" (signal: {signal_name})" if signal_name else ""
    if paths:
        return (
            f"a data worker died{how} while it read {', '.join(paths)}: see what tools/doctor.py says of it; where the "
            "machine ran out of memory, set a smaller num_workers in the loaders"
        )
    return (
        f"a data worker died{how} between two videos, out of memory or of shared memory (/dev/shm): set a smaller "
        "num_workers or batch_size in the loaders, or give the machine more of it"
    )
