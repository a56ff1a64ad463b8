"""The frames of a camera. They are handed on and kept nowhere."""

from collections.abc import Iterator

import av
import numpy as np

from cefl_bench.errors import UserError

DEVICE, DRIVER = "/dev/video{}", "v4l2"
"""How Linux calls cameras, and FFmpeg what reads them."""


def camera_frames(number: int, seconds: float) -> Iterator[tuple[float, np.ndarray]]:
    """Yield when a frame comes, in seconds from the first one on, and the frame, uint8 (H, W, 3), RGB.

    Args:
        number: of the camera, from 0.
        seconds: for how long.

    Raises:
        UserError: when there is no such camera, or it gives no picture.
    """
    device = DEVICE.format(number)
    try:
        with av.open(device, format=DRIVER) as container:
            begin, last = None, -1.0
            for frame in container.decode(video=0):
                time = frame.time if frame.time is not None else last
                begin = time if begin is None else begin
                if time - begin >= seconds:
                    return
                if time > last:
                    yield time - begin, frame.to_ndarray(format="rgb24")
                last = time
    except (av.FFmpegError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"camera {device} gives no picture ({reason}): connect one, allow access to it, or name another one, such "
            f"as webcam:{number + 1}"
        ) from None
