"""Fits a run to the machine: processes, workers, memory; and tells in one line what cannot be built."""

import copy
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from cefl_bench.compute.network import (
    check_device,
    check_network,
    optim_wrapper_of,
    prepare_network,
    set_up_torch,
    unusable_gpu,
)
from cefl_bench.compute.switches import compute_of
from cefl_bench.config import HELD_OUT, LOADERS
from cefl_bench.cost.ledger import one_line
from cefl_bench.cost.trial import described, failing_module
from cefl_bench.cost.trials import is_out_of_memory
from cefl_bench.errors import UserError
from cefl_bench.feeding.feed import IN_USE
from cefl_bench.parallel.distributed import join_processes, keep_freed_memory

ONE_VALUE = "more than 1 value per channel"
"""In torch's message on batch normalisation of a single value."""


def start_processes(launcher: str) -> None:
    """Set up what every process of a run needs: memory, and the group of processes."""
    warn_of_unusable_gpu()
    keep_freed_memory()
    join_processes(launcher)


def device_type() -> str:
    """`cuda` or `cpu`: what a run uses."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def warn_of_unusable_gpu() -> None:
    """Say on standard error that a GPU is here and will not be used."""
    reason = unusable_gpu()
    if reason is not None:
        print(f"warning: there is a GPU, and PyTorch cannot use it ({reason}): going on with the CPU", file=sys.stderr)


def switch(config: Config) -> None:
    """Carry out the compute switches of a config that is trained, as far as they do not change its network.

    Raises:
        UserError: when this machine or the optimiser cannot.
    """
    compute = compute_of(config)
    check_device(compute, device_type())
    set_up_torch(compute)
    if compute.deterministic:
        config.randomness.deterministic = True
    config.optim_wrapper = optim_wrapper_of(config.optim_wrapper, compute, device_type())


def switch_network(config: Config, network: nn.Module) -> None:
    """Carry out the compute switches of a config on the network that is trained.

    Raises:
        UserError: when a precision gives wrong gradients in it.
    """
    network = getattr(network, "module", network)
    check_network(compute_of(config), network, device_type())
    prepare_network(network, compute_of(config), in_training_alone=True)


def switch_test(config: Config, network: nn.Module) -> None:
    """Carry out, of the compute switches that a network was trained with, those that move the last digits of a test."""
    compute = replace(compute_of(config), compile=False, cuda_graphs=False)
    set_up_torch(compute)
    prepare_network(getattr(network, "module", network), compute)


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
    for name in (*LOADERS[:2], HELD_OUT):
        loader = config.get(name)
        if loader is None:
            continue
        in_flight = loader.num_workers * (loader.get("prefetch_factor") or 2) + IN_USE if loader.num_workers else 0
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


@contextmanager
def told_of_network(config: Config, network: nn.Module, doing: str) -> Iterator[None]:
    """Tell what a network raises at its work in one line that names it; CEFL_BENCH_DEBUG=1 shows where it comes from.

    Args:
        doing: what it is at, such as `in training`.

    Raises:
        UserError: for an error that comes out of a module of the network, or of a GPU without memory. Others go
            through.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            where = "machine" if device_type() == "cpu" else "GPU"
            raise UserError(
                f"the {where} has not enough memory {doing} ({one_line(error)}): give smaller batches, such as "
                "--cfg-options train_dataloader.batch_size=4, or --amp"
            ) from error
        network = getattr(network, "module", network)  # without what joins the processes of a run
        module = failing_module(network, error)
        if module is None:
            raise
        part = config.model.get(module.partition(".")[0]) or config.model
        hint = "CEFL_BENCH_DEBUG=1 shows where"
        if ONE_VALUE in str(error):
            hint = (
                "a batch of one video is too small for its batch normalisation, and the last of an epoch may be one: "
                "change train_dataloader.batch_size, or set train_dataloader.drop_last=True"
            )
        raise UserError(f"{described(part)} fails {doing}, in {module} ({one_line(error)}): {hint}") from error


def batch_in_words(config: Config, num_processes: int) -> str:
    """How many videos an optimiser step sees, of what that is made, and the learning rate that it starts from."""
    loader, steps = config.train_dataloader, config.optim_wrapper.get("accumulative_counts", 1)
    words = f"{loader.batch_size * num_processes * steps} videos an optimiser step"
    parts = [f"{loader.batch_size} a batch"]
    if num_processes > 1:
        parts.append(f"{num_processes} processes")
    if steps > 1:
        parts.append(f"{steps} batches accumulated")
    if len(parts) > 1:
        words += f" ({', '.join(parts)})"
    rate = config.optim_wrapper.get("optimizer", {}).get("lr")
    return words if rate is None else f"{words}, learning rate {rate:g}"


def check_schedule(config: Config) -> None:
    """Build the optimiser and its schedulers on one number, so that what they refuse is told before anything starts."""
    with told_as("optim_wrapper"):
        wrapper = build_optim_wrapper(nn.Linear(1, 1), copy.deepcopy(config.optim_wrapper))
    schedulers = config.get("param_scheduler") or []
    for place, scheduler in enumerate([schedulers] if isinstance(schedulers, dict) else schedulers):
        with told_as(f"param_scheduler.{place}"):
            settings = {key: value for key, value in scheduler.items() if key != "convert_to_iter_based"}
            PARAM_SCHEDULERS.build(settings, default_args=dict(optimizer=wrapper))
