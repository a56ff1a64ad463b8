"""Spans of time in words: never a unit that is too small or too large, and three digits at most."""

import pytest

from cefl_bench.functional.duration import duration
from cefl_bench.functional.text_width import first_columns, padded, text_width


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (45, "45 s"),
        (59.99, "1 min"),
        (210, "3.5 min"),
        (3599, "1 h"),
        (12 * 3600, "12 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
        (100 * 86_400, "100 d"),
    ],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_chinese_letters_take_two_columns():
    assert [text_width(text) for text in ("happy", "高兴", "e\u0301", "")] == [5, 4, 1, 0]
    assert padded("高兴", 6) == "高兴  " and padded("a", 3, right=True) == "  a" and padded("abc", 2) == "abc"
    assert first_columns("高兴悲伤", 5) == "高兴" and first_columns("surprise", 5) == "surpr"
