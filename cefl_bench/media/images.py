"""Folders of images that are the frames of a video. The only place where images are read."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import IMAGE_SUFFIXES, described, list_folder, list_images


def require_folder(folder: Path) -> None:
    """See that a folder of images is there.

    Raises:
        UserError: saying what is there instead.
    """
    if folder.is_dir():
        return
    there = described(folder)
    raise UserError(f"frame folder {there} does not exist: expected a folder of images where the list names one")


def frame_files(folder: Path) -> list[Path]:
    """The images of a folder in natural order.

    Raises:
        UserError: when there is none, saying what is there instead.
    """
    files = list_images(folder)
    if not files:
        others = Counter(path.suffix.lower() or "without a suffix" for path in list_folder(folder))
        found = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(3))
        instead = f"holds no frame, but {found}" if found else "is empty"
        raise UserError(f"frame folder {folder} {instead}: expected images ({' '.join(sorted(IMAGE_SUFFIXES))})")
    return files


def read_image(file: Path) -> np.ndarray:
    """An image file -> uint8 (H, W, 3), RGB, upright as its EXIF data say.

    Raises:
        UserError: naming the file, when it cannot be read or is no image.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"image {file} cannot be read ({error.strerror or error}): copy or download it again") from None
    image = decode_image(content)
    if image is None:
        raise UserError(f"image {file} cannot be read ({len(content)} bytes, not an image): copy or download it again")
    return image


def scaled_image(image: np.ndarray, size: int) -> np.ndarray:
    """An image of a video, (H, W, 3) -> (size, size, 3): bilinear, as training reads folders of images."""
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)


def decode_image(content: bytes) -> np.ndarray | None:
    """The bytes of an image file -> uint8 (H, W, 3), RGB, upright; None where they are no image."""
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # an empty file, or more pixels than OpenCV allows
        return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
