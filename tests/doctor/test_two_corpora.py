"""A config that trains on one corpus and tests on another: the doctor looks at each, as the config reads it."""

import pytest
from helpers.run import ROOT
from helpers.trees_lab import cremad_tree, ravdess_tree

from cefl_bench.config import load_config
from cefl_bench.doctor.corpus import Place, list_corpora
from cefl_bench.doctor.examine import examine
from cefl_bench.doctor.table import table
from cefl_bench.transforms.read import ReadFrames

LEAF = ROOT / "configs" / "ceflnet_cremad_on_ravdess.py"
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Both corpora, as they are downloaded; of RAVDESS one video is broken."""
    home = tmp_path_factory.mktemp("home")
    cremad_tree(home / "cremad")
    ravdess_tree(home / "ravdess")
    (home / "ravdess" / "Actor_09" / "02-01-03-01-02-01-09.mp4").write_bytes(b"broken")
    return home


@pytest.fixture(scope="module")
def reports(home):
    return examine(config(home), num_workers=1)


def config(home, **options):
    places = {f"{loader}.dataset.frames": "video" for loader in LOADERS}
    for loader, corpus in zip(LOADERS, ("cremad", "ravdess", "ravdess"), strict=True):
        places[f"{loader}.dataset.data_root"] = str(home / corpus)
    return load_config(LEAF, places | options)


def findings(report, check):
    return [(finding.severity, finding.text) for finding in report.findings if finding.check == check]


def test_each_corpus_is_listed_as_the_config_reads_it(reports, home):
    trained, tested = (report.examination.corpus for report in reports)
    assert (trained.meta["name"], tested.meta["name"]) == ("CREMA-D", "RAVDESS")
    assert set(trained.splits) == {Place(fold, "train") for fold in range(1, 6)}
    assert set(tested.splits) == {Place(1, "test")} and tested.classes == trained.classes
    assert len(trained.clips) == 60, "every video is in the training side of some fold"
    assert len(tested.clips) == 6 * 6, "calm and surprised are no classes of the model"
    assert tested.splits[Place(1, "test")].class_counts == [6] * 6
    only = list_corpora(config(home), fold=2)
    assert [corpus.folds for corpus in only] == [[2], [1]] and not only[0].is_whole


def test_what_is_wrong_with_either_is_found_at_its_own(reports):
    trained, tested = reports
    assert trained.healthy and not tested.healthy
    assert [text for severity, text in findings(tested, "decodable") if severity == "error"] == [
        "videos that cannot be read"
    ]
    assert "Actor_09/02-01-03-01-02-01-09.mp4" in table(tested) and "Actor_09" not in table(trained)
    for report in (trained, tested):
        assert [severity for severity, _ in findings(report, "classes")] == ["ok"]
        assert not [text for _, text in findings(report, "folds") if "no fold" in text]
    left_out = "RAVDESS: 6 left out, 'calm' is no class of the model's"
    assert [text for _, text in findings(tested, "lists") if text.startswith(left_out)]
    assert findings(trained, "counts") == [("warning", "60 videos, officially 7442")]
    assert findings(tested, "counts") == [("unknown", "36 videos; the config does not read the whole corpus")]
    assert tested.record()["classes"] == trained.record()["classes"]


def test_each_is_read_by_its_own_reader(home):
    reads_folders = {f"{loader}.dataset.pipeline.0.type": ReadFrames for loader in LOADERS[1:]}
    trained, tested = examine(config(home, **reads_folders), fold=1, num_workers=1)
    assert trained.healthy
    reasons = [finding.names for finding in tested.findings if finding.check == "decodable"]
    assert len(reasons[0]) == 36 and all("ReadFrames reads folders of images: set" in reason for reason in reasons[0])


def test_a_corpus_that_is_not_there_does_not_hide_the_other(home):
    moved = {"train_dataloader.dataset.data_root": str(home / "gone")}
    trained, tested = examine(config(home, **moved), fold=1, num_workers=1)
    assert not trained.healthy and "CREMA-D is not at" in table(trained)
    assert len(tested.examination.probes) == 36
