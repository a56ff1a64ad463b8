"""A process for a job: alone in its folder, gone when its parent is, all that it says in a file."""

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from cefl_bench.parallel.workers import HOLDER
from cefl_bench.runs.folder import JOB_LOG

PROMPT = "$ "
LIBC = ctypes.CDLL(None)  # loaded here, because little is allowed between fork and exec
SET_PARENT_DEATH_SIGNAL = 1  # from linux/prctl.h


def start(
    command: Sequence[str], folder: Path, held: IO[bytes], environment: Mapping[str, str] | None = None
) -> subprocess.Popen:
    """Start a command in a session of its own; what it says is added to `job.log` in the folder.

    It dies with this process, however this one ends. The lock goes along: it falls when the last process that writes
    into the folder is gone, not when this one is.

    Args:
        held: the lock of the folder.
        environment: variables to set besides those of this process.
    """
    with open(folder / JOB_LOG, "ab") as log:
        log.write(f"{PROMPT}{shlex.join(command)}\n".encode())
        log.flush()
        return subprocess.Popen(
            command,
            env=os.environ | {HOLDER: "1"} | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(held.fileno(),),
            preexec_fn=partial(tie_to, os.getpid()),
        )


def tie_to(parent: int) -> None:
    """Let this new process die with its parent, and ignore what is for the parent to answer."""
    LIBC.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    # SLURM sends it to all processes of a job whose time is nearly over
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal.SIGKILL)


def stop(processes: Sequence[subprocess.Popen], patience: float = 1.0) -> None:
    """End processes as Ctrl-C does; after `patience` seconds kill what is left, with their own worker processes."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            patience = 0.1  # they all had the time of the first
        _kill_session(process)
        process.wait()


def _kill_session(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def ending(status: int) -> str:
    """An exit status in words; empty for success."""
    if status < 0:
        hint = ", perhaps for want of memory" if status == -signal.SIGKILL else ""
        return f"killed by {signal.Signals(-status).name}{hint}"
    return f"exit status {status}" if status else ""


def last_words(log: Path, lines: int = 8) -> list[str]:
    """The last lines that the latest process wrote into a log."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 2**16))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    words: list[str] = []
    for line in text.splitlines():
        words = [] if line.startswith(PROMPT) else [*words, line.rstrip()]
    return [line for line in words if line][-lines:]
