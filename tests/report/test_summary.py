"""The last lines of a run say what its scores are worth."""

import json

import pytest
from helpers.simulated import Corpus, Method, simulate

from cefl_bench.report.summary import summary


@pytest.mark.parametrize("change", ["a test of a checkpoint", "another corpus"])
def test_only_of_a_training_on_its_own_corpus_is_said_that_nothing_was_learnt(change, tmp_path):
    simulate(tmp_path, [Method("c3d_dfew", 0.14, folds=[2])], Corpus(folds=(2,)), [3])
    file = tmp_path / "c3d_dfew" / "fold2_seed3" / "result.json"
    result = json.loads(file.read_text())
    if change == "another corpus":
        result |= {"trained_on": result["dataset"], "dataset": f"{result['dataset']} -> MAFW"}
    else:
        result["metrics"] = {"checkpoint": result["metrics"]["last"]}
    file.write_text(json.dumps(result))
    assert "at chance" in summary(file.parent) and "learnt" not in summary(file.parent)


def test_a_network_that_gives_no_number_is_named(tmp_path):
    """Of ten videos that have no scores two could not be read; the network is to blame for the others."""
    simulate(tmp_path, [Method("c3d_dfew", 0.14, folds=[2])], Corpus(folds=(2,)), [3])
    file = tmp_path / "c3d_dfew" / "fold2_seed3" / "result.json"
    result = json.loads(file.read_text())
    num_read = result["clips"]["listed"] - 2
    result["clips"]["scored"] = num_read
    for unanswered, named in ((2, False), (10, True)):
        result["metrics"]["last"]["unanswered"] = unanswered
        file.write_text(json.dumps(result))
        line = f"no number for 8 of {num_read} test videos (its weights are NaN or infinite): lower the learning rate"
        assert (line in summary(file.parent)) == named
        assert ("at chance" in summary(file.parent)) != named and "2 of" in summary(file.parent)
