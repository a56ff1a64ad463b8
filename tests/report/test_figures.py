"""Figures at paper size: the right width, letters that can be read, embedded fonts, nothing where nothing is known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from helpers.boards import SIX, board, table
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image

from cefl_bench.report import figures
from cefl_bench.report.confusion import draw_confusion
from cefl_bench.report.figures import ONE_COLUMN, STYLE, TWO_COLUMNS, figure_names, write_figures
from cefl_bench.report.lettering import OWN_FONTS, class_numbers, lettering

SYNTHETIC = (replace(SIX[5], name="c3d_synthetic"),)


@pytest.fixture(scope="module")
def synthetic():
    return table(SYNTHETIC, (1, 2), dataset="synthetic faces")


def drawn(given, which):
    names, letters = figure_names(given)
    with plt.rc_context(STYLE), letters.applied():
        return figures.FIGURES[which](given, names)


def test_every_table_has_its_figures_at_column_width_with_embedded_fonts(synthetic, tmp_path, monkeypatch):
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
    before = {path: path.read_bytes() for path in written}
    monkeypatch.setattr(figures, "FIGURES", {"spread": figures.draw_spread})
    again = write_figures(board(synthetic), tmp_path)
    assert all(path.read_bytes() == before[path] for path in again), "the same numbers, the same file"
    assert {*(tmp_path / "figures").iterdir()} == {*again}, "those that are no more are gone"


def test_letters_have_seven_points_or_more_and_rendered_faces_are_said_to_be_so(synthetic):
    for which in figures.FIGURES:
        figure = drawn(synthetic, which)
        texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
        assert all(7 <= text.get_fontsize() <= 8 for text in texts)
        assert any("says nothing about real faces" in text.get_text() for text in texts)
        plt.close(figure)


def test_what_is_not_known_is_not_drawn(tmp_path):
    lone = table(SIX[:1], (1,), external=("mine",))
    lone["rows"] = [row for row in lone["rows"] if row["external"]]
    written = write_figures(board(lone), tmp_path)
    assert [re.sub("_[0-9a-f]{6}_", "_ID_", path.name) for path in written] == [
        "dfew_fair_ID_recall.pdf",
        "dfew_fair_ID_recall.png",
    ]
    assert write_figures(board(lone | {"rows": []}), tmp_path) == []


def test_marks_stand_where_their_numbers_are():
    told = table(external=("mine",))
    told["rows"][0]["recall"][2] = None
    cost, recall, spread = (drawn(told, which).axes[0] for which in figures.FIGURES)
    marks = [line for line in cost.lines if line.get_marker() == "o"]
    known = [row for row in told["rows"] if row["macs"]]
    assert len(marks) == len(known) == 6
    by_cost = sorted(marks, key=lambda mark: mark.get_xdata()[0])
    heights = [mark.get_ydata()[0] for mark in by_cost]
    wars = [row["headline"]["war"]["pooled"] for row in sorted(known, key=lambda row: row["macs"])]
    assert np.corrcoef(heights, wars)[0, 1] > 0.9999, "the higher the better"
    for mark in marks:
        whiskers = [line.get_ydata() for line in cost.lines if set(line.get_xdata()) == set(mark.get_xdata())]
        assert any(len(ends) == 2 and min(ends) < mark.get_ydata()[0] < max(ends) for ends in whiskers)
    values = [value for row in told["rows"] for value in row["recall"]]
    assert [text.get_text() for text in recall.texts] == ["–" if v is None else f"{100 * v:.1f}" for v in values]
    names = [label.get_text() for label in spread.get_yticklabels()]
    assert names == [
        row["title"] + (" (external)" if row["external"] else " (3 at chance)" if row["title"] == "C3D" else "")
        for row in told["rows"]
    ]
    assert spread.get_ylim()[0] > spread.get_ylim()[1], "the first row on top"
    for row, dots, bar in zip(told["rows"], spread.lines[::2], spread.lines[1::2], strict=True):
        assert list(dots.get_xdata()) == [run["war"] for run in row["runs"]]
        assert list(bar.get_xdata()) == [row["headline"]["war"]["mean"]] * 2
    plt.close("all")


def test_tables_of_corpora_with_like_names_have_figures_of_their_own(synthetic):
    tables = [synthetic | {"dataset": name} for name in ("a b", "a-b", "我的", "他的", "x" * 300)]
    names = figures._file_names(tables)
    assert len(set(names)) == 5 and max(map(len, names)) < 60 and names[2].startswith("我的_fair")


CHINESE = ("高兴", "悲伤", "中性", "愤怒", "惊讶", "厌恶", "恐惧")


@pytest.fixture
def result():
    counts = np.arange(49).reshape(7, 7)
    counts[3] = 0
    scores = dict(uar=0.5, war=0.5, confusion_matrix=counts.tolist(), support=counts.sum(axis=1).tolist())
    known = dict(classes=list(CHINESE), title="Net $x_1$ 网", method="net", config_name="net_own", fold=1, seed=0)
    return known | {"metrics": {"last": scores}}


def test_names_that_no_font_has_are_told_and_never_drawn_as_boxes(result, tmp_path, monkeypatch, capsys, recwarn):
    monkeypatch.setattr("cefl_bench.report.lettering._system_fonts", list)
    _forget_fonts()
    draw_confusion(result, tmp_path / "c.png")
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
    (line,) = capsys.readouterr().err.splitlines()
    assert all(repr(name) in line for name in CHINESE) and "class 0, class 1" in line and "net_own" in line
    draw_confusion(result, tmp_path / "c.png")
    assert capsys.readouterr().err == "", "said once"
    _forget_fonts()


def test_letters_come_from_any_font_that_has_them(recwarn):
    """A sign that only the fonts for formulas have, which come with matplotlib, stands for a Chinese one."""
    own, other = (font_manager.get_font(f"{OWN_FONTS}/{name}.ttf") for name in ("DejaVuSans", "STIXGeneral"))
    sign = chr(min(set(other.get_charmap()) - set(own.get_charmap()) - set(range(0xE000, 0xF900))))
    _forget_fonts()
    found = lettering(["plain", f"rare {sign}"], class_numbers("ab"))
    assert found.names == ["plain", f"rare {sign}"] and found.families[0] == "DejaVu Sans" and len(found.families) == 2
    with found.applied():
        figure, axes = plt.subplots()
        axes.set_title(found.names[1])
        figure.canvas.draw()
        plt.close(figure)
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_a_class_without_test_clips_has_dashes_and_a_dollar_is_a_dollar(result, tmp_path, monkeypatch):
    texts = []
    monkeypatch.setattr("matplotlib.axes.Axes.text", lambda self, x, y, text, **style: texts.append((y, text)))
    draw_confusion(result | {"classes": list("abcdef$")}, tmp_path / "c.png")
    assert [text for y, text in texts if y == 3] == ["–"] * 7
    assert len(texts) == 7 + 2 * 42 and (tmp_path / "c.png").exists()


def _forget_fonts():
    from cefl_bench.report import lettering as module

    module._families.cache_clear()
    module._say.cache_clear()
