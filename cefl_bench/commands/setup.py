"""What the command line adds to a config, and the datasets that come out of both: the first step of every tool."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dist import is_main_process

from cefl_bench.commands.machine import told_as
from cefl_bench.commands.pack import check_readers, check_store
from cefl_bench.compute.network import half_precision
from cefl_bench.config import (
    VAL,
    classes_of,
    classes_of_model,
    load_config,
    select_by_val,
    set_compute,
)
from cefl_bench.config_check import check_values
from cefl_bench.config_options import apply_options, parse_options
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.feeding.residence import DataOn, checked
from cefl_bench.functional.loss_options import with_class_weights
from cefl_bench.functional.protocol import difference, is_other_corpus, other_frames
from cefl_bench.plain import from_plain, plain
from cefl_bench.registry import DATASETS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import LAST


@dataclass
class RunOptions:
    """What the command line adds to a config."""

    config: str | None = None
    """None where a checkpoint knows it."""
    fold: int | None = None
    seed: int | None = None
    work_dir: str | None = None
    resume: bool = False
    amp: bool = False
    compute: Mapping[str, Any] = field(default_factory=dict)
    """Compute switches that were given, by the names of `Compute`."""
    launcher: str = "none"
    select: str = "last"
    price: float | None = None
    """Of an hour of one GPU."""
    log: Sequence[str] = ()
    """Programs that show the numbers of each epoch: `tensorboard`, `wandb`."""
    no_pack: bool = False
    data_on: DataOn | None = None
    """Where packed frames wait; None for what the config says, which may say nothing."""
    dataset: str | None = None
    cfg_options: Sequence[str] = ()


def configured(options: RunOptions) -> Config:
    """The config with the fold, the seed and the options of a run, as it is compared with that of a run before.

    Raises:
        UserError: naming the option that does not fit.
    """
    if options.config is None:
        config = _config_of_run(options)
    else:
        config = load_config(options.config, parse_options(options.cfg_options), options.fold, options.dataset)
    if options.seed is not None:
        if not 0 <= options.seed < 2**32:
            raise UserError(f"--seed is {options.seed}: expected 0 or more, and less than 4294967296")
        config.randomness.seed = options.seed
    if options.amp and "precision" in options.compute:
        raise UserError("--amp and --precision: expected one of them")
    set_compute(config, dict(options.compute) | ({"precision": half_precision()} if options.amp else {}))
    check_values(config)
    if options.select == VAL:
        select_by_val(config)
    config.launcher = options.launcher
    gc.freeze()  # what is imported stays: no collection, not those of mmengine nor the last, need look through it
    return config


def taken_data_on(options: RunOptions, config: Config) -> DataOn:
    """Where the frames of a run wait. The config forgets it: frames are the same, so a run continues with any."""
    said = config.pop("data_on", "auto")
    return checked(options.data_on or said)


def of_checkpoint(options: RunOptions, checkpoint: str) -> tuple[RunOptions, Config]:
    """The config that a checkpoint is tested with: the one given, else its own; with its fold and its seed.

    Raises:
        UserError: when the checkpoint knows no config and none is given, or another fold is asked for, whose test
            videos it was trained on.
    """
    meta = checkpoints.meta_of(checkpoints.load(checkpoint), checkpoint)
    if meta is None:
        if options.config is None:
            raise UserError(f"checkpoint {checkpoint!r} does not say what it was trained with: give the config too")
        return options, configured(options)
    fold = meta["config"]["train_dataloader"]["dataset"]["fold"]
    if options.fold not in (None, fold):
        raise UserError(
            f"--fold {options.fold}: the checkpoint was trained for fold {fold}, and has seen the test videos of fold "
            f"{options.fold}; leave --fold out"
        )
    options = replace(options, fold=fold, seed=meta["seed"])
    if options.config is not None:
        config = configured(options)
        _check_same_test(meta, config, options, checkpoint)
        return options, config
    if options.dataset is not None:
        raise UserError("--dataset goes with a config: give the config that the checkpoint was trained with too")
    config = from_plain(_of_one_process(meta["config"]), checkpoint)
    known = plain(config.to_dict())
    apply_options(config, parse_options(options.cfg_options))
    for line in difference(known, plain(config.to_dict())):
        say(f"other than in training: {line}")
    config.launcher = options.launcher
    return options, config


def _check_same_test(meta: checkpoints.Meta, config: Config, options: RunOptions, checkpoint: str) -> None:
    """Refuse to test a model on other frames, sizes or classes than it was trained with, unless told to by option.

    Raises:
        UserError: naming what differs.
    """
    trained, now, told = meta["config"], plain(config.to_dict()), parse_options(options.cfg_options)
    known = meta.get("classes")
    if known is None:
        known = list(classes_of(from_plain({"dataset": trained["train_dataloader"]["dataset"]}, checkpoint).dataset))
    classes = [known, list(classes_of_model(config.test_dataloader.dataset))]
    if classes[0] != classes[1]:
        raise UserError(
            f"checkpoint {checkpoint!r} was trained with the classes {', '.join(classes[0])}, and the config tests "
            f"{', '.join(classes[1])}: expected the same in the same order; to test on another corpus, say which "
            "classes are the same with classes_as and label_map in test_dataloader.dataset"
        )
    for part, line in other_frames(trained, now):
        if any(key.startswith(part) for key in told):
            say(f"other than in training: {line}")
            continue
        raise UserError(
            f"checkpoint {checkpoint!r} was trained with another value of {line}: leave the config out, as the "
            "checkpoint knows its own, or change it with --cfg-options to test it all the same"
        )


def build_dataset(config: Config, loader: str) -> VideoDataset:
    """The dataset of one of the config's loaders, checked against the model's classes and its packed frames."""
    trained, here = (config[name].dataset.type for name in ("train_dataloader", loader))
    if trained is not here and not is_other_corpus(config[loader].dataset):
        raise UserError(
            f"training is on {trained.METAINFO['name']}, {loader} reads {here.METAINFO['name']}: tell which of their "
            "classes are the same, with classes_as and label_map in its dataset"
        )
    with told_as(f"{loader}.dataset"):
        dataset = DATASETS.build(config[loader].dataset)
    wanted, given = len(dataset.label_classes), config.model.head.get("num_classes")
    if given != wanted:
        raise UserError(
            f"model.head.num_classes is {given}: expected {wanted}, the classes of {dataset.METAINFO['name']}; leave "
            "it out, and the corpus says it"
        )
    check_readers(loader, dataset.pipeline.transforms)
    check_store(dataset)
    return dataset


def weigh_classes(config: Config, train_set: VideoDataset) -> None:
    """Put the weights of the training videos in the place of `class_weights="balanced"` of the head, and tell them."""
    classes = train_set.label_classes
    labels = [entry["label"] for entry in train_set.entries()]
    weighed = with_class_weights(config.model.head, np.bincount(labels, minlength=len(classes)).tolist())
    if weighed is not config.model.head:
        config.model.head = weighed
        weights = zip(classes, weighed["class_weights"], strict=True)
        say(f"class weights: {', '.join(f'{name} {weight:.3g}' for name, weight in weights)}")


def say(text: str) -> None:
    """Print a line, once for all processes of a run."""
    if is_main_process():
        print(text, flush=True)


def _config_of_run(options: RunOptions) -> Config:
    """The config of the run in the work dir, for `--resume` without a config."""
    if not options.resume or options.work_dir is None:
        raise UserError("no config: give one, such as configs/ceflnet_synthetic.py, or --resume with --work-dir")
    last = Path(options.work_dir) / LAST
    if not last.exists():
        raise UserError(f"--resume: there is no {last} to continue: give the config, to begin anew")
    meta = checkpoints.meta_of(checkpoints.load(last), last)
    if meta is None:
        raise UserError(f"--resume: {last} does not say what it was trained with: give the config")
    config = from_plain(_of_one_process(meta["config"]), str(last))
    if options.fold is not None or options.dataset is not None:
        raise UserError("--resume without a config continues the run as it is: leave --fold and --dataset out")
    apply_options(config, parse_options(options.cfg_options))
    return config


def _of_one_process(config: dict[str, Any]) -> dict[str, Any]:
    """The config that a checkpoint keeps, without what a run adds to it."""
    return {key: value for key, value in config.items() if key != "num_processes"}
