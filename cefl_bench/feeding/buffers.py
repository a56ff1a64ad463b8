"""Memory for whole batches, shared with the processes that fill it and used again, so that nothing is allocated."""

import weakref

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
        self._memory = torch.empty(number, -(-num_bytes // PAGE) * PAGE, dtype=torch.uint8)
        if shared:
            self._memory.share_memory_()
        if pinned:
            _lock(self._memory)
        self._free = list(range(number))
        self._asked: set[int] = set()

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
        return self._memory[number].numpy()

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
