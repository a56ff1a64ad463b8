"""Every registered dataset keeps its contract."""

from pathlib import Path

import pytest
from trees import TREES

from cefl_bench.errors import UserError
from cefl_bench.registry import DATASETS, registered

ADAPTERS = registered(DATASETS)


@pytest.mark.parametrize("name", ADAPTERS)
def test_metainfo_says_what_a_reader_needs(name):
    meta = ADAPTERS[name].METAINFO
    assert {"key", "name", "classes", "num_folds", "num_clips", "access", "licence", "url", "citation"} <= set(meta)
    assert len(set(meta["classes"])) == len(meta["classes"]) >= 2
    assert meta["num_folds"] >= 1
    if "num_test_clips" in meta:
        assert len(meta["num_test_clips"]) == meta["num_folds"] and sum(meta["num_test_clips"]) == meta["num_clips"]


@pytest.mark.parametrize("name", ADAPTERS)
def test_without_data_says_what_is_missing_and_how_to_get_it(name, tmp_path):
    with pytest.raises(UserError) as error:
        ADAPTERS[name](data_root=str(tmp_path / "nothing"), split="train")
    message = str(error.value)
    assert str(tmp_path / "nothing") in message and "missing" in message
    assert ADAPTERS[name].METAINFO["access"] in message and "ceflnet_synthetic.py" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("fold", [0, 99, -1])
def test_a_fold_that_does_not_exist_is_refused(name, fold, tmp_path):
    with pytest.raises(UserError, match=f"fold is {fold}: expected 1"):
        ADAPTERS[name](data_root=str(tmp_path), split="train", fold=fold)


@pytest.mark.parametrize("name", ADAPTERS)
def test_entries_of_every_fold(name, tmp_path):
    assert name in TREES, f"add a builder for {name} to tests/trees.py"
    cls = ADAPTERS[name]
    TREES[name](tmp_path)
    for fold in range(1, cls.METAINFO["num_folds"] + 1):
        seen = {}
        for split in ("train", "test"):
            dataset = cls(data_root=str(tmp_path), split=split, fold=fold)
            entries = [dataset.get_data_info(index) for index in range(len(dataset))]
            assert {entry["label"] for entry in entries} == set(range(len(dataset.classes)))
            assert all(Path(entry["path"]).exists() for entry in entries)
            assert all(set(entry) >= {"name", "label", "path", "num_frames"} for entry in entries)
            names = [entry["name"] for entry in entries]
            assert len(set(names)) == len(names)
            seen[split] = (set(names), {entry["subject"] for entry in entries if "subject" in entry})
        assert not seen["train"][0] & seen["test"][0], "a video stands on both sides"
        assert not seen["train"][1] & seen["test"][1], "a subject stands on both sides"
