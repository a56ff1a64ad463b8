"""A training that is measured from within: set up as tools/train.py does, its epochs timed by what they spend."""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from cefl_bench.commands.facts import SPLITS, known_before
from cefl_bench.commands.machine import fit_to_machine, switch
from cefl_bench.commands.runner import PlainRunner
from cefl_bench.commands.setup import build_dataset
from cefl_bench.commands.train import Plan, build_runner
from cefl_bench.cost.stopwatch import synchronise
from cefl_bench.datasets.base import VideoDataset
from cefl_bench.plain import plain

OUTSIDE = ("before_train_epoch", "after_train_epoch")
"""Hooks that run between the batches of two epochs: they save checkpoints, and are timed on their own."""


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


def in_training(config: Config, clips: int, epochs: int, work: Callable[[Clock], None]) -> PlainRunner:
    """Set up a training as tools/train.py does, in a folder that is removed, and do something in the place of its loop.

    Args:
        config: is changed.
        clips: of the training split, evenly spread over it; as many as fill whole batches.
        epochs: that `work` trains at most.

    Returns:
        The runner, after it has ended.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):  # its own lines are many
        plan = _plan(config, epochs, Path(folder))
        facts = known_before(config, plan.resolved, plan.datasets)
        _shorten(plan, clips)
        runner = build_runner(plan, facts)
        runner.cfg = Config(plan.resolved)  # which a hook of mmengine prints, and it cannot print a dataset

        def run() -> None:
            runner.call_hook("before_train")
            clock = Clock(runner)
            work(clock)
            runner.train_loop.dataloader = clock.loader.loader

        runner.train_loop.run = run
        runner.train()
        runner.end_workers()
    return runner


def _plan(config: Config, epochs: int, folder: Path) -> Plan:
    fit_to_machine(config)
    resolved = plain(config.to_dict()) | {"num_processes": 1}
    datasets: dict[str, VideoDataset] = {
        split: build_dataset(config, loader) for split, loader in SPLITS.items() if loader in config
    }
    config.train_cfg.max_epochs = epochs
    switch(config)
    config.work_dir = str(folder)
    return Plan(config, resolved, datasets, folder, resume=False, price=None, log=(), finished=False)


def _shorten(plan: Plan, clips: int) -> None:
    """Leave as many of the training videos as fill whole batches, evenly spread."""
    loader, dataset = plan.config.train_dataloader, plan.datasets["train"]
    whole = len(dataset)
    clips = min(clips, whole)
    clips = max(clips - clips % loader.batch_size, min(whole, loader.batch_size))
    dataset.get_subset_(np.linspace(0, whole - 1, clips).astype(int).tolist())
    loader.dataset = dataset  # as it is, since no config says which part
