"""The intensity of an emotion over a video: neutral, onset, apex, offset, neutral."""

import numpy as np

from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.exact import TAU, cosine, smoothstep

APEX_SHARE = 0.9  # the apex is where the intensity reaches this share of the video's peak


def draw_curve(num_frames: int, peak: float, draws: Draws) -> np.ndarray:
    """Intensities (num_frames,) in 0..1, rounded to three decimals as they are written.

    The apex takes a quarter to a third of the frames, onset and offset about an eighth each; the rest is neutral and
    is divided at random between the time before and the time after.
    """
    apex = max(4, round(num_frames * draws.uniform(0.24, 0.33)))
    onset = max(2, round(num_frames * draws.uniform(0.10, 0.17)))
    offset = max(2, round(num_frames * draws.uniform(0.10, 0.17)))
    lead_in = round((num_frames - apex - onset - offset) * draws.uniform(0.1, 0.9))
    frame = np.arange(num_frames) - lead_in
    rise = smoothstep((frame + 1) / (onset + 1))
    fall = smoothstep((onset + apex + offset - frame) / (offset + 1))
    wobble = 0.97 + 0.03 * cosine(frame * draws.uniform(0.2, 0.9) + draws.uniform(0, TAU))
    return np.round(peak * rise * fall * wobble, 3)


def apex_of(intensities: np.ndarray) -> tuple[int, int] | None:
    """First and one-past-last frame of the apex; None for a neutral video."""
    if not intensities.any():
        return None
    high = np.flatnonzero(intensities >= APEX_SHARE * intensities.max())
    return int(high[0]), int(high[-1]) + 1
