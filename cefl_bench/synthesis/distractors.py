"""What moves in every video, independent of its label: blinks, speech, gaze, head pose, light."""

from dataclasses import dataclass

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS
from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.exact import fall_off, on_grid
from cefl_bench.synthesis.expression import weights_of

IS_LEFT = np.array([name.endswith("Left") for name in ACTIONS])
FRAMES_PER_BLINK, FRAMES_PER_FIXATION = 60, 20


@dataclass(frozen=True)
class Distractors:
    """F frames: `actions` (F, 52) added to the expression, `pose` (F, 3) yaw, pitch and roll in radians, `light` (F,).

    `blink` (F,) in 0..1 tells how far the lids are closed by a blink, which overrules widened eyes.
    """

    actions: np.ndarray
    blink: np.ndarray
    pose: np.ndarray
    light: np.ndarray


def draw_distractors(num_frames: int, draws: Draws) -> Distractors:
    blink = draw_blinks(num_frames, draws)
    actions = np.outer(blink, weights_of({"eyeBlink": 1.0}))
    actions += draw_gaze(num_frames, draws) + draw_speech(num_frames, draws)
    mean = draws.normals(0, (0.05, 0.03, 0.025), 3)
    pose = mean + wander(num_frames, 12, draws, 3) * (0.03, 0.02, 0.015)
    light = 1 + 0.04 * wander(num_frames, 10, draws, 1)[:, 0]
    return Distractors(actions, blink, np.clip(pose, -0.4, 0.4), light)


def wander(num_frames: int, smoothness: float, draws: Draws, channels: int) -> np.ndarray:
    """Smooth noise (num_frames, channels) of about unit variance, correlated over `smoothness` frames."""
    reach = int(3 * smoothness)
    place = np.arange(-reach, reach + 1) / smoothness
    kernel = on_grid(fall_off(0.5 * place * place))
    kernel = on_grid(kernel / np.sqrt((kernel * kernel).sum()))
    noise = draws.normals(0, 1, (channels, num_frames + 2 * reach))
    return np.stack([np.convolve(row, kernel, "valid") for row in noise], axis=1)


def draw_blinks(num_frames: int, draws: Draws) -> np.ndarray:
    """Closure of the lids (num_frames,): a blink about every 60 frames, each some four frames long."""
    closed = np.zeros(num_frames)
    frame = np.arange(num_frames)
    for start in np.flatnonzero(draws.hits(1 / FRAMES_PER_BLINK, num_frames)):
        centre, half_length = start + draws.uniform(0, 1), draws.uniform(1.0, 1.7)
        closed = np.maximum(closed, np.clip(1.5 - np.abs(frame - centre) / half_length, 0, 1))
    return closed


def draw_gaze(num_frames: int, draws: Draws) -> np.ndarray:
    """Gaze as actions (num_frames, 52): fixations with jumps between them, both eyes together."""
    fixation = np.cumsum(draws.hits(1 / FRAMES_PER_FIXATION, num_frames))
    side, height = draws.normals(0, (0.35, 0.2), (fixation[-1] + 1, 2))[fixation].T
    left, right = np.clip(side, 0, 1), np.clip(-side, 0, 1)
    up, down = np.clip(height, 0, 1), np.clip(-height, 0, 1)
    actions = np.outer(up, weights_of({"eyeLookUp": 1})) + np.outer(down, weights_of({"eyeLookDown": 1}))
    outward, inward = weights_of({"eyeLookOut": 1}), weights_of({"eyeLookIn": 1})
    actions += np.outer(left, np.where(IS_LEFT, outward, inward))
    return actions + np.outer(right, np.where(IS_LEFT, inward, outward))


def draw_speech(num_frames: int, draws: Draws) -> np.ndarray:
    """Speech-like jaw and lip motion as actions (num_frames, 52); four videos in ten are silent."""
    loudness = 0.0 if draws.happens(0.4) else draws.uniform(0.3, 1.0)
    talking = loudness * np.clip(0.6 + wander(num_frames, 8, draws, 1)[:, 0], 0, 1)
    jaw, round_lips, wide = np.clip(wander(num_frames, 1.5, draws, 3), 0, 2).T * talking
    actions = np.outer(jaw, weights_of({"jawOpen": 0.16, "mouthLowerDown": 0.08}))
    actions += np.outer(round_lips, weights_of({"mouthFunnel": 0.2, "mouthPucker": 0.12}))
    return actions + np.outer(wide, weights_of({"mouthStretch": 0.1, "mouthUpperUp": 0.1}))
