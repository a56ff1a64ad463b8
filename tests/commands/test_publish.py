"""Published weights: the same scores in every tool, nothing of the machine, and a card that tells the truth."""

import csv
import hashlib
import json
import shutil
import stat

import numpy as np
import pytest
import torch
from helpers.run import SYNTHETIC, TINY, run_tool
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cefl_bench.commands.publish import publish, without_paths
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.test import test as score
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError
from cefl_bench.predict.predictor import Predictor
from cefl_bench.registry import MODELS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.predictions import read_predictions

ONE_EPOCH = (*TINY, "train_cfg.max_epochs=1", "train_dataloader.num_workers=0", "val_dataloader.num_workers=0")


@pytest.fixture(scope="module")
def run(data_home, tmp_path_factory):
    """A training of one epoch whose config names the corpus by its whole path."""
    folder = tmp_path_factory.mktemp("private place") / "run"
    root = f"corpus.data_root={data_home / 'synthetic_demo'}"
    run_tool("train.py", SYNTHETIC, "--work-dir", folder, "--cfg-options", *ONE_EPOCH, root)
    return folder


@pytest.fixture(scope="module")
def published(run, tmp_path_factory):
    return publish(str(run), str(tmp_path_factory.mktemp("published") / "model"))


def test_a_test_of_published_weights_gives_the_scores_of_the_run(run, published, with_data, tmp_path):
    options = ("test_dataloader.num_workers=0",)
    score(RunOptions(cfg_options=options), str(published / "model.safetensors"), str(tmp_path / "test"))
    given, found = (read_predictions(folder / "predictions.csv") for folder in (run, tmp_path / "test"))
    assert given.name == found.name
    np.testing.assert_allclose(found.scores, given.scores, atol=1e-5 * np.abs(given.scores).max())
    ids = [json.loads((folder / "result.json").read_text())["protocol_id"] for folder in (run, tmp_path / "test")]
    assert ids[0] == ids[1]


def test_weights_know_which_videos_they_were_trained_on(published, data_home):
    with open(data_home / "synthetic_demo" / "labels.csv", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file) if row["fold"] != "1"]
    hashes = sorted(hashlib.sha256(name.encode()).hexdigest()[:12] for name in names)
    assert checkpoints.load(published / "model.safetensors")["meta"]["learned_from"] == hashes


def test_predictions_and_initial_weights_come_out_of_it(run, published, data_home):
    predictor = Predictor.load(published / "model.safetensors")
    assert predictor.about == Predictor.load(run / "last.pth").about and predictor.about.rendered
    options = parse_options((*TINY, f"model.backbone.init_cfg.checkpoint={published / 'model.safetensors'}"))
    config = load_config(SYNTHETIC, options)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    model.init_weights()
    weights = load_file(published / "model.safetensors")
    for name, tensor in model.backbone.state_dict().items():
        if tensor.is_floating_point():  # not the count of batches
            assert torch.equal(tensor, weights[f"backbone.{name}"]), name
    assert "100.0% of the trunk" in model.backbone.init_source.source


def test_nothing_else_is_in_it(run, published, data_home):
    whole = checkpoints.load(run / "last.pth")
    with safe_open(published / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(whole["state_dict"])
        meta = json.loads(file.metadata()["cefl_bench"])
    assert set(meta) == set(whole["meta"]) and "optimizer" in whole
    for name in ("model.safetensors", "README.md"):
        content = (published / name).read_bytes()
        for secret in (b"private place", str(data_home).encode(), b"/tmp/"):
            assert secret not in content, f"{name} tells {secret}"
        assert stat.S_IMODE((published / name).stat().st_mode) & 0o044, "others may read it"
    sizes = [(folder / name).stat().st_size for folder, name in ((published, "model.safetensors"), (run, "last.pth"))]
    assert sizes[0] < 0.6 * sizes[1]


def test_weights_rounded_to_float16(run, published, tmp_path):
    """Half the file, the same numbers to eleven bits, counts as they were; told of in the card alone."""
    folder = publish(str(run), str(tmp_path / "half"), half=True)
    whole, rounded = (load_file(path / "model.safetensors") for path in (published, folder))
    for name, tensor in whole.items():
        assert torch.allclose(rounded[name].to(tensor.dtype), tensor, rtol=2**-11, atol=1e-7), name
    assert {str(tensor.dtype) for tensor in rounded.values()} == {"torch.float16", "torch.int64"}
    sizes = [(path / "model.safetensors").stat().st_size for path in (folder, published)]
    assert sizes[0] < 0.6 * sizes[1]
    assert Predictor.load(folder / "model.safetensors").about == Predictor.load(run / "last.pth").about
    told = ["float16" in (path / "README.md").read_text() for path in (folder, published)]
    assert told == [True, False]


def test_a_weight_beyond_float16_is_refused(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    checkpoint = checkpoints.load(copy / "last.pth")
    name = next(name for name in checkpoint["state_dict"] if name.endswith("running_var"))
    checkpoint["state_dict"][name][0] = 1e5
    checkpoints.save(copy / "last.pth", checkpoint)
    with pytest.raises(UserError, match=f"{name} holds numbers beyond 65504"):
        publish(str(copy), half=True)
    assert not (copy / "published").exists()


def test_only_a_card_is_written_over(run, tmp_path):
    publish(str(run), str(tmp_path))
    card = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text(f"{card}\nA line more.\n")
    publish(str(run), str(tmp_path))
    assert (tmp_path / "README.md").read_text() == card
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "README.md").write_bytes(b"My own notes, in Latin-1: \xe9")
    with pytest.raises(UserError, match=r"README\.md is there and is no model card"):
        publish(str(run), str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"], "no weights without their card"
    assert (tmp_path / "README.md").read_bytes().startswith(b"My own notes")


def test_the_card_says_what_the_result_says(run, published):
    card, result = (published / "README.md").read_text(), json.loads((run / "result.json").read_text())
    scores = result["metrics"]["last"]
    front, _, body = card.removeprefix("---\n").partition("\n---\n")
    assert "video-classification" in front and "do not rely on it for real people" in body
    assert f"| UAR | {100 * scores['uar']:.1f} % |" in body and f"| WAR | {100 * scores['war']:.1f} % |" in body
    for name, recall in zip(result["classes"], scores["per_class"], strict=True):
        assert f"| {name} | {100 * recall:.1f} % | 2 |" in body
    for value in (result["protocol_id"], *result["data_fingerprint"].values(), result["environment"]["python"]):
        assert value in body
    assert "made by this toolkit; anyone may use it" in body and "the last epoch, chosen before the training" in body


def test_a_temperature_goes_along_where_it_is_of_these_weights(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    checkpoint = checkpoints.load(copy / "last.pth")
    calibration = {"temperature": 1.5, "fitted_on": 40, "ece_before": 0.25, "ece_after": 0.125}
    checkpoint["meta"]["calibration"] = calibration
    for weights, told in ((checkpoint["state_dict"], True), ({"a": torch.zeros(2)}, False)):
        (copy / "test").mkdir(exist_ok=True)
        checkpoints.save(copy / "test" / "calibrated.pth", {"meta": checkpoint["meta"], "state_dict": weights})
        folder = publish(str(copy), str(tmp_path / f"published {told}"))
        assert Predictor.load(folder / "model.safetensors").about.temperature == (1.5 if told else None)
        assert ("went from 0.250 to 0.125" in (folder / "README.md").read_text()) == told


def test_paths_of_a_config_become_names():
    config = {"work_dir": "/home/me/run", "launcher": "none", "a": [{"root": "/data/dfew"}, "~/x/y.pth", "lists/z.csv"]}
    assert without_paths(config) == {"a": [{"root": "dfew"}, "y.pth", "lists/z.csv"]}


@pytest.mark.parametrize("fault", ["a test", "another epoch", "no run", "unfinished"])
def test_what_cannot_be_published(fault, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    if fault == "a test":
        result = json.loads((copy / "result.json").read_text())
        result["metrics"] = {"checkpoint": result["metrics"]["last"]}
        (copy / "result.json").write_text(json.dumps(result))
    elif fault == "another epoch":
        checkpoint = checkpoints.load(copy / "last.pth")
        checkpoint["meta"]["epoch"] = 7
        checkpoints.save(copy / "last.pth", checkpoint)
    elif fault == "no run":
        copy = tmp_path / "nowhere"
    else:
        (copy / "result.json").unlink()
    told = {
        "a test": "holds a test",
        "another epoch": "another epoch",
        "no run": "no folder",
        "unfinished": "not there",
    }
    with pytest.raises(UserError, match=told[fault]):
        publish(str(copy))
    assert not (copy / "published").exists()


@pytest.mark.parametrize("fault", ["cut short", "pickled", "empty", "of another toolkit", "strange meta"])
def test_weights_that_cannot_be_loaded(fault, published, run, tmp_path):
    path = tmp_path / "model.safetensors"
    content = (published / "model.safetensors").read_bytes()
    if fault == "of another toolkit":
        save_file({"a": torch.zeros(2)}, path)
    elif fault == "strange meta":
        save_file({"a": torch.zeros(2)}, path, metadata={"cefl_bench": '{"config": 3}'})
    else:
        damaged = {"cut short": content[:-100], "pickled": (run / "last.pth").read_bytes(), "empty": b""}
        path.write_bytes(damaged[fault])
    with pytest.raises(UserError) as error:
        Predictor.load(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
