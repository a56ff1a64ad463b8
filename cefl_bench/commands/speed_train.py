"""How much of a training is computing: end-to-end clips a second, over those with the batch already on the device."""

import contextlib
import copy
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.commands.facts import SPLITS, known_before
from cefl_bench.commands.machine import device_type, fit_to_machine, switch
from cefl_bench.commands.pack import decode_always, store_of
from cefl_bench.commands.setup import build_dataset
from cefl_bench.commands.speed import device_name
from cefl_bench.commands.train import Plan, build_runner
from cefl_bench.compute.switches import compute_of
from cefl_bench.cost.stopwatch import synchronise
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json, write_text
from cefl_bench.parallel.distributed import keep_freed_memory
from cefl_bench.plain import plain

PROFILED_BATCHES = 5
PROFILE_ROWS = 25
OUTSIDE = ("before_train_epoch", "after_train_epoch")
"""Hooks that run between the batches of two epochs: they save checkpoints, and are timed on their own."""


@dataclass(frozen=True)
class TrainSpeedOptions:
    """What is measured: so many videos in an epoch, in so many rounds; where a profile goes, if one is wanted."""

    clips: int = 256
    rounds: int = 5
    no_pack: bool = False
    profile: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("clips", self.clips), ("repeats", self.rounds)):
            if value < 1:
                raise UserError(f"--{name} is {value}: expected 1 or more")


class TrainSpeed(TypedDict):
    """A training, measured as it runs."""

    config: str
    device_name: str
    threads: int
    torch: str
    compute: dict[str, Any]
    packed: bool
    workers: int
    batch: int
    clips: int
    """Videos in a round, whole batches."""
    rounds: int
    clips_per_s: float
    """End to end: read, moved to the device, trained on, hooks called."""
    compute_clips_per_s: float
    """The same steps on a batch that is on the device."""
    efficiency: float
    """The first over the second, median of the rounds."""
    efficiency_iqr: float
    waiting: float
    """Share of an epoch in which the loop waits for the next batch."""
    hooks: float
    """Share of an epoch spent in hooks before and after a batch."""
    between_epochs_s: float
    """Seconds in hooks between two epochs, such as saving a checkpoint; not part of an epoch here."""


class TimedLoader:
    """A data loader whose waiting is timed; all else is the loader's."""

    def __init__(self, loader: Any) -> None:
        self.loader, self.seconds = loader, 0.0
        self.limit: int | None = None
        """An epoch ends after so many batches."""
        self.first: Any = None
        """The first batch that came; it is whole where the videos fill one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        start = time.perf_counter()
        for number, batch in enumerate(self.loader):
            self.seconds += time.perf_counter() - start
            if self.first is None:
                self.first = batch
            yield batch
            if number + 1 == self.limit:
                return
            start = time.perf_counter()
        self.seconds += time.perf_counter() - start


class Clock:
    """Times the epochs of a runner from within: the whole, waiting for batches, and hooks."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.loader = TimedLoader(runner.train_loop.dataloader)
        runner.train_loop.dataloader = self.loader
        self.device = next(runner.model.parameters()).device
        self._call_hook, self.hooks, self.outside = runner.call_hook, 0.0, 0.0
        runner.call_hook = self._timed_hook
        self._start = self._end = 0.0

    def epoch(self) -> tuple[float, float, float, float]:
        """Train an epoch. Returns: seconds of all batches, of waiting, of hooks, and of hooks between two epochs."""
        self.loader.seconds = self.hooks = self.outside = 0.0
        self.runner.train_loop.run_epoch()
        return self._end - self._start, self.loader.seconds, self.hooks, self.outside

    def computing(self, steps: int) -> float:
        """Seconds of so many training steps on a batch that is on the device."""
        model: Any = self.runner.model
        batch = model.data_preprocessor.cast_data(self.loader.first)
        synchronise(self.device)
        start = time.perf_counter()
        for _ in range(steps):
            model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
        synchronise(self.device)
        return time.perf_counter() - start

    def _timed_hook(self, name: str, **arguments: Any) -> None:
        if name in OUTSIDE:
            synchronise(self.device)
        start = time.perf_counter()
        if name == "after_train_epoch":
            self._end = start
        self._call_hook(name, **arguments)
        seconds = time.perf_counter() - start
        if name == "before_train_epoch":
            self._start = start + seconds
        if name in OUTSIDE:
            self.outside += seconds
        else:
            self.hooks += seconds


def measure_trainings(
    configs: Sequence[Config], options: TrainSpeedOptions, json_path: str | None = None
) -> list[TrainSpeed]:
    """Train every config a little, as tools/train.py does, but without testing and into a folder that is removed.

    An epoch end to end and the same number of steps on one batch take turns, after one of each that is not counted.
    """
    check_writable("--json", json_path)
    keep_freed_memory()  # as in training
    results = []
    for config in configs:
        results.append(_measure(copy.deepcopy(config), options))
        write_json(json_path, results)
    return results


def _measure(config: Config, options: TrainSpeedOptions) -> TrainSpeed:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        plan = _plan(config, options, Path(folder))
        facts = known_before(config, plan.resolved, plan.datasets)
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))  # its own lines are not of interest
        _shorten(plan, options.clips)
        runner = build_runner(plan, facts)
        runner.cfg = Config(plan.resolved)  # which a hook of mmengine prints, and it cannot print a dataset
        rows: list[tuple[float, ...]] = []
        loop = runner.train_loop
        with tqdm(total=options.rounds, desc=config.config_name, unit="round", disable=None, leave=False) as bar:

            def run() -> None:
                """In the place of the loop's own run: rounds, and no test."""
                runner.call_hook("before_train")
                clock = Clock(runner)
                steps = len(clock.loader)
                for turn in range(options.rounds + 1):
                    row = (*clock.epoch(), clock.computing(steps))
                    if turn:
                        rows.append(row)
                        bar.update()
                if options.profile is not None:
                    _profile(clock, Path(options.profile), config.config_name)
                loop.dataloader = clock.loader.loader

            loop.run = run
            runner.train()
        runner.end_workers()
        dataset, loader = runner.train_dataloader.dataset, runner.train_dataloader
        batch, clips = loader.batch_size, len(dataset)
        return _summary(np.array(rows), config, batch, clips) | {  # type: ignore[return-value]
            "packed": store_of(dataset) is not None,
            "workers": loader.num_workers,
        }


def _plan(config: Config, options: TrainSpeedOptions, folder: Path) -> Plan:
    if options.no_pack:
        decode_always(config)
    fit_to_machine(config)
    resolved = plain(config.to_dict()) | {"num_processes": 1}
    datasets: dict[str, VideoDataset] = {
        split: build_dataset(config, loader) for split, loader in SPLITS.items() if loader in config
    }
    config.train_cfg.max_epochs = options.rounds + 2  # the last is for a profile
    switch(config)
    config.work_dir = str(folder)
    return Plan(config, resolved, datasets, folder, resume=False, log=(), finished=False)


def _shorten(plan: Plan, clips: int) -> None:
    """Leave as many of the training videos as fill whole batches, evenly spread."""
    loader, dataset = plan.config.train_dataloader, plan.datasets["train"]
    whole = len(dataset)
    clips = min(clips, whole)
    clips = max(clips - clips % loader.batch_size, min(whole, loader.batch_size))
    dataset.get_subset_(np.linspace(0, whole - 1, clips).astype(int).tolist())
    loader.dataset = dataset  # as it is, since no config says which part


def _summary(rows: np.ndarray, config: Config, batch: int, clips: int) -> dict[str, Any]:
    whole, waiting, hooks, outside, computing = rows.T
    efficiency = computing / whole
    quarter, median, three_quarters = np.percentile(efficiency, (25, 50, 75))
    return {
        "config": config.config_name,
        "device_name": device_name(torch.device(device_type())),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "compute": compute_of(config).changed(),
        "batch": batch,
        "clips": clips,
        "rounds": len(rows),
        "clips_per_s": clips / float(np.median(whole)),
        "compute_clips_per_s": clips / float(np.median(computing)),
        "efficiency": float(median),
        "efficiency_iqr": float(three_quarters - quarter),
        "waiting": float(np.median(waiting / whole)),
        "hooks": float(np.median(hooks / whole)),
        "between_epochs_s": float(np.median(outside)),
    }


def _profile(clock: Clock, folder: Path, name: str) -> None:
    """Write the table of `torch.profiler` over a few batches, and their trace for chrome://tracing or Perfetto."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if clock.device.type == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    clock.loader.limit = PROFILED_BATCHES
    with torch.profiler.profile(activities=activities) as profiler:
        clock.epoch()
    by = "self_cpu_time_total" if clock.device.type == "cpu" else "self_device_time_total"
    folder.mkdir(parents=True, exist_ok=True)
    table = profiler.key_averages().table(sort_by=by, row_limit=PROFILE_ROWS, max_name_column_width=60)
    write_text(folder / f"{name}.txt", table)
    profiler.export_chrome_trace(str(folder / f"{name}.trace.json"))


def train_speed_table(results: Sequence[TrainSpeed]) -> str:
    """A line per config, then what the columns mean."""
    width = max(len(result["config"]) for result in results)
    columns = f"{'clips/s':>9}{'computing':>11}{'efficiency':>12}{'IQR':>7}{'waiting':>9}{'hooks':>8}"
    lines = [f"{'':{width}}{columns}{'batch':>7}{'workers':>9}  frames"]
    for r in results:
        lines.append(
            f"{r['config']:{width}}{r['clips_per_s']:9.1f}{r['compute_clips_per_s']:11.1f}{r['efficiency']:12.3f}"
            f"{r['efficiency_iqr']:7.3f}{100 * r['waiting']:7.1f} %{100 * r['hooks']:6.1f} %{r['batch']:7d}"
            f"{r['workers']:9d}  {'packed' if r['packed'] else 'decoded'}"
        )
    first = results[0]
    legend = (
        f"On {first['device_name']}, {first['threads']} threads, torch {first['torch']}; medians of {first['rounds']} "
        f"rounds of {first['clips']} clips.",
        "clips/s: training end to end; computing: the same steps on a batch that is on the device; efficiency: the "
        "first over the second, of each round.",
        "waiting, hooks: shares of an epoch in which the loop waits for a batch, and calls hooks around it.",
    )
    return "\n".join([*lines, "", *legend])
