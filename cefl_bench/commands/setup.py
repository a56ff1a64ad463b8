"""What the command line adds to a config, and the datasets that come out of both: the first step of every tool."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper

from cefl_bench.commands.pack import check_store
from cefl_bench.config import VAL, load_config, parse_options, select_by_val
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import difference, is_other_corpus
from cefl_bench.parallel.distributed import join_processes, keep_freed_memory
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
    launcher: str = "none"
    select: str = "last"
    no_pack: bool = False
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
        if options.seed < 0:
            raise UserError(f"--seed is {options.seed}: expected 0 or more")
        config.randomness.seed = options.seed
    check_numbers(config)
    if options.select == VAL:
        select_by_val(config)
    config.launcher = options.launcher
    return config


def of_checkpoint(options: RunOptions, checkpoint: str) -> tuple[RunOptions, Config]:
    """The config that a checkpoint is tested with: the one given, else its own; with its fold and its seed.

    Raises:
        UserError: when the checkpoint knows no config and none is given, or another fold is asked for, whose test
            videos it was trained on.
    """
    meta = checkpoints.load(checkpoint).get("meta", {})
    if "config" not in meta:
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
        return options, configured(options)
    if options.dataset is not None:
        raise UserError("--dataset goes with a config: give the config that the checkpoint was trained with too")
    config = from_plain(_of_one_process(meta["config"]), checkpoint)
    known = plain(config.to_dict())
    config.merge_from_dict(parse_options(options.cfg_options))
    for line in difference(known, plain(config.to_dict())):
        say(f"other than in training: {line}")
    config.launcher = options.launcher
    return options, config


def start_processes(config: Config, options: RunOptions) -> None:
    """Set up what every process of a run needs: precision, memory, and the group of processes."""
    if options.amp and not torch.cuda.is_available():
        raise UserError("--amp needs a CUDA device and there is none: leave it out")
    if options.amp:
        config.optim_wrapper.type = AmpOptimWrapper
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        config.optim_wrapper.dtype = "bfloat16" if native else "float16"
    keep_freed_memory()
    if join_processes(options.launcher) and not torch.cuda.is_available():
        config.model_wrapper_cfg = dict(type=MMDistributedDataParallel, device_ids=None, broadcast_buffers=False)


def build_dataset(config: Config, loader: str) -> VideoDataset:
    """The dataset of one of the config's loaders, checked against the model's classes and its packed frames."""
    trained, here = (config[name].dataset.type for name in ("train_dataloader", loader))
    if trained is not here and not is_other_corpus(config[loader].dataset):
        raise UserError(
            f"training is on {trained.METAINFO['name']}, {loader} reads {here.METAINFO['name']}: tell which of their "
            "classes are the same, with classes_as and label_map in its dataset"
        )
    dataset = DATASETS.build(config[loader].dataset)
    wanted, given = len(dataset.label_classes), config.model.head.get("num_classes")
    if given != wanted:
        raise UserError(
            f"model.head.num_classes is {given}: expected {wanted}, the classes of {dataset.METAINFO['name']}; leave "
            "it out, and the corpus says it"
        )
    check_store(dataset)
    return dataset


def check_numbers(config: Config) -> None:
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
    meta = checkpoints.load(last).get("meta", {})
    if "config" not in meta:
        raise UserError(f"--resume: {last} does not say what it was trained with: give the config")
    config = from_plain(_of_one_process(meta["config"]), str(last))
    if options.fold is not None or options.dataset is not None:
        raise UserError("--resume without a config continues the run as it is: leave --fold and --dataset out")
    config.merge_from_dict(parse_options(options.cfg_options))
    return config


def _of_one_process(config: dict[str, Any]) -> dict[str, Any]:
    """The config that a checkpoint keeps, without what a run adds to it."""
    return {key: value for key, value in config.items() if key != "num_processes"}
