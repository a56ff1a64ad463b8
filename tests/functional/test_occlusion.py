"""What a part of a video is worth: closed forms, and a video in which no part can be worth anything."""

import math

import pytest
import torch

from cefl_bench.errors import UserError
from cefl_bench.functional.occlusion import occluded, worth


def mean_of_channels(video_BNCTHW):
    """A model that can be solved by hand: the logit of class k is the mean of channel k over all frames."""
    return video_BNCTHW.mean(dim=(1, 3, 4, 5)).softmax(dim=1)


def test_the_worth_of_a_frame_is_what_the_closed_form_says():
    video = torch.zeros(1, 3, 4, 2, 2)
    video[:, 0, 2] = 4.0  # all that there is of class 0 is in frame 2
    found = worth(mean_of_channels(video[None])[0], mean_of_channels(occluded(video, 4)))
    whole, more = (math.exp(logit) / (math.exp(logit) + 2) for logit in (1.0, 4 / 3))
    expected = [whole - more, whole - more, whole - 1 / 3, whole - more]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("num_parts", [2, 3, 6])
def test_in_each_copy_one_part_shows_the_average_of_the_others_and_the_rest_stays(num_parts):
    video = torch.arange(6.0).reshape(2, 1, 3, 1, 1)  # two clips of three frames
    length = 6 // num_parts
    copies = occluded(video, num_parts)
    assert copies.shape == (num_parts, *video.shape)
    for part, copy in enumerate(copies.reshape(num_parts, 6).tolist()):
        inside = range(part * length, (part + 1) * length)
        others = [float(frame) for frame in range(6) if frame not in inside]
        average = sum(others) / len(others)
        assert copy == pytest.approx([average if frame in inside else frame for frame in range(6)])
    assert video.flatten().tolist() == [0, 1, 2, 3, 4, 5], "the video itself stays"


def test_no_part_of_a_still_video_is_worth_anything():
    video = torch.rand(1, 3, 1, 4, 4).expand(4, 3, 2, 4, 4)
    for num_parts in (4, 8):
        found = worth(mean_of_channels(video[None])[0], mean_of_channels(occluded(video, num_parts)))
        assert found.abs().max() < 1e-6


def test_a_video_of_one_frame_has_no_part_to_take_away():
    with pytest.raises(UserError, match="only frame"):
        occluded(torch.zeros(1, 3, 1, 2, 2), 1)
