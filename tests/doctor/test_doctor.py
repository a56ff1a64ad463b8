"""Every check finds the fault it is there for, names the file, and finds nothing in a corpus with nothing wrong."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from helpers.media import write_csv
from helpers.planted_faults import (
    broken_last_image,
    class_gone,
    copied,
    cut_avi,
    cut_off,
    encoded_again,
    faceless,
    fifo_for_a_video,
    folder,
    grey,
    hangs,
    joined,
    linked,
    misspelt,
    no_video,
    not_a_number,
    other_count,
    outside,
    promising,
    removed,
    short,
    subject_twice,
    video,
    with_a_preview,
)
from helpers.run import run_tool
from helpers.scenes import LENGTH, write_corpus
from helpers.trees import TREES

from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config
from cefl_bench.doctor.checks.lists import official_counts
from cefl_bench.doctor.checks.videos import lengths
from cefl_bench.doctor.examine import CHECKS, examine
from cefl_bench.doctor.probe import Probe
from cefl_bench.doctor.table import table
from cefl_bench.transforms.read import ReadAny
from cefl_bench.transforms.sample_clips import SampleClips

ROOT = Path(__file__).parents[2]
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def look(root, config="ceflnet_synthetic.py", fold=None, timeout=60.0, options=()):
    """Examine the corpus at `root` as the config reads it, by `ReadAny` where the videos are folders."""
    places = {f"{loader}.dataset.data_root": str(root) for loader in LOADERS}
    (report,) = examine(load_config(ROOT / "configs" / config, places | dict(options)), fold, timeout=timeout)
    return report


FAULTS = [
    ("lists", "error", "label is 'sda'", misspelt),
    ("lists", "error", "leaves the data root", outside),
    ("lists", "error", "num_frames is 'many': expected a whole number", not_a_number),
    ("lists", "error", "missing", lambda root: (root / "labels.csv").unlink()),
    ("subjects", "error", "fold 2: subjects in training and in test: s2", subject_twice),
    ("files", "error", "videos/s3_fear_1.mp4", removed),
    ("decodable", "error", "videos/s3_fear_1.mp4 cannot be decoded", no_video),
    ("decodable", "error", "videos/s3_fear_1.mp4", cut_off),
    ("decodable", "error", f"s3_fear_1.mp4/{LENGTH:05d}.jpg cannot be read", broken_last_image),
    ("decodable", "error", "videos that hang the decoder: videos/s3_fear_1.mp4", hangs),
    ("decodable", "error", "videos/s3_fear_1.mp4", fifo_for_a_video),
    ("decodable", "error", "s3_fear_1.mp4 is a folder, and ReadVideo reads video files: set the reader", folder),
    ("formats", "warning", "videos/s3_fear_1.mp4 (.jpg, .webp)", with_a_preview),
    ("decodable", "note", "have gaps: every frame that can be decoded is read: videos/s3_fear_1.ts", joined),
    ("files", "note", "links on the way to videos, which are followed: videos/s3_fear_1.mp4 -> ", linked),
    ("frames", "warning", "videos/s3_fear_1.mp4 (20 instead of 2147483647)", promising),
    ("frames", "error", "videos/s3_fear_1.mp4 (20 instead of 21)", other_count),
    ("frames", "warning", "instead of 60)", cut_avi),
    ("lengths", "warning", "too short for 16 different frames", short),
    ("blank", "warning", "videos/s3_fear_1.mp4", grey),
    ("copies", "error", "videos/s2_fear_0.mp4 = videos/s3_fear_1.mp4", copied("s2_fear_0")),
    ("copies", "warning", "videos/s3_fear_1.mp4 = videos/s3_happy_0.mp4", copied("s3_happy_0")),
    ("copies", "note", "videos/s3_fear_0.mp4 = videos/s3_fear_1.mp4", copied("s3_fear_0")),
    ("likeness", "warning", "videos/s2_fear_0.mp4 = videos/s3_fear_1.mp4", encoded_again("s2_fear_0")),
    ("likeness", "warning", "videos/s3_fear_1.mp4 = videos/s3_happy_0.mp4", encoded_again("s3_happy_0")),
    ("likeness", "note", "videos/s3_fear_0.mp4 = videos/s3_fear_1.mp4", encoded_again("s3_fear_0")),
    ("faces", "warning", "videos without a face: s3_fear_1", faceless),
]
DFEW_FAULTS = [
    ("labels", "error", "different lists: 00101", "train(single-labeled)/set_2.csv", ("101", "2")),
    (
        "folds",
        "warning",
        "more than one fold, counted twice in an average: 00151",
        "test(single-labeled)/set_2.csv",
        ("151", "1"),
    ),
    ("overlap", "error", "fold 1: in training and in test: 00151", "train(single-labeled)/set_1.csv", ("151", "1")),
]
CONFIG_FAULTS = [
    ("classes", "error", "num_classes is 6: expected 7", {"model.head.num_classes": 6}),
    ("labels", "note", "are shuffled", {"train_dataloader.dataset.shuffle_labels": True}),
    ("validation", "error", "read different data", {"val_dataloader.dataset.pipeline.0.size": 64}),
    ("validation", "note", "the validation videos are the test videos", {}),
]


def lines(report, check, severity):
    """What people read of a check's findings of that severity."""
    text = table(report, num_names=99).splitlines()
    return [line for line in text if line.split()[:2] == [severity, check]]


def assert_found(report, check, severity, said):
    assert any(said in line for line in lines(report, check, severity)), table(report)
    assert report.healthy == all(finding.severity != "error" for finding in report.findings)


def test_every_check_has_a_planted_fault():
    elsewhere = {"counts", "sources"}  # below, and in tests/datasets/test_by_source.py
    planted = {fault[0] for fault in [*FAULTS, *DFEW_FAULTS, *CONFIG_FAULTS]} | elsewhere
    assert planted == {check.name for check in CHECKS}


READ_ANY = {f"{loader}.dataset.pipeline.0.type": ReadAny for loader in LOADERS}


@pytest.mark.parametrize(("check", "severity", "said", "spoil"), FAULTS)
def test_a_planted_fault_is_found(sick, check, severity, said, spoil):
    spoil(sick)
    options = READ_ANY if spoil in (hangs, broken_last_image, with_a_preview) else {}
    assert_found(look(sick, fold=2, timeout=1.5 if spoil is hangs else 60, options=options), check, severity, said)


def test_a_class_that_is_nowhere_but_in_one_fold(sick):
    class_gone(sick)
    report = look(sick)
    assert_found(report, "classes", "error", "1: classes without a train video: fear (fold 1)")
    assert_found(report, "classes", "warning", "3: classes without a test video: fear (fold 2)")


def test_changing_people_and_changed_videos_are_named(sick):
    names = ["s1_happy_0", "s2_happy_0", "s3_happy_0"]
    counts = [["20", "20", "1", "1"], ["20", "20", "2", "2"], ["20", "18", "3", "1"]]
    rows = []
    for name, count in zip(names, counts, strict=True):
        crops, clip = sick / "faces_64" / name, sick / "videos" / f"{name}.mp4"
        crops.mkdir(parents=True)
        made_of = "0" * 64 if name == names[0] else hashlib.sha256(clip.read_bytes()).hexdigest()
        (crops / "crop.json").write_text(json.dumps({"rule": {}, "video": made_of}))
        rows.append([name, f"faces_64/{name}", *count, f"videos/{name}.mp4"])
    write_csv(sick / "faces_64" / "faces.csv", "name,path,num_frames,num_faces,num_shots,num_people,video", rows)
    shutil.copy(sick / "faces_64" / "faces.csv", sick / "videos" / "faces.csv")
    report = look(sick)
    assert_found(report, "faces", "warning", "person whose face is followed changes: s2_happy_0 (2)")
    assert_found(report, "faces", "note", "videos of more than one shot: s2_happy_0 (2), s3_happy_0 (3)")
    assert_found(report, "faces", "warning", "have changed since their crops were made: s1_happy_0;")


def test_faces_that_were_not_found_or_not_looked_for(sick):
    faceless(sick)
    report = look(sick, fold=2)
    assert_found(report, "faces", "note", "no face in 25 of 40 frames (62.5%)")
    assert_found(report, "faces", "unknown", "30: videos that faces.csv does not name")
    (sick / "videos" / "faces.csv").write_text("clip,faces\n")
    assert_found(look(sick, fold=2), "faces", "warning", "no column name, path, num_frames, num_faces")


def test_fewer_videos_than_the_official_numbers(data_home):
    report = look(data_home / "dfew", "ceflnet_dfew.py")
    assert_found(report, "counts", "error", "official one: fold 1: 7 (2341), fold 2: 7 (2341), fold 3: 7 (2340)")
    assert_found(report, "counts", "warning", "70 videos, officially 11697")
    assert_found(report, "counts", "warning", "happy 10 (2445), sad 10 (1894)")
    assert_found(report, "subjects", "unknown", "does not say who")


@pytest.mark.parametrize("which", ["all", "train", "test"])
def test_classes_in_another_order_are_told_from_missing_videos(healthy, which):
    report = look(healthy, fold=2)
    examination = report.examination
    here = {"all": 4, "train": 3, "test": 1}[which]
    for official, severity, said in (
        ((*[here] * 6, 2 * here), None, ""),
        ((2 * here, *[here] * 6), "error", "in another order"),
        ((*[here] * 6, 2 * here + 1), "warning", f"fear {2 * here} ({2 * here + 1})"),
    ):
        examination.corpus.meta = {**examination.corpus.meta, "num_clips": 32, "class_counts": {which: official}}
        found = list(official_counts(examination))
        assert [finding.severity for finding in found] == ([severity] if severity else [])
        assert all(said in finding.text for finding in found)


@pytest.mark.parametrize(("check", "severity", "said", "lists", "row"), DFEW_FAULTS)
def test_a_fault_of_lists_with_folds_is_found(tmp_path, check, severity, said, lists, row):
    TREES["DFEW"](tmp_path)
    with open(tmp_path / "EmoLabel_DataSplit" / lists, "a") as file:
        file.write(",".join(row) + "\n")
    assert_found(look(tmp_path, "ceflnet_dfew.py"), check, severity, said)


@pytest.mark.parametrize(("check", "severity", "said", "options"), CONFIG_FAULTS)
def test_a_fault_of_the_config_is_found(healthy, check, severity, said, options):
    assert_found(look(healthy, fold=2, options=options), check, severity, said)


def test_nothing_is_wrong_with_a_healthy_corpus(healthy):
    report = look(healthy)
    assert report.healthy and {finding.severity for finding in report.findings} == {"ok", "note", "unknown"}
    assert [finding.check for finding in report.findings] == [check.name for check in CHECKS], "a line per check"
    assert len(report.examination.probes) == 32, "every video once, although it is in all folds"


@pytest.mark.slow
def test_there_is_no_false_alarm_on_rendered_faces(tiny_corpus):
    report = look(tiny_corpus, fold=1)
    assert len(report.examination.probes) == 14
    assert {finding.severity for finding in report.findings} == {"ok", "note", "unknown"}, table(report)


def test_fingerprints_and_counts_are_those_of_a_training(healthy):
    report = look(healthy)
    places = {f"{loader}.dataset.data_root": str(healthy) for loader in LOADERS}
    config = load_config(ROOT / "configs/ceflnet_synthetic.py", places, fold=3)
    for split, loader in (("train", "train_dataloader"), ("test", "val_dataloader")):
        dataset = build_dataset(config, loader)
        (here,) = [row for row in report.record()["splits"] if (row["fold"], row["split"]) == (3, split)]
        assert here["fingerprint"] == dataset.fingerprint() and here["fingerprint"] in table(report)
        assert here["num_clips"] == len(dataset) == sum(here["class_counts"])


def test_the_tool_says_it_all_and_exits_with_1_on_errors(sick, tmp_path):
    hangs(sick)
    removed_name = "s1_happy_0"
    video(sick, removed_name).unlink()
    corpus = write_corpus(tmp_path / "any.py", sick)
    arguments = ["doctor.py", "configs/ceflnet_synthetic.py", "--dataset", corpus]
    done = run_tool(*arguments, "--json", tmp_path / "found.json", "--timeout", "2", check=False, cwd=ROOT)
    assert done.returncode == 1 and done.stderr == ""
    assert "videos/s1_happy_0.mp4" in done.stdout and "hang the decoder: videos/s3_fear_1.mp4" in done.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    (corpus,) = found["corpora"]
    assert not found["healthy"] and not corpus["healthy"] and len(corpus["splits"]) == 8
    assert {finding["check"] for finding in corpus["findings"]} == {check.name for check in CHECKS}


def test_nothing_is_called_right_that_was_not_looked_at(sick):
    """A person is in training and in test of two of four folds, so that these have no lists to look at."""
    subject_twice(sick)
    own = {"num_folds": 4, "lists": "labels.csv", "frames": "video"}
    report = look(sick, "ceflnet_own.py", options={f"{at}.dataset.{key}": own[key] for at in LOADERS for key in own})
    assert len(lines(report, "lists", "error")) == 2
    for check in ("counts", "classes", "labels", "folds", "overlap", "subjects"):
        assert not lines(report, check, "ok"), check
        assert_found(report, check, "unknown", "folds 1, 2 could not be read")


@pytest.mark.parametrize(
    ("options", "views", "repeated", "whole"),
    [
        ({"scheme": "segments"}, False, (15,), (16,)),
        ({"scheme": "segments", "num_segments": 8, "num_frames_per_segment": 4}, False, (32, 33), (40,)),
        (
            {"scheme": "dense", "stride": 4, "short": "held"},
            False,
            (16, 57),
            (58, 61),
        ),  # frames 0, 4 .. 56 and the last
        ({"scheme": "dense", "stride": 4, "short": "held", "num_views": 2}, True, (16, 57), (58, 68)),
        ({"scheme": "ceflnet"}, False, (35, 52), (105,)),  # stretched to 105 frames, of which some stand side by side
    ],
)
def test_a_video_of_which_frames_are_repeated_is_too_short(healthy, options, views, repeated, whole):
    examination = look(healthy, fold=2).examination
    examination.corpus.samplings = [SampleClips(**options)]
    examination.config.model.views = views
    for num_frames in (*repeated, *whole):
        examination.probes = {source: Probe(num_frames=num_frames) for source in examination.corpus.sources}
        found = list(lengths(examination))
        assert [finding.severity for finding in found] == ["warning"] * (num_frames in repeated), num_frames


def test_a_video_that_sampling_refuses_is_an_error(healthy):
    examination = look(healthy, fold=2).examination
    examination.corpus.samplings = [SampleClips("ceflnet", timeline="fixed")]
    short, *others = examination.corpus.sources
    examination.probes = {source: Probe(num_frames=104) for source in others} | {short: Probe(num_frames=103)}
    (finding,) = lengths(examination)
    assert finding.severity == "error" and len(finding.names) == 1
    assert "a video of 103 frames is too short for timeline='fixed': expected at least 104" in finding.names[0]


def test_a_corpus_that_is_not_there_is_one_finding(tmp_path):
    report = look(tmp_path / "nothing", "ceflnet_dfew.py")
    text = table(report)
    assert not report.healthy and text.count("DFEW is not at") == 1
    assert [finding.check for finding in report.findings] == ["lists"]
    assert "nothing else was looked at" in text
