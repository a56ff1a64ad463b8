"""Who is who: people who cross, look away for a moment, leave and come."""

import numpy as np
import pytest

from cefl_bench.functional.face_ids import FaceIds, overlap

RATE = 25


def box(x: float, y: float = 50, side: float = 40) -> list[float]:
    return [x, y, x + side, y + side]


def follow(frames, rate: float = RATE) -> list[list[int]]:
    """The numbers of the faces of each frame; None stands for a cut."""
    ids, found = FaceIds(), []
    for number, boxes in enumerate(frames):
        if boxes is None:
            ids.cut()
            continue
        found.append(ids.match(np.array(boxes, dtype=float).reshape(-1, 4), number / rate))
    return found


def test_people_keep_their_numbers_in_whatever_order_they_are_found():
    found = follow([[box(10), box(100)], [box(102), box(12)], [box(14), box(104)]])
    assert found == [[0, 1], [1, 0], [0, 1]]


def test_of_two_people_close_together_each_keeps_their_own():
    """A box is a little nearer to the other person's; together the overlaps are larger as they were."""
    found = follow([[box(0), box(20)], [box(11), box(31)]])
    assert found[1] == [0, 1]


@pytest.mark.parametrize(("seconds", "number"), [(0.9, 0), (1.3, 1)])
@pytest.mark.parametrize("rate", [10, 60])
def test_who_is_away_for_a_moment_is_the_same_and_for_longer_another(seconds, number, rate):
    found = follow([[box(10)], *[[]] * (round(seconds * rate) - 1), [box(12)]], rate)
    assert found[-1] == [number]


def test_after_a_cut_everybody_is_somebody_else():
    assert follow([[box(10), box(100)], None, [box(10), box(100)]])[1] == [2, 3]


def test_a_face_that_is_somewhere_else_is_another():
    assert follow([[box(10)], [box(45)]])[1] == [1], "they overlap by 5 of 75"
    assert follow([[box(10)], [box(30)]])[1] == [0], "they overlap by 20 of 60"


def test_overlap_by_hand():
    one, other = np.array([box(0), box(40)], dtype=float), np.array([box(0), box(20), [0, 50, 10, 60]], dtype=float)
    expected = [[1, 20 / 60, 100 / 1600], [0, 20 / 60, 0]]
    np.testing.assert_allclose(overlap(one, other), expected)
    assert overlap(np.zeros((0, 4)), other).shape == (0, 3)
