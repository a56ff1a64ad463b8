"""`tools/test.py --calibrate`: what it fits on, what it leaves, and what every other tool makes of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.run import TINY
from helpers.untrained import untrained

from cefl_bench.commands import calibrate
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint
from cefl_bench.commands.test import test as score
from cefl_bench.config import HELD_OUT
from cefl_bench.errors import UserError
from cefl_bench.predict.predictor import Predictor
from cefl_bench.runs import checkpoints
from cefl_bench.runs.predictions import read_predictions
from cefl_bench.runs.read_result import read_result

ALONE = tuple(f"{loader}.num_workers=0" for loader in ("train_dataloader", "val_dataloader"))


@pytest.fixture
def checkpoint(with_data, tmp_path):
    """A model that nobody trained, of a run that held a part out."""
    return untrained(tmp_path / "last.pth", options=(*TINY, *ALONE), select=True)


def test_a_temperature_is_fitted_on_what_was_held_out(checkpoint, tmp_path, monkeypatch):
    seen = {}

    def fit_temperature(logits, label):
        seen["logits"], seen["label"] = logits, label
        return 2.5

    monkeypatch.setattr(calibrate, "fit_temperature", fit_temperature)
    folder = score(RunOptions(), str(checkpoint), str(tmp_path / "test"), with_temperature=True)
    tested = read_predictions(folder / "predictions.csv", "logits")
    _, config = of_checkpoint(RunOptions(), str(checkpoint))
    held_out = build_dataset(config, HELD_OUT)
    assert [entry["label"] for entry in held_out.entries()] == seen["label"].tolist()
    assert not {entry["name"] for entry in held_out.entries()} & set(tested.name)
    found = read_result(folder / "result.json")["calibration"]
    assert (found["temperature"], found["fitted_on"]) == (2.5, len(held_out))
    assert 0 <= found["ece_after"] <= 1 and found["ece_before"] != found["ece_after"]
    calibrated = Predictor.load(folder / "calibrated.pth")
    assert calibrated.about.temperature == 2.5 and calibrated.about.values == "probability"
    video = held_out.entries()[0]["path"]
    (window,) = calibrated(video, faces="none", window=9.0).windows
    expected = np.exp(np.array(window.logits) / 2.5)
    np.testing.assert_allclose(window.scores, expected / expected.sum(), rtol=1e-6)
    (first, *_) = seen["logits"]
    np.testing.assert_allclose(window.logits, first, atol=1e-5 * np.abs(first).max())
    weights = [checkpoints.load(path)["state_dict"] for path in (checkpoint, folder / "calibrated.pth")]
    assert checkpoints.weights_sha256(weights[0]) == checkpoints.weights_sha256(weights[1])


def test_a_held_out_video_that_cannot_be_read_is_not_one_that_it_was_fitted_on(
    with_data, tmp_path, monkeypatch, capsys
):
    data = tmp_path / "data"
    shutil.copytree(with_data, data, symlinks=True)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(data))
    skip = [f"{loader}_dataloader.dataset.on_error=skip" for loader in ("train", "val", "test")]
    checkpoint = untrained(tmp_path / "last.pth", options=(*TINY, *ALONE, *skip), select=True)
    _, config = of_checkpoint(RunOptions(), str(checkpoint))
    broken, *others = build_dataset(config, HELD_OUT).entries()
    Path(broken["path"]).unlink()
    Path(broken["path"]).write_bytes(b"no video")
    monkeypatch.setattr(calibrate, "fit_temperature", lambda logits, label: 2.5)
    folder = score(RunOptions(), str(checkpoint), str(tmp_path / "test"), with_temperature=True)
    assert read_result(folder / "result.json")["calibration"]["fitted_on"] == len(others)
    assert f"fitted on {len(others)} held-out videos" in capsys.readouterr().out


def test_a_run_that_held_nothing_out_cannot_be_calibrated(with_data, tmp_path):
    path = untrained(tmp_path / "last.pth", options=(*TINY, *ALONE))
    with pytest.raises(UserError, match=r"--calibrate: .* expected a run with --select val"):
        score(RunOptions(), str(path), str(tmp_path / "test"), with_temperature=True)
    assert not (tmp_path / "test").exists()


def test_a_meaningless_temperature_leaves_nothing(checkpoint, tmp_path):
    with pytest.raises(UserError, match="held-out videos are right"):
        score(RunOptions(), str(checkpoint), str(tmp_path / "test"), with_temperature=True)
    assert not (tmp_path / "test" / "result.json").exists()
