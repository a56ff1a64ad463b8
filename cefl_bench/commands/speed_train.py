"""How much of a training is computing: end-to-end clips a second, over those with the batch already on the device."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.commands.machine import device_type
from cefl_bench.commands.pack import decode_always, store_of
from cefl_bench.commands.speed import device_name
from cefl_bench.commands.speed_clock import Clock, in_training
from cefl_bench.compute.switches import compute_of
from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json, write_text
from cefl_bench.parallel.distributed import keep_freed_memory

PROFILED_BATCHES = 5
PROFILE_ROWS = 25


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
    data_on: str
    """Where packed frames wait: `auto` where nothing was said."""
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
    rows: list[tuple[float, ...]] = []
    if options.no_pack:
        decode_always(config)
    with tqdm(total=options.rounds, desc=config.config_name, unit="round", disable=None, leave=False) as bar:

        def rounds(clock: Clock) -> None:
            steps = len(clock.loader)
            for turn in range(options.rounds + 1):
                row = (*clock.epoch(), clock.computing(steps))
                if turn:
                    rows.append(row)
                    bar.update()
            if options.profile is not None:
                _profile(clock, Path(options.profile), config.config_name)

        runner = in_training(config, options.clips, options.rounds + 2, rounds)
    dataset, loader = runner.train_dataloader.dataset, runner.train_dataloader
    packed = store_of(dataset) is not None
    return _summary(np.array(rows), config, loader.batch_size, len(dataset), loader.num_workers, packed)


def _summary(rows: np.ndarray, config: Config, batch: int, clips: int, workers: int, packed: bool) -> TrainSpeed:
    whole, waiting, hooks, outside, computing = rows.T
    efficiency = computing / whole
    quarter, median, three_quarters = np.percentile(efficiency, (25, 50, 75))
    return TrainSpeed(
        config=config.config_name,
        device_name=device_name(torch.device(device_type())),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        compute=compute_of(config).changed(),
        packed=packed,
        data_on=config.get("data_on", "auto"),
        workers=workers,
        batch=batch,
        clips=clips,
        rounds=len(rows),
        clips_per_s=clips / float(np.median(whole)),
        compute_clips_per_s=clips / float(np.median(computing)),
        efficiency=float(median),
        efficiency_iqr=float(three_quarters - quarter),
        waiting=float(np.median(waiting / whole)),
        hooks=float(np.median(hooks / whole)),
        between_epochs_s=float(np.median(outside)),
    )


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
