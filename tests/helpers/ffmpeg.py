"""The ffmpeg program, as the truth that is not under test: it shows a video as players do."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def ffmpeg(*arguments: str | Path) -> bytes:
    """Run ffmpeg; what it writes to its standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "quiet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def played(path: Path, width: int, height: int) -> np.ndarray:
    """uint8 (F, height, width, 3): every frame that ffmpeg decodes, turned as it is shown, scaled to that size."""
    raw = ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    out = ffmpeg("-i", path, "-vf", f"scale={width}:{height}:flags=bicubic", *raw)
    return np.frombuffer(out, np.uint8).reshape(-1, height, width, 3)
