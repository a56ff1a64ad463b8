"""What is built once for all tests, however many processes they run in."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder that the first process to need it fills by calling `build(folder)`, while the others wait. Read only."""
    base = factory.getbasetemp()
    # pytest-xdist gives each of its processes a folder of its own in that of the whole run
    home = base.parent if base.name.startswith("popen-") else base
    folder, complete = home / name, home / f".{name}.complete"
    with open(home / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            build(folder)
            complete.touch()
    return folder
