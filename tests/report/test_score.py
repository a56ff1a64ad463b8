"""tools/score.py on anybody's file."""

import json

import numpy as np
import pytest
from helpers.run import run_tool
from sklearn import metrics

from cefl_bench.runs.predictions import write_predictions


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    label = rng.integers(5, size=60)
    scores = rng.normal(size=(60, 5)) + 1.2 * np.eye(5)[label]
    return [f"clip {i}, é" for i in range(60)], label, scores


def test_scores_and_classes_give_the_same_numbers_as_scikit_learn(answers, tmp_path):
    names, label, scores = answers
    write_predictions(tmp_path / "scores.csv", names, label, scores)
    rows = "".join(f'"{n}",{t},{p}\n' for n, t, p in zip(names, label, scores.argmax(1), strict=True))
    (tmp_path / "pred.csv").write_text("name,label,pred\n" + rows, encoding="utf-8")
    for name in ("scores", "pred"):
        out = run_tool("score.py", tmp_path / f"{name}.csv", "--json", tmp_path / f"{name}.json").stdout
        numbers = json.loads((tmp_path / f"{name}.json").read_text())
        assert numbers["uar"] == pytest.approx(metrics.balanced_accuracy_score(label, scores.argmax(1)))
        assert numbers["war"] == pytest.approx(metrics.accuracy_score(label, scores.argmax(1)))
        assert f"UAR {numbers['uar']:.4f}" in out and f"WAR {numbers['war']:.4f}" in out
    assert json.loads((tmp_path / "scores.json").read_text()) == json.loads((tmp_path / "pred.json").read_text())


def test_unanswered_rows_count_as_wrong(tmp_path):
    (tmp_path / "pred.csv").write_text("name,label,pred\na,0,0\nb,1,-1\nc,1,\nd,0,0\n")
    write_predictions(tmp_path / "scores.csv", ["a", "b"], np.array([0, 1]), np.array([[2.0, 1.0], [np.nan, np.nan]]))
    assert "2 unanswered" in run_tool("score.py", tmp_path / "pred.csv").stdout
    assert "WAR 0.5000" in run_tool("score.py", tmp_path / "pred.csv").stdout
    assert "WAR 0.5000" in run_tool("score.py", tmp_path / "scores.csv").stdout


def test_a_missing_file_ends_in_one_line(tmp_path):
    done = run_tool("score.py", tmp_path / "nothing.csv", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "nothing.csv" in done.stderr
