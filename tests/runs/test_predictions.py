"""CSVs of predictions, ours and anybody's: what they say, and one line naming the line where they cannot be read."""

import time

import numpy as np
import pytest
from scipy.special import softmax

from cefl_bench.errors import UserError
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.runs.predictions import read_predictions, write_predictions


@pytest.fixture
def file(tmp_path):
    return tmp_path / "predictions.csv"


def read(file, text, **options):
    file.write_text(text, encoding="utf-8")
    return read_predictions(file, **options)


def test_rows_of_one_name_are_averaged_after_softmax(tmp_path):
    logits = np.array([[3.0, 0.0], [0.0, 1.2], [0.0, 1.2]])
    write_predictions(tmp_path / "logits.csv", ["a", "a", "a"], np.zeros(3, int), logits)
    write_predictions(tmp_path / "probabilities.csv", ["a", "a", "a"], np.zeros(3, int), softmax(logits, axis=1))
    expected = softmax(logits, axis=1).mean(axis=0)
    for scores_are in ("logits", "probabilities"):
        predictions = read_predictions(tmp_path / f"{scores_are}.csv", scores_are)
        np.testing.assert_allclose(predictions.scores[0], expected, atol=1e-5)
    assert expected.argmax() == 1 - logits.mean(axis=0).argmax(), "the case would not tell softmax from none"


@pytest.mark.parametrize("scores_are", ["logits", "probabilities"])
def test_a_row_without_scores_does_not_take_the_others_of_its_name_along(file, scores_are):
    """Five crops a video, as in many codes: one of the first video cannot be read, none of the second."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(15, 4))
    logits[[2, *range(5, 10)]] = np.nan
    logits[3, 1] = np.nan
    given = softmax(logits, axis=1)
    written = logits if scores_are == "logits" else given
    write_predictions(file, np.repeat(["a", "b", "c"], 5).tolist(), np.repeat([0, 1, 2], 5), written)
    found = read_predictions(file, scores_are)
    expected = [given[[0, 1, 4]].mean(axis=0), np.full(4, np.nan), given[10:].mean(axis=0)]
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert found.pred.tolist() == [expected[0].argmax(), UNANSWERED, expected[2].argmax()]


def test_subjects_are_kept_where_all_are_known(file):
    rng = np.random.default_rng(0)
    names, label, scores = [f"clip {i}, é" for i in range(60)], rng.integers(5, size=60), rng.normal(size=(60, 5))
    people = [f"s{place % 7}" for place in range(60)]
    for given, expected in ((people, people), (["", *people[1:]], None), ([""] * 60, None), (None, None)):
        write_predictions(file, names, label, scores, given)
        assert read_predictions(file).subject == expected
        assert ("subject" in file.read_text(encoding="utf-8")) == (given is not None and any(given))
        np.testing.assert_array_equal(read_predictions(file).pred, scores.argmax(axis=1))
    write_predictions(file, ["a", "b", "a"], np.array([0, 1, 0]), scores[:3], ["x", "y", "x"])
    assert read_predictions(file).subject == ["x", "y"]


def test_one_person_or_group_in_two_spellings_is_one(file):
    rows = ["a,0,Zo\u00eb B,\u00e9t\u00e9,0", "b,1,Zoe\u0308  B,e\u0301te\u0301,0", "c,1,zoe b,hiver,0"]
    predictions = read(file, "\n".join(["name,label,subject,group,pred", *rows]))
    assert [len({*names}) for names in (predictions.subject, predictions.group)] == [2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty: expected a header"),
        ("sep=;\n", "is empty: expected a header"),
        ("name,label\na,0\n", "columns are 'name,label': expected"),
        ("name,label,pred\n", "holds no prediction"),
        ("name,label,pred\na,happy,0\n", "line 2: label is 'happy': expected a whole number"),
        ("name,label,pred\na,0,0\nb,1,x\n", "line 3: pred is 'x'"),
        ("name,label,pred\na,0,0\na,0,1\n", "line 3: name 'a' stands on several lines, first on line 2"),
        ("name,label,score_0,score_2\na,0,1,2\n", "expected 'score_0,score_1'"),
        ("name,label,score_0,score_1\na,0,1,\n", "line 2: score_1 is ''"),
        ("name,label,score_0,score_1\na,0,1,2\na,1,1,2\n", "line 3: name 'a' has label 1 here and 0 on line 2"),
        ("name,label,score_0,score_1\na,2,1,2\n", "label runs from 2 to 2: expected 0..1"),
        ("name,label,pred\na,-1,0\n", "line 2: label is '-1': expected 0..999"),
        ("name,label,score_0,score_1\na,0,0,9,0,1\n", "line 2: 6 cells below 4 columns"),
        ("name,label,score_0,score_1\na,0,9\n", "line 2: 3 cells below 4 columns"),
        ('name,label,score_0,score_1\n"a\nb",0,1,2\nc,0,1\n', "line 4: 3 cells below 4 columns"),
        ("name;label;score_0;score_1\na;0;0,9;0,1\n", "line 2: score_0 is '0,9': expected a number with a point"),
        ("name,label,pred\n,0,0\n", "line 2: name is empty"),
        ("name,label,pred\na,1e300,0\n", "line 2: label is '1e300': expected 0..999"),
        ("name,label,pred\na,1_0,0\n", "line 2: label is '1_0'"),
        ("name,label,pred\na,inf,0\n", "line 2: label is 'inf'"),
        ("name,label,pred\na,0.5,0\n", "line 2: label is '0.5'"),
        (f"name,label,pred\na,{'9' * 5000},0\n", "line 2: label is '9999"),
        ("name,label,score_0,score_1\na,0,-inf,-inf\n", "line 2: all scores are -inf"),
        ("name,label,score_0,score_1,pred\na,0,1,0,1\nb,1,3,0,0\n", "line 2: pred is 1, and the highest score is that"),
        (
            "name,label,score_0,score_1,pred\na,0,nan,nan,1\n",
            "line 2: pred is 1, and the highest score is that of class",
        ),
        ("name,label,score_0,prob_0\na,0,1,1\n", "columns of score and of prob stand side by side"),
        ("name,label,label,pred\na,0,0,0\n", "2 columns are called label: expected one"),
        ("name,label,score_0,scores_0\na,0,0,0\n", "two columns are the score of class 0"),
        ("name,label,score_0,score_1\na,0,0.7,0.3\nb,1,0,1\n", "use the sum"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(file, text, message):
    if message == "use the sum":
        message = "sum to 1, as probabilities do: say what they are with --scores probabilities, or --scores logits"
    with pytest.raises(UserError) as error:
        read(file, text)
    assert message in str(error.value) and "predictions.csv" in str(error.value) and "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_logits_called_probabilities_are_refused(file):
    write_predictions(file, ["a"], np.array([0]), np.array([[4.0, 0.0]]))
    with pytest.raises(UserError, match=r"line 2: scores sum to 4.*--scores logits"):
        read_predictions(file, "probabilities")


def test_probabilities_are_taken_as_what_they_are_called(file):
    """Three crops of one clip: as probabilities class 1 wins, as logits class 0."""
    rows = "a,1,1,0\na,1,0.2505,0.7495\na,1,0.2505,0.7495\n"
    as_logits = softmax([[1, 0], [0.2505, 0.7495], [0.2505, 0.7495]], axis=1).mean(axis=0)
    for header, given, expected in (
        ("score_0,score_1", "probabilities", [0.5003333, 0.4996667]),
        ("prob_0,prob_1", None, [0.5003333, 0.4996667]),
        ("score_0,score_1", "logits", as_logits),
        ("logit_0,logit_1", None, as_logits),
    ):
        scores = read(file, f"name,label,{header}\n{rows}", scores_are=given).scores[0]
        np.testing.assert_allclose(scores, expected, atol=1e-6)
    with pytest.raises(UserError, match="--scores probabilities"):
        read(file, f"name,label,score_0,score_1\n{rows}")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("video,target,prediction", "x,1,0"),
        ("File Name,y_true,y_pred", "x,1,0"),
        ("NAME,GT,Predicted", "x,1.0,0.0"),
        ("clip;label;pred", "x;1;0"),
        ("clip\tlabel\tpred\tnote", "x\t1\t0\tanything, at all"),
        ("name,label,Logits_1,Logits_0", "x,1,-3,2"),
        ("name,label,pred,score_0,score_1", "x,1,0,2,-3"),
        ("name,label,pred,score_0,score_1", "x,1,,2,-3"),
        ("name,label,probability_0,probability_1", "x,1,0.9,0.1"),
        ('"name","label","score 0","score 1"', '"x"," 1 ","2","-3"'),
    ],
)
def test_the_usual_names_of_columns_are_known(file, header, row):
    found = read(file, f"{header}\n{row}\n")
    assert (found.name, found.label.tolist(), found.pred.tolist()) == (["x"], [1], [0])


def test_a_pred_that_repeats_what_all_rows_of_a_clip_give_agrees(file):
    rows = "a,1,3,0,1\na,1,0,9,1\na,1,0,9,1\n"
    assert read(file, f"name,label,score_0,score_1,pred\n{rows}").pred.tolist() == [1]


def test_an_infinite_score_takes_all(file, recwarn):
    """Logits in half precision overflow; -inf is a class that cannot be predicted."""
    rows = "a,0,inf,0\nb,1,0,1\nc,2,-inf,3,-inf\nd,1,1e999,inf\ne,1,-1e308,1e308\n"
    rows = "".join(f"{row},{-5}\n" if row.count(",") == 3 else f"{row}\n" for row in rows.splitlines())
    found = read(file, f"name,label,score_0,score_1,score_2\n{rows}")
    assert found.pred.tolist() == [0, 1, 1, 0, 1] and np.isfinite(found.scores).all() and not recwarn.list
    np.testing.assert_allclose(found.scores.sum(axis=1), 1)


def test_names_come_back_as_they_were_whatever_they_start_with(file):
    names = ["=HYPERLINK(1)", "-aBc_1", "@x", "'=y", "a,b", 'q"q', "+1|cmd", "高兴", "-1+1"]
    write_predictions(file, names, np.zeros(9, int), np.tile([2.0, -1.0], (9, 1)), ["=who"] * 9)
    assert read_predictions(file).name == names and read_predictions(file).subject == ["=who"] * 9
    cells = [line.split(",")[0].strip('"') for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


@pytest.mark.parametrize("repeated", [0, 1], ids=["all different", "one repeated"])
def test_many_rows_take_no_more_than_their_share(file, repeated):
    """The work grows with the rows: to look through all names before each would take minutes."""
    rows = [f"a{place},0,1\n" for place in range(60_000)] + ["a59999,0,1\n"] * repeated
    file.write_text("name,label,pred\n" + "".join(rows))
    start = time.process_time()
    if repeated:
        with pytest.raises(UserError, match="line 60002: name 'a59999' stands on several lines, first on line 60001"):
            read_predictions(file)
    else:
        assert len(read_predictions(file).name) == 60_000
    assert time.process_time() - start < 5


def test_what_is_no_file_or_no_text_is_said(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"name,label,pred\n\xff\xfe,0,0\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "wide.csv").write_text('name,label,pred\n"' + "x" * 200_000 + '",0,0\n')
    said = {
        "binary": "is not a UTF-8 text file",
        "folder": "cannot be read .Is a directory",
        "wide": r"line 2: not CSV .field larger than field limit",
        "nothing": "cannot be read .No such file or directory",
    }
    for name, reason in said.items():
        with pytest.raises(UserError, match=rf"{name}\.csv,? {reason}"):
            read_predictions(tmp_path / f"{name}.csv")


def test_predictions_are_read_as_spreadsheets_write_them(tmp_path):
    """What Excel saves in German, told the separator in its first line, with a row of nothing and an escaped name."""
    (tmp_path / "excel.csv").write_bytes("\ufeffsep=;\r\nName;label;pred\r\n;;\r\n'=1+1; 0;1\r\nZoë;1;1\r\n".encode())
    read = read_predictions(tmp_path / "excel.csv")
    assert read.name == ["=1+1", "Zoë"] and read.label.tolist() == [0, 1] and read.pred.tolist() == [1, 1]
