"""The notebook of the documentation runs from top to bottom, and shows what it says."""

import ast
import contextlib
import io
import json

import pytest
from helpers.face_clips import read
from helpers.media import write_video
from helpers.run import ROOT

NOTEBOOK = ROOT / "docs" / "predict.ipynb"


@pytest.fixture(scope="module")
def cells():
    return [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def run_cell(cell, space):
    """What a cell prints, and the value of its last line, as a notebook shows them."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), space)
        value = None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), space)
    return printed.getvalue(), value


def test_the_cells_run_in_order_and_give_what_the_page_shows(cells, tmp_path, monkeypatch):
    """On another video at the same place: the same kinds of values."""
    source = "".join(line for cell in cells for line in cell["source"])
    video = "data/synthetic_demo/videos/"
    assert 'Predictor.load("demo")' in source and source.count(video) >= 1
    name = source.partition(video)[2].partition('"')[0]
    write_video(tmp_path / video / name, read("smile", stop=30, width=96))
    monkeypatch.chdir(tmp_path)
    space: dict = {}
    for cell in cells:
        printed, value = run_cell(cell, space)
        shown = {kind for output in cell["outputs"] for kind in output.get("data", {output["output_type"]: 0})}
        assert bool(printed) == ("stream" in shown)
        assert (value is not None) == ("text/plain" in shown)
        if "image/png" in shown:
            assert value._repr_png_().startswith(b"\x89PNG")
    assert (tmp_path / "predictions").is_dir()


def test_what_is_shown_was_run_in_order_and_names_no_place(cells):
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert (
        len(text) < 100_000 and "/tmp" not in text and "/home" not in text and "/work" not in text.replace("work_d", "")
    )
    assert any("do not rely on it for real people" in str(cell["outputs"]) for cell in cells)
