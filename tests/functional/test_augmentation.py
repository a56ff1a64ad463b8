"""Augmentation: one draw per video, the same for all of its frames, and nothing but what was drawn."""

import numpy as np
import pytest
import torch
from PIL import Image

from cefl_bench.errors import UserError
from cefl_bench.functional.augmentation import Augmentation, crop_resize, jitter_colour
from cefl_bench.models.preprocessor import VideoPreprocessor

NOTHING = {"width": 1.0, "height": 1.0, "x": 0.0, "y": 0.0, "flip": 1, "brightness": 1, "contrast": 1, "saturation": 1}


@pytest.fixture
def video():
    """(B, N, T, H, W, C) uint8 noise, all frames of a video equal."""
    frame = torch.randint(0, 256, (2, 1, 1, 24, 24, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return frame.repeat(1, 2, 3, 1, 1, 1)


def test_draws_stay_in_range_and_follow_from_the_seed():
    augmentation = Augmentation(crop_scale=(0.5, 0.9), brightness=0.3)
    draws = [augmentation.draw(seed) for seed in range(300)]
    assert draws[7] == augmentation.draw(7) and draws[7] != draws[8]
    areas = [draw["width"] * draw["height"] for draw in draws]
    assert min(areas) > 0.45 and max(areas) <= 0.91
    for draw in draws:
        assert abs(draw["x"]) + draw["width"] <= 1 + 1e-9 and abs(draw["y"]) + draw["height"] <= 1 + 1e-9
    assert {draw["flip"] for draw in draws} == {-1, 1}
    assert all(0.7 <= draw["brightness"] <= 1.3 for draw in draws)


def test_the_identity_draw_changes_nothing():
    video = torch.rand(1, 1, 2, 3, 16, 16)
    torch.testing.assert_close(crop_resize(video, [NOTHING], 16), video)
    torch.testing.assert_close(jitter_colour(video, [NOTHING]), video)


def test_crop_and_flip_cut_where_they_say():
    video = torch.arange(16.0).reshape(1, 1, 1, 1, 1, 16).expand(1, 1, 1, 3, 16, 16).contiguous()
    right_half = crop_resize(video, [NOTHING | {"width": 0.5, "x": 0.5}], 16)
    assert right_half[0, 0, 0, 0, 0].min() >= 7.5
    flipped = crop_resize(video, [NOTHING | {"flip": -1}], 16)
    torch.testing.assert_close(flipped, video.flip(-1))


@pytest.mark.parametrize(
    ("left", "top", "width", "height", "size"),
    [(0, 0, 128, 128, 56), (20, 10, 61, 90, 48), (7, 3, 40, 20, 60), (100, 5, 28, 123, 16), (31, 0, 97, 128, 112)],
)
@pytest.mark.parametrize("flip", [1, -1])
def test_an_antialiased_crop_is_pillows(left, top, width, height, size, flip):
    """Which cuts the crop out first and then scales it, and rounds to whole levels after each axis."""
    frame = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    image = Image.fromarray(frame).crop((left, top, left + width, top + height))
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    expected = np.asarray(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip < 0 else image, dtype=float)
    draw = NOTHING | {"width": width / 128, "height": height / 128, "flip": flip}
    draw |= {"x": (2 * left + width) / 128 - 1, "y": (2 * top + height) / 128 - 1}
    video = torch.from_numpy(frame).movedim(-1, 0)[None, None, None].float()
    sharp, smooth = (crop_resize(video, [draw], size, antialias)[0, 0, 0].movedim(0, -1) for antialias in (False, True))
    assert abs(smooth.numpy() - expected).max() <= 1.01
    if min(width, height) > size:
        assert abs(sharp.numpy() - expected).max() > 10, "without it pixels are skipped"


def test_a_crop_of_less_than_a_pixel_is_one_pixel():
    video = torch.rand(1, 1, 1, 3, 8, 8)
    for antialias in (False, True):
        out = crop_resize(video, [NOTHING | {"width": 0.01, "height": 0.01, "x": 0.3, "y": -0.99}], 4, antialias)
        assert torch.isfinite(out).all() and out.min() >= 0 and out.max() <= 1


def test_a_crop_that_does_not_fit_is_cut_or_drawn_again():
    wide = {"crop_scale": (0.9, 1.0), "crop_ratio": (0.5, 2.0)}
    clamped = [Augmentation(**wide).draw(seed) for seed in range(200)]
    redrawn = [Augmentation(**wide, crop_fit="redraw").draw(seed) for seed in range(200)]
    assert all(draw["width"] * draw["height"] >= 0.9 for draw in redrawn), "the area is what was drawn"
    assert min(draw["width"] * draw["height"] for draw in clamped) < 0.8
    never = Augmentation(crop_scale=(0.9, 1.0), crop_ratio=(4.0, 5.0), crop_fit="redraw").draw(0)
    assert (never["width"], never["height"], never["x"], never["y"]) == (1, 1, 0, 0)
    with pytest.raises(UserError, match="crop_fit is 'cut': expected 'clamp' or 'redraw'"):
        Augmentation(crop_fit="cut")


def test_a_preprocessor_antialiases_where_its_config_says_so(video):
    crops = [
        VideoPreprocessor(size=8, augment=dict(crop_scale=(1.0, 1.0), crop_ratio=(1.0, 1.0)), **antialias)(
            {"video": video, "seed": torch.tensor([1, 2])}, training=True
        )["video"]
        for antialias in ({}, {"antialias": False}, {"antialias": True})
    ]
    assert torch.equal(crops[0], crops[1]), "off unless a config says so"
    assert crops[2].std() < 0.7 * crops[1].std(), "noise is averaged"


def test_every_frame_of_a_video_gets_the_same_draw_and_every_video_its_own(video):
    preprocessor = VideoPreprocessor(size=16, augment={})
    out = preprocessor({"video": video, "seed": torch.tensor([1, 2])}, training=True)["video"]
    assert out.shape == (2, 2, 3, 3, 16, 16) and out.dtype == torch.float32
    torch.testing.assert_close(out[:, :1, :, :1].expand_as(out), out)
    alone = preprocessor({"video": video[1:], "seed": torch.tensor([2])}, training=True)["video"]
    torch.testing.assert_close(alone[0], out[1])
    assert not torch.allclose(out[0], out[1])


def test_testing_only_scales_and_normalises(video):
    preprocessor = VideoPreprocessor(size=24, augment={}, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    out = preprocessor({"video": video, "seed": torch.tensor([1, 2])}, training=False)["video"]
    expected = (video.numpy() / 255 - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.3, 0.4])
    np.testing.assert_allclose(out.numpy(), np.moveaxis(expected, -1, 2), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(augment=dict(flp=0.5)), "augment has no 'flp': expected crop_scale, .*flip"),
        (dict(augment=dict(flip="often")), "Expected `float`, got `str` - at `augment.flip`"),
        (dict(augment=dict(flip=2)), "augment.flip is 2.0: expected a number from 0 to 1"),
        (dict(augment=dict(crop_scale=(0.5,))), "length 2, got 1 - at `augment.crop_scale`"),
        (dict(augment=dict(crop_scale=(0.9, 0.5))), r"augment.crop_scale is \(0.9, 0.5\): expected shares"),
        (dict(augment=dict(crop_ratio=(0.0, 1.0))), "augment.crop_ratio is .* above 0"),
        (dict(mean=(0.5, 0.5)), "expected three numbers each"),
        (dict(std=(1, 0, 1)), "std above 0"),
        (dict(size=0), "size is 0: expected a number of pixels"),
    ],
)
def test_arguments_out_of_their_range_are_one_line(arguments, message):
    with pytest.raises(UserError, match=message) as error:
        VideoPreprocessor(**{"size": 8, **arguments})
    assert "\n" not in str(error.value)
