"""Several processes of one run, on GPUs or CPUs. mmengine's own start assumes a GPU."""

import ctypes
import os
import subprocess

import torch
from torch import distributed

from cefl_bench.errors import UserError

TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")

LOCAL_RANKS = {"pytorch": "LOCAL_RANK", "slurm": "SLURM_LOCALID"}
"""Where a launcher says which of the processes of this machine a process is."""


def join_processes(launcher: str) -> None:
    """Join the process group that `torchrun` or `srun` started, if any.

    Raises:
        UserError: when the launcher did not start this process.
    """
    if launcher == "none":
        return
    if launcher == "slurm":
        _environment_from_slurm()
    if missing := [name for name in TORCHRUN if name not in os.environ]:
        raise UserError(
            f"--launcher {launcher}: {', '.join(missing)} is not set: start with "
            "torchrun --nproc-per-node=2 tools/train.py CONFIG --launcher pytorch"
        )
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def take_gpu(launcher: str) -> None:
    """Let a process that a launcher started use the GPU that is its own: before anything looks at a GPU.

    Raises:
        UserError: when there are more processes here than GPUs.
    """
    local_rank = os.environ.get(LOCAL_RANKS[launcher]) if launcher in LOCAL_RANKS else None
    if local_rank is not None and torch.cuda.is_available():
        torch.cuda.set_device(_own_gpu(int(local_rank), torch.cuda.device_count(), launcher))


def _own_gpu(local_rank: int, num_gpus: int, launcher: str) -> int:
    """The number of the GPU that a process takes, of those that it sees.

    Raises:
        UserError: when another process has it already.
    """
    if local_rank < num_gpus:
        return local_rank
    if launcher == "slurm" and num_gpus == 1:  # srun may show each process its own GPU alone
        return 0
    fewer = "--ntasks-per-node" if launcher == "slurm" else "--nproc-per-node"
    raise UserError(
        f"--launcher {launcher} started a process number {local_rank + 1} on this machine, which has {num_gpus} GPUs: "
        f"start at most one for each ({fewer}={num_gpus})"
    )


def _environment_from_slurm() -> None:
    """Say in torchrun's words what srun says in its own."""
    if "SLURM_PROCID" not in os.environ:
        raise UserError("--launcher slurm: SLURM_PROCID is not set: start with srun python tools/train.py CONFIG ...")
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    try:
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        raise UserError(f"--launcher slurm: {' '.join(command)} failed: set MASTER_ADDR to the first host") from None
    os.environ["RANK"], os.environ["WORLD_SIZE"] = os.environ["SLURM_PROCID"], os.environ["SLURM_NTASKS"]
    os.environ["LOCAL_RANK"] = os.environ["SLURM_LOCALID"]
    os.environ.setdefault("MASTER_ADDR", hosts[0])
    # Two jobs on one node must not meet: the job's number picks the port.
    os.environ.setdefault("MASTER_PORT", str(20000 + int(os.environ["SLURM_JOB_ID"]) % 20000))


def keep_freed_memory() -> None:
    """Let glibc keep what tensors free, up to a point, instead of giving it back to the kernel after every batch.

    On a CPU each batch allocates the same activations again; without this a fifth of the time goes into page faults.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # from malloc.h
    libc.mallopt(mmap_threshold, 2**30)
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(top_pad, 2**28)
