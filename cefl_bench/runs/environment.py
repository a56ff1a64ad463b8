"""What a run ran on: versions, device, driver, and the commit of the code."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from cefl_bench.compute.network import arithmetic
from cefl_bench.compute.switches import DEFAULT, Compute
from cefl_bench.files import checkout

PACKAGES = ("cefl_bench", "torch", "torchvision", "timm", "onedl-mmengine", "onedl-mmcv", "decord2", "numpy")


def environment(compute: Compute = DEFAULT) -> dict[str, Any]:
    """Everything about the machine and the software that may move a number; `git` is None outside a checkout.

    Args:
        compute: the switches of the training.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "device": device_name(),
        "cuda": torch.version.cuda if torch.cuda.is_available() else None,
        "cudnn": torch.backends.cudnn.version() if torch.cuda.is_available() else None,
        "driver": _run("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
        if torch.cuda.is_available()
        else None,
        "precision": arithmetic(compute),
        "switches": compute.changed(),
        "threads": torch.get_num_threads(),
        "git": _git(),
    }


def device_name() -> str:
    """The device that training uses, in words."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU ({platform.machine()})"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    repository, here = _run("git", "rev-parse", "--show-toplevel"), checkout()
    if repository is None or here is None or Path(repository).resolve() != here.resolve():
        return None  # installed somewhere inside another project
    status = _run("git", "status", "--porcelain")
    return {"commit": _run("git", "rev-parse", "HEAD"), "dirty": None if status is None else bool(status)}


def _run(*command: str) -> str | None:
    """Standard output of a command run beside the package, or None where it fails or does not exist."""
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
