"""The frames of a video, counted and found by decoding from the first one on with PyAV: right for any file."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.media.display import Display, display_filters, display_of
from cefl_bench.media.images import frame_files, read_image, scaled_image
from cefl_bench.media.videos import USUAL_RATE, Clock, decode, open_video


class SequentialFrames:
    """The frames of a video file as a player turns them, at the pixel values of decord.

    Pixels that are not square need no care here: a frame is scaled to a square either way.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        self._length = sum(1 for _ in decode(path))
        self._scaler: _Scaler | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._place = self._length
        """Frames of `_frames` that are behind us: a read of later ones goes on there."""

    def __len__(self) -> int:
        return self._length

    def read(self, indices: np.ndarray) -> np.ndarray:
        """(n,) ascending frame indices without repeats -> uint8 (n, size, size, 3), RGB."""
        found: list[np.ndarray] = []
        for index in indices.tolist():
            if index < self._place:
                self._frames, self._place = decode(self.path), 0
            frame = next(islice(self._frames, index - self._place, None), None)
            if frame is None:
                raise IndexError(f"frame {index} was asked for, {len(self)} were counted")
            self._place = index + 1
            if self._scaler is None:
                self._scaler = _Scaler(self.size, display_of(frame))
            found.append(self._scaler.scale(frame))
        return np.stack(found)


def scaled_frames(path: str | Path, size: int) -> Iterator[tuple[float, np.ndarray]]:
    """Yield when a frame of a file, or of a folder of images, is shown, and the frame: the pixels of `ReadAny`.

    In one pass; times are in seconds from 0 on, frames (size, size, 3).

    Raises:
        UserError: naming the video, when it cannot be read or holds no frame.
    """
    if Path(path).is_dir():
        for number, file in enumerate(frame_files(Path(path))):
            yield number / USUAL_RATE, scaled_image(read_image(file), size)
    else:
        yield from _of_file(path, size)


def _of_file(path: str | Path, size: int) -> Iterator[tuple[float, np.ndarray]]:
    scaler = None
    with open_video(path) as video:
        clock = Clock(video.stream)
        for frame in video.frames():
            if scaler is None:
                scaler = _Scaler(size, display_of(frame))
            yield clock.seconds_of(frame), scaler.scale(frame)
    if scaler is None:
        raise UserError(f"video {path} holds no frame: expected at least one; copy or download it again")


class _Scaler:
    """What decord does to a frame: turn it upright, scale it (bicubic), convert it to RGB in the same step."""

    def __init__(self, size: int, display: Display) -> None:
        self.size, self.display = size, display
        self._input: tuple | None = None
        self._graph = av.filter.Graph()

    def scale(self, frame: av.VideoFrame) -> np.ndarray:
        kind = (frame.width, frame.height, frame.format.name)
        if kind != self._input:  # the first frame, or streams of two sizes were joined
            self._input, self._graph = kind, self._build(frame)
        self._graph.push(frame)
        return self._graph.pull().to_ndarray()

    def _build(self, frame: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base, name="in"
        )
        steps = [*display_filters(self.display), ("scale", f"{self.size}:{self.size}"), ("format", "rgb24")]
        nodes = [source]
        for name, arguments in [*steps, ("buffersink", None)]:
            nodes.append(graph.add(name, arguments))
        graph.link_nodes(*nodes).configure()
        return graph
