"""Small videos, images and lists, really encoded, for trees and tests."""

import csv
import functools
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

CODECS = {".mp4": ("libx264", "yuv420p"), ".avi": ("mpeg4", "yuv420p"), ".flv": ("flv", "yuv420p")}
"""Codec and pixel format by container, as the corpora have them."""


def moving_square(num_frames: int, label: int, seed: int = 0, size: int = 48) -> np.ndarray:
    """(F, H, W, 3) a square whose colour tells the label; the frame number can be read off its position."""
    rng = np.random.default_rng(seed)
    frames = np.full((num_frames, size, size, 3), 40 + rng.integers(20), dtype=np.uint8)
    colour = [(label * 83 + 60 * channel) % 200 + 55 for channel in range(3)]
    for index, frame in enumerate(frames):
        x = int(index / max(num_frames - 1, 1) * (size - 16))
        frame[8:24, x : x + 16] = colour
    return frames


def write_video(path: Path, frames: np.ndarray, codec: str | None = None, **options: str) -> None:
    """Encode (F, H, W, 3): H.264 in .mp4, MPEG-4 in .avi, Sorenson in .flv, or what `codec` says (`mjpeg`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    usual, pixels = CODECS[path.suffix]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec or usual, rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def place_video(path: Path, label: int, num_frames: int = 12, codec: str | None = None) -> Path:
    """A moving square of that label at `path`; encoded once, then copied."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(path.suffix, label, num_frames, codec))
    return path


def write_images(folder: Path, frames: np.ndarray, name: str = "{:05d}.jpg", first: int = 1) -> None:
    """Write (F, H, W, 3) as 00001.jpg, 00002.jpg, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(name).suffix
    for number, frame in enumerate(frames, start=first):
        # not imwrite, which takes no path that is not ASCII on some systems
        (folder / name.format(number)).write_bytes(cv2.imencode(suffix, frame[..., ::-1])[1].tobytes())


def write_csv(path: Path, header: str, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def write_lines(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@functools.cache
def _encoded(suffix: str, label: int, num_frames: int, codec: str | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"video{suffix}"
        write_video(path, moving_square(num_frames, label), codec)
        return path.read_bytes()
