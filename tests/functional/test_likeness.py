"""Copies in another encoding are found, and other videos of the same person at the same place are none."""

import cv2
import numpy as np
import pytest
from helpers.media import write_video
from helpers.scenes import scene

from cefl_bench.functional.likeness import (
    LOOK_SIDE,
    are_copies,
    close_pairs,
    contrast,
    motion_correlation,
    small_pictures,
)
from cefl_bench.transforms.read import VideoFrames


def looks(*videos):
    """(V, 8, S, S) pictures and (V, 8) hashes of (F, H, W, 3) videos."""
    chosen = [video[((np.arange(8) + 0.5) * len(video) / 8).astype(int)] for video in videos]
    found = [
        small_pictures(np.stack([cv2.resize(frame, (LOOK_SIDE, LOOK_SIDE)) for frame in video])) for video in chosen
    ]
    return tuple(np.stack(part) for part in zip(*found, strict=True))


def paired(*videos):
    """Which pairs of the videos are found to be copies."""
    pictures, hashes = looks(*videos)
    pairs = close_pairs(hashes)
    return [tuple(pair) for pair in pairs[are_copies(pictures, pairs)].tolist()]


@pytest.mark.parametrize(
    ("suffix", "side", "codec", "options"),
    [(".mp4", 56, None, {"crf": "36"}), (".avi", 112, "mjpeg", {}), (".flv", 112, None, {}), (".mp4", 224, None, {})],
)
def test_another_encoder_another_size_and_less_quality_are_seen_through(tmp_path, suffix, side, codec, options):
    video = scene(5, num_frames=30, size=112)
    path = tmp_path / f"copy{suffix}"
    resized = np.stack([cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA) for frame in video])
    write_video(path, resized, codec, **options)
    copy = VideoFrames(str(path), 112).fetch(np.arange(30))
    assert paired(scene(4, 30, 112), video, copy, scene(6, 30, 112)) == [(1, 2)]


def test_brighter_and_flatter_is_the_same_video():
    video = scene(5)
    assert paired(video, (video * 0.7 + 40).astype(np.uint8)) == [(0, 1)]


def test_the_same_place_with_another_movement_is_another_video():
    def moving(column):
        frames = scene(8, num_frames=16, size=72)[:1].repeat(16, axis=0)
        for index, frame in enumerate(frames):
            cv2.circle(frame, (column, 8 + index * 3), 5, (255, 255, 255), -1)
        return frames

    pictures, _ = looks(moving(20), moving(44))
    alike, _ = looks(moving(20), moving(21))
    assert are_copies(alike, np.array([[0, 1]])).all() and not are_copies(pictures, np.array([[0, 1]])).any()


def test_the_correlation_of_motion_is_that_of_numpy():
    one, other = np.random.default_rng(0).normal(100, 20, (2, 1, 8, 24, 24))
    other[:] = 0.6 * one + 0.4 * other
    moves = [(video - video.mean(axis=1, keepdims=True)).ravel() for video in (one, other)]
    correlation, motion = motion_correlation(one, other)
    assert correlation[0] == pytest.approx(np.corrcoef(*moves)[0, 1]) and 0.5 < correlation[0] < 0.95
    assert motion[0] == pytest.approx(min(np.std(move) for move in moves))


def test_a_still_is_a_copy_of_itself_alone():
    stills = [scene(seed)[:1].repeat(12, axis=0) for seed in (1, 2)]
    assert paired(stills[0], stills[1], (stills[0] * 0.97).astype(np.uint8)) == [(0, 2)]


def test_a_video_of_one_colour_has_no_contrast():
    pictures, _ = looks(scene(1), scene(1) * 0 + 200)
    assert contrast(pictures)[0] > 10 and contrast(pictures)[1] == 0


def test_close_pairs_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (40, 8), dtype=np.uint64)
    hashes[7], hashes[33] = hashes[3], hashes[3] ^ np.uint64(2**40 + 1)  # 16 bits in all
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for limit in (0, 15, 16, 64, 255):
        expected = [
            [one, other]
            for one in range(40)
            for other in range(one + 1, 40)
            if (bits[one] != bits[other]).sum() <= limit
        ]
        assert sorted(close_pairs(hashes, limit, block=16).tolist()) == expected
    assert close_pairs(hashes[:0]).shape == (0, 2)
