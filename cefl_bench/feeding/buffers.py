"""Memory for whole batches, shared with the processes that fill it and used again, so that nothing is allocated."""

import os
import weakref
from typing import Any

import numpy as np
import torch

from cefl_bench.errors import UserError

PAGE = 4096
"""Bytes; a buffer begins with a page, so that it can be locked and viewed as numbers of any size."""


class Buffers:
    """So many buffers. One is taken for a batch that is asked for, lent to those who use the batch, and free after.

    A batch may be kept for as long as one likes: its buffer is free when nothing refers to its memory any more.

    Args:
        shared: with processes that are started later.
        pinned: lock the pages, so that a GPU copies from them while the host goes on.
    """

    def __init__(self, number: int, num_bytes: int, shared: bool, pinned: bool) -> None:
        shape = (number, -(-num_bytes // PAGE) * PAGE)
        self._memory = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned and not shared)
        if shared:
            self._memory.share_memory_()
        self._whole = self._memory.numpy()
        """All views that are lent are parts of it, so that it lives as long as any of them."""
        if pinned and shared:
            _lock(self._memory)
            # or else CUDA would go on reading these pages when something else has their address
            weakref.finalize(self._whole, _unlock, self._memory.data_ptr(), os.getpid()).atexit = False
        self._free = list(range(number))
        self._asked: set[int] = set()

    def __getstate__(self) -> dict[str, Any]:
        """What goes to a process that is started to fill the buffers."""
        return {"_memory": self._memory}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._memory = state["_memory"]
        self._whole = self._memory.numpy()

    def take(self) -> int | None:
        """The number of a free buffer; None where all are in use."""
        if not self._free:
            return None
        number = self._free.pop()
        self._asked.add(number)
        return number

    def take_back(self) -> None:
        """Free the buffers that were taken and never lent: those of batches that nobody waits for any more."""
        self._free += sorted(self._asked)
        self._asked.clear()

    def place(self, number: int) -> np.ndarray:
        """The bytes of a buffer, to write to."""
        return self._whole[number]

    def lend(self, number: int) -> torch.Tensor:
        """The bytes of a buffer that was taken, uint8; it is free again when they and all views of them are gone."""
        self._asked.discard(number)
        view = self.place(number)
        weakref.finalize(view, self._free.append, number).atexit = False
        return torch.from_numpy(view)


def _lock(memory: torch.Tensor) -> None:
    """Tell CUDA that the host's pages stay where they are.

    Raises:
        UserError: when the system allows no process so much locked memory.
    """
    error = torch.cuda.cudart().cudaHostRegister(memory.data_ptr(), memory.numel(), 0)
    if int(error):
        raise UserError(
            f"{memory.numel() / 1e6:.0f} MB of memory for batches cannot be locked for the GPU (CUDA error "
            f"{int(error)}): give --data-on mmap, or a smaller train_dataloader.num_workers"
        )


def _unlock(address: int, process: int) -> None:
    """Tell CUDA that the pages may move again; a process that was forked has none to unlock."""
    if os.getpid() == process:
        torch.cuda.cudart().cudaHostUnregister(address)
