"""Text of others is text in every format, and comes back as it was where it is read again."""

import csv
import random
from io import StringIO

import pytest

from cefl_bench.functional.escaping import latex_text, markdown_text, one_line
from cefl_bench.tables import csv_cell, from_csv_cell


@pytest.mark.parametrize("text", ["=1+1", "+1|cmd", "@sum", "-1+cmd|' /C calc'!A0", "\t=1", "\r=1", "'=1", "-(1)"])
def test_a_cell_never_starts_as_a_formula(text):
    assert csv_cell(text).startswith("'") and from_csv_cell(csv_cell(text)) == text


@pytest.mark.parametrize("text", ["", "a", "-1.5", "+3", "1e-5", "-1e-05", "-aBc_1", "a=b", "'quoted'", "-", "高兴"])
def test_numbers_and_names_stay_as_they_are(text):
    assert csv_cell(text) == text == from_csv_cell(text)


def test_any_cell_comes_back():
    draw = random.Random(0)
    for _ in range(5000):
        text = "".join(draw.choice("'=+-@a1 .|\t") for _ in range(draw.randrange(7)))
        line = StringIO()
        csv.writer(line).writerow([csv_cell(text), "end"])
        (cells,) = csv.reader(StringIO(line.getvalue(), newline=""))
        assert from_csv_cell(cells[0]) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<img src=x>&copy;", "&lt;img src=x&gt;&amp;copy;"),
        ("[x](javascript:f)", "\\[x\\](javascript:f)"),
        ("a|b\n# c", "a\\|b # c"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("1. item", "1\\. item"),
        ("2) item", "2\\) item"),
        ("*b* _c_ `d` $e$ ~~f~~", "\\*b\\* \\_c\\_ \\`d\\` \\$e\\$ \\~\\~f\\~\\~"),
        ("ceflnet_dfew 3.5 -1.2", "ceflnet_dfew 3.5 -1.2"),
        ("bell\x07 and\x00null", "bell and null"),
    ],
)
def test_markdown_takes_text_for_nothing_else(text, safe):
    assert markdown_text(text) == safe


def test_latex_has_no_special_character_left():
    text = latex_text("100 % of {x}~y^2 \\ & #1 $ <b> | _z_\n\nnew")
    assert text == (
        "100 \\% of \\{x\\}\\textasciitilde{}y\\textasciicircum{}2 \\textbackslash{} \\& \\#1 \\$ "
        "\\textless{}b\\textgreater{} \\textbar{} \\_z\\_ new"
    )


def test_one_line_has_no_control_character():
    assert one_line("  a\r\n\tb\x1b[31m\x7f\x85c  ") == "a b [31m c"
