"""Measures the models of configs: joins configs, the shapes of their inputs, and the cost room."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from tqdm import tqdm

from cefl_bench.commands.facts import video_shape
from cefl_bench.commands.machine import warn_of_unusable_gpu
from cefl_bench.compute.network import arithmetic
from cefl_bench.compute.switches import Compute, compute_of
from cefl_bench.cost.speed import measure_speed
from cefl_bench.cost.trials import SpeedOptions
from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json
from cefl_bench.parallel.distributed import keep_freed_memory


def measure_models(
    configs: Sequence[Config], options: SpeedOptions, json_path: str | None = None
) -> list[dict[str, Any]]:
    """`measure_speed` of every config, with what it ran on; written to `json_path` where given."""
    check_writable("--json", json_path)
    for config in configs:  # all, before the first one takes time
        if "optim_wrapper" not in config:
            raise UserError(
                f"config {config.config_name!r} has no optim_wrapper: expected a leaf of configs/ that can be trained"
            )
    keep_freed_memory()  # as in training
    if options.device.type == "cuda":
        torch.cuda.set_device(options.device)
    results = []
    for config in configs:
        with tqdm(desc=config.config_name, unit=" measurements", disable=None, leave=False) as bar:

            def say(stage: str, bar: tqdm = bar) -> None:
                bar.set_postfix_str(stage)
                bar.update()

            views, _ = video_shape(config)
            measured = measure_speed(config, *input_shapes(config), views, options, say)
        results.append({"config": config.config_name} | ran_on(options, compute_of(config)) | measured)
        write_json(json_path, results)  # after every config: an interrupted comparison keeps what it has
    return results


def ran_on(options: SpeedOptions, compute: Compute) -> dict[str, Any]:
    """The fields of a result that do not depend on the model."""
    return {
        "device": str(options.device),
        "device_name": device_name(options.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **asdict(compute),
        "arithmetic": arithmetic(compute),
        "warmup": options.stopwatch.warmup,
        "iterations": options.stopwatch.iterations,
        "min_seconds": options.stopwatch.min_seconds,
    }


def device_from(name: str | None) -> torch.device:
    """`cpu`, `cuda` or `cuda:1`; None is the GPU where there is one.

    Raises:
        UserError: when there is no such device here.
    """
    if name is None:
        warn_of_unusable_gpu()
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device is {name!r}: expected cpu, cuda or cuda:0") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device is {name!r}: expected cpu, cuda or cuda:0")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"--device {name}: there are {torch.cuda.device_count()} CUDA devices here: use --device cpu, or a machine "
            "with a GPU and a PyTorch built for it"
        )
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def use_threads(number: int | None) -> None:
    """Let PyTorch use so many CPU threads; None leaves its own choice."""
    if number is None:
        return
    if number < 1:
        raise UserError(f"--threads is {number}: expected 1 or more")
    torch.set_num_threads(number)


def device_name(device: torch.device) -> str:
    """The product name of a device, as far as the system tells it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()} ({torch.backends.cpu.get_cpu_capability()})"


def input_shapes(config: Config) -> tuple[tuple[int, int, int, int, int], int]:
    """(N, C, T, H, W) of one view of a video as the network takes it, and the frame size before the preprocessor."""
    _, shape = video_shape(config)
    pipeline = config.train_dataloader.dataset.pipeline
    return shape, next((step["size"] for step in pipeline if "size" in step), shape[-1])
