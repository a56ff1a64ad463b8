"""Whose face a crop follows, and that it does not jitter."""

import numpy as np
import pytest

from cefl_bench.functional.face_track import crop_matrix, crop_of, first_face, follow, steady


def box(x, y, side=20):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def boxes(*found):
    return np.array(found, dtype=float).reshape(-1, 4)


def test_the_first_face_is_the_most_central_of_the_large_ones():
    small_in_the_middle, large_at_the_edge, nearly_as_large = box(100, 50, 10), box(20, 50, 30), box(90, 50, 26)
    assert first_face(boxes(small_in_the_middle, large_at_the_edge, nearly_as_large), 100, 200) == 2
    assert first_face(boxes(small_in_the_middle, large_at_the_edge), 100, 200) == 1


def following(found, shots=None, rate=25.0, height=100, width=200):
    shots = np.zeros(len(found), dtype=int) if shots is None else np.array(shots)
    result = follow(found, shots, np.arange(len(found)) / rate, height, width)
    return result.chosen.tolist(), result.people.tolist()


def test_two_people_who_come_closer_are_not_mixed_up():
    """Their order in the list changes; the one followed moves on, and a larger face appears."""
    found = []
    for step in range(20):
        people = [box(50 + 2 * step, 50), box(150 - step, 50, 18)]
        found.append(boxes(*(people if step % 2 else people[::-1]), *([box(30, 80, 40)] if step > 15 else [])))
    chosen, people = following(found, width=160)
    assert [found[step][chosen[step]][0] + 10 for step in range(20)] == [50 + 2 * step for step in range(20)]
    assert set(people) == {1}


def test_after_a_cut_the_face_is_another_one_at_once():
    """No frame is lost, however near the two stand."""
    found = [boxes(box(100, 50))] * 10 + [boxes(box(108, 50))] * 10
    assert following(found, [0] * 10 + [1] * 10) == ([0] * 20, [1] * 10 + [2] * 10)
    assert following(found)[1] == [1] * 20


def test_a_shot_has_one_person_whoever_is_seen_first():
    """A passer-by is the only face found in its first frames."""
    main, passer_by = box(100, 50, 30), box(170, 50, 28)
    found = [boxes(passer_by)] * 4 + [boxes(passer_by, main)] * 20
    assert following(found) == ([-1] * 4 + [1] * 20, [1] * 24)


@pytest.mark.parametrize("rate", [10.0, 25.0, 60.0])
def test_a_face_that_is_gone_for_more_than_a_second_gives_way(rate):
    here, there = boxes(box(30, 50)), boxes(box(170, 50))
    brief, long = round(0.8 * rate), round(1.5 * rate)
    half = round(3 * rate)
    chosen, people = following([here] * half + [there] * brief, rate=rate)
    assert chosen == [0] * half + [-1] * brief and set(people) == {1}
    chosen, people = following([here] * half + [there] * long, rate=rate)
    assert chosen == [0] * (half + long) and people == [1] * half + [2] * long
    chosen, people = following([here] * half + [there] * brief + [here] * half, rate=rate)
    assert set(people) == {1}


def test_a_shot_without_a_face_shows_nobody():
    assert following([boxes()] * 3) == ([-1] * 3, [0] * 3)
    assert following([boxes(box(50, 50))] * 2 + [boxes()] * 2, [0, 0, 1, 1]) == ([0, 0, -1, -1], [1, 1, 0, 0])


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
    smooth = steady(noisy, np.zeros(60, dtype=int), np.arange(60) / 25, sigma=0.12)
    assert np.abs(smooth - truth)[5:-5].max() < 1.2, "lags behind"
    trembling = [np.diff(crops, n=2, axis=0).std() for crops in (noisy, smooth)]
    assert trembling[1] < trembling[0] / 15


def bump(seconds):
    """Crops whose x is a Gaussian of 0.3 s around second 2; smoothed with 0.12 s, its peak is 1 / sqrt(1 + 0.16)."""
    crops = np.ones((len(seconds), 4))
    crops[:, 0] = np.exp(-0.5 * ((seconds - 2) / 0.3) ** 2)
    return crops


@pytest.mark.parametrize("rate", [10, 15, 25, 60])
def test_steady_does_not_depend_on_the_frame_rate(rate):
    seconds = np.arange(4 * rate + 1) / rate
    smooth = steady(bump(seconds), np.zeros(len(seconds), dtype=int), seconds, sigma=0.12)
    assert smooth[2 * rate, 0] == pytest.approx(1 / np.sqrt(1.16), abs=0.005)


def test_steady_goes_by_the_times_of_frames_and_not_by_their_number():
    rng = np.random.default_rng(0)
    seconds = np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 12], 200))
    seconds = np.sort(np.append(seconds[seconds < 4], 2.0))
    smooth = steady(bump(seconds), np.zeros(len(seconds), dtype=int), seconds, sigma=0.12)
    assert smooth[np.searchsorted(seconds, 2.0), 0] == pytest.approx(1 / np.sqrt(1.16), abs=0.02)
    assert steady(bump(seconds[:1]), np.zeros(1, dtype=int), seconds[:1], sigma=0.12) == pytest.approx(
        bump(seconds[:1])
    )


def test_a_camera_that_changes_its_rate_does_not_pull_the_crop_aside():
    """60 frames per second before second 2, 10 after: the many frames of the past do not outweigh the few to come."""
    seconds = np.concatenate([np.arange(0, 2, 1 / 60), np.arange(2, 4, 1 / 10)])
    ramp = np.ones((len(seconds), 4))
    ramp[:, 0] = seconds
    smooth = steady(ramp, np.zeros(len(seconds), dtype=int), seconds, sigma=0.2)
    assert smooth[120, 0] == pytest.approx(2, abs=0.01)


def test_steady_holds_the_last_face_and_jumps_between_parts():
    crops = np.full((10, 4), np.nan)
    crops[[1, 2]], crops[[5, 6]] = (10, 10, 20, 0), (80, 80, 20, 3 * np.pi)
    held = steady(crops, np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]), np.arange(10) / 25, sigma=0.12)
    np.testing.assert_allclose(held[:5], np.tile([10, 10, 20, 0], (5, 1)))
    np.testing.assert_allclose(held[5:8], np.tile([80, 80, 20, 3 * np.pi], (3, 1)))
    assert np.isnan(held[8:]).all(), "nobody is there"
