"""A folder for the time of one server: nobody else looks into it, and it goes even after a kill, at the next start."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "cefl_bench_page_"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new folder in the system's folder for temporary files, for this user alone; it is removed at the end.

    What killed servers left is removed first. A server holds a lock on its folder, which falls with the process.
    """
    sweep()
    folder, held = _locked_folder()
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(held)


def sweep() -> None:
    """Remove the folders of servers that are gone, and of this user alone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        held = _lock(folder)
        if held is not None:
            _remove(folder)
            os.close(held)


def _remove(folder: Path) -> None:
    """Remove a folder, even while a thread still writes into it: by its old path, nothing gets into it any more."""
    with suppress(OSError):
        folder = folder.rename(folder.with_name(f"{folder.name}_gone"))
    shutil.rmtree(folder, ignore_errors=True)


def _locked_folder() -> tuple[Path, int]:
    """A new folder, and the open file that locks it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = _lock(folder)
        if held is not None and folder.exists():
            return folder, held
        if held is not None:  # a server that starts right now swept it before we held it
            os.close(held)


def _lock(folder: Path) -> int | None:
    """Lock a folder: the open file that holds the lock; None where another holds it, or it is not ours to remove."""
    with suppress(OSError):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(held).st_uid == os.geteuid():
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return held
        except OSError:
            pass
        os.close(held)
    return None
