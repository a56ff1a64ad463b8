"""Measures the compute switches on the models of configs: joins configs, their inputs, and the cost room."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.commands.speed import device_name, input_shapes
from cefl_bench.cost.sweep import SINGLES, SweepOptions, sweep
from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json
from cefl_bench.parallel.distributed import keep_freed_memory


def sweep_models(
    configs: Sequence[Config],
    device: torch.device,
    batch: int | None = None,
    rounds: int = 5,
    min_seconds: float = 1.0,
    json_path: str | None = None,
) -> list[dict[str, Any]]:
    """`sweep` of every config, with what it ran on; written to `json_path` where given.

    Args:
        batch: in videos; None is the config's when training.
        rounds: how often every combination takes its turn.
        min_seconds: of timed steps per combination, at least.
    """
    if rounds < 1:
        raise UserError(f"--repeats is {rounds}: expected 1 or more")
    check_writable("--json", json_path)
    keep_freed_memory()  # as in training
    ran_on = {
        "device": str(device),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    results: list[dict[str, Any]] = []
    for config in configs:
        options = SweepOptions(device, batch or config.train_dataloader.batch_size, rounds, min_seconds)
        total = len(SINGLES[device.type])
        with tqdm(desc=config.config_name, total=total, unit="measured", disable=None, leave=False) as bar:

            def say(stage: str, bar: tqdm = bar) -> None:
                bar.set_postfix_str(stage)
                bar.update()

            swept = sweep(config, input_shapes(config)[0], options, say)
        results.append({"config": config.config_name} | ran_on | swept)
        write_json(json_path, results)  # after every config: an interrupted sweep keeps what it has
    return results
