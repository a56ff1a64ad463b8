"""Trained on one corpus, tested on another: real trainings on small trees."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
from helpers.media import moving_square, write_csv, write_images
from helpers.run import ROOT, run_tool

from cefl_bench.commands.pack import pack, store_of
from cefl_bench.commands.setup import RunOptions, build_dataset
from cefl_bench.commands.train import train
from cefl_bench.config import load_config
from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.ravdess import RAVDESS
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import difference, protocol_of
from cefl_bench.plain import plain

CONFIGS = ROOT / "configs"
FORTH = CONFIGS / "ceflnet_cremad_on_ravdess.py"
BACK = '''"""CEFLNet on RAVDESS -> CREMA-D: python tools/train.py configs/ceflnet_ravdess_on_cremad.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.ravdess import *
    from ._base_.loaders.fair import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *

from cefl_bench.datasets.cremad import CREMAD
from cefl_bench.datasets.ravdess import RAVDESS

test_corpus = dict(
    type=CREMAD,
    data_root="cremad",
    frames="faces_224",
    split="all",
    classes_as=RAVDESS,
    label_map=dict(anger="angry", disgust="disgust", happy="happy", sad="sad"),
)
'''
OPTIONS = (
    "--cfg-options",
    "model.backbone.trunk=test_resnet",
    "model.backbone.trunk_args={'channels':(8,16,16,32)}",
    "data_preprocessor.size=32",
    "train_cfg.max_epochs=1",
    "train_dataloader.num_workers=1",
    "val_dataloader.num_workers=1",
)
CREMAD_NAMES = [f"{{}}_DFA_{code}_XX" for code in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")]
RAVDESS_NAMES = [f"02-01-{code:02d}-01-02-01-{{}}" for code in range(1, 9)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Crops of faces of two corpora, as tools/prepare leaves them."""
    home = tmp_path_factory.mktemp("data")
    for key, actors, names in (
        ("cremad", (1001, 1019, 1037, 1055, 1073), CREMAD_NAMES),
        ("ravdess", ("01", "08", "09", "16", "17", "24"), RAVDESS_NAMES),
    ):
        rows = []
        for actor in actors:
            for label, name in enumerate(names):
                folder = f"faces_224/{name.format(actor)}"
                write_images(home / key / folder, moving_square(8, label))
                rows.append([name.format(actor), folder])
        write_csv(home / key / "faces_224" / "faces.csv", "name,path", rows)
    return os.environ | {"CEFL_BENCH_DATA": str(home)}


@pytest.fixture(scope="module")
def back(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configs")
    (folder / "_base_").symlink_to(CONFIGS / "_base_")
    (folder / "ceflnet_ravdess_on_cremad.py").write_text(BACK)
    return folder / "ceflnet_ravdess_on_cremad.py"


@pytest.mark.slow
def test_only_shared_classes_are_tested_and_answered(back, environment, tmp_path):
    run = ("train.py", back, "--fold", "6", "--select", "val", "--work-dir", tmp_path / "run", *OPTIONS)
    out = run_tool(*run, env=environment).stdout
    assert "RAVDESS -> CREMA-D, fold 6: 32 training, 8 held-out and 20 test videos" in out, "fold 6 of RAVDESS"
    assert "CREMA-D: 5 left out, 'fear' is no class of the model's" in out
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["method"], result["dataset"], result["fold"]) == ("ceflnet", "RAVDESS -> CREMA-D", 6)
    assert result["classes"] == list(RAVDESS.METAINFO["classes"]) and result["clips"]["official"] is None
    shared = [result["classes"].index(name) for name in ("angry", "disgust", "happy", "sad")]
    scores = result["metrics"]["last"]
    assert [label for label, count in enumerate(scores["support"]) if count] == sorted(shared)
    assert [recall is not None for recall in scores["per_class"]] == [label in shared for label in range(8)]
    matrix = np.array(scores["confusion_matrix"])
    assert matrix[:, shared].sum() == matrix.sum() == 20, "an answer is a class that was not asked for"
    with open(tmp_path / "run" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert [row[f"score_{label}"] != "-inf" for label in range(8)] == [label in shared for label in range(8)]
        assert RAVDESS.METAINFO["classes"][int(row["label"])][:3] == row["name"].split("_")[2].lower()
    scored = run_tool("score.py", tmp_path / "run" / "predictions.csv", "--json", tmp_path / "scored.json")
    assert json.loads((tmp_path / "scored.json").read_text())["confusion_matrix"] == scores["confusion_matrix"], scored


@pytest.mark.slow
def test_a_model_of_the_one_corpus_is_tested_on_the_other(environment, tmp_path):
    """Training on CREMA-D alone and testing afterwards gives what the config of both gives."""
    alone = (
        "train.py",
        CONFIGS / "ceflnet_dfew.py",
        "--dataset",
        "cremad",
        "--fold",
        "2",
        "--work-dir",
        tmp_path / "alone",
        *OPTIONS,
    )
    run_tool(*alone, env=environment)
    run_tool("train.py", FORTH, "--fold", "2", "--work-dir", tmp_path / "both", *OPTIONS, env=environment)
    run_tool("test.py", FORTH, tmp_path / "alone" / "last.pth", "--out", tmp_path / "test", *OPTIONS, env=environment)
    both, tested = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("both", "test"))
    assert tested["metrics"]["checkpoint"]["confusion_matrix"] == both["metrics"]["last"]["confusion_matrix"]
    for field in ("protocol_id", "dataset", "method", "fold", "classes"):
        assert tested[field] == both[field], field
    assert both["clips"]["scored"] == 36 and both["fold"] == 2
    alone = json.loads((tmp_path / "alone" / "result.json").read_text())
    assert alone["protocol_id"] != both["protocol_id"]


def test_the_protocol_names_both_corpora_and_the_map():
    protocols = [
        protocol_of(plain(load_config(path, fold=fold, dataset=dataset).to_dict()))
        for path, dataset, fold in ((CONFIGS / "ceflnet_dfew.py", "cremad", 1), (FORTH, None, 1), (FORTH, None, 5))
    ]
    (line,) = difference(*protocols[:2])
    assert line.startswith("test_dataset: None != ") and "RAVDESS" in line and "'fearful': 'fear'" in line
    assert "CREMAD" in protocols[1]["dataset"]["type"] and protocols[1] == protocols[2]
    moved = {f"{side}_dataloader.dataset.data_root": "elsewhere" for side in ("train", "val", "test")}
    assert protocols[1] == protocol_of(plain(load_config(FORTH, moved).to_dict()))


def test_a_config_of_two_corpora_must_say_which_classes_are_the_same(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("CEFL_BENCH_DATA", environment["CEFL_BENCH_DATA"])
    (tmp_path / "_base_").symlink_to(CONFIGS / "_base_")
    text = FORTH.read_text()
    (tmp_path / FORTH.name).write_text(text[: text.index("    classes_as")] + ")\n")
    with pytest.raises(UserError, match="training is on CREMA-D, val_dataloader reads RAVDESS: tell which") as error:
        train(RunOptions(str(tmp_path / FORTH.name)))
    assert "\n" not in str(error.value)


def test_all_videos_are_packed_whichever_a_test_needs(environment, tmp_path, monkeypatch):
    shutil.copytree(environment["CEFL_BENCH_DATA"], tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    lines = pack(load_config(FORTH), 1)
    assert ["30 videos" in line or "48 videos" in line for line in lines] == [True, True]
    dataset = build_dataset(load_config(CONFIGS / "ceflnet_dfew.py", dataset="ravdess"), "test_dataloader")
    assert store_of(dataset) is not None and dataset[0]["video"].shape[2:] == (128, 128, 3)


def test_leaf_and_adapters_agree_on_the_names():
    dataset = load_config(FORTH).test_dataloader.dataset
    assert set(dataset.label_map) == set(RAVDESS.METAINFO["classes"]) - {"calm", "surprised"}
    assert set(dataset.label_map.values()) == set(CREMAD.METAINFO["classes"])
