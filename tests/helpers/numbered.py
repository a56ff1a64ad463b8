"""Videos whose frames tell their number, which eight blocks on each spell; in any codec and container."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

NUM = 40
X264 = "keyint={}:min-keyint=2:bframes={}:b-adapt=0:scenecut=0:open-gop={}:intra-refresh={}"
MILLISECONDS = Fraction(1, 1000)


def painted(number: int, height: int = 96, width: int = 128) -> np.ndarray:
    """(H, W, 3) eight blocks, black or white, that spell the number in binary."""
    bits = (number >> np.arange(8)) & 1
    rows, columns = np.arange(height) * 2 // height, np.arange(width) * 4 // width
    return np.repeat(255 * bits[rows[:, None] * 4 + columns, None], 3, axis=2).astype(np.uint8)


def numbers(frames: np.ndarray) -> list[int]:
    """(F, H, W, 3) -> the number that stands on each frame."""
    _, height, width, _ = frames.shape
    rows, columns = (np.array([1, 3]) * height // 4, np.array([1, 3, 5, 7]) * width // 8)
    bits = frames[:, rows][:, :, columns].mean(-1).reshape(-1, 8) > 127
    return (bits << np.arange(8)).sum(1).tolist()


def h264(keyint: int = 250, bframes: int = 3, open_gop: int = 0, refresh: int = 0, **more: Any) -> dict[str, Any]:
    """Arguments of `encode`."""
    options = {"preset": "ultrafast", "x264-params": X264.format(keyint, bframes, open_gop, refresh)}
    return dict(codec="libx264", options=options, bframes=bframes, **more)


def mpeg4(bframes: int, gop: int = 12, **more: Any) -> dict[str, Any]:
    """Arguments of `encode`."""
    return dict(codec="mpeg4", bframes=bframes, gop=gop, options={"sc_threshold": "1000000000"}, **more)


def encode(
    path: Path,
    codec: str,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    bframes: int = 0,
    gop: int = 12,
    times: Sequence[int] | None = None,
    size: tuple[int, int] = (96, 128),
    movie: dict[str, str] | None = None,
    order: Iterable[int] = range(NUM),
) -> Path:
    """Write a video of painted numbers: 0 to 39, or those of `order`; `times` in milliseconds, else 25 in a second."""
    with av.open(str(path), "w", options=movie or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        (stream.height, stream.width), stream.pix_fmt, stream.gop_size = size, pixels, gop
        stream.codec_context.max_b_frames = bframes
        if times is not None:
            stream.codec_context.time_base = MILLISECONDS
        for place, number in enumerate(order):
            frame = av.VideoFrame.from_ndarray(painted(number, *size), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = int(times[place]), MILLISECONDS
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


Chunk = tuple[bytes, int, int, bool]
"""The bytes of a packet, when it is shown and decoded, and whether it is a key frame."""


def copy_packets(source: Path, target: Path, change: Callable[[list[av.Packet]], list[Chunk]]) -> Path:
    """Mux the packets of `source` again without encoding them: `change(packets)` -> (bytes, pts, dts, is_keyframe)."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for data, pts, dts, is_keyframe in change([packet for packet in old.demux(stream) if packet.size]):
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.pts, packet.dts = copy, stream.time_base, pts, dts
            packet.is_keyframe = is_keyframe
            new.mux(packet)
    return target
