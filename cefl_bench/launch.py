"""Trains and tests what a config describes: checks first, then hands over to mmengine's Runner."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner

from cefl_bench import checkpoints
from cefl_bench.config import HELD_OUT, load_config, parse_options, plain
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.environment import device_name
from cefl_bench.errors import UserError
from cefl_bench.facts import known_before
from cefl_bench.files import sha256_of
from cefl_bench.functional.protocol import crosses, difference
from cefl_bench.hooks.checkpoint import LAST, Checkpoint
from cefl_bench.hooks.progress import Progress
from cefl_bench.hooks.reseed import Reseed
from cefl_bench.hooks.validate import Validate
from cefl_bench.hooks.write_result import RESULT, WriteResult
from cefl_bench.packing import check_store, decode_always
from cefl_bench.processes import join_processes, keep_freed_memory
from cefl_bench.registry import DATASETS
from cefl_bench.report.confusion import draw_confusion
from cefl_bench.report.summary import summary
from cefl_bench.selection import VAL, select_by_val

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
    select: str = "last"
    no_pack: bool = False
    cfg_options: Sequence[str] = ()


def train(options: RunOptions) -> Path:
    """Train and test, and leave `result.json`, `predictions.csv`, `confusion.png`, `train.log` and `last.pth`; where
    a held-out part of the training fold selects the epoch, its weights in `selected.pth`.

    Returns:
        The work dir.
    """
    config, name = _prepare(options)
    config_plain = plain(config.to_dict()) | {"num_processes": get_world_size()}
    if options.no_pack:  # no part of the config: frames are the same, and a run goes on with them or without
        decode_always(config)
    loaders = {"train": "train_dataloader", "val": HELD_OUT, "test": "val_dataloader"}
    datasets = {split: build_dataset(config, loader) for split, loader in loaders.items() if loader in config}
    train_set, test_set = datasets["train"], datasets["test"]
    _check_split(config_plain, datasets)
    folder = Path(options.work_dir or Path("work_dirs") / name / f"fold{train_set.fold}_seed{config.randomness.seed}")
    config.work_dir = str(folder)
    if _finished(folder, config_plain, options.resume):
        _say(f"already finished: {folder / RESULT}")
        return _finish(folder)
    facts = known_before(config, config_plain, name, datasets)
    for note in test_set.notes:
        _say(note)
    held_out = f", {len(datasets['val'])} held-out" if "val" in datasets else ""
    _say(
        f"{facts['dataset']}, fold {facts['fold']}: {len(train_set)} training{held_out} and {len(test_set)} test videos"
        f"{', packed' if facts['data']['packed'] else ''}\n"
        f"{name}: {_cost_in_words(facts['cost'])}\n"
        f"{device_name()}, seed {facts['seed']}, protocol {facts['protocol_id']}, into {folder}"
    )
    runner = Runner.from_cfg(config)
    hooks = [Reseed(), Progress(), WriteResult(facts), Checkpoint(config_plain, options.resume)]
    if HELD_OUT in config:
        hooks.append(Validate(config[HELD_OUT], config.val_evaluator))
    for hook in hooks:
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


def build_dataset(config: Config, loader: str) -> VideoDataset:
    """The dataset of one of the config's loaders, checked against the model's classes and its packed frames."""
    trained, here = (config[name].dataset.type for name in ("train_dataloader", loader))
    if trained is not here and not crosses(config[loader]):
        raise UserError(
            f"training is on {trained.METAINFO['name']}, {loader} reads {here.METAINFO['name']}: tell which of their "
            "classes are the same, with classes_as and label_map in its dataset"
        )
    dataset = DATASETS.build(config[loader].dataset)
    wanted, given = len(dataset.label_classes), config.model.head.get("num_classes")
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


def _check_split(config: dict[str, Any], datasets: dict[str, VideoDataset]) -> None:
    """Refuse to train on test videos, and to score other test videos, or in another way, than `tools/test.py` would."""
    train_set, test_set = datasets["train"], datasets["test"]
    if train_set.fold != test_set.fold and not crosses(config["test_dataloader"]):
        raise UserError(f"training is on fold {train_set.fold}, testing on fold {test_set.fold}: set both with --fold")
    names = {  # of two corpora, videos may share a name
        split: {(data.data_root, data.get_data_info(index)["name"]) for index in range(len(data))}
        for split, data in datasets.items()
    }
    for one, other in combinations(names, 2):
        if both := sorted(names[one] & names[other]):
            raise UserError(
                f"{len(both)} videos are in {one} and in {other}, such as {both[0][1]!r}: the lists must not overlap"
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
    _check_numbers(config)
    if options.select == VAL:
        select_by_val(config)
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


def _check_numbers(config: Config) -> None:
    """What mmengine and torch would refuse late, and in their own words."""
    numbers = {
        "train_cfg.max_epochs": config.train_cfg.max_epochs,
        "train_dataloader.batch_size": config.train_dataloader.batch_size,
        "test_dataloader.batch_size": config.test_dataloader.batch_size,
        "optim_wrapper.optimizer.lr": config.optim_wrapper.optimizer.get("lr", 1.0),
        "model.head.num_classes": config.model.head.get("num_classes", 1),
    }
    for name, value in numbers.items():
        kind, expected = (float, "a number") if name.endswith("lr") else (int, "a whole number")
        if not isinstance(value, int | kind) or not value > 0:
            raise UserError(f"{name} is {value!r}: expected {expected} above 0")


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
