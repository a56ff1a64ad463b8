"""Video files. The only place where PyAV is used: all code that opens, counts or decodes a video goes through here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.stream import Disposition

from cefl_bench.errors import UserError
from cefl_bench.files import described
from cefl_bench.media.display import Display, display_of, shown, square_size
from cefl_bench.media.h264 import has_picture

COVERS = Disposition.attached_pic | Disposition.timed_thumbnails
"""Streams that show a cover or thumbnails of the video, and not the video."""
IMAGE_CODECS = {"mjpeg", "png", "bmp", "gif", "tiff", "webp"}
"""Beside a stream of another codec, these are covers that are not marked as such."""
USUAL_RATE = 25
"""Frames per second of a video that does not say."""
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".flv", ".wmv", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp"}
    | {".ogv", ".gif"}
)
"""Of files in a folder, those of these suffixes, in lower case, are taken for videos."""
ANY_TITLE: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
"""For `av.open`: names and titles in a file are often not UTF-8, and are not needed. PyAV 19 never fails at them."""
JOINABLE = {"mpegts"}
"""Formats made to be joined: where two pieces meet, FFmpeg marks a packet as damaged that decodes all the same."""


class OpenVideo(NamedTuple):
    """An open video file, and which of its streams is the video."""

    container: av.container.InputContainer
    stream: av.VideoStream

    def packets(self, *others: av.stream.Stream) -> Iterator[av.Packet]:
        """The packets of the video, and of other streams, in the order of the file; an empty one at the end of each.

        Raises:
            ValueError: the file ends, or is damaged, inside a frame.
        """
        for packet in self.container.demux(self.stream, *others):
            if packet.is_corrupt and packet.stream is self.stream and self.container.format.name not in JOINABLE:
                raise ValueError("it ends or is damaged inside a frame")
            yield packet

    def frames(self) -> Iterator[av.VideoFrame]:
        """The frames in the order in which they are shown, as they are stored."""
        for packet in self.packets():
            yield from self.decoded(packet)

    def decoded(self, packet: av.Packet) -> list[av.VideoFrame]:
        """The frames that the decoder gives out when it is given the next packet."""
        try:
            return packet.decode()
        except av.InvalidDataError:
            if has_picture(packet, self.stream):
                raise
            return []  # a packet without a picture, which FFmpeg calls invalid


@contextmanager
def open_video(path: str | Path) -> Iterator[OpenVideo]:
    """Open a video file for the time of a `with` block.

    Raises:
        UserError: naming the file, when there is none or no video in it, or FFmpeg fails at it inside the block.
    """
    require_file(Path(path))
    try:
        with av.open(str(path), **ANY_TITLE) as container:
            stream = _video_stream(container)
            stream.codec_context.thread_count = 1  # the workers are the parallelism
            yield OpenVideo(container, stream)
    except UserError:
        raise
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise undecodable(path, getattr(error, "strerror", None) or str(error)) from None


def decode(path: str | Path) -> Iterator[av.VideoFrame]:
    """The frames of a video file in the order in which they are shown, as they are stored.

    Raises:
        UserError: as `open_video`.
    """
    with open_video(path) as video:
        yield from video.frames()


def stated_seconds(path: str | Path) -> float | None:
    """How long a video file says that it is; None where it does not say, or cannot be opened."""
    try:
        with av.open(str(path), **ANY_TITLE) as container:
            return container.duration / av.time_base if container.duration else None
    except (av.FFmpegError, ValueError):
        return None


def shown_frames(path: str | Path) -> Iterator[tuple[float, np.ndarray]]:
    """The frames of a video file as a player shows them, and when: seconds, which rise from 0 on.

    A frame is uint8 (H, W, 3), RGB, upright, with square pixels, and of the size of the first one.

    Raises:
        UserError: as `open_video`.
    """
    with open_video(path) as video:
        clock, as_shown = Clock(video.stream), AsShown(video.stream)
        for frame in video.frames():
            yield clock.seconds_of(frame), as_shown.image(frame)


class Clock:
    """When the frames of a stream are shown: seconds, which rise from 0 on."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.begin: float | None = None
        """When the first frame is shown by the clock of the file."""
        self._usual = 1 / float(stream.average_rate or USUAL_RATE)
        self._last = -self._usual

    def seconds_of(self, frame: av.VideoFrame) -> float:
        """For each frame once, in order."""
        if self.begin is None:
            self.begin = frame.time or 0.0
        told = self._last if frame.time is None else frame.time - self.begin
        # some files give no times, or the same twice
        self._last = told if told > self._last else self._last + self._usual
        return self._last


class AsShown:
    """Turns the stored frames of a stream into what a player shows, all of the size of the first one."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._aspect = float(stream.sample_aspect_ratio or 0)
        self._first: tuple[Display, tuple[int, int]] | None = None

    def image(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 (H, W, 3), RGB, upright, with square pixels."""
        if self._first is None:
            self._first = display_of(frame), square_size(frame.width, frame.height, self._aspect)
        display, (width, height) = self._first
        if (frame.width, frame.height) == (width, height):
            image = frame.to_ndarray(format="rgb24")
        else:
            image = frame.reformat(width, height, "rgb24", interpolation="BICUBIC").to_ndarray()
        return shown(image, display)


def require_file(path: Path) -> None:
    """See that a video file is there.

    Raises:
        UserError: saying what is there instead.
    """
    try:
        is_file = path.is_file()
    except OSError as error:  # a name too long for the disk, a folder that may not be entered
        raise UserError(f"video {path} cannot be opened ({error.strerror}): expected a video file") from None
    if is_file:
        return
    if path.is_dir():
        raise UserError(f"video {path} is a folder: expected a video file where the list names one")
    raise UserError(f"video {described(path)} does not exist: expected a video file where the list names one")


def undecodable(path: str | Path, reason: str) -> UserError:
    """What is said of a video file that cannot be decoded."""
    size = Path(path).stat().st_size
    return UserError(f"video {path} cannot be decoded ({size} bytes; {reason}): copy or download it again")


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    """The stream that FFmpeg thinks best, among those that are no cover.

    Raises:
        ValueError: there is none, or FFmpeg has no decoder for it.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & COVERS]
    if not videos:
        raise ValueError("it has a picture but no video" if container.streams.video else "it has no video stream")
    moving = [stream for stream in videos if stream.codec_context and stream.codec_context.name not in IMAGE_CODECS]
    best, choice = container.streams.best("video"), moving or videos
    stream = best if best in choice else max(choice, key=lambda stream: stream.frames)
    if stream.codec_context is None:
        raise ValueError("no decoder knows the format of its video")
    return stream
