"""Folds are written once by tools/prepare/mmi.py and bu3dfe.py, kept after, and never changed in silence."""

import pytest
from helpers.media import write_csv
from helpers.run import run_tool
from helpers.trees_lab import bu3dfe_static_tree, mmi_tree

from cefl_bench.datasets.bu3dfe import BU3DFE
from cefl_bench.datasets.folds import make_folds, read_folds, write_folds
from cefl_bench.datasets.mmi import MMI, read_sessions
from cefl_bench.errors import UserError


@pytest.fixture
def mmi(tmp_path):
    """MMI without folds."""
    mmi_tree(tmp_path)
    (tmp_path / "folds.csv").unlink()
    return tmp_path


def in_one_test_fold_each(cls, root, **arguments):
    """Whether each of the 60 videos is a test video of exactly one fold."""
    tests = [cls(str(root), "test", fold=fold, **arguments) for fold in range(1, 11)]
    names = [test.get_data_info(index)["name"] for test in tests for index in range(len(test))]
    return len(names) == len(set(names)) == 60


def test_mmi_is_shared_out(mmi):
    said = run_tool("prepare/mmi.py", "--root", mmi, "--folds-only").stdout
    assert "1 left out, emotion above 6 (other)" in said
    assert "60 sequences of 10 subjects: wrote" in said and in_one_test_fold_each(MMI, mmi)


def test_bu3dfe_is_shared_out(tmp_path):
    bu3dfe_static_tree(tmp_path)
    (tmp_path / "folds.csv").unlink()
    said = run_tool("prepare/bu3dfe.py", "--root", tmp_path, "--layout", "static").stdout
    assert "60 sequences of 10 subjects: wrote" in said and in_one_test_fold_each(BU3DFE, tmp_path, layout="static")


def test_folds_are_kept_and_others_are_refused(mmi):
    entries, _ = read_sessions(mmi)
    assert "wrote" in make_folds(mmi, entries, 10, seed=0)
    folds = (mmi / "folds.csv").read_bytes()
    assert "kept" in make_folds(mmi, entries, 10, seed=0)
    with pytest.raises(UserError, match="holds other folds"):
        make_folds(mmi, entries, 10, seed=1)
    assert (mmi / "folds.csv").read_bytes() == folds and len(list(mmi.iterdir())) == 2


def test_no_subject_is_a_formula_to_a_spreadsheet(tmp_path):
    folds = {"=HYPERLINK(1)": 1, "@S2": 2, "'S3": 1, "-S4": 2}
    assert write_folds(tmp_path / "folds.csv", folds)
    cells = [line.partition(",")[0] for line in (tmp_path / "folds.csv").read_text().splitlines()]
    assert cells == ["subject", "'=HYPERLINK(1)", "'@S2", "'S3", "-S4"]
    assert read_folds(tmp_path / "folds.csv", 2) == folds and not write_folds(tmp_path / "folds.csv", folds)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([["S001", 1]], "no fold for subject 'S002'"),
        ([["S001", 11]], "line 2: fold is '11': expected 1..10"),
        ([["S001", 1], ["S001", 2]], "line 3: subject 'S001' is listed twice"),
    ],
)
def test_folds_that_do_not_fit_are_refused_and_the_tools_are_named(mmi, rows, reason):
    write_csv(mmi / "folds.csv", "subject,fold", rows)
    with pytest.raises(UserError, match=f"folds.csv.*{reason}.*tools/prepare"):
        MMI(str(mmi), "train")


def test_without_the_corpus_the_tool_says_how_to_get_it(tmp_path):
    gone = run_tool("prepare/mmi.py", "--root", tmp_path / "nowhere", check=False)
    assert gone.returncode == 1 and "nowhere" in gone.stderr and "application" in gone.stderr
    assert gone.stderr.count("\n") == 1
