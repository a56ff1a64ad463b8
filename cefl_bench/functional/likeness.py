"""Whether two videos are copies of one another: hashes that survive another encoder, and how alike small pictures are.

Letters: V videos, F frames looked at of each, S the side of a frame in pixels.
"""

import numpy as np

LOOK_SIDE = 72
"""Height and width in pixels of the frames that are looked at."""
PICTURE_SIDE = 24
"""Height and width of the pictures that are kept of them."""
# Tuned on the 672 rendered videos (112 x 112, 96 people, 7 expressions each in the same surroundings) and on copies of
# every 12th: H.264 at crf 35 (112 x 112), 28 (64 x 64) and 42 (224 x 224), and MPEG-4 at 96 x 96.
MAX_HASH_DISTANCE = 64
"""Of 64 F = 512 bits. Copies are up to 41 apart; but so are 0.1 % of the pairs of different videos: a first sieve."""
MAX_ERROR = 0.25
"""Root mean square of standardised pictures. Copies: up to 0.18. Different videos: from 0.23 on, 0.4 % below 0.36."""
MIN_CORRELATION = 0.6
"""Of what moves. Copies: from 0.68 on (0.77 without crf 42). Different videos with an error below 0.35: up to 0.49."""
MIN_MOTION = 0.5
"""Grey levels of motion below which encoders add more of it than there is."""
MAX_STILL_ERROR = 0.1
"""`MAX_ERROR` for videos that move less than `MIN_MOTION`."""
MIN_CONTRAST = 2.0
"""Grey levels; a video below shows nothing that could be compared."""


def small_pictures(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, S, S, C) uint8 frames, S = `LOOK_SIDE` -> grey pictures (F, P, P) uint8 and hashes (F,) uint64.

    P is `PICTURE_SIDE`. A hash is the difference hash (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html):
    is each of 9 x 8 fields brighter than its neighbour on the left.
    """
    grey = frames.mean(axis=-1)
    fields = _fields(grey, 8, 9)
    bits = (fields[:, :, 1:] > fields[:, :, :-1]).reshape(len(grey), 64)
    hashes = np.packbits(bits, axis=1).view(np.uint64).reshape(-1)
    return np.rint(_fields(grey, PICTURE_SIDE, PICTURE_SIDE)).astype(np.uint8), hashes


def contrast(pictures: np.ndarray) -> np.ndarray:
    """(V, F, S, S) pictures -> (V,) standard deviation of their grey levels, over all frames."""
    return np.array([video.std(dtype=np.float64) for video in pictures]).reshape(-1)


def close_pairs(hashes: np.ndarray, max_distance: int = MAX_HASH_DISTANCE, block: int = 512) -> np.ndarray:
    """(V, F) uint64 -> (P, 2) indices i < j of the videos whose hashes differ in at most so many bits.

    All V * V / 2 pairs are compared, 512 rows at a time: seconds for 12,000 videos of 8 frames.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(hashes), block):
        rows, others = hashes[start : start + block], hashes[start:]
        distance = np.zeros((len(rows), len(others)), dtype=np.uint16)
        for row, other in zip(rows.T, others.T, strict=True):
            distance += np.bitwise_count(row[:, None] ^ other[None, :])
        near = np.argwhere(distance <= max_distance)
        found.append(near[near[:, 0] < near[:, 1]] + start)
    return np.concatenate(found)


def are_copies(pictures: np.ndarray, pairs: np.ndarray, block: int = 2048) -> np.ndarray:
    """(V, F, S, S) uint8 pictures, (P, 2) pairs -> (P,) bool: the same pictures, and the same movement in them."""
    alike = [np.empty(0, dtype=bool)]
    for start in range(0, len(pairs), block):
        one, other = (pictures[side].astype(np.float32) for side in pairs[start : start + block].T)
        error = np.sqrt(((_standardised(one) - _standardised(other)) ** 2).mean(axis=(1, 2, 3)))
        correlation, least_motion = motion_correlation(one, other)
        still = least_motion < MIN_MOTION
        alike.append(np.where(still, error < MAX_STILL_ERROR, (error < MAX_ERROR) & (correlation > MIN_CORRELATION)))
    return np.concatenate(alike)


def motion_correlation(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much alike two videos move: Pearson's r of what differs from a video's mean picture.

    Args:
        one, other: (P, F, S, S) grey levels of P pairs.

    Returns:
        (P,) correlations, and (P,) the lesser of the two motions in grey levels (root mean square).
    """
    move, other_move = (video - video.mean(axis=1, keepdims=True) for video in (one, other))
    spread, other_spread = (np.sqrt((motion**2).mean(axis=(1, 2, 3))) for motion in (move, other_move))
    product = (move * other_move).mean(axis=(1, 2, 3))
    return product / np.maximum(spread * other_spread, 1e-6), np.minimum(spread, other_spread)


def _fields(grey: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """(F, S, S) -> (F, rows, columns): the mean of every field."""
    count, height, width = grey.shape
    return grey.reshape(count, rows, height // rows, columns, width // columns).mean(axis=(2, 4))


def _standardised(video: np.ndarray) -> np.ndarray:
    axes = (1, 2, 3)
    return (video - video.mean(axis=axes, keepdims=True)) / np.maximum(video.std(axis=axes, keepdims=True), 1e-6)
