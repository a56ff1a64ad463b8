"""The drawn frames of a video: a picture that can be read, of a size that players take."""

import numpy as np
import pytest
from helpers.media import write_images
from helpers.stub_model import StubModel

from cefl_bench.predict.annotate import Annotator
from cefl_bench.predict.predictor import Predictor


@pytest.mark.parametrize(
    ("given", "picture", "width"),
    [
        ((320, 180), (480, 270), 480),
        ((720, 1280), (720, 1280), 720),
        ((1920, 1080), (1280, 720), 1280),
        ((200, 400), (480, 960), 480),
        ((16, 1600), (12, 1280), 480),
        ((400, 1600), (320, 1280), 480),
        ((1600, 16), (1280, 12), 1280),
    ],
    ids=str,
)
def test_a_picture_of_any_shape_is_drawn_whole(given, picture, width, tmp_path):
    """A red one, at whose edge is the box of the face: within the long side, in the middle where it is narrow."""
    frame = np.zeros((*given[::-1], 3), np.uint8)
    frame[..., 0] = 200
    write_images(tmp_path / "frames", frame[None], name="{}.png")
    found = Predictor(StubModel())(tmp_path / "frames", faces="none")
    drawn = Annotator(found).draw(0.0, frame)
    assert drawn.shape[1] == width and drawn.shape[0] % 2 == 0 and picture[1] < drawn.shape[0] < 2000
    coloured = np.flatnonzero(drawn[picture[1] - 1].any(axis=1))
    left = (width - picture[0]) // 2
    assert (coloured[0], coloured[-1]) == pytest.approx((left, left + picture[0] - 1), abs=4), (
        "with the line of the box"
    )
    assert (np.diff(coloured) == 1).all()
