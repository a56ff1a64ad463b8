"""Tools, called as a person calls them: here in this process, in a child that a test may kill, or as a process."""

import contextlib
import os
import runpy
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from cefl_bench.commands.pack import decode_always
from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config
from helpers.surroundings import as_in_a_new_process, unchanged

ROOT = Path(__file__).parents[2]
SYNTHETIC, DFEW = (str(ROOT / "configs" / f"ceflnet_{name}.py") for name in ("synthetic", "dfew"))
TINY = (
    "model.backbone.trunk=test_resnet",
    "model.backbone.trunk_args.channels=(8,16,16,32)",
    "data_preprocessor.size=32",
    "train_cfg.max_epochs=3",
    "train_dataloader.batch_size=14",
    "train_dataloader.num_workers=1",
    "val_dataloader.num_workers=1",
)
"""Options that make ceflnet_synthetic.py small enough for tests."""


def run_tool(
    *arguments: str | Path, check: bool = True, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess:
    """Run `tools/<first argument>` in this process, which is afterwards as it was before.

    Args:
        check: fail the test when the tool fails, and show what it printed.
        env: the whole environment that the tool has; None for this process's.
        cwd: the folder that it is called in.

    Returns:
        Exit status and output, as from `subprocess.run`; what its worker processes print is in there too.
    """
    words = _words(arguments)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with unchanged(), _streams(out.fileno(), err.fileno()):
            status = _call(words, env, cwd)
        texts = [_text(file) for file in (out, err)]
    return _checked(subprocess.CompletedProcess(words, status, *texts), check)


def run_process(*arguments: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run `tools/<first argument>` as a process of its own. It takes seconds to import all: once per tool is enough."""
    command = [sys.executable, *_words(arguments)]
    return _checked(subprocess.run(command, capture_output=True, text=True, timeout=240, **options), check)


class Child:
    """A real process that runs a tool and that a test may kill, without the seconds that a new Python needs to import.

    It is forked from a server that has imported everything and computed nothing. It leads a session of its own.

    Args:
        arguments: as of `run_tool`.
        prepare: called in the child before the tool: a function that the server can import, from `helpers`.
    """

    def __init__(
        self,
        *arguments: str | Path,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        from helpers.server import fork

        self.log = log
        environment = dict(os.environ if env is None else env)
        self._process = fork(_be_the_tool, (_words(arguments), environment, str(cwd or Path.cwd()), str(log), prepare))
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float = 150) -> int:
        """Wait until it ends: the exit status."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"did not end in {seconds} s; it said: {self.output()}"
        return self._process.exitcode

    def output(self) -> str:
        """What it printed so far, on both streams."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def finish(self, status: int = 0) -> str:
        """Wait for an exit status, and give what it printed."""
        found = self.wait()
        assert found == status, f"ended with {found}:\n{self.output()[-4000:]}"
        return self.output()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def wait_until(condition: Callable[[], object], seconds: float = 100, pause: float = 0.005) -> None:
    """Wait for something that other processes do; the test fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)


def tree_folder(name: str) -> str:
    """The folder of a dataset's tree in `data_home`, where its config looks for it."""
    return {"SyntheticFaces": "synthetic_demo", "CSVVideos": "own"}.get(name, name.lower())


def list_frames(root: Path, name: str, num_frames: int) -> None:
    """Let the lists say that a video has so many frames."""
    for file, value in (("labels.csv", str(num_frames)), ("intensities.csv", "0.5 " * num_frames)):
        lines = (root / file).read_text().splitlines()
        lines = [f"{line.rpartition(',')[0]},{value}" if line.startswith(f"{name},") else line for line in lines]
        (root / file).write_text("\n".join(lines) + "\n")


def dataset(config=SYNTHETIC, loader="train_dataloader", packed=True, corpus=None, **options):
    """A dataset of a config, as training has it, or with all videos decoded."""
    config = load_config(config, options, dataset=corpus)
    if not packed:
        decode_always(config)
    return build_dataset(config, loader)


def _words(arguments: tuple[str | Path, ...]) -> list[str]:
    return [str(ROOT / "tools" / arguments[0]), *map(str, arguments[1:])]


def _call(words: list[str], env: Mapping[str, str] | None, cwd: Path | str | None) -> int:
    """Run a script with its arguments: the exit status that a process would have."""
    sys.argv = list(words)
    if env is not None:
        os.environ.clear()
        os.environ.update(env)
    if cwd is not None:
        os.chdir(cwd)
    try:
        with as_in_a_new_process():
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except Exception:  # as Python itself would end
        traceback.print_exc()
        return 1
    return 0


def _be_the_tool(words: list[str], env: dict[str, str], cwd: str, log: str, prepare: Callable | None) -> None:
    """What a `Child` does; its exit status is the tool's."""
    os.setsid()
    with open(log, "ab") as file, _streams(file.fileno(), file.fileno()):
        if prepare is not None:
            prepare()
        status = _call(words, env, cwd)
    raise SystemExit(status)


@contextlib.contextmanager
def _streams(out: int, err: int) -> Iterator[None]:
    """Send what is printed in the block, by C libraries and worker processes too, into two open files."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    os.dup2(out, 1)
    os.dup2(err, 2)
    try:
        with (
            open(1, "w", buffering=1, closefd=False) as stdout,
            open(2, "w", buffering=1, closefd=False) as stderr,
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            yield
    finally:
        for number, descriptor in enumerate(before, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _text(file) -> str:
    file.seek(0)
    # a bar ends its line with a carriage return, which counts as the end of a line, as `subprocess` has it
    return file.read().decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def _checked(done: subprocess.CompletedProcess, check: bool) -> subprocess.CompletedProcess:
    if check and done.returncode:
        told = f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        pytest.fail(f"{' '.join(done.args)} ended with {done.returncode}:\n{told}")
    return done
