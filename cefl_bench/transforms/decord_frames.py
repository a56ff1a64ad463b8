"""The frames of a video file by decord, which is fast, and the rule when it is right. The one door of decord.

decord finds a frame by counting packets and seeking to the key frame before it. Without a word it hands out another
frame where frames shown before a key frame are stored after it (open GOP; B-frames of MPEG-4 and HEVC), where a key
frame only starts a refresh, where times are missing or guessed (H.264 and MPEG-4 in AVI; MPEG-TS), where an edit list
hides frames (clips cut without encoding again) and where a packet holds no frame (encoders that drop some). It takes
the memory for as many frames as the header states, and knows nothing of mirrored videos.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cefl_bench.media.survey import Survey


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """Let nobody find a package in a `with` block that has not been imported."""
    imported = sys.modules.get(package)
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
        if imported is not None:
            sys.modules[package] = imported


# decord would load every CUDA library that pip installed, for all of the process to see, though it decodes on the CPU:
# nvblas among them, which takes the place of others' matrix products, and second builds of libraries that torch uses.
with _hidden("nvidia"):
    import decord

decord.logging.set_level(decord.logging.QUIET)
DECORD_VERSION: str = decord.__version__
REFUSED_SIZES = frozenset({4, 6, 8, 12, 16, 24, 32, 36, 48, 72, 96, 144})
"""Sizes below 260 at which decord 3.4 pads the rows of a frame and then refuses to hand it out, on one CPU or another:
rows are aligned to 64 bytes where there is AVX-512, to 32 where there is AVX, else to 16."""
EXACT_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv"}
"""Formats, as FFmpeg names them, in which decord was right where it had nothing to seek. In AVI it was not."""
EXACT_CODECS = {"h264", "flv", "flv1"}
"""Likewise. HEVC may stop with an error though the file is sound; a packet of MPEG-4 may hold no frame."""


def is_exact(found: Survey, size: int) -> bool:
    """Whether decord gives the frames of a video file by their numbers, at a size in pixels."""
    return (
        found.is_plain
        and found.container in EXACT_CONTAINERS
        and found.codec in EXACT_CODECS
        and size not in REFUSED_SIZES
    )


class DecordFrames:
    """The frames of a video file for which `is_exact` holds. decord scales while decoding, which halves the time."""

    def __init__(self, path: str, size: int) -> None:
        self._reader = decord.VideoReader(path, width=size, height=size, num_threads=1)

    def __len__(self) -> int:
        return len(self._reader)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """(n,) ascending frame indices without repeats -> uint8 (n, size, size, 3), RGB."""
        return self._reader.get_batch(indices.tolist()).asnumpy()
