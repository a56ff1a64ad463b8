"""Text on frames: drawn once, then laid over as often as needed."""

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
"""Comes with matplotlib, and has the letters of most alphabets."""


def put_text(
    image: np.ndarray, text: str, x: int, y: int, size: int, colour: tuple[int, int, int], right: bool = False
) -> None:
    """Draw a line of text onto (H, W, 3), in place; what reaches out of the image is cut off.

    Args:
        x, y: pixels of its left upper corner, or of the right one with `right`.
        size: of the letters, in pixels.
    """
    mask = _mask(text, size)
    x -= mask.shape[1] if right else 0
    left, top = max(-x, 0), max(-y, 0)
    part = image[max(y, 0) : max(y + mask.shape[0], 0), max(x, 0) : max(x + mask.shape[1], 0)]
    alpha = mask[top : top + part.shape[0], left : left + part.shape[1], None]
    part[...] = part + (np.array(colour) - part) * alpha + 0.5


def text_width(text: str, size: int) -> int:
    """In pixels."""
    return _mask(text, size).shape[1]


@lru_cache(maxsize=512)
def _mask(text: str, size: int) -> np.ndarray:
    """(h, w) how much of each pixel the letters cover, 0..1."""
    font = ImageFont.truetype(str(FONT), size)
    _, _, right, _ = font.getbbox(text)
    ascent, descent = font.getmetrics()
    drawn = Image.new("L", (max(int(right) + 1, 1), ascent + descent))
    ImageDraw.Draw(drawn).text((0, 0), text, fill=255, font=font)
    return np.asarray(drawn, dtype=np.float32) / 255
