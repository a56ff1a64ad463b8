"""What the videos of a corpus decode to: frames to look at, and their hash."""

import hashlib
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError


def decode(path: Path) -> np.ndarray:
    """All frames of a video, (F, H, W, 3) uint8."""
    import av

    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def frames_sha256(path: Path) -> str:
    """The SHA-256 of a video's decoded frames as the decoder gives them, planes of yuv420p.

    H.264 defines these to the bit. Their colours in RGB it does not: converters round by the processor.

    Raises:
        UserError: when the video cannot be decoded.
    """
    import av

    digest = hashlib.sha256()
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                digest.update(frame.to_ndarray(format="yuv420p").tobytes())
    except av.FFmpegError as error:
        raise UserError(f"{str(path)!r} cannot be decoded ({error.strerror}): delete it, and run again") from None
    return digest.hexdigest()
