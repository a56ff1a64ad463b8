"""The intensity of an emotion over a video: neutral, onset, apex, offset, neutral."""

import numpy as np

APEX = 0.9  # the apex is where the intensity reaches this share of the video's peak


def draw_curve(num_frames: int, peak: float, rng: np.random.Generator) -> np.ndarray:
    """Intensities (num_frames,) in 0..1, rounded to three decimals as they are written.

    The apex takes a quarter to a third of the frames, onset and offset about an eighth each; the rest is neutral and
    falls before and after in random shares.
    """
    apex = max(4, round(num_frames * rng.uniform(0.24, 0.33)))
    onset, offset = (max(2, round(num_frames * share)) for share in rng.uniform(0.10, 0.17, 2))
    lead_in = round((num_frames - apex - onset - offset) * rng.uniform(0.1, 0.9))
    frame = np.arange(num_frames) - lead_in
    rise = np.clip((frame + 1) / (onset + 1), 0, 1)
    fall = np.clip((onset + apex + offset - frame) / (offset + 1), 0, 1)
    wobble = 0.97 + 0.03 * np.cos(frame * rng.uniform(0.2, 0.9) + rng.uniform(0, 2 * np.pi))
    curve = _smoothstep(rise) * _smoothstep(fall) * wobble
    return np.round(peak * curve, 3)


def apex_of(intensities: np.ndarray) -> tuple[int, int] | None:
    """First and one-past-last frame of the apex; None for a neutral video."""
    if not intensities.any():
        return None
    high = np.flatnonzero(intensities >= APEX * intensities.max())
    return int(high[0]), int(high[-1]) + 1


def _smoothstep(x: np.ndarray) -> np.ndarray:
    return x * x * (3 - 2 * x)
