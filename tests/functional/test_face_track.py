"""Whose face a crop follows, and that it does not jitter."""

import numpy as np
import pytest

from cefl_bench.functional.face_track import PATIENCE, crop_matrix, crop_of, first_face, follow, steady


def box(x, y, side=20):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def boxes(*found):
    return np.array(found, dtype=float).reshape(-1, 4)


def test_the_first_face_is_the_most_central_of_the_large_ones():
    small_in_the_middle, large_at_the_edge, nearly_as_large = box(100, 50, 10), box(20, 50, 30), box(90, 50, 26)
    assert first_face(boxes(small_in_the_middle, large_at_the_edge, nearly_as_large), 100, 200) == 2
    assert first_face(boxes(small_in_the_middle, large_at_the_edge), 100, 200) == 1


def test_two_people_who_come_closer_are_not_mixed_up():
    """Their order in the list changes; the one followed at first moves on, and a larger face appears."""
    found = []
    for step in range(20):
        people = [box(50 + 2 * step, 50), box(150 - step, 50, 18)]
        found.append(boxes(*(people if step % 2 else people[::-1]), *([box(30, 80, 40)] if step > 5 else [])))
    chosen, shots = follow(found, 100, 160)
    assert [found[step][chosen[step]][0] + 10 for step in range(20)] == [50 + 2 * step for step in range(20)]
    assert not shots.any()


def test_a_lost_face_is_waited_for_before_another_is_followed():
    here, there = box(30, 50), box(150, 50)
    brief = [boxes(here)] + [boxes(there)] * PATIENCE + [boxes(here, there)]
    chosen, shots = follow(brief, 100, 200)
    assert chosen.tolist() == [0] + [-1] * PATIENCE + [0] and not shots.any()
    chosen, shots = follow([boxes(here)] + [boxes(there)] * (PATIENCE + 3), 100, 200)
    assert chosen.tolist() == [0] + [-1] * PATIENCE + [0] * 3 and shots.tolist() == [0] * (PATIENCE + 1) + [1] * 3
    assert follow([boxes()] * 3, 100, 200)[0].tolist() == [-1] * 3


def test_a_crop_is_upright_and_has_its_margin():
    upright = np.array([[40, 40], [60, 40], [50, 50], [42, 60], [58, 60]], dtype=float)
    for degrees in (-30, 0, 30):
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turned = (upright - 50) @ np.array([[cos, sin], [-sin, cos]]) + 50
        x, y, side, angle = crop_of(boxes([30, 25, 70, 75]), turned[None], margin=0.1)[0]
        assert (x, y) == (50, 50) and side == pytest.approx(60) and np.degrees(angle) == pytest.approx(degrees)
        matrix = crop_matrix(np.array([x, y, side, angle]), 120)
        # in coordinates of pixel centres, both here and there
        seen = np.column_stack([turned - 0.5, np.ones(5)]) @ matrix.T
        np.testing.assert_allclose(seen, (upright - 50) * 2 + 60 - 0.5, atol=1e-9)


def test_steady_follows_without_trembling_or_lagging():
    rng = np.random.default_rng(0)
    truth = np.column_stack([np.linspace(50, 90, 60), np.full(60, 50.0), np.full(60, 40.0), np.zeros(60)])
    noisy = truth + rng.normal(size=truth.shape) * (1, 1, 1, 0.02)
    smooth = steady(noisy, np.ones(60, dtype=bool), np.zeros(60, dtype=int), sigma=3)
    assert np.abs(smooth - truth)[5:-5].max() < 1.2, "lags behind"
    trembling = [np.diff(crops, n=2, axis=0).std() for crops in (noisy, smooth)]
    assert trembling[1] < trembling[0] / 15


def test_steady_holds_the_last_face_and_jumps_between_shots():
    crops = np.full((8, 4), np.nan)
    crops[[1, 2]], crops[[5, 6]] = (10, 10, 20, 0), (80, 80, 20, 3 * np.pi)
    found = np.isfinite(crops[:, 0])
    held = steady(crops, found, np.array([0, 0, 0, 0, 0, 1, 1, 1]), sigma=3)
    np.testing.assert_allclose(held[:5], np.tile([10, 10, 20, 0], (5, 1)))
    np.testing.assert_allclose(held[5:], np.tile([80, 80, 20, 3 * np.pi], (3, 1)))
    with pytest.raises(ValueError, match="no frame"):
        steady(crops, np.zeros(8, dtype=bool), np.zeros(8, dtype=int), sigma=3)
