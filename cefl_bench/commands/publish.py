"""Publish the weights of a run: as safetensors, with a model card, and without anything else of the machine."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.plain import from_plain
from cefl_bench.report.card import LIBRARY, Corpus, model_card
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import CALIBRATED, CARD, LAST, PREDICTIONS, PUBLISHED, RESULT, SELECTED, TEST, WEIGHTS
from cefl_bench.runs.predictions import read_predictions
from cefl_bench.runs.read_result import read_result
from cefl_bench.runs.result import Result, Which, headline

OF_MACHINE = ("work_dir", "launcher", "model_wrapper_cfg")
"""What of a config says how and where a run was started, and nothing of the model."""
FILES: dict[Which, str] = {"last": LAST, "selected_by_val": SELECTED}
"""The weights that metrics are of."""


def publish(run: str, out: str | None = None, half: bool = False) -> Path:
    """Write `model.safetensors` and `README.md`, the model card, of the epoch that counts in a run.

    Args:
        run: the folder of a finished run.
        out: where they go; by default `published` in it.
        half: round the weights to float16, which halves the file.

    Returns:
        The folder that they are in.

    Raises:
        UserError: when the folder holds no finished run, its files do not belong together, a weight is too large for
            float16, or another README.md is in the way.
    """
    folder = Path(run)
    if not folder.is_dir():
        raise UserError(f"run {run!r} is no folder: expected a work dir, as tools/train.py leaves it")
    result = read_result(folder / RESULT)
    which = headline(result)
    if which not in FILES:
        raise UserError(f"{folder} holds a test, not a training: publish the run that its checkpoint is of")
    path = folder / FILES[which]
    checkpoint = checkpoints.load(path)
    meta = checkpoints.meta_of(checkpoint, path)
    if meta is None or meta["epoch"] != result["metrics"][which]["epoch"]:
        raise UserError(f"{path} is of another epoch than the scores in {folder / RESULT}: finish it with --resume")
    config = without_paths(meta["config"])
    weights = checkpoints.state_dict_of(checkpoint, path)
    kept: checkpoints.Meta = copy.copy(meta)
    kept["config"] = config
    if (calibration := _calibration_of(folder, weights)) is not None:
        kept["calibration"] = calibration
    predictions = read_predictions(folder / PREDICTIONS, "logits", len(result["classes"]))
    card = model_card(result, which, predictions, _corpus(meta, result, path), config, calibration, half)
    target = Path(out) if out else folder / PUBLISHED
    if (target / CARD).is_file() and LIBRARY.encode() not in (target / CARD).read_bytes():
        raise UserError(
            f"{target / CARD} is there and is no model card of this toolkit: give another folder with --out"
        )
    checkpoints.publish(target / WEIGHTS, _halves(weights, folder) if half else weights, kept)
    write_text(target / CARD, card)
    return target


def _calibration_of(folder: Path, weights: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """What a test of these very weights with `--calibrate` found, where there was one."""
    path = folder / TEST / CALIBRATED
    if not path.is_file():
        return None
    checkpoint = checkpoints.load(path)
    if checkpoints.weights_sha256(checkpoints.state_dict_of(checkpoint, path)) != checkpoints.weights_sha256(weights):
        return None
    meta = checkpoints.meta_of(checkpoint, path)
    return meta.get("calibration") if meta else None


def _halves(weights: Mapping[str, Tensor], folder: Path) -> dict[str, Tensor]:
    """The weights rounded to float16; counts stay as they are."""
    rounded = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    for name, tensor in rounded.items():
        if not tensor.isfinite().all():
            raise UserError(f"{folder}: {name} holds numbers beyond 65504, the largest of float16: leave --half out")
    return rounded


def without_paths(config: dict[str, Any]) -> dict[str, Any]:
    """A resolved config without what tells of the machine: of a path from its root only the last part is left."""
    return {key: _without_path(value) for key, value in config.items() if key not in OF_MACHINE}


def _without_path(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_path(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_path(item) for item in value]
    if isinstance(value, str) and (Path(value).is_absolute() or value.startswith("~")):
        return Path(value).name
    return value


def _corpus(meta: checkpoints.Meta, result: Result, path: Path) -> Corpus:
    dataset = from_plain({"dataset": meta["config"]["train_dataloader"]["dataset"]}, str(path)).dataset
    known = dataset.type.METAINFO
    return {
        "name": result.get("trained_on", known["name"]),
        "licence": known["licence"],
        "access": known["access"],
        "url": known["url"],
        "citation": known["citation"],
        "rendered": bool(known.get("rendered")),
    }
