"""Frame sampling, on videos of every awkward length."""

import numpy as np
import pytest

from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import ceflnet_clips, dense_clips, segment_frames, stretch

LENGTHS = (1, 11, 16, 70, 105, 847)


@pytest.mark.parametrize("num_frames", LENGTHS)
@pytest.mark.parametrize("scheme", [ceflnet_clips, segment_frames, dense_clips])
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_indices_are_frames_of_the_video_in_order(scheme, num_frames, seed):
    indices = scheme(num_frames, None if seed is None else np.random.default_rng(seed))
    assert indices.dtype == np.int64
    assert indices.min() >= 0 and indices.max() < num_frames
    assert (np.diff(indices, axis=1) >= 0).all()


@pytest.mark.parametrize("num_frames", LENGTHS)
@pytest.mark.parametrize(
    ("scheme", "shape"), [(ceflnet_clips, (7, 5)), (segment_frames, (1, 16)), (dense_clips, (1, 16))]
)
def test_shape_and_repeatability(scheme, shape, num_frames):
    assert scheme(num_frames).shape == shape
    assert (scheme(num_frames) == scheme(num_frames)).all()
    draws = [scheme(num_frames, np.random.default_rng(3)) for _ in range(2)]
    assert (draws[0] == draws[1]).all()


def test_ceflnet_at_test_time_is_the_published_scheme():
    indices = ceflnet_clips(105)
    assert indices[0].tolist() == [15, 18, 21, 24, 27]
    assert indices[:, 0].tolist() == [15, 25, 35, 45, 55, 65, 75]
    assert indices[-1].tolist() == [75, 78, 81, 84, 87]


def test_ceflnet_in_training_draws_distinct_frames_of_each_window_and_every_start():
    starts = set()
    for seed in range(400):
        indices = ceflnet_clips(105, np.random.default_rng(seed))
        assert (np.diff(indices, axis=1) > 0).all()
        assert (np.ptp(indices, axis=1) < 15).all()
        assert (indices >= 10 * np.arange(7)[:, None]).all()
        assert (indices < 30 + 10 * np.arange(7)[:, None] + 15).all()
        starts.add(indices[0].min())
    assert min(starts) == 0 and max(starts) >= 29


@pytest.mark.parametrize("num_frames", LENGTHS)
def test_stretch_plays_the_whole_video(num_frames):
    timeline = stretch(num_frames, 105)
    assert timeline[0] == 0 and timeline[-1] == num_frames - 1
    assert (stretch(105, 105) == np.arange(105)).all()
    assert len(set(timeline)) == min(num_frames, 105)


def test_segments_are_left_by_no_draw():
    for seed in range(50):
        indices = segment_frames(160, np.random.default_rng(seed))[0]
        assert (indices // 10 == np.arange(16)).all()
    assert segment_frames(160)[0].tolist() == list(range(5, 160, 10))
    assert segment_frames(16)[0].tolist() == list(range(16))


def test_a_video_that_fits_into_the_segments_several_times_is_played_several_times():
    assert segment_frames(1)[0].tolist() == [0] * 16
    assert segment_frames(2)[0].tolist() == [0, 1] * 8
    assert segment_frames(4)[0].tolist() == [0, 1, 2, 3] * 4
    assert segment_frames(8)[0].tolist() == [*range(8), *range(8)]
    assert set(segment_frames(11)[0]) == set(range(11)) and (np.diff(segment_frames(11)[0]) >= 0).all()
    for seed in range(50):
        assert segment_frames(4, np.random.default_rng(seed))[0].tolist() == [0, 1, 2, 3] * 4


@pytest.mark.parametrize("seed", [None, *range(12)])
def test_no_clip_of_a_video_that_moves_is_a_still_image(seed):
    """Three frames in 4 clips of 4 would be 0000 0111 1112 2222 if each were held for its share of the places."""
    for num_frames in range(2, 60):
        first, second = (None if seed is None else np.random.default_rng(seed) for _ in range(2))
        for clips in (segment_frames(num_frames, first).reshape(4, 4), ceflnet_clips(num_frames, second)):
            assert (np.ptp(clips, axis=1) > 0).all(), clips
            assert clips.min() >= 0 and clips.max() < num_frames


def test_clips_of_a_short_video_are_runs_of_frames_or_the_whole_video():
    """Clips of 5 frames: 7 of them ask for 35."""
    for seed in (None, 0, 1, 2):
        rng = None if seed is None else np.random.default_rng(seed)
        assert ceflnet_clips(5, rng).tolist() == [[0, 1, 2, 3, 4]] * 7
        assert ceflnet_clips(3, rng).tolist() == [[0, 0, 1, 2, 2]] * 7
        for num_frames in range(6, 35):
            clips = ceflnet_clips(num_frames, rng)
            assert (np.diff(clips, axis=1) == 1).all() and (np.diff(clips[:, 0]) >= 0).all()
    # timeline 15, 25, .. 75 of 0..90 for the first frames, which are 0..15 of a video of 20
    assert ceflnet_clips(20)[:, 0].tolist() == [2, 4, 6, 8, 9, 11, 12]
    drawn = [ceflnet_clips(34, np.random.default_rng(seed)) for seed in range(300)]
    assert min(clips.min() for clips in drawn) == 0 and max(clips.max() for clips in drawn) == 33


def test_a_video_of_as_many_frames_as_asked_for_is_sampled_by_the_plain_rule():
    assert ceflnet_clips(35)[0].tolist() == [5, 6, 7, 8, 9] and segment_frames(16)[0].tolist() == list(range(16))
    assert segment_frames(15)[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14]


@pytest.mark.parametrize("scheme", [ceflnet_clips, segment_frames, dense_clips])
def test_a_video_without_frames_is_refused(scheme):
    with pytest.raises(ValueError, match="0 frames"):
        scheme(0)


def test_segments_are_sampled_at_random_in_training_and_midway_at_test():
    draws = [segment_frames(160, np.random.default_rng(seed)) for seed in (0, 1)]
    assert not np.array_equal(*draws)
    for draw in draws:
        assert np.array_equal(draw[0] // 10, np.arange(16))
    assert np.array_equal(segment_frames(160)[0], np.arange(16) * 10 + 5)


def test_two_consecutive_frames_of_eight_segments():
    """Of 81 frames, 80 can begin a pair: segments of 10."""
    pairs = segment_frames(81, num_segments=8, num_frames_per_segment=2)[0].reshape(8, 2)
    assert pairs.tolist() == [[5 + 10 * n, 6 + 10 * n] for n in range(8)]
    starts = [segment_frames(81, np.random.default_rng(seed), 8, 2)[0].reshape(8, 2) for seed in range(40)]
    assert all(np.array_equal(pair[:, 0] + 1, pair[:, 1]) for pair in starts)
    assert {start[0, 0] for start in starts} == set(range(10)), "every frame of a segment begins a pair"
    assert max(start[-1, 1] for start in starts) == 80
    assert segment_frames(1, num_segments=8, num_frames_per_segment=2)[0].tolist() == [0] * 16


def test_whole_steps_leave_the_last_frames_out_in_training_alone():
    """Of 104 frames 103 can begin a pair: steps of 12, so frames 97..103 are never trained on."""
    seen = set()
    for seed in range(300):
        seen |= set(segment_frames(104, np.random.default_rng(seed), 8, 2, whole_steps=True)[0])
    assert seen == set(range(97))
    assert np.array_equal(segment_frames(104, None, 8, 2, whole_steps=True), segment_frames(104, None, 8, 2))
    short = [segment_frames(5, np.random.default_rng(seed), 8, 2, whole_steps=True) for seed in range(30)]
    assert {int(frame) for indices in short for frame in indices[0]} == set(range(5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(timeline="cut"), "timeline is 'cut': expected 'stretched' or 'fixed'"),
        (dict(num_clips=8), "8 clips of 5 frames from windows of 15, 10 apart: expected .* within 75"),
        (dict(num_frames_per_clip=16), "expected windows of at least as many frames as a clip"),
    ],
)
def test_clips_that_cannot_be_taken_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        ceflnet_clips(105, **options)


def test_dense_clips_are_those_of_mae_dfer():
    # datasets of its released code: every fourth frame of a random 64-frame window; shorter videos repeat their last
    assert dense_clips(200, num_views=2).tolist() == [list(range(0, 64, 4)), list(range(136, 200, 4))]
    assert dense_clips(200)[0].tolist() == list(range(68, 132, 4)), "one view lies in the middle"
    assert dense_clips(20, short="held")[0].tolist() == [0, 4, 8, 12, 16] + [19] * 11
    assert dense_clips(20)[0].tolist() == stretch(20, 16).tolist()
    assert (dense_clips(40, num_views=2) == dense_clips(40)).all(), "a short video has one view"
    starts = {int(dense_clips(67, np.random.default_rng(seed), num_views=2)[0, 0]) for seed in range(60)}
    assert starts == {0, 1, 2, 3} and dense_clips(64, np.random.default_rng(0)).shape == (1, 16)
    with pytest.raises(UserError, match="short is 'cut': expected 'stretched' or 'held'"):
        dense_clips(20, short="cut")
