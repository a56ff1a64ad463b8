"""How a player shows a stored frame: turned, mirrored, and with pixels that need not be square."""

from typing import Any, NamedTuple

import av
import numpy as np

MAX_PIXEL_ASPECT = 4.0
"""Width over height of a pixel, or its inverse, above which the header is wrong; 2.2 is the largest in use."""


class Display(NamedTuple):
    """The way from a stored frame to the shown one: rows and columns change places first, then they are mirrored."""

    transpose: bool = False
    mirror_columns: bool = False
    mirror_rows: bool = False


AS_STORED = Display()


def display_of(frame: av.VideoFrame) -> Display:
    """The nearest of the eight right-angled ways in which a frame's display matrix asks to be shown.

    The matrix comes from the container, as phones write it, or from the stream itself (ISO/IEC 14496-12, 6.2.2).
    """
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # side data of a kind that PyAV does not know yet
        return AS_STORED
    if data is None:
        return AS_STORED
    # a stored point (x, y) is shown at (a x + c y, b x + d y), up to a shift
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(data), np.int32)[:5])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Display(False, mirror_columns=a < 0, mirror_rows=d < 0)
    return Display(True, mirror_columns=c < 0, mirror_rows=b < 0)


def display_filters(display: Display) -> list[tuple[str, str | None]]:
    """The same as filters of FFmpeg: name and arguments."""
    if display.transpose:
        directions = {
            (False, False): "cclock_flip",
            (False, True): "cclock",
            (True, False): "clock",
            (True, True): "clock_flip",
        }
        return [("transpose", directions[display.mirror_columns, display.mirror_rows])]
    mirrors: list[tuple[str, str | None]] = []
    if display.mirror_columns:
        mirrors.append(("hflip", None))
    if display.mirror_rows:
        mirrors.append(("vflip", None))
    return mirrors


def shown(image: np.ndarray, display: Display) -> np.ndarray:
    """(H, W, C) as stored -> (H, W, C) or (W, H, C) as shown."""
    if display.transpose:
        image = image.swapaxes(0, 1)
    if display.mirror_columns:
        image = image[:, ::-1]
    if display.mirror_rows:
        image = image[::-1]
    return image


def square_size(width: int, height: int, pixel_aspect: float) -> tuple[int, int]:
    """Width and height at which the pixels of a frame are square; the frame is only ever enlarged.

    Args:
        pixel_aspect: width of a pixel over its height; 0 where it is unknown.
    """
    if not 1 / MAX_PIXEL_ASPECT <= pixel_aspect <= MAX_PIXEL_ASPECT:
        return width, height
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)
