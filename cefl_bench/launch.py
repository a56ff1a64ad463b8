"""Trains and tests what a config describes: checks first, then hands over to mmengine's Runner."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner

from cefl_bench import checkpoints
from cefl_bench.config import load_config, parse_options, plain
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.environment import device_name
from cefl_bench.errors import UserError
from cefl_bench.facts import known_before
from cefl_bench.files import sha256_of
from cefl_bench.functional.protocol import difference
from cefl_bench.hooks.checkpoint import LAST, Checkpoint
from cefl_bench.hooks.progress import Progress
from cefl_bench.hooks.reseed import Reseed
from cefl_bench.hooks.write_result import PREDICTIONS, RESULT, WriteResult
from cefl_bench.packing import check_store, decode_always
from cefl_bench.processes import join_processes, keep_freed_memory
from cefl_bench.registry import DATASETS
from cefl_bench.report.confusion import draw_confusion

TRAINING_KEYS = (
    *("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"),
    *("val_dataloader", "val_cfg", "val_evaluator"),
)


@dataclass
class RunOptions:
    """What the command line adds to a config."""

    config: str
    fold: int | None = None
    seed: int | None = None
    work_dir: str | None = None
    resume: bool = False
    amp: bool = False
    launcher: str = "none"
    no_pack: bool = False
    cfg_options: Sequence[str] = ()


def train(options: RunOptions) -> Path:
    """Train and test, and leave `result.json`, `predictions.csv`, `confusion.png`, `train.log` and `last.pth`.

    Returns:
        The work dir.
    """
    config, name = _prepare(options)
    config_plain = plain(config.to_dict()) | {"num_processes": get_world_size()}
    if options.no_pack:  # no part of the config: frames are the same, and a run goes on with them or without
        decode_always(config)
    train_set, test_set = build_dataset(config, "train_dataloader"), build_dataset(config, "val_dataloader")
    _check_split(config_plain, train_set, test_set)
    folder = Path(options.work_dir or Path("work_dirs") / name / f"fold{train_set.fold}_seed{config.randomness.seed}")
    config.work_dir = str(folder)
    if _finished(folder, config_plain, options.resume):
        _say(f"already finished: {folder / RESULT}")
        return _finish(folder)
    facts = known_before(config, config_plain, name, {"train": train_set, "test": test_set})
    for note in test_set.notes:
        _say(note)
    _say(
        f"{facts['dataset']}, fold {facts['fold']}: {len(train_set)} training and {len(test_set)} test videos"
        f"{', packed' if facts['data']['packed'] else ''}\n"
        f"{name}: {_cost_in_words(facts['cost'])}\n"
        f"{device_name()}, seed {facts['seed']}, protocol {facts['protocol_id']}, into {folder}"
    )
    runner = Runner.from_cfg(config)
    for hook in (Reseed(), Progress(), WriteResult(facts), Checkpoint(config_plain, options.resume)):
        runner.register_hook(hook)
    runner.train()
    return _finish(folder)


def test(options: RunOptions, checkpoint: str, out: str | None = None) -> Path:
    """Score a checkpoint, and leave `result.json`, `predictions.csv` and `confusion.png`.

    Returns:
        The folder they are in: `out`, else `test` beside the checkpoint.
    """
    meta = checkpoints.load(checkpoint).get("meta", {})
    config, name = _prepare(as_trained(options, meta))
    config_plain = plain(config.to_dict())
    if options.no_pack:
        decode_always(config)
    test_set = build_dataset(config, "test_dataloader")
    folder = Path(out or Path(checkpoint).parent / "test")
    if (folder / LAST).exists():
        raise UserError(
            f"--out {str(folder)!r} holds a training run, whose result.json would be lost: name another folder"
        )
    # How the weights were trained is the checkpoint's to say, how they are tested the config's.
    tested = {key: config_plain[key] for key in ("test_dataloader", "data_preprocessor")}
    facts = known_before(config, meta.get("config", config_plain) | tested, name, {"test": test_set})
    facts |= {"config": config_plain}
    facts["checkpoint"] = {"path": str(checkpoint), "sha256": sha256_of(checkpoint), "epoch": meta.get("epoch")}
    _say(f"{facts['dataset']}, fold {facts['fold']}: {len(test_set)} test videos, on {device_name()}, into {folder}")
    config.work_dir = str(folder)
    for key in TRAINING_KEYS:
        config.pop(key)
    runner = Runner.from_cfg(config)
    checkpoints.load_into(getattr(runner.model, "module", runner.model), checkpoint)
    for hook in (Progress(), WriteResult(facts)):
        runner.register_hook(hook)
    runner.test()
    return _finish(folder)


def summary(folder: Path) -> str:
    """The scores of a finished run and the names of what it left, for a person."""
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    lines = []
    for which, scores in result["metrics"].items():
        epoch = f" epoch ({scores['epoch']})" if scores["epoch"] is not None else ""
        lines.append(f"{which.replace('_', ' ')}{epoch}: UAR {scores['uar']:.3f}  WAR {scores['war']:.3f}")
        if which != "best_test" and "localization" in scores:
            found = scores["localization"]
            correlation = found["rank_correlation"]
            lines.append(
                f"  most activated clip meets the apex in {found['hit']:.3f} of {found['videos']} videos (by chance "
                f"{found['chance']:.3f})" + (f", rank correlation {correlation:.3f}" if correlation is not None else "")
            )
    clips = result["clips"]
    if clips["scored"] < clips["listed"]:
        lines.append(
            f"{clips['listed'] - clips['scored']} of {clips['listed']} test videos could not be read, counted as wrong"
        )
    left = ", ".join(str(folder / file) for file in (RESULT, PREDICTIONS, "confusion.png"))
    return "\n".join([*lines, f"left: {left}"])


def build_dataset(config: Config, loader: str) -> VideoDataset:
    """The dataset of one of the config's loaders, checked against the model's classes and its packed frames."""
    dataset = DATASETS.build(config[loader].dataset)
    wanted, given = len(dataset.classes), config.model.head.get("num_classes")
    if given != wanted:
        raise UserError(
            f"model.head.num_classes is {given}: expected {wanted}, the classes of {dataset.METAINFO['name']}; set it "
            "in the config"
        )
    check_store(dataset)
    return dataset


def as_trained(options: RunOptions, meta: dict[str, Any]) -> RunOptions:
    """The options with the fold and the seed of a checkpoint's `meta`, where it knows them.

    Raises:
        UserError: when another fold is asked for, whose test videos the checkpoint was trained on.
    """
    if "config" not in meta:
        return options
    fold = meta["config"]["train_dataloader"]["dataset"]["fold"]
    if options.fold not in (None, fold):
        raise UserError(
            f"--fold {options.fold}: the checkpoint was trained for fold {fold}, and has seen the test videos of fold "
            f"{options.fold}; leave --fold out"
        )
    return replace(options, fold=fold, seed=meta["seed"])


def _cost_in_words(cost: dict[str, Any]) -> str:
    if cost["macs"] is None:
        if is_main_process():
            print(f"warning: {cost['uncounted']}; the result will have no MACs", file=sys.stderr, flush=True)
        return "parameters and MACs per video not counted"
    return f"{cost['params'] / 1e6:.2f} M parameters, {cost['macs'] / 1e9:.2f} GMACs per video"


def _check_split(config: dict[str, Any], train_set: VideoDataset, test_set: VideoDataset) -> None:
    """Refuse to train on test videos, and to score other test videos, or in another way, than `tools/test.py` would."""
    if train_set.fold != test_set.fold:
        raise UserError(f"training is on fold {train_set.fold}, testing on fold {test_set.fold}: set both with --fold")
    names = [{data.get_data_info(index)["name"] for index in range(len(data))} for data in (train_set, test_set)]
    if both := sorted(names[0] & names[1]):
        raise UserError(
            f"{len(both)} videos are in training and in test, such as {both[0]!r}: the lists must not overlap"
        )
    val, test = ({**config[loader]["dataset"], "on_error": None} for loader in ("val_dataloader", "test_dataloader"))
    if changed := difference(val, test):
        raise UserError(f"val_dataloader and test_dataloader read different data ({changed[0]}): change both")


def configured(options: RunOptions) -> Config:
    """The config with the fold, the seed and the options of a run, as it is compared with that of a run before."""
    config = load_config(options.config, parse_options(options.cfg_options), options.fold)
    if options.seed is not None:
        if options.seed < 0:
            raise UserError(f"--seed is {options.seed}: expected 0 or more")
        config.randomness.seed = options.seed
    config.launcher = options.launcher
    return config


def _prepare(options: RunOptions) -> tuple[Config, str]:
    """Load the config, check the flags against the machine, and join the other processes."""
    config = configured(options)
    if options.amp and not torch.cuda.is_available():
        raise UserError("--amp needs a CUDA device and there is none: leave it out")
    if options.amp:
        config.optim_wrapper.type = AmpOptimWrapper
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        config.optim_wrapper.dtype = "bfloat16" if native else "float16"
    keep_freed_memory()
    if join_processes(options.launcher) and not torch.cuda.is_available():
        config.model_wrapper_cfg = dict(type=MMDistributedDataParallel, device_ids=None, broadcast_buffers=False)
    return config, Path(options.config).stem


def _finished(folder: Path, config: dict[str, Any], resume: bool) -> bool:
    """Whether this very run is complete. Refuses to overwrite a run, or to continue one with another config."""
    result, last = folder / RESULT, folder / LAST
    if not (result.exists() or last.exists()):
        return False
    if not resume:
        raise UserError(f"{folder} holds a run already: --resume continues it, or give another --work-dir")
    meta = checkpoints.load(last).get("meta", {}) if last.exists() else {}
    if "config" not in meta:
        raise UserError(f"{folder} holds results but no {LAST} of a training: give another --work-dir")
    before = meta["config"]
    if changed := difference(before, config):
        raise UserError(
            f"{folder} holds a run of another config ({'; '.join(changed[:3])}): give another --work-dir or set it back"
        )
    # A run killed between the two files has a result and not yet the weights it belongs to: its last epoch is repeated.
    return result.exists() and meta["epoch"] == config["train_cfg"]["max_epochs"]


def _finish(folder: Path) -> Path:
    if is_main_process():
        draw_confusion(json.loads((folder / RESULT).read_text(encoding="utf-8")), folder / "confusion.png")
        _say(summary(folder))
    return folder


def _say(text: str) -> None:
    if is_main_process():
        print(text, flush=True)
