"""Fit the temperature of a checkpoint on the part of its training fold that it was not trained on."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from torch.utils.data import DataLoader
from tqdm import tqdm

from cefl_bench.commands.setup import build_dataset, say
from cefl_bench.commands.unseen import check_unseen
from cefl_bench.config import HELD_OUT
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.functional.calibration import expected_calibration_error, fit_temperature
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.functional.softmax import softmax
from cefl_bench.models.recognizer import Recognizer
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import CALIBRATED, PREDICTIONS, RESULT
from cefl_bench.runs.predictions import read_predictions
from cefl_bench.runs.read_result import read_result
from cefl_bench.runs.result import Calibration


def held_out_videos(config: Config, checkpoint: str, launcher: str) -> VideoDataset:
    """The held-out part of the training fold.

    Raises:
        UserError: when it trained on any of it, or the test is to run in several processes.
    """
    if HELD_OUT not in config:
        raise UserError(
            f"--calibrate: checkpoint {checkpoint!r} was trained on all of its training fold: expected a run with "
            "--select val, which holds a tenth out"
        )
    if launcher != "none":
        raise UserError("--calibrate runs in one process: leave --launcher out")
    dataset = build_dataset(config, HELD_OUT)
    check_unseen(dataset, HELD_OUT, config, checkpoint)
    return dataset


class Fitted(NamedTuple):
    """A temperature, and how many videos it was fitted on."""

    temperature: float
    num_videos: int


def fit(dataset: VideoDataset, batch_size: int, model: Recognizer) -> Fitted:
    """The temperature of a model with its weights, fitted on the held-out videos that can be read.

    Raises:
        UserError: when the videos cannot tell it.
    """
    logits, labels = [], []
    batches: DataLoader = DataLoader(dataset, batch_size, collate_fn=default_collate)
    with torch.inference_mode():
        for batch in tqdm(batches, desc="calibrating", unit="batch", disable=None, leave=False):
            video = model.data_preprocessor({"video": batch["video"]}, training=False)["video"]
            readable = [place for place, reason in enumerate(batch["unreadable"]) if not reason]
            logits.append(model(video, mode="tensor").float().cpu().numpy()[readable])
            labels.append(np.asarray(batch["label"])[readable])
    label = np.concatenate(labels)
    return Fitted(fit_temperature(np.concatenate(logits), label), len(label))


def write(folder: Path, checkpoint: str, fitted: Fitted) -> Calibration:
    """Add the calibration to the result of a test, and leave the weights with it in `calibrated.pth`."""
    temperature, num_videos = fitted
    result = read_result(folder / RESULT)
    predictions = read_predictions(folder / PREDICTIONS, "logits")
    assert predictions.scores is not None, "a test writes scores"
    answered = predictions.pred != UNANSWERED
    scores, label = predictions.scores[answered], predictions.label[answered]
    with np.errstate(divide="ignore"):
        tempered = softmax(np.log(scores) / temperature, axis=1)
    before, after = (expected_calibration_error(values, label) for values in (scores, tempered))
    found = Calibration(temperature=temperature, fitted_on=num_videos, ece_before=before, ece_after=after)
    result["calibration"] = found
    write_text(folder / RESULT, json.dumps(result, indent=2, allow_nan=False) + "\n")
    whole = checkpoints.load(checkpoint)
    meta: dict[str, Any] = dict(whole["meta"]) | {"calibration": dict(found)}
    checkpoints.save(folder / CALIBRATED, {"meta": meta, "state_dict": checkpoints.state_dict_of(whole, checkpoint)})
    say(
        f"temperature {temperature:.3f}, fitted on {num_videos} held-out videos: expected calibration error on the "
        f"test videos {before:.3f} -> {after:.3f}; the calibrated weights: {folder / CALIBRATED}"
    )
    return found
