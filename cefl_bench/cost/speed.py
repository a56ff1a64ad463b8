"""What a model costs in time and memory: latency, throughput of inference and training, and share of the device's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from mmengine.config import Config

from cefl_bench.compute.network import DTYPES
from cefl_bench.compute.switches import Precision, compute_of
from cefl_bench.cost.flops import cost_or_reason
from cefl_bench.cost.measured import BatchSpeed, Comparison, MatrixProduct, Speed
from cefl_bench.cost.memory import MEMORY_MEASURE
from cefl_bench.cost.stopwatch import Stopwatch, spread
from cefl_bench.cost.trials import CALLS_PER_BLOCK, SpeedOptions, Trials
from cefl_bench.cost.workload import Step, Workload

TRAINING_FORWARDS = 3
"""By convention a training step counts as three forward passes: one forward, two for the gradients of backward."""
MATMUL_SIZE = {"cpu": 1024, "cuda": 8192}


def measure_speed(
    config: Config,
    video_shape: tuple[int, int, int, int, int],
    frame_size: int,
    views: int,
    options: SpeedOptions,
    say: Callable[[str], object] = lambda stage: None,
) -> Speed:
    """Measure a config's model on random videos, with random weights and without its data.

    Inference is of test videos with all their views, training of one view a video.

    Args:
        video_shape: (N, C, T, H, W) of one view of a video as the network takes it.
        frame_size: height and width of a frame as it comes from the data loader.
        views: how many of a video a test takes.
        say: called with what is measured next.
    """
    device = options.device
    batch = options.batch or config.train_dataloader.batch_size
    cost = cost_or_reason(config.model | {"data_preprocessor": config.data_preprocessor}, video_shape, views)
    say("matrix product")
    compute = compute_of(config)
    work = Workload(config, video_shape, frame_size, device, compute, views)
    matmul = matmul_speed(device, compute.precision, options.stopwatch)

    elements = work.largest_tensor()

    def trials(name: str, step: Callable[[int], Step], views: int) -> Trials:
        return Trials(name, step, options, 4 * views * math.prod(video_shape), views * elements, say)

    latency = trials("latency", work.inference, views).measure(1, per_block=1)
    inference = trials("inference", work.inference, views).compare(batch, start=1)
    training = trials("training", work.training, 1).compare(batch, start=2)  # batch statistics may need two videos
    work.network.zero_grad(set_to_none=True)
    preprocessor = {}
    for mode in ("inference", "training"):
        prepare = partial(work.preprocessing, training=mode == "training")
        taken = views if mode == "inference" else 1
        preprocessor[mode] = trials(f"preprocessor, {mode}", prepare, taken).measure(batch)
    if "uncounted" not in cost:
        forward = [latency, *_batches(inference)]
        _add_flops(forward, cost["flops"], matmul)
        _add_flops(_batches(training), TRAINING_FORWARDS * 2 * cost["macs_per_view"], matmul)
    return Speed(
        video_shape=list(video_shape),
        cost=cost,
        convolutions_channels_last=work.channels_last(),
        matmul=matmul,
        matmul_flops_per_s=matmul["flops_per_s"],
        memory_measure=MEMORY_MEASURE[device.type],
        latency=latency,
        inference=inference,
        training=training,
        preprocessor=preprocessor,
    )


def matmul_speed(device: torch.device, precision: Precision, stopwatch: Stopwatch) -> MatrixProduct:
    """FLOP/s of a large square matrix product: the most that this device reaches in practice, the yardstick.

    On a GPU, convolutions in `fp32` may use TF32 while matrix products by default do not. The yardstick then uses it
    too, or a model could be faster than the device.
    """
    size, dtype = MATMUL_SIZE[device.type], DTYPES.get(precision, torch.float32)
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    before = torch.get_float32_matmul_precision()
    tf32 = device.type == "cuda" and precision not in DTYPES and torch.backends.cudnn.allow_tf32
    if tf32:
        torch.set_float32_matmul_precision("high")
    try:
        quick = replace(stopwatch, warmup=2, iterations=5)
        times = spread(quick.time(lambda: torch.mm(left, right), device, CALLS_PER_BLOCK[device.type]))
    finally:
        torch.set_float32_matmul_precision(before)
    return MatrixProduct(
        size=size,
        dtype="tf32" if tf32 else str(dtype).removeprefix("torch."),
        **times,
        flops_per_s=2 * size**3 / times["median_ms"] * 1e3,
    )


def _batches(comparison: Comparison) -> list[BatchSpeed]:
    best = [] if comparison["best"] is None else [comparison["best"]]
    return [comparison["fixed"], *best, *comparison["tried"]]


def _add_flops(measured: Sequence[BatchSpeed], flops: int, matmul: MatrixProduct) -> None:
    """Add FLOP/s, and what share of a matrix product's they are, to every batch that has a time.

    Args:
        flops: that the work does per video.
    """
    for batch in measured:
        if "videos_per_s" in batch:
            batch["flops_per_s"] = flops * batch["videos_per_s"]
            batch["of_matmul"] = batch["flops_per_s"] / matmul["flops_per_s"]
