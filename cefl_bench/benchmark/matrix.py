"""The jobs of a benchmark: every config on every fold with every seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from cefl_bench.benchmark.job import Job, job_of
from cefl_bench.commands.setup import RunOptions
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError
from cefl_bench.feeding.residence import DataOn

SHARED = ("select", "amp", "compute", "no_pack", "data_on", "dataset")
"""Options that mean for each training what they mean for all."""


@dataclass
class BenchmarkOptions:
    """The command line of `tools/benchmark.py`."""

    configs: Sequence[str]
    out: str
    folds: str = "all"
    seeds: str = "0"
    executor: str = "local"
    gpus: int | None = None
    jobs: int | None = None
    slurm: Sequence[str] = ()
    select: str = "last"
    amp: bool = False
    compute: Mapping[str, Any] = field(default_factory=dict)
    no_pack: bool = False
    data_on: DataOn | None = None
    dataset: str | None = None
    cfg_options: Sequence[str] = ()
    options_for: Sequence[Sequence[str]] = ()
    """Words of `--options-for`: a config of `configs`, then options for it alone."""
    dry_run: bool = False
    clips_per_s: float | None = None
    price: float | None = None


def jobs_of(options: BenchmarkOptions) -> list[Job]:
    """All jobs; those of one seed and one fold after each other, so that early on there is something to compare."""
    seeds = _whole_numbers("--seeds", options.seeds, lowest=0)
    own_options = _options_by_config(options)
    names: list[str] = []
    matrix: list[tuple[int, int, int, RunOptions]] = []
    for path in options.configs:
        cfg_options = [*options.cfg_options, *own_options.get(path, ())]
        config = load_config(path, parse_options(cfg_options), dataset=options.dataset)
        if config.config_name in names:
            raise UserError(f"two configs are called {config.config_name}: expected each once, by a name of its own")
        names.append(config.config_name)
        if "train_cfg" not in config:
            raise UserError(f"config {path!r} has no train_cfg: expected one that tools/train.py can train")
        num_folds = _num_folds(config)
        folds = (
            range(1, num_folds + 1) if options.folds == "all" else _whole_numbers("--folds", options.folds, lowest=1)
        )
        if max(folds) > num_folds:
            raise UserError(f"--folds {options.folds}: {path} has folds 1..{num_folds}: expected these, or all")
        shared = {name: getattr(options, name) for name in SHARED}
        run = RunOptions(str(path), cfg_options=cfg_options, **shared)
        for fold in folds:
            matrix += [(seeds.index(seed), fold, seed, run) for seed in seeds]
    matrix.sort(key=lambda place: place[:2])
    return [job_of(run, fold, seed, Path(options.out)) for _, fold, seed, run in matrix]


def _options_by_config(options: BenchmarkOptions) -> dict[str, list[str]]:
    """The options that `--options-for` gives to single configs, by the path of the config."""
    own: dict[str, list[str]] = {}
    for name, *pairs in options.options_for:
        paths = [path for path in options.configs if name in (path, Path(path).stem)]
        if not paths or not pairs:
            given = ", ".join(Path(path).stem for path in options.configs)
            raise UserError(f"--options-for {name}: expected one of {given}, and KEY=VALUE after it")
        own.setdefault(paths[0], []).extend(pairs)
    return own


def _num_folds(config: Config) -> int:
    dataset = config.test_dataloader.dataset
    return dataset.get("num_folds") or dataset.type.METAINFO["num_folds"]


def _whole_numbers(option: str, text: str, lowest: int) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() and int(word) >= lowest for word in words):
        wanted = f"{'all, or ' if option == '--folds' else ''}whole numbers from {lowest}"
        raise UserError(f"{option} is {text!r}: expected {wanted}, such as {lowest},{lowest + 1}")
    numbers = [int(word) for word in words]
    if len(set(numbers)) < len(numbers):
        raise UserError(f"{option} is {text!r}: expected each number once")
    return numbers
