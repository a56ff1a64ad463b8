"""Cuts between real clips are found where they were planted, and flashes, pans and shaking are none."""

import cv2
import numpy as np
import pytest
from helpers.face_clips import read

from cefl_bench.functional.shots import PICTURE_SIDE, shots_of

LENGTHS = (14, 9, 20, 6, 12, 17)


@pytest.fixture(scope="module")
def clips():
    """Four clips of 24 small frames: two people, one of them from another moment, and a sky."""
    return [
        read("smile", stop=24, width=128),
        read("laugh", stop=24, width=128),
        read("laugh", step=3, stop=144, width=128)[-24:],
        read("nobody", stop=24, width=128),
    ]


def pictures(frames) -> np.ndarray:
    size = (PICTURE_SIDE, PICTURE_SIDE)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def cuts(frames) -> list[int]:
    return (np.flatnonzero(np.diff(shots_of(pictures(frames)))) + 1).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_planted_cuts_are_found(seed, clips):
    """Of people and of scenes; zoomed, mirrored, brighter or darker."""
    rng = np.random.default_rng(seed)
    joined, planted, before = [], [], -1
    for length in rng.permutation(LENGTHS):
        which = int(rng.choice([at for at in (0, 1, 3) if at != before]))
        before = which
        start = int(rng.integers(len(clips[which]) - length + 1))
        part = clips[which][start : start + length]
        part = part[:, :, ::-1] if rng.random() < 0.5 else part
        edge = int(rng.integers(0, 12))
        part = part[:, edge : part.shape[1] - edge or None, edge : part.shape[2] - edge or None]
        joined += [np.clip(frame * rng.choice([0.7, 1.0, 1.2]), 0, 255).astype(np.uint8) for frame in part[:1]]
        joined += list(np.clip(part[1:] * (joined[-1].mean() / max(part[0].mean(), 1)), 0, 255).astype(np.uint8))
        planted.append(len(joined))
    assert cuts(joined) == planted[:-1]


def test_what_is_no_cut(clips):
    smile = clips[0].copy()
    assert cuts(smile) == []
    flash = smile.copy()
    flash[10:12] = 255
    assert cuts(flash) == [], "a flash"
    wide = np.concatenate([smile[0], smile[0][:, ::-1]], axis=1)
    pan = [wide[:, 5 * step : 5 * step + 128] for step in range(24)]
    assert cuts(pan) == [], "a pan"
    shaken = [np.roll(frame, (-1) ** at * 6, axis=1) for at, frame in enumerate(smile)]
    assert cuts(shaken) == [], "a shaking hand"
    light = [(frame * (0.3 + 0.03 * at)).clip(0, 255).astype(np.uint8) for at, frame in enumerate(smile)]
    assert cuts(light) == [], "light that grows"


def test_videos_of_hardly_any_frame(clips):
    assert shots_of(pictures(clips[0][:1])).tolist() == [0]
    assert shots_of(pictures([clips[0][0], clips[3][0]])).tolist() == [0, 1]
