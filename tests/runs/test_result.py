"""result.json is checked once, at the door: whatever is wrong with it is one line that names the field."""

import json
import os
from pathlib import Path

import pytest
from helpers.run import ROOT
from helpers.simulated import Corpus, Method, simulate
from helpers.wrong_kinds import GONE, WRONG, paths, with_value

from cefl_bench.errors import UserError
from cefl_bench.report.html import write_html
from cefl_bench.report.latex import latex
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.spreadsheet import csv_text
from cefl_bench.report.summary import summary
from cefl_bench.runs.read_result import check_result, read_result
from cefl_bench.runs.result import headline, start_of, title_of

MEASURED = ROOT / "cefl_bench" / "report" / "measured"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a run whose result has every field that there is."""
    methods = (Method("c3d_dfew", 0.6, extra={"calibration/ece": 0.1}, lower_is_better=("calibration/ece",)),)
    folder = simulate(tmp_path_factory.mktemp("runs"), methods, Corpus(folds=(1,), clips=20), seeds=(0,))
    run = folder / "c3d_dfew" / "fold1_seed0"
    result = json.loads((run / "result.json").read_text())
    known = dict(videos=3, hit=0.5, chance=0.2, rank_correlation=None)
    result["metrics"]["selected_by_val"] = result["metrics"]["last"] | dict(
        val=dict(uar=0.5, war=0.5), localization=known
    )
    result["metrics"]["last"]["extra"]["other"] = None
    result["config"] = {"model": {"backbone": {"width": 64, "stages": [1, 2]}}, "custom_hooks": None}
    (run / "result.json").write_text(json.dumps(result))
    return run


@pytest.fixture
def document(run):
    """Its content; the file is as it was after the test."""
    text = (run / "result.json").read_text()
    yield json.loads(text)
    (run / "result.json").write_text(text)


def refusal(run: Path, content: object) -> str:
    """Why a result with this content is refused; empty where it is not."""
    (run / "result.json").write_text(content if isinstance(content, str) else json.dumps(content))
    try:
        read_result(run / "result.json")
    except UserError as error:
        assert str(run / "result.json") in str(error) and "\n" not in str(error)
        return str(error)
    return ""


def test_every_wrong_kind_of_every_value_is_refused_or_reported_on(run, document):
    """What passes the door is shown: all values of one kind that may be what they are stand in one report."""
    everywhere, tried = {kind: document for kind in WRONG}, 0
    for path in paths(document):
        for kind, value in [*WRONG.items(), ("gone", GONE)]:
            tried += 1
            changed = with_value(document, path, value)
            try:
                check_result(changed, run / "result.json")
            except UserError as error:
                assert "\n" not in str(error) and "result.json" in str(error)
                continue
            if kind in everywhere and not isinstance(_at(document, path), dict | list):
                everywhere[kind] = with_value(everywhere[kind], path, value)
    assert tried > 2000
    reported = 0
    for kind, changed in everywhere.items():
        if changed is not document and not refusal(run, changed):
            reported += 1
            board = make_leaderboard(run.parents[1])
            json.dumps(board, allow_nan=False)
            for write in (markdown, csv_text, latex):
                assert write(board), kind
            write_html(board, run.parents[1] / "report")
            assert summary(run)
    assert reported > 6


def _at(document, path):
    for key in path:
        document = document[key]
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("fold",), "one", "(fold: expected int, got str)"),
        (("num_folds",), 10**7, "(num_folds: expected int <= 1000)"),
        (("fold",), 99, "(fold is 99, and num_folds "),
        (("seed",), -1, "(seed: expected int >= 0)"),
        (("config_name",), GONE, "(there is no config_name)"),
        (("protocol",), None, "(protocol: expected object, got null)"),
        (("metrics", "last", "war"), "x", "(metrics.last.war: expected float, got str)"),
        (("metrics", "last", "war"), 1.5, "(metrics.last.war: expected float <= 1.0)"),
        (("metrics", "last", "confusion_matrix", 0, 0), None, "(metrics.last.confusion_matrix[0][0]: expected int"),
        (("metrics",), {}, "(metrics has none of selected_by_val, last, checkpoint)"),
        (("classes",), ["a"], "(metrics.selected_by_val.support is not the number of test clips of each of 1 classes)"),
        (("metrics", "last", "support"), [0] * 7, "(metrics.last.support is not the number of test clips"),
        (("metrics", "last", "confusion_matrix"), [[1]], "(metrics.last.confusion_matrix is not of shape (7, 7))"),
        (("metrics", "last", "per_class"), [0.5], "(metrics.last.per_class is not the recall of each of 7 classes)"),
        (("metrics", "best_test", "uar"), 0.123, "(metrics.best_test.uar is 0.123, and the confusion matrix gives"),
        (("environment", "packages"), "abc", "(environment.packages: expected object, got str)"),
        (("clips", "official"), [1], "(clips.official: expected int | null, got array)"),
        (("config", "model"), WRONG["deep"], "is nested deeper than 60 levels)"),
        (("protocol", "schedule"), 10**30, "(protocol.schedule is an integer of more than 18 digits)"),
    ],
)
def test_the_field_that_is_wrong_is_named(run, document, path, value, message):
    assert message in refusal(run, with_value(document, path, value))


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2", '"', "\ufeff{}", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', "[" * 100_000, '{"a": "\\ud800"}'],
)
def test_what_is_no_json_is_said(run, document, text):
    assert "cannot be read as JSON" in refusal(run, text)


def test_a_number_that_json_cannot_have_is_refused_wherever_it_stands(run, document):
    text = json.dumps(document).replace('"train_seconds": 1200.0', '"train_seconds": NaN')
    assert "cannot be read as JSON" in refusal(run, text)


def test_bytes_folders_and_pipes_are_no_results(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("bytes", "folder", "pipe", "nothing"):
        with pytest.raises(UserError, match=f"{name}.json"):
            read_result(tmp_path / f"{name}.json")


def test_another_version_and_another_document_are_told_apart(run, document):
    assert "schema_version is 9: expected 1" in refusal(run, document | {"schema_version": 9})
    assert "is not the result.json that tools/train.py leaves (expected object, got array)" in refusal(run, [1, 2])
    assert "(there is no schema_version)" in refusal(run, {"name": "foreign"})


def test_results_under_version_control_are_read_as_they_are():
    files = sorted(MEASURED.glob("*/*/result.json"))
    assert files
    for file in files:
        result = read_result(file)
        assert result == json.loads(file.read_text(encoding="utf-8")), "unknown fields stay"
        assert headline(result) == "last" and title_of(result) and start_of(result) == "scratch"


def test_the_headline_is_never_of_an_epoch_that_was_picked_on_the_test_set(document):
    metrics = document["metrics"]
    assert headline(document) == "selected_by_val"
    for kept, expected in ((("last", "best_test"), "last"), (("checkpoint", "best_test"), "checkpoint")):
        document["metrics"] = {name: metrics.get(name, metrics["last"]) for name in kept}
        assert headline(document) == expected
