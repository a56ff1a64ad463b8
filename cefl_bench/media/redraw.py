"""Writes a video again with something drawn on its frames: H.264 in MP4, as browsers play it, with its own sound."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.media.ahead import ahead
from cefl_bench.media.images import frame_files, read_image
from cefl_bench.media.sound import CannotWrite, KeptSound, sound_of, writing
from cefl_bench.media.videos import USUAL_RATE, AsShown, Clock, OpenVideo, open_video

Draw = Callable[[float, np.ndarray], np.ndarray]
"""When a frame is shown, in seconds, and the frame (H, W, 3) -> the drawn one, all of one size."""
TICKS = 90_000
"""Units of time in a second: frames keep their own times, however uneven."""
BT709 = 1
"""The number of ITU-R BT.709 for primaries, transfer and matrix (ITU-T H.273): untagged, browsers guess."""
LIMITED_RANGE = 1
QUALITY = {"preset": "veryfast", "crf": "23"}
LIBX264_MAX_RATE = 240
"""Frames per second that are told to the encoder at most; it only plans its bits by them."""


def redraw(source: Path, target: Path, draw: Draw) -> None:
    """Write a video file, or a folder of images, again with every frame drawn on; whole or not at all.

    Raises:
        UserError: naming the source, when it cannot be decoded, or the target, when it cannot be written.
    """
    with atomic_path(target) as temporary, _mp4(temporary, target) as container:
        if source.is_dir():
            _redraw_images(source, container, draw)
        else:
            _redraw_video(source, container, draw)


def _redraw_images(source: Path, container: av.container.OutputContainer, draw: Draw) -> None:
    picture = _Picture(container, Fraction(USUAL_RATE))
    for seconds, image in ahead(_drawn_images(source, draw)):
        picture.begin(*image.shape[:2])
        picture.write(image, seconds)
    picture.finish()


def _drawn_images(source: Path, draw: Draw) -> Iterator[tuple[float, np.ndarray]]:
    for number, file in enumerate(frame_files(source)):
        seconds = number / USUAL_RATE
        yield seconds, draw(seconds, read_image(file))


def _redraw_video(source: Path, container: av.container.OutputContainer, draw: Draw) -> None:
    with open_video(source) as video:
        sound = sound_of(video.container)
        kept = None if sound is None else KeptSound(sound)
        clock = Clock(video.stream)
        picture = _Picture(container, Fraction(video.stream.average_rate or USUAL_RATE))
        origin = _origin(video.stream, sound)
        for seconds, drawn in ahead(_drawn_frames(video, sound, clock, draw)):
            if isinstance(drawn, av.Packet):
                if kept is not None:
                    kept.take(drawn)
                continue
            if picture.begin(*drawn.shape[:2]) and kept is not None:
                kept.begin(container, origin)
            picture.write(drawn, (clock.begin or 0.0) - origin + seconds)
        picture.finish()
        if kept is not None:
            kept.finish()


def _drawn_frames(
    video: OpenVideo, sound: av.AudioStream | None, clock: Clock, draw: Draw
) -> Iterator[tuple[float, np.ndarray | av.Packet]]:
    """The drawn frames and when they are shown; between them the packets of the sound, as they are."""
    as_shown, seconds = AsShown(video.stream), 0.0
    for packet in video.packets(*([] if sound is None else [sound])):
        if sound is not None and packet.stream is sound:
            yield seconds, packet
            continue
        for frame in video.decoded(packet):
            seconds = clock.seconds_of(frame)
            yield seconds, draw(seconds, as_shown.image(frame))


def _origin(video: av.VideoStream, sound: av.AudioStream | None) -> float:
    """When the first of both begins by the clock of the file: it is the 0 of the new one."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (video, sound)
        if stream is not None and stream.start_time is not None and stream.time_base
    ]
    return min(starts, default=0.0)


class _Picture:
    """The stream of drawn frames; it begins with the first one, whose size it has."""

    def __init__(self, container: av.container.OutputContainer, rate: Fraction) -> None:
        self._container, self._rate = container, min(rate, Fraction(LIBX264_MAX_RATE))
        self._stream: av.VideoStream | None = None

    def begin(self, height: int, width: int) -> bool:
        """Add the stream to the file, unless it is there: whether it was not."""
        if self._stream is not None:
            return False
        rate = self._rate.limit_denominator(100_000)
        self._stream = self._container.add_stream("libx264", rate=rate, options=QUALITY)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        return True

    def write(self, image: np.ndarray, seconds: float) -> None:
        assert self._stream is not None, "begun before"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = round(seconds * TICKS), Fraction(1, TICKS)
        with writing():
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        if self._stream is not None:
            with writing():
                self._container.mux(self._stream.encode())


@contextmanager
def _mp4(path: Path, target: Path) -> Iterator[av.container.OutputContainer]:
    """A file that is written at `path` and will be `target`."""
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            yield container
    except CannotWrite as error:
        reason = str(error)
    except av.FFmpegError as error:  # at the end; of reading, open_video has told it already
        reason = error.strerror or str(error)
    else:
        return
    raise UserError(f"{target} cannot be written ({reason}): make room, or name another folder")
