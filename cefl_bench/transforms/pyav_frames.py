"""Decodes a video from its first frame on, with PyAV, and tells which videos need that.

decord finds a frame by seeking to the key frame before it and counting from there. Without a word it hands out another
frame where frames shown before a key frame are stored after it (open GOP; B-frames of MPEG-4 and HEVC), where a key
frame only starts a refresh, where times are missing or guessed (H.264 and MPEG-4 in AVI; MPEG-TS) and where an edit
list hides frames (clips cut without encoding again). Decoding from the first frame on is right in all of these.
"""

from collections.abc import Iterator
from itertools import islice

import av
import numpy as np

EXACT_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"}
"""Formats, as FFmpeg names them, in which decord was right where it had nothing to seek. In AVI it was not."""
EXACT_CODECS = {"h264", "mpeg4", "flv", "flv1"}
"""Likewise. On HEVC decord may stop with an error though the file is sound."""
UPRIGHT = {0: [], 90: [("transpose", "cclock")], 180: [("hflip", None), ("vflip", None)], 270: [("transpose", "clock")]}
"""The filters that turn a frame as its container asks for, by degrees counterclockwise."""


class SequentialFrames:
    """The frames of a video file, counted and found by decoding from the first one, at the pixel values of decord."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        self._length = sum(1 for _ in decode(path))

    def __len__(self) -> int:
        return self._length

    def read(self, indices: np.ndarray) -> np.ndarray:
        """(n,) ascending frame indices without repeats -> uint8 (n, size, size, 3), RGB."""
        wanted, scale, found = set(indices.tolist()), None, []
        for number, frame in enumerate(islice(decode(self.path), max(wanted) + 1)):
            if number in wanted:
                scale = scale or _scaler(frame, self.size)
                scale.push(frame)
                found.append(scale.pull().to_ndarray())
        if len(found) < len(wanted):
            raise IndexError(f"frame {max(wanted)} was asked for, {len(self)} were counted")
        return np.stack(found)


def decode(path: str) -> Iterator[av.VideoFrame]:
    """The frames of a video file in the order they are shown."""
    with av.open(path) as container:
        stream = _video_stream(container)
        stream.codec_context.thread_count = 1
        yield from container.decode(stream)


def needs_no_seeking(path: str) -> bool:
    """Whether decord gives the frames of a video file by their numbers. Reads the packets without decoding them.

    It does where the first packet is the only key frame, no frame is shown before it, and each has a time and is shown.

    Raises:
        ValueError: the file has no video in it or ends inside a frame.
    """
    with av.open(path) as container:
        stream = _video_stream(container)
        packets = [packet for packet in container.demux(stream) if packet.size]
        if any(packet.is_corrupt for packet in packets):
            raise ValueError("it ends or is damaged inside a frame")
        exact = container.format.name in EXACT_CONTAINERS and stream.codec_context.name in EXACT_CODECS
        times = [packet.pts for packet in packets]
        return (
            exact
            and [packet.is_keyframe for packet in packets] == [True] + [False] * (len(packets) - 1)
            and None not in times
            and min(times) == times[0]
            and not any(packet.is_discard for packet in packets)
        )


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    stream = container.streams.best("video")
    if stream is None:
        raise ValueError("it has no video stream")
    return stream


def _scaler(frame: av.VideoFrame, size: int) -> av.filter.Graph:
    """What decord does to a frame: turn it upright, scale it (bicubic), convert it to RGB in the same step."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base, name="in"
    )
    upright = UPRIGHT.get(round(frame.rotation) % 360, [])
    steps = [*upright, ("scale", f"{size}:{size}"), ("format", "rgb24"), ("buffersink", None)]
    graph.link_nodes(source, *[graph.add(name, arguments) for name, arguments in steps]).configure()
    return graph
