"""Fits a run to the machine: processes, workers, memory; and tells in one line what cannot be built."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIMIZERS, PARAM_SCHEDULERS

from cefl_bench.config import HELD_OUT, LOADERS
from cefl_bench.errors import UserError
from cefl_bench.parallel.distributed import join_processes, keep_freed_memory


def start_processes(config: Config, launcher: str, amp: bool) -> None:
    """Set up what every process of a run needs: precision, memory, and the group of processes."""
    if amp and not torch.cuda.is_available():
        raise UserError("--amp needs a CUDA device and there is none: leave it out")
    if amp:
        config.optim_wrapper.type = AmpOptimWrapper
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        config.optim_wrapper.dtype = "bfloat16" if native else "float16"
    keep_freed_memory()
    if join_processes(launcher) and not torch.cuda.is_available():
        config.model_wrapper_cfg = dict(type=MMDistributedDataParallel, device_ids=None, broadcast_buffers=False)


def fit_to_machine(config: Config) -> None:
    """Change what of loading depends on this machine and moves no score: workers, and memory that a GPU reads from."""
    cores = len(os.sched_getaffinity(0))
    for name in (*LOADERS, HELD_OUT):
        loader = config.get(name)
        if loader is None:
            continue
        loader.num_workers = min(loader.get("num_workers", 0), cores)
        if loader.num_workers == 0:
            loader.persistent_workers = False
            loader.pop("prefetch_factor", None)
        if not torch.cuda.is_available():
            loader.pin_memory = False


def check_shared_memory(config: Config, video_bytes: int) -> None:
    """Refuse a run whose loaders would die because /dev/shm, through which workers hand over batches, is too small.

    Args:
        video_bytes: of one video's frames as they come out of the pipeline.

    Raises:
        UserError: saying how much is needed, how much is there, and what to do.
    """
    shared = Path("/dev/shm")
    if not shared.is_dir():
        return
    needed = 0
    for name in LOADERS[:2]:
        loader = config[name]
        in_flight = loader.num_workers * (loader.get("prefetch_factor") or 2) + 1 if loader.num_workers else 0
        needed += in_flight * loader.batch_size * video_bytes
    free = shutil.disk_usage(shared).free
    if needed > free:
        raise UserError(
            f"/dev/shm has {free / 1e6:.0f} MB free, and data workers hand over up to {needed / 1e6:.0f} MB in it: "
            "give fewer (--cfg-options train_dataloader.num_workers=2 val_dataloader.num_workers=1), or start the "
            "container with a larger one (docker run --shm-size=8g)"
        )


@contextmanager
def told_as(part: str) -> Iterator[None]:
    """Tell what building a part of a config raises in one line; CEFL_BENCH_DEBUG=1 shows where it comes from.

    Raises:
        UserError: for any error but a UserError, which goes through.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"{part} cannot be built from the config ({type(error).__name__}: {reason}); CEFL_BENCH_DEBUG=1 shows where"
        ) from error


def check_schedule(config: Config) -> None:
    """Build the optimiser and its schedulers on one number, so that what they refuse is told before anything starts."""
    number = torch.nn.Parameter(torch.zeros(1))
    with told_as("optim_wrapper.optimizer"):
        optimizer = OPTIMIZERS.build(dict(config.optim_wrapper.optimizer, params=[number]))
    schedulers = config.get("param_scheduler") or []
    for place, scheduler in enumerate([schedulers] if isinstance(schedulers, dict) else schedulers):
        with told_as(f"param_scheduler.{place}"):
            settings = {key: value for key, value in scheduler.items() if key != "convert_to_iter_based"}
            PARAM_SCHEDULERS.build(settings, default_args=dict(optimizer=OptimWrapper(optimizer)))
