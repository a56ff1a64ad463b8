"""Processes that run a tool and that a test may kill."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.run import call, read_text, streams, words_of
from helpers.server import fork


class Child:
    """A real process that runs `tools/<first argument>`, without the seconds that a new Python needs to import all.

    It is forked from a server that has imported everything and computed nothing. It leads a session of its own.

    Args:
        folder: what it prints goes into files there.
        env: its whole environment; None for that of the tests.
        cwd: the folder that it is called in.
        prepare: called in it before the tool, and what it gives, if anything, after the tool. A function of `helpers`,
            so that the server can import it.
    """

    def __init__(
        self,
        *arguments: str | Path,
        folder: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        folder.mkdir()
        self._words, self._files = words_of(arguments), (folder / "stdout", folder / "stderr")
        environment = dict(os.environ if env is None else env)
        place = str(cwd or Path.cwd())
        self._process = fork(_be_the_tool, (self._words, environment, place, self._files, prepare))
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float = 200) -> int:
        """Wait until it ends: the exit status."""
        self._process.join(seconds)
        status = self.poll()
        assert status is not None, f"did not end in {seconds} s; {self}"
        return status

    def finish(self, status: int = 0) -> subprocess.CompletedProcess:
        """Wait for an exit status; what it printed, as from `run_tool`."""
        found = self.wait()
        assert found == status, f"ended with {found}; {self}"
        return self.printed()

    def printed(self) -> subprocess.CompletedProcess:
        """What it printed so far."""
        texts = [read_text(file) if file.exists() else "" for file in self._files]
        return subprocess.CompletedProcess(self._words, self.poll(), *texts)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def __str__(self) -> str:
        printed = self.printed()
        return f"{' '.join(self._words)} said:\n{printed.stdout[-2000:]}\n{printed.stderr[-4000:]}"


def as_torchrun(num_processes: int) -> list[dict[str, str]]:
    """What torchrun sets in the environment of each process of a run on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(num_processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(num_processes)]


def wait_until(condition: Callable[[], object], seconds: float = 150) -> None:
    """Wait for something that other processes do; the test fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def _be_the_tool(
    words: list[str], env: dict[str, str], cwd: str, files: tuple[Path, Path], prepare: Callable | None
) -> None:
    """What the process does; its exit status is the tool's."""
    os.setsid()
    with open(files[0], "wb") as out, open(files[1], "wb") as err, streams(out.fileno(), err.fileno()):
        after = prepare() if prepare else None
        status = call(words, env, cwd)
        if callable(after):
            after()
    raise SystemExit(status)
