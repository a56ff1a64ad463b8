"""What is done to a `Child` before its tool starts: it is killed or waits at a set moment, or its disk is full.

Moments are set in the work, not on the clock, so that no speed of the machine can shift them.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cefl_bench.hooks.reseed import Reseed
from cefl_bench.parallel import workers
from helpers.children import Child, wait_until

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of linux/sched.h


def kill_training(epoch: int) -> None:
    """Let a training be killed with all its workers before its second batch of an epoch, counted from 1."""
    usual = Reseed.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch + 1 == epoch and batch_idx == 1:
            os.killpg(0, signal.SIGKILL)
        return usual(self, runner, batch_idx, data_batch)

    Reseed.before_train_iter = before_train_iter


def hold_workers(results: int, marker: Path, call: int = 1) -> None:
    """Let a tool wait, its workers still at work, when it has noted so many of their results; then `marker` is there.

    Args:
        call: which round of work it is, counted from 1, where a tool has several.
    """
    usual, calls = workers.as_completed, []

    def as_completed(futures):
        calls.append(futures)
        for number, future in enumerate(usual(futures)):
            if len(calls) == call and number == results:
                marker.touch()
                time.sleep(600)
            yield future

    workers.as_completed = as_completed


def stop(running: Child, begun: Callable[[], object], sent: signal.Signals) -> None:
    """Once something has begun, send SIGKILL to a tool alone or another signal to its group: its workers end with it.

    A tool that has ended before it began is the test's to notice.
    """
    wait_until(lambda: begun() or running.poll() is not None)
    at_work = children_of(running.pid)
    (os.kill if sent == signal.SIGKILL else os.killpg)(running.pid, sent)
    running.wait(30)
    wait_until(lambda: not any(map(is_running, at_work)), seconds=20)
    assert at_work, running


def limit_file_size(size: int) -> None:
    """Let every write beyond `size` bytes of a file fail, in the workers too."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def mount_small_disk(folder: Path, kilobytes: int, full: bool = False) -> Callable[[], None]:
    """Put a disk of that size on a folder, for this process and its workers alone; its files are printed at the end."""
    assert ctypes.CDLL(None).unshare(NEW_MOUNTS) == 0, "mounting is not allowed"
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder], check=True)
    if full:
        (folder / "other_data").write_bytes(bytes(kilobytes * 1024))
    return lambda: print("on the disk:", *(path.name for path in folder.rglob("*") if path.is_file()))


def can_mount() -> bool:
    """Whether this process may mount disks of its own."""
    alone = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(alone, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only its exit status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
