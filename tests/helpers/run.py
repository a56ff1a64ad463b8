"""Tools, called as a person calls them: in this process, or as one of their own."""

import contextlib
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
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
    "train_cfg.val_interval=1",
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
    words = words_of(arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "stdout", Path(folder) / "stderr"
        with open(files[0], "wb") as out, open(files[1], "wb") as err, streams(out.fileno(), err.fileno()):
            status = call(words, env, cwd)
        return _checked(subprocess.CompletedProcess(words, status, *map(read_text, files)), check)


def run_process(*arguments: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run `tools/<first argument>` as a process of its own. It takes seconds to import all: once per tool is enough."""
    command = [sys.executable, *words_of(arguments)]
    return _checked(subprocess.run(command, capture_output=True, text=True, timeout=240, **options), check)


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


def words_of(arguments: Sequence[str | Path]) -> list[str]:
    """The words of a command line: a tool's path and its arguments."""
    return [str(ROOT / "tools" / arguments[0]), *map(str, arguments[1:])]


def read_text(path: Path) -> str:
    """What was printed into a file. The carriage return at the end of a bar ends a line, as `subprocess` has it."""
    with open(path, encoding="utf-8", errors="replace", newline=None) as file:
        return file.read()


def call(words: list[str], env: Mapping[str, str] | None, cwd: Path | str | None) -> int:
    """Run a script with its arguments: the exit status that a process would have."""
    try:
        with unchanged(), as_in_a_new_process():
            sys.argv = list(words)
            if env is not None:
                os.environ.clear()
                os.environ.update(env)
                sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
            if cwd is not None:
                os.chdir(cwd)
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


@contextlib.contextmanager
def streams(out: int, err: int) -> Iterator[None]:
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


def _checked(done: subprocess.CompletedProcess, check: bool) -> subprocess.CompletedProcess:
    if check and done.returncode:
        told = f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        pytest.fail(f"{' '.join(done.args)} ended with {done.returncode}:\n{told}")
    return done
