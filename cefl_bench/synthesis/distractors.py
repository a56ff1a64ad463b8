"""What moves in every video whatever its label: blinks, speech, gaze, head pose, light."""

from dataclasses import dataclass

import numpy as np

from cefl_bench.synthesis.anatomy import ACTIONS
from cefl_bench.synthesis.expression import weights_of

LEFT = np.array([name.endswith("Left") for name in ACTIONS])


@dataclass(frozen=True)
class Distractors:
    """F frames: `actions` (F, 52) added to the expression, `pose` (F, 3) yaw, pitch and roll in radians, `light` (F,).

    `blink` (F,) in 0..1 tells how far the lids are closed by a blink, which overrules widened eyes.
    """

    actions: np.ndarray
    blink: np.ndarray
    pose: np.ndarray
    light: np.ndarray


def draw_distractors(num_frames: int, rng: np.random.Generator) -> Distractors:
    blink = draw_blinks(num_frames, rng)
    actions = np.outer(blink, weights_of({"eyeBlink": 1.0}))
    actions += draw_gaze(num_frames, rng) + draw_speech(num_frames, rng)
    mean = rng.normal(0, (0.05, 0.03, 0.025))
    pose = mean + wander(num_frames, 12, rng, 3) * (0.03, 0.02, 0.015)
    light = 1 + 0.04 * wander(num_frames, 10, rng, 1)[:, 0]
    return Distractors(actions.astype(np.float32), blink, np.clip(pose, -0.4, 0.4), light)


def wander(num_frames: int, smoothness: float, rng: np.random.Generator, channels: int) -> np.ndarray:
    """Smooth noise (num_frames, channels) of about unit variance, correlated over `smoothness` frames."""
    reach = int(3 * smoothness)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smoothness) ** 2)
    kernel /= np.linalg.norm(kernel)
    noise = rng.standard_normal((channels, num_frames + 2 * reach))
    return np.stack([np.convolve(row, kernel, "valid") for row in noise], axis=1)


def draw_blinks(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Closure of the lids (num_frames,): a blink about every 60 frames, each some four frames long."""
    closed = np.zeros(num_frames)
    frame = np.arange(num_frames)
    for centre in rng.uniform(0, num_frames, rng.poisson(num_frames / 60)):
        closed = np.maximum(closed, np.clip(1.5 - np.abs(frame - centre) / rng.uniform(1.0, 1.7), 0, 1))
    return closed


def draw_gaze(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Gaze as actions (num_frames, 52): fixations with jumps between them, both eyes together."""
    jumps = np.sort(rng.integers(0, num_frames, rng.poisson(num_frames / 20)))
    fixation = np.searchsorted(jumps, np.arange(num_frames), side="right")
    side, height = rng.normal(0, (0.35, 0.2), (len(jumps) + 1, 2))[fixation].T
    left, right, up, down = (np.clip(x, 0, 1) for x in (side, -side, height, -height))
    actions = np.outer(up, weights_of({"eyeLookUp": 1})) + np.outer(down, weights_of({"eyeLookDown": 1}))
    outward, inward = weights_of({"eyeLookOut": 1}), weights_of({"eyeLookIn": 1})
    actions += np.outer(left, np.where(LEFT, outward, inward))
    return actions + np.outer(right, np.where(LEFT, inward, outward))


def draw_speech(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Speech-like jaw and lip motion as actions (num_frames, 52); four videos in ten are silent."""
    loudness = 0.0 if rng.random() < 0.4 else rng.uniform(0.3, 1.0)
    talking = loudness * np.clip(0.6 + wander(num_frames, 8, rng, 1)[:, 0], 0, 1)
    jaw, round_lips, wide = np.clip(wander(num_frames, 1.5, rng, 3), 0, 2).T * talking
    actions = np.outer(jaw, weights_of({"jawOpen": 0.16, "mouthLowerDown": 0.08}))
    actions += np.outer(round_lips, weights_of({"mouthFunnel": 0.2, "mouthPucker": 0.12}))
    return actions + np.outer(wide, weights_of({"mouthStretch": 0.1, "mouthUpperUp": 0.1}))
