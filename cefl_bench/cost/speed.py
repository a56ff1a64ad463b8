"""What a model costs in time and memory: latency, throughput of inference and training, and how near to the device."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from mmengine.config import Config

from cefl_bench.cost.flops import cost_or_reason
from cefl_bench.cost.memory import HOW
from cefl_bench.cost.stopwatch import Stopwatch, spread
from cefl_bench.cost.trials import CALLS_PER_BLOCK, SpeedOptions, Trials
from cefl_bench.cost.workload import DTYPES, Step, Workload

TRAINING_FORWARDS = 3
"""By convention a training step counts as three forward passes: one forward, two for the gradients of backward."""
MATMUL_SIZE = {"cpu": 1024, "cuda": 8192}


def measure_speed(
    config: Config,
    video_shape: tuple[int, int, int, int, int],
    frame_size: int,
    options: SpeedOptions,
    say: Callable[[str], object] = lambda stage: None,
) -> dict[str, Any]:
    """Measure a config's model on random videos, with random weights and without its data.

    Args:
        video_shape: (N, C, T, H, W) of one video as the network takes it.
        frame_size: height and width of a frame as it comes from the data loader.
        say: is told what is measured next.

    Returns:
        `latency` (batch 1), `inference` and `training` (`fixed`, `best` and all `tried` batches), `preprocessor`,
        `cost`, `matmul_flops_per_s`. A batch for which memory did not suffice has `out_of_memory`, the reason, and no
        times. `flops_per_s` is twice the MACs times the throughput, `TRAINING_FORWARDS` times that in training; it
        is missing where the MACs are not known.
    """
    torch.backends.cudnn.benchmark = bool(config.get("env_cfg", {}).get("cudnn_benchmark", False))
    device = options.device
    batch = options.batch or config.train_dataloader.batch_size
    cost = cost_or_reason(config.model | {"data_preprocessor": config.data_preprocessor}, video_shape)
    say("matrix product")
    matmul = matmul_speed(device, options.precision, options.stopwatch)
    work = Workload(config, video_shape, frame_size, device, options.precision, options.compiled, options.memory_format)

    def trials(name: str, step: Callable[[int], Step]) -> Trials:
        return Trials(name, step, options, 4 * math.prod(video_shape), say)

    modes = {
        "latency": trials("latency", work.inference).measure(1, per_block=1),
        "inference": trials("inference", work.inference).compare(batch, start=1),
        # batch statistics may need two videos
        "training": trials("training", work.training).compare(batch, start=2),
    }
    work.network.zero_grad(set_to_none=True)
    modes["preprocessor"] = {
        mode: trials(f"preprocessor, {mode}", lambda size, on=mode == "training": work.preprocessing(size, on)).measure(
            batch
        )
        for mode in ("inference", "training")
    }
    for measured, flops in _with_flops(modes, cost["flops"]) if cost["flops"] else ():
        measured["flops_per_s"] = flops * measured["videos_per_s"]
        measured["of_matmul"] = measured["flops_per_s"] / matmul["flops_per_s"]
    return {
        "video_shape": list(video_shape),
        "cost": cost,
        "convolutions_channels_last": work.channels_last(),
        "matmul": matmul,
        "matmul_flops_per_s": matmul["flops_per_s"],
        "memory_measure": HOW[device.type],
        **modes,
    }


def matmul_speed(device: torch.device, precision: str, stopwatch: Stopwatch) -> dict[str, Any]:
    """FLOP/s of a large square matrix product, what this device gives at best in practice: the yardstick.

    On a GPU, convolutions in `fp32` may use TF32 while matrix products by default do not. The yardstick then uses it
    too, or a model could be faster than the device.
    """
    size, dtype = MATMUL_SIZE[device.type], DTYPES[precision]
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    before = torch.get_float32_matmul_precision()
    tf32 = device.type == "cuda" and precision == "fp32" and torch.backends.cudnn.allow_tf32
    if tf32:
        torch.set_float32_matmul_precision("high")
    try:
        quick = replace(stopwatch, warmup=2, iterations=5)
        times = spread(quick.time(lambda: torch.mm(left, right), device, CALLS_PER_BLOCK[device.type]))
    finally:
        torch.set_float32_matmul_precision(before)
    return {
        "size": size,
        "dtype": "tf32" if tf32 else str(dtype).removeprefix("torch."),
        **times,
        "flops_per_s": 2 * size**3 / times["median_ms"] * 1e3,
    }


def _with_flops(modes: dict[str, Any], flops: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Every measurement of the model that has a time, with the FLOPs of a video in it."""
    for mode, forwards in (("latency", 1), ("inference", 1), ("training", TRAINING_FORWARDS)):
        found = modes[mode]
        for measured in [found] if mode == "latency" else [found["fixed"], found["best"], *found["tried"]]:
            if measured is not None and "videos_per_s" in measured:
                yield measured, forwards * flops
