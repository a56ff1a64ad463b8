"""Figures at paper size: the right width, letters that can be read, embedded fonts, nothing where nothing is known."""

import re

import numpy as np
from helpers.boards import METHODS, board, table
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image

from cefl_bench.report import figures
from cefl_bench.report.figures import ONE_COLUMN, STYLE, TWO_COLUMNS, write_figures


def test_every_table_has_its_figures_at_column_width_with_embedded_fonts(tmp_path):
    synthetic = table({"c3d_synthetic": METHODS["c3d_dfew"]}, (1, 2), dataset="synthetic faces")
    written = write_figures(board(table(), synthetic), tmp_path)
    assert len(written) == len(set(written)) == 12 and all(path.parent == tmp_path / "figures" for path in written)
    for path in written:
        width = TWO_COLUMNS if "recall" in path.name else ONE_COLUMN
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert abs(image.width - 300 * width) <= 1 and image.getextrema()[0][0] < 128, "drawn on"
        else:
            pdf = path.read_bytes()
            box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)
            assert abs(float(box[1]) - 72 * width) < 1
            assert b"/FontFile2" in pdf and b"/Type3" not in pdf
            assert len(pdf) < 200_000
    before = written[0].read_bytes()
    write_figures(board(table(), synthetic), tmp_path)
    assert written[0].read_bytes() == before, "the same numbers, the same file"


def test_letters_have_seven_points_or_more_and_rendered_faces_are_said_to_be_so():
    synthetic = table({"c3d_synthetic": METHODS["c3d_dfew"]}, (1, 2), dataset="synthetic faces")
    with plt.rc_context(STYLE):
        for draw in figures.FIGURES.values():
            figure = draw(synthetic)
            texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
            assert all(7 <= text.get_fontsize() <= 8 for text in texts)
            assert any("says nothing about real faces" in text.get_text() for text in texts)
            plt.close(figure)


def test_what_is_not_known_is_not_drawn(tmp_path):
    lone = table({"c3d_dfew": METHODS["c3d_dfew"]}, (1,), external=("c3d_dfew",))
    assert [path.name for path in write_figures(board(lone), tmp_path)] == [
        "dfew_fair_e38d27_recall.pdf",
        "dfew_fair_e38d27_recall.png",
    ]
    assert write_figures(board(table() | {"rows": []}), tmp_path) == []


def test_marks_stand_where_their_numbers_are():
    told = table(external=("c3d_dfew",))
    with plt.rc_context(STYLE):
        cost, recall, spread = (draw(told).axes[0] for draw in figures.FIGURES.values())
    marks = [line for line in cost.lines if line.get_marker() == "o"]
    known = [row for row in told["rows"] if row["macs"]]
    assert len(marks) == len(known) == 5
    by_cost = sorted(marks, key=lambda mark: mark.get_xdata()[0])
    heights = [mark.get_ydata()[0] for mark in by_cost]
    wars = [row["last"]["war_pooled"] for row in sorted(known, key=lambda row: row["macs"])]
    assert np.corrcoef(heights, wars)[0, 1] > 0.9999, "the higher the better"
    for mark in marks:
        whiskers = [line.get_ydata() for line in cost.lines if set(line.get_xdata()) == set(mark.get_xdata())]
        assert any(len(ends) == 2 and min(ends) < mark.get_ydata()[0] < max(ends) for ends in whiskers)
    assert [text.get_text() for text in recall.texts] == [
        f"{100 * v:.1f}" for row in told["rows"] for v in row["recall"]
    ]
    names = [label.get_text() for label in spread.get_yticklabels()]
    assert [name.endswith("(external)") for name in names] == [row["external"] for row in told["rows"]]
    assert spread.get_ylim()[0] > spread.get_ylim()[1], "the first row on top"
    for row, dots, bar in zip(told["rows"], spread.lines[::2], spread.lines[1::2], strict=True):
        assert list(dots.get_xdata()) == [run["war"] for run in row["runs"]]
        assert list(bar.get_xdata()) == [row["last"]["war_mean"]] * 2
    plt.close("all")
