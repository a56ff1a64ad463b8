"""Clips: their frames, how emotional a clip truly is, and whether it meets the apex."""

from collections.abc import Callable

import numpy as np


def fetch_clips(fetch: Callable[[np.ndarray], np.ndarray], frame_indices: np.ndarray) -> np.ndarray:
    """(N, T) frame indices -> (N, T, H, W, C): `fetch` takes (n,) indices and gives their frames."""
    frames = fetch(frame_indices.reshape(-1))
    return frames.reshape(*frame_indices.shape, *frames.shape[1:])


def regroup(per_frame: np.ndarray, num_clips: int) -> np.ndarray:
    """Regroup (N, T) frame values into `num_clips` consecutive clips: (num_clips, N * T / num_clips)."""
    return np.asarray(per_frame).reshape(num_clips, -1)


def clip_intensity(frame_intensity: np.ndarray) -> np.ndarray:
    """(N, T) true intensity of the sampled frames -> (N,) of the clips: the mean over a clip's frames."""
    return np.asarray(frame_intensity, dtype=np.float64).mean(axis=1)


def overlaps_apex(frame_indices: np.ndarray, apex: tuple[int, int]) -> np.ndarray:
    """(N, T) frame indices -> (N,) bool: does the stretch from a clip's first to its last frame meet [start, end)?"""
    indices = np.asarray(frame_indices)
    start, end = apex
    return (indices.min(axis=1) < end) & (indices.max(axis=1) >= start)
