"""tools/score.py on anybody's file."""

import json

import numpy as np
import pytest
from helpers.run import run_tool
from scipy.special import softmax
from sklearn import metrics

from cefl_bench.errors import UserError
from cefl_bench.runs.predictions import read_predictions, write_predictions


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


def test_rows_of_one_name_are_averaged_after_softmax(tmp_path):
    logits = np.array([[3.0, 0.0], [0.0, 1.2], [0.0, 1.2]])
    write_predictions(tmp_path / "logits.csv", ["a", "a", "a"], np.zeros(3, int), logits)
    write_predictions(tmp_path / "probabilities.csv", ["a", "a", "a"], np.zeros(3, int), softmax(logits, axis=1))
    expected = softmax(logits, axis=1).mean(axis=0)
    for scores_are in ("logits", "probabilities"):
        predictions = read_predictions(tmp_path / f"{scores_are}.csv", scores_are)
        np.testing.assert_allclose(predictions.scores[0], expected, atol=1e-5)
    assert expected.argmax() == 1 - logits.mean(axis=0).argmax(), "the case would not tell softmax from none"


def test_subjects_are_kept_where_all_are_known(answers, tmp_path):
    names, label, scores = answers
    file, people = tmp_path / "scores.csv", [f"s{place % 7}" for place in range(60)]
    for given, expected in ((people, people), (["", *people[1:]], None), ([""] * 60, None), (None, None)):
        write_predictions(file, names, label, scores, given)
        assert read_predictions(file).subject == expected
        assert ("subject" in file.read_text(encoding="utf-8")) == (given is not None and any(given))
        np.testing.assert_array_equal(read_predictions(file).pred, scores.argmax(axis=1))
    write_predictions(file, ["a", "b", "a"], np.array([0, 1, 0]), scores[:3], ["x", "y", "x"])
    assert read_predictions(file).subject == ["x", "y"]


def test_unanswered_rows_count_as_wrong(tmp_path):
    (tmp_path / "pred.csv").write_text("name,label,pred\na,0,0\nb,1,-1\nc,1,\nd,0,0\n")
    write_predictions(tmp_path / "scores.csv", ["a", "b"], np.array([0, 1]), np.array([[2.0, 1.0], [np.nan, np.nan]]))
    assert "2 unanswered" in run_tool("score.py", tmp_path / "pred.csv").stdout
    assert "WAR 0.5000" in run_tool("score.py", tmp_path / "pred.csv").stdout
    assert "WAR 0.5000" in run_tool("score.py", tmp_path / "scores.csv").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns are none: expected name,label,pred"),
        ("name,label\na,0\n", "columns are name,label: expected"),
        ("name,label,pred\n", "holds no prediction"),
        ("name,label,pred\na,happy,0\n", "line 2: label is 'happy': expected a whole number"),
        ("name,label,pred\na,0,0\nb,1,x\n", "line 3: pred is 'x'"),
        ("name,label,pred\na,0,0\na,0,1\n", "name 'a' stands on several lines"),
        ("name,label,score_0,score_2\na,0,1,2\n", "expected score_0,score_1"),
        ("name,label,score_0,score_1\na,0,1,\n", "line 2: score_1 is ''"),
        ("name,label,score_0,score_1\na,0,1,2\na,1,1,2\n", "line 3: name 'a' has label 1 here and 0 on line 2"),
        ("name,label,score_0,score_1\na,2,1,2\n", "label runs from 2 to 2: expected 0..1"),
        ("name,label,pred\na,-1,0\n", "label runs from -1"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, text, message):
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(UserError) as error:
        read_predictions(tmp_path / "predictions.csv")
    assert message in str(error.value) and "predictions.csv" in str(error.value) and "\n" not in str(error.value)


def test_logits_called_probabilities_are_refused(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a"], np.array([0]), np.array([[4.0, 0.0]]))
    with pytest.raises(UserError, match=r"line 2: scores sum to 4.*--scores logits"):
        read_predictions(tmp_path / "p.csv", "probabilities")


def test_a_missing_file_ends_in_one_line(tmp_path):
    done = run_tool("score.py", tmp_path / "nothing.csv", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "nothing.csv" in done.stderr
