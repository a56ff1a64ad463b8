"""What a worker process does: reads the videos of a batch, their frames straight into the batch's memory."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import default_collate

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.feeding.buffers import Buffers
from cefl_bench.records import Draw, Place, Sample

NUMBERS = ("label", "seed")
"""What goes to a GPU with the frames of a batch: int64, each."""


class Shape(NamedTuple):
    """How a batch lies in memory: the labels, the seeds, then the frames (or where they are) of its videos."""

    batch_size: int
    video: tuple[int, ...]
    """Of one video: (N, T, H, W, C), or (N, T) of rows."""
    item_bytes: int
    """Of a number of a video: 1, or 8 of a row."""

    @property
    def video_bytes(self) -> int:
        return math.prod(self.video) * self.item_bytes

    @property
    def begin(self) -> int:
        """The byte at which the videos begin."""
        return self.batch_size * len(NUMBERS) * 8

    def end(self, videos: int) -> int:
        """The byte at which so many videos end."""
        return self.begin + videos * self.video_bytes


class Request(NamedTuple):
    """What a worker is asked for."""

    videos: list[int | Draw]
    buffer: int | None
    """Where their frames are wanted; None where there is no room, and they are sent."""


class Reply(NamedTuple):
    """What it answers: all of a batch but the frames that are in the buffer."""

    fields: dict[str, Any]
    """Of a batch of `Sample`s without their videos: arrays, and lists of texts."""
    videos: int
    buffer: int | None
    sent: np.ndarray | None
    """(B, N, T, H, W, C) where there was no room; (B, N, T) rows."""


class Requests:
    """The batches of a sampler as requests, in its order."""

    def __init__(self, batches: Iterable[list[int | Draw]], buffers: Buffers | None) -> None:
        self.batches, self.buffers = batches, buffers

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Request]:
        if self.buffers is not None:  # of an epoch that was left before its end
            self.buffers.take_back()
        for videos in self.batches:
            yield Request(list(videos), None if self.buffers is None else self.buffers.take())


class Reads:
    """A dataset for torch's loader, asked for a batch at a time.

    Args:
        buffers: where frames go; None where a batch takes rows.
    """

    def __init__(self, dataset: VideoDataset, shape: Shape, buffers: Buffers | None) -> None:
        self.dataset, self.shape, self.buffers = dataset, shape, buffers

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, request: Request) -> Reply:
        count, by_row = len(request.videos), self.buffers is None
        room: np.ndarray | None = None
        if self.buffers is not None and request.buffer is not None:
            room = self.buffers.place(request.buffer)[self.shape.begin : self.shape.end(count)]
            room = room.reshape(count, *self.shape.video)
        samples, videos = [], []
        for number, index in enumerate(request.videos):
            place = None if room is None else room[number]
            sample: dict[str, Any] = dict(self.dataset.sample(index, Place(place, by_row)))
            video = sample.pop("video")
            if place is None:
                videos.append(video)
            elif video is not place:  # decoded, or changed by a transform
                place[...] = video
            samples.append(sample)
        return Reply(together(samples), count, request.buffer, np.stack(videos) if room is None else None)


def together(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Samples without videos -> a batch of them; numbers as arrays, which go to another process more cheaply."""
    batch: dict[str, Any] = {}
    for name, first in samples[0].items():
        values = [sample[name] for sample in samples]
        if isinstance(first, np.ndarray):
            batch[name] = np.stack(values)
        elif isinstance(first, int | float | np.number):
            batch[name] = np.array(values)
        else:
            batch[name] = default_collate(values)
    return batch


def shape_of(sample: Sample, batch_size: int, by_row: bool) -> Shape:
    """The shape of a batch of such samples."""
    video = sample["video"].shape
    return Shape(batch_size, video[:2], 8) if by_row else Shape(batch_size, video, 1)
