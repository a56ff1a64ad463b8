"""Augmentation: one draw per video, the same for all of its frames, and nothing but what was drawn."""

import numpy as np
import pytest
import torch

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
