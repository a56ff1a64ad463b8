"""Which frames stand where: each change by hand, for one clip of 16 frames, 4 clips in it, and overlapping clips."""

import numpy as np
import pytest

from cefl_bench.functional.time_changes import (
    APEX,
    CHANGES,
    CHANGES_OF_CLIPS,
    Layout,
    apex_of,
    changes_for,
    generator_of,
    keep_predictions,
    moved,
)

FAIR, PAPER = Layout((1, 16), 4, 9), Layout((7, 5), 7, 9)
"""The fair track's frames as CEFLNet sees them, and those of its paper."""


def places(change, layout, video="v", seed=0):
    return {**CHANGES, **CHANGES_OF_CLIPS}[change](layout, generator_of(seed, video, change)).tolist()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("reversed", [*range(15, -1, -1)]),
        ("every second frame", [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14]),
        ("first frame", [0] * 16),
        (APEX, [9] * 16),
    ],
)
def test_a_change_without_chance_is_as_written_by_hand(change, expected):
    assert places(change, FAIR) == expected


def test_halving_stays_within_the_clips_that_were_sampled():
    """A clip of 5 frames ends with its fifth; no clip shows a frame of the one before, which may overlap it."""
    assert places("every second frame", PAPER)[:10] == [0, 0, 2, 2, 4, 5, 5, 7, 7, 9]
    assert places("every second frame", Layout((4, 1), 4, 0)) == [0, 0, 2, 2]


@pytest.mark.parametrize("layout", [FAIR, PAPER])
def test_random_orders_lose_no_frame_and_keep_what_they_should(layout):
    frames = layout.num_frames // layout.num_clips
    for change in ("shuffled", *CHANGES_OF_CLIPS):
        order = places(change, layout)
        assert sorted(order) == [*range(layout.num_frames)] != order
    clips = np.reshape(places("shuffled within clips", layout), (-1, frames))
    assert (np.sort(clips, axis=1) == np.arange(layout.num_frames).reshape(-1, frames)).all()
    assert len({tuple(clip - clip.min()) for clip in clips}) > 1, "each clip has an order of its own"
    clips = np.reshape(places("clips shuffled", layout), (-1, frames))
    assert (np.diff(clips, axis=1) == 1).all() and (clips[:, 0] % frames == 0).all()


def test_an_order_is_of_its_seed_and_its_video_alone():
    assert places("shuffled", FAIR, "a") == places("shuffled", FAIR, "a")
    others = [places("shuffled", FAIR, "b"), places("shuffled", FAIR, "a", seed=1)]
    assert places("shuffled", FAIR, "a") not in others and others[0] != others[1]


@pytest.mark.parametrize(("sampled", "clips", "several"), [((1, 16), 4, True), ((7, 5), 7, True), ((1, 16), 1, False)])
def test_clips_are_shuffled_where_there_are_several_of_several_frames(sampled, clips, several):
    assert (CHANGES_OF_CLIPS.keys() <= changes_for(sampled, clips).keys()) == several
    assert not CHANGES_OF_CLIPS.keys() & changes_for((1, 16), 16).keys()


UNKNOWN = np.full((1, 6), np.nan)
INDICES = np.array([[2, 6, 10, 14, 18, 22]])


@pytest.mark.parametrize(
    ("intensity", "apex", "expected"),
    [
        (np.array([[0, 0.2, 0.9, 0.4, 0.1, 0]]), (12, 16), (2, True)),
        (np.array([[0, 1, 1, 1, 0, 0]]), (-1, -1), (2, True)),
        (np.zeros((1, 6)), (-1, -1), (3, False)),
        (UNKNOWN, (12, 16), (3, True)),
        (UNKNOWN, (-1, -1), (3, False)),
    ],
    ids=["highest", "plateau", "neutral", "apex alone", "unknown"],
)
def test_the_most_emotional_frame_is_told_by_intensity_then_by_the_apex(intensity, apex, expected):
    assert apex_of(intensity, INDICES, apex) == expected


def test_rounding_changes_no_prediction_and_anything_more_does():
    before = np.array([[2.0, 2.0 - 1e-6, -1.0], [2.0, 2.0 - 1e-3, -1.0], [np.nan] * 3, [1.0, 0.5, -np.inf]])
    after = np.array([[2.0, 2.0 + 1e-6, -1.0], [2.0, 2.0 + 1e-3, -1.0], [np.nan] * 3, [0.4, 0.5, -np.inf]])
    kept = keep_predictions(after, before)
    np.testing.assert_array_equal(kept, [before[0], after[1], before[2], after[3]])
    np.testing.assert_allclose(moved(after, before), [1e-6, 1e-3, 0, 0.6], rtol=1e-6)
