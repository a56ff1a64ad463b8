"""Every registered dataset keeps its contract."""

from pathlib import Path

import pytest
from helpers.run import tree_folder
from helpers.trees import TREES

from cefl_bench.errors import UserError
from cefl_bench.registry import DATASETS, registered
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadAny
from cefl_bench.transforms.sample_clips import SampleClips

ADAPTERS = registered(DATASETS)
PIPELINE = [dict(type=ReadAny, size=40), dict(type=SampleClips), dict(type=Pack)]


def meta_of(name):
    """METAINFO, with what an adapter takes as an argument instead."""
    meta, tiny = ADAPTERS[name].METAINFO, ADAPTERS[name].tiny
    return meta | {key: tiny[key] for key in ("classes", "num_folds") if key in tiny}


def build(name, **arguments):
    return ADAPTERS[name](**ADAPTERS[name].tiny, **arguments)


@pytest.mark.parametrize("name", ADAPTERS)
def test_metainfo_says_what_a_reader_needs(name):
    meta = meta_of(name)
    assert {"key", "name", "classes", "num_folds", "num_clips", "access", "licence", "url", "citation"} <= set(meta)
    assert len(set(meta["classes"])) == len(meta["classes"]) >= 2
    assert meta["num_folds"] >= 1 and "\n" not in meta["access"]


@pytest.mark.parametrize("name", ADAPTERS)
def test_official_numbers_agree_with_each_other(name):
    meta = meta_of(name)
    tests = meta.get("num_test_clips", ())
    if tests:
        assert len(tests) == meta["num_folds"]
        # in cross-validation every clip is a test clip once; a fixed split has training clips besides
        assert sum(tests) == meta["num_clips"] if meta["num_folds"] > 1 else sum(tests) < meta["num_clips"]
    counts = meta.get("class_counts", {})
    assert set(counts) in (set(), {"all"}, {"train", "test"})
    assert all(len(of_class) == len(meta["classes"]) for of_class in counts.values())
    assert sum(map(sum, counts.values())) <= (meta["num_clips"] or 0)


@pytest.mark.parametrize("name", ADAPTERS)
def test_without_data_says_what_is_missing_and_how_to_get_it(name, tmp_path):
    with pytest.raises(UserError) as error:
        build(name, data_root=str(tmp_path / "nothing"), split="train")
    message = str(error.value)
    assert str(tmp_path / "nothing") in message and "missing" in message
    assert ADAPTERS[name].METAINFO["access"] in message and "ceflnet_synthetic.py" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("fold", [0, 99, -1])
def test_a_fold_that_does_not_exist_is_refused(name, fold, tmp_path):
    with pytest.raises(UserError, match=f"fold is {fold}: expected 1"):
        build(name, data_root=str(tmp_path), split="train", fold=fold)


@pytest.mark.parametrize("name", ADAPTERS)
def test_entries_of_every_fold(name, data_home):
    assert name in TREES, f"add a builder for {name} to tests/trees.py"
    for fold in range(1, meta_of(name)["num_folds"] + 1):
        seen = {}
        for split in ("train", "test"):
            dataset = build(name, data_root=str(data_home / tree_folder(name)), split=split, fold=fold)
            entries = [dataset.get_data_info(index) for index in range(len(dataset))]
            assert {entry["label"] for entry in entries} == set(range(len(dataset.classes)))
            assert all(Path(entry["path"]).exists() for entry in entries)
            assert all(set(entry) >= {"name", "label", "path", "num_frames"} for entry in entries)
            names = [entry["name"] for entry in entries]
            assert len(set(names)) == len(names)
            seen[split] = (set(names), {entry["subject"] for entry in entries if "subject" in entry})
        assert not seen["train"][0] & seen["test"][0], "a video stands on both sides"
        assert not seen["train"][1] & seen["test"][1], "a subject stands on both sides"


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_test_video_of_a_fold_is_read_and_shows_its_class(name, data_home):
    dataset = build(name, data_root=str(data_home / tree_folder(name)), split="test", pipeline=PIPELINE)
    colours = {}
    for sample in dataset:
        assert sample["video"].shape[2:] == (40, 40, 3) and not sample["unreadable"]
        # squares of one class have one colour: their brightest pixel of the first frame tells it, up to compression
        first = sample["video"].reshape(-1, 40, 40, 3)[0].reshape(-1, 3).astype(int)
        colour = first[first.sum(axis=1).argsort()[-40:]].mean(axis=0)
        same = colours.setdefault(sample["label"], colour)
        assert abs(colour - same).max() < 40, f"{sample['name']} looks like another class"
    assert len(dataset.fingerprint()) == 64


@pytest.mark.parametrize("name", ADAPTERS)
def test_split_and_error_policy_are_checked(name, tmp_path):
    with pytest.raises(UserError, match="split is 'dev': expected train or val or test or all"):
        build(name, data_root=str(tmp_path), split="dev")
    with pytest.raises(UserError, match=r"holdout is 0.0: expected at most 0\.5, and more than 0 for split 'val'"):
        build(name, data_root=str(tmp_path), split="val")


CLASSES = {
    "DFEW": "happy sad neutral angry surprise disgust fear",
    "AFEW": "happy sad neutral angry surprise disgust fear",
    "FERV39k": "happy sad neutral angry surprise disgust fear",
    "MMI": "anger disgust fear happiness sadness surprise",
    "BU3DFE": "angry disgust fear happy sad surprise",
    "CREMAD": "anger disgust fear happy neutral sad",
    "RAVDESS": "neutral calm happy sad angry fearful disgust surprised",
    "SyntheticFaces": "happy sad neutral angry surprise disgust fear",
    "MAFW": "anger disgust fear happiness neutral sadness surprise contempt anxiety helplessness disappointment",
}
"""The order of the official files, in which scores of others are read."""


@pytest.mark.parametrize("name", CLASSES)
def test_classes_stand_in_the_official_order(name):
    assert " ".join(ADAPTERS[name].METAINFO["classes"]) == CLASSES[name]
