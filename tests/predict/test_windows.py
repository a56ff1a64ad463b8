"""A long video as windows: where they begin and end, who is in each, and why nobody is."""

import math

import numpy as np
import pytest

from cefl_bench.errors import UserError
from cefl_bench.faces.several import Face, Sight
from cefl_bench.predict.windows import EmptyPiece, FacePiece, in_windows

IMAGE = np.zeros((4, 4, 3), dtype=np.uint8)


def sight(seconds, *people, found=(), brightness=0.5):
    """A frame with these people in it; those in `found` are seen, all where it is empty."""
    faces = [Face(person, not found or person in found, (0.0, 0, 1, 1), IMAGE) for person in people]
    return Sight(seconds, 64, 48, brightness, faces)


def video(seconds, rate=25, *people):
    return [sight(number / rate, *people) for number in range(round(seconds * rate))]


def spans(pieces):
    return [(round(piece.start, 3), round(piece.end, 3)) for piece in pieces]


@pytest.mark.parametrize("rate", [10, 25, 60])
@pytest.mark.parametrize(
    ("length", "window", "stride", "expected"),
    [
        (4.0, 2.0, 1.0, [(0, 2), (1, 3), (2, 4)]),
        (4.4, 2.0, 1.0, [(0, 2), (1, 3), (2, 4), (3, 4.4)]),
        (1.0, 2.0, 1.0, [(0, 1)]),
        (3.0, 1.0, 1.5, [(0, 1), (1.5, 2.5)]),
        (3.0, 1.0, 5.0, [(0, 1)]),
        (3.6, math.inf, 1.0, [(0, 3.6)]),
    ],
)
def test_windows_cover_the_video(length, window, stride, expected, rate):
    pieces = list(in_windows(video(length, rate, 0), window, stride))
    assert spans(pieces) == expected
    for piece in pieces:
        assert len(piece.faces) == len(piece.seconds) == round((piece.end - piece.start) * rate)
        assert piece.start <= piece.seconds[0] and piece.seconds[-1] < piece.end


def test_a_video_of_one_or_two_frames_is_one_window():
    for length in (1, 2):
        (piece,) = in_windows(video(length / 25, 25, 0), 2.0, 1.0)
        assert spans([piece]) == [(0, length / 25)] and len(piece.faces) == length
    with pytest.raises(UserError, match="no frame"):
        list(in_windows([], 2.0, 1.0))


@pytest.mark.parametrize(
    ("gaps", "shown"),
    [
        ([0.04] * 49 + [5.0], 0.04),  # 50 frames at 25 a second, a pause, and a last one
        ([0.04, 5.0], 0.04),
        ([0.2] * 40 + [1 / 60] * 120, 1 / 60),
        ([1 / 60] * 120 + [0.2] * 40, 0.2),
        ([2.0], 2.0),
        ([], 0.04),
    ],
)
def test_the_last_frame_is_shown_as_long_as_most_before_it(gaps, shown):
    times = np.cumsum([0.0, *gaps])
    *_, last = in_windows([sight(seconds, 0) for seconds in times], math.inf, 1.0)
    assert last.end == pytest.approx(times[-1] + shown)


def test_each_person_has_a_piece_of_their_own():
    frames = [sight(number / 10, *([0, 1] if number < 15 else [1])) for number in range(40)]
    pieces = list(in_windows(frames, 2.0, 2.0))
    assert [(piece.start, piece.person, len(piece.faces)) for piece in pieces] == [(0, 0, 15), (0, 1, 20), (2, 1, 20)]


def test_a_face_that_is_there_for_less_than_half_of_a_window_is_not_judged():
    for there, judged in ((9, False), (10, True)):
        frames = [sight(number / 10, *([7] if number < there else [])) for number in range(20)]
        (piece,) = in_windows(frames, 2.0, 2.0)
        assert isinstance(piece, FacePiece) == judged
    assert isinstance(piece, FacePiece)
    frames = [sight(number / 10, *([7] if number < 3 else [])) for number in range(20)]
    (piece,) = in_windows(frames, 2.0, 2.0)
    assert isinstance(piece, EmptyPiece) and piece.reason == "a face in only 3 of 20 frames"


def test_places_that_are_kept_count_only_until_the_face_is_seen_again():
    kept = [number not in (4, 5) and number < 14 for number in range(20)]
    frames = [sight(number / 10, 0, found=(0,) if seen else (9,)) for number, seen in enumerate(kept)]
    (piece,) = in_windows(frames, 2.0, 2.0)
    assert len(piece.faces) == 14 and [face.found for face in piece.faces].count(False) == 2


def test_why_there_is_no_face():
    black = [sight(number / 10, brightness=0.004) for number in range(20)]
    empty = [sight(2 + number / 10) for number in range(20)]
    late = [sight(9.0, 0)]
    pieces = list(in_windows([*black, *empty, *late], 2.0, 2.0))
    assert [piece.reason for piece in pieces[:4]] == [
        "black frames",
        "no face found",
        "no frame in it",
        "no frame in it",
    ]
    assert isinstance(pieces[4], FacePiece)
