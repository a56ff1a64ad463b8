"""The loader of a run: whole batches in memory that is used again, on their way to the GPU one batch ahead."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from functools import cached_property
from typing import Any, NamedTuple, cast

import torch
from mmengine.dataset import default_collate
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.feeding.buffers import Buffers
from cefl_bench.feeding.reads import NUMBERS, Reads, Reply, Requests, Shape, shape_of
from cefl_bench.feeding.residence import FramesOnDevice, Residence

IN_USE = 3
"""Batches outside of the workers' queues: one just read, one on its way, one that is computed with."""


def build_feed(
    config: Mapping[str, Any], seed: int | None, residence: Residence, **options: Any
) -> "Feed | DataLoader":
    """The loader that a config describes, as a `Feed`; as mmengine makes it where it joins or chooses in its own way.

    Args:
        **options: of mmengine's `Runner.build_dataloader`.
    """
    loader = Runner.build_dataloader(dict(config), seed=seed, **options)
    collate = config.get("collate_fn") or {}
    plain = collate == {"type": default_collate} and isinstance(loader.dataset, VideoDataset)
    return Feed(loader, residence) if plain and loader.batch_size is not None else loader


class Sent(NamedTuple):
    """A batch on its way."""

    batch: dict[str, Any]
    there: torch.cuda.Event | None
    """When it has arrived; None where it need not travel."""

    def arrived(self) -> dict[str, Any]:
        """The batch; what the GPU is told to do with it from now on waits until it has arrived."""
        if self.there is not None:
            here = torch.cuda.current_stream()
            here.wait_event(self.there)
            for value in self.batch.values():
                if torch.is_tensor(value) and value.is_cuda:
                    value.record_stream(here)
        return self.batch


class Feed:
    """Batches of a dataset of videos, each the same, bit for bit, as a `DataLoader`'s with `default_collate`.

    Frames go from where they are packed to the batch's memory in one step, which worker processes share. On a GPU, a
    batch is sent in one copy while the one before is computed with: its frames, and in training its labels and seeds;
    the rest of it stays on the host.

    Args:
        loader: says what is in a batch, and how many workers there are.
    """

    def __init__(self, loader: DataLoader, residence: Residence) -> None:
        self._plan, self._residence = loader, residence
        self.dataset = cast(VideoDataset, loader.dataset)
        self.sampler, self.batch_sampler = loader.sampler, loader.batch_sampler
        self.batch_size, self.num_workers = cast(int, loader.batch_size), loader.num_workers
        self._frames: FramesOnDevice | None = residence.frames(self.dataset)
        self._buffers: Buffers | None = None
        self._on_their_way: deque[tuple[torch.cuda.Event, torch.Tensor]] = deque()
        """Memory of the host that must not be used again before its copy has arrived."""

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        device = self._residence.device
        stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        ahead: list[Sent] = []
        for reply in self._loader:
            with nullcontext() if stream is None else torch.cuda.stream(stream):  # torch looks for GPUs at each one
                ahead.append(self._send(reply, stream))
            del reply
            if len(ahead) > 1:
                yield ahead.pop(0).arrived()
        for last in ahead:
            yield last.arrived()

    def end_workers(self) -> None:
        """End the processes that read. Left to the garbage collector, they would be waited for for five seconds."""
        if "_loader" in self.__dict__:
            self._loader._iterator = None

    @cached_property
    def _loader(self) -> DataLoader:
        """Made when the first batch is asked for, since a sample must be read to know how much memory a batch takes."""
        plan = self._plan
        shape = self._shape
        if self._frames is None:
            number = IN_USE + plan.num_workers * (plan.prefetch_factor or 0)
            pinned, shared = self._residence.pinned, plan.num_workers > 0
            self._buffers = Buffers(number, shape.end(shape.batch_size), shared, pinned)
        return DataLoader(
            cast(Any, Reads(self.dataset, shape, self._buffers)),
            batch_sampler=cast(Any, Requests(cast(Any, plan.batch_sampler), self._buffers)),
            collate_fn=cast(Any, _as_it_is),
            num_workers=plan.num_workers,
            worker_init_fn=plan.worker_init_fn,
            persistent_workers=plan.persistent_workers,
            prefetch_factor=plan.prefetch_factor,
            timeout=plan.timeout,
            multiprocessing_context=plan.multiprocessing_context,
        )

    @cached_property
    def _shape(self) -> Shape:
        return shape_of(self.dataset[0], self.batch_size, self._frames is not None)

    def _send(self, reply: Reply, stream: torch.cuda.Stream | None) -> "Sent":
        """Send a batch to where it is computed with."""
        batch: dict[str, Any] = {}
        for name, value in reply.fields.items():
            batch[name] = value if isinstance(value, list) or torch.is_tensor(value) else torch.from_numpy(value)
        memory = self._memory(reply)
        if stream is not None:
            memory = self._copied(memory, batch, stream)
        video = memory[self._shape.begin :]
        if self._frames is None:
            batch["video"] = video.view(reply.videos, *self._shape.video)
        else:
            rows = video.view(torch.int64).view(reply.videos, *self._shape.video)
            batch["video"] = self._frames.take(rows)
        return Sent(batch, None if stream is None else stream.record_event())

    def _memory(self, reply: Reply) -> torch.Tensor:
        """The bytes of a batch on the host, as `Shape` has them."""
        end = self._shape.end(reply.videos)
        if reply.buffer is not None and self._buffers is not None:
            return self._buffers.lend(reply.buffer)[:end]
        assert reply.sent is not None
        memory = torch.empty(end, dtype=torch.uint8, pin_memory=self._residence.device.type == "cuda")
        memory[self._shape.begin :] = torch.from_numpy(reply.sent).flatten().view(torch.uint8)
        return memory

    def _copied(self, memory: torch.Tensor, batch: dict[str, Any], stream: torch.cuda.Stream) -> torch.Tensor:
        """The bytes on the GPU, as soon as the stream is there; in training labels and seeds are taken from them."""
        while self._on_their_way and self._on_their_way[0][0].query():
            self._on_their_way.popleft()
        there = copied(memory, batch, self._shape, self._residence.device, not self.dataset.test_mode)
        self._on_their_way.append((stream.record_event(), memory))
        return there


def copied(
    memory: torch.Tensor, batch: dict[str, Any], shape: Shape, device: torch.device, training: bool
) -> torch.Tensor:
    """Copy the memory of a batch to a device, all at once.

    Args:
        batch: in training, its labels and its seeds become those on the device, which the copy takes along.
    """
    for row, name in zip(_numbers(memory, shape), NUMBERS, strict=True):
        row[: len(batch[name])] = batch[name]
    there = memory.to(device, non_blocking=True)
    if training:
        for row, name in zip(_numbers(there, shape), NUMBERS, strict=True):
            batch[name] = row[: len(batch[name])]
    return there


def _numbers(memory: torch.Tensor, shape: Shape) -> torch.Tensor:
    """The part of a batch's memory that is before its frames: a row of int64 for each of `NUMBERS`."""
    return memory[: shape.begin].view(torch.int64).view(len(NUMBERS), shape.batch_size)


def _as_it_is(reply: Reply) -> Reply:
    return reply
