"""Where the frames of a run wait: in a GPU's memory, or in the host's, locked for it or not."""

import os
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Literal, get_args

import numpy as np
import torch
from tqdm import tqdm

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.store.read import Store
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import Reader

DataOn = Literal["auto", "device", "pinned", "mmap"]
MAX_SHARE_OF_MEMORY = 0.6
"""Of the free memory of a device that packed frames may take; the rest is for the training."""
FRAMES_AT_ONCE = 1024
"""Copied to the device together."""
NUM_COPIES = 4
"""At a time: a thread alone reads packed frames more slowly than a GPU takes them."""


def checked(data_on: Any) -> DataOn:
    """Raises: UserError: when it is no place where frames can wait."""
    if data_on not in get_args(DataOn):
        raise UserError(f"data_on is {data_on!r}: expected one of {', '.join(get_args(DataOn))}")
    return data_on


class FramesOnDevice:
    """All packed frames of a store in the memory of a device, from which a batch takes its own."""

    def __init__(self, store: Store, device: torch.device) -> None:
        size = store.index.size
        self._frames = torch.empty(store.num_frames, size, size, 3, dtype=torch.uint8, device=device)
        stages: SimpleQueue[torch.Tensor] = SimpleQueue()
        for _ in range(NUM_COPIES):
            stages.put(torch.empty(FRAMES_AT_ONCE, size, size, 3, dtype=torch.uint8, pin_memory=device.type == "cuda"))

        def copy(row: int, part: np.ndarray) -> int:
            stage = stages.get()
            stage.numpy()[: len(part)] = part
            self._frames[row : row + len(part)].copy_(stage[: len(part)])
            stages.put(stage)
            return part.nbytes

        parts = list(store.parts(FRAMES_AT_ONCE))
        rows = np.cumsum([0] + [len(part) for part in parts[:-1]]).tolist()
        title = f"frames to {device}"
        with (
            ThreadPoolExecutor(NUM_COPIES) as pool,
            tqdm(desc=title, total=store.num_bytes(), unit="B", unit_scale=True, leave=False, disable=None) as bar,
        ):
            for num_bytes in pool.map(copy, rows, parts):
                bar.update(num_bytes)

    def take(self, rows_BNT: torch.Tensor) -> torch.Tensor:
        """int64 (B, N, T), on the device -> uint8 (B, N, T, H, W, C)."""
        return self._frames.index_select(0, rows_BNT.flatten()).unflatten(0, rows_BNT.shape)


class Residence:
    """Decides where the frames of each dataset of a run wait; one store is copied to the device once.

    Args:
        data_on: `device`, where the packed frames fit its free memory; `pinned`, batches are gathered in locked memory
            of the host; `mmap`, in other memory of the host; `auto`, the first of them that can be.

    Raises:
        UserError: when it needs a GPU and there is none.
    """

    def __init__(self, data_on: DataOn, device: torch.device) -> None:
        if data_on == "pinned" and device.type != "cuda":
            raise UserError("--data-on pinned locks memory for a GPU, and there is none: leave it out")
        self.data_on, self.device = data_on, device
        self.pinned = device.type == "cuda" and data_on in ("auto", "pinned", "device")
        self._frames: dict[str, FramesOnDevice] = {}

    def frames(self, dataset: VideoDataset) -> FramesOnDevice | None:
        """The frames of a dataset on the device; None where its batches come from the host.

        Raises:
            UserError: when they are wanted on the device and cannot be there.
        """
        wanted = self.data_on == "device"
        if not (wanted or (self.data_on == "auto" and self.device.type == "cuda")):
            return None
        store = _store_of(dataset)
        reason = _unfit(dataset, store)
        if store is None or reason:
            if wanted:
                raise UserError(f"--data-on device: {reason}; give --data-on auto")
            return None
        key = str(store.folder)
        if key not in self._frames:
            free = _free_bytes(self.device)
            if store.num_bytes() > MAX_SHARE_OF_MEMORY * free:
                if wanted:
                    raise UserError(
                        f"--data-on device: the packed frames have {store.num_bytes() / 1e9:.1f} GB, and {self.device} "
                        f"has {free / 1e9:.1f} GB free, of which they may take {MAX_SHARE_OF_MEMORY:.0%}: give "
                        "--data-on auto"
                    )
                return None
            self._frames[key] = FramesOnDevice(store, self.device)
        return self._frames[key]


def _store_of(dataset: VideoDataset) -> Store | None:
    reader = dataset.pipeline.transforms[0]
    return reader.store(dataset.data_root) if isinstance(reader, Reader) else None


def _unfit(dataset: VideoDataset, store: Store | None) -> str:
    """Why the frames of a dataset cannot be taken by a device; empty where they can."""
    if store is None:
        return f"the videos of {dataset.METAINFO['name']} are not packed: run tools/pack.py"
    if type(dataset.pipeline.transforms[-1]) is not Pack:
        return "a transform behind Pack needs the frames on the host"
    for entry in dataset.entries():
        frames = store.frames(entry)
        if frames is None or entry["num_frames"] not in (-1, len(frames)):
            return f"{entry['path']} is not packed"
    return ""


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
