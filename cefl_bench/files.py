"""Files: written whole or not at all, listed in one order, named by their hash, and never outside the data root."""

import fcntl
import functools
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import msgspec

from cefl_bench.errors import UserError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".dib", ".gif"}
    | {".jp2", ".hdr", ".pic", ".pbm", ".pgm", ".ppm", ".pnm", ".pxm", ".ras", ".sr"}
)
"""The formats of images that OpenCV decodes to 8 bits, in lower case."""
TEMPORARY = re.compile(r"\..+\.\d+\.tmp(\.[^.]*)?")
"""The names that `atomic_path` gives."""

Kind = TypeVar("Kind")


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; on success it takes the name `path`, on any error it vanishes.

    A reader, or a run after a kill, sees the old file or the new one, never half of one. The folder is made if needed,
    and the suffix is kept because encoders choose the format by it. What killed processes left in the folder is removed
    when a process first writes there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_once(path.parent.absolute())
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        with open(temporary, "ab") as held:
            _lock(held)
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: str | Path) -> None:
    """Remove the temporary files in a folder whose writers are gone.

    A writer holds a lock on its file, which falls with the process, on whichever machine of a shared disk it was.
    """
    for leftover in Path(folder).glob(".*.tmp*"):
        if TEMPORARY.fullmatch(leftover.name):
            with suppress(OSError), open(leftover, "ab") as held:
                if _lock(held):
                    leftover.unlink(missing_ok=True)


@functools.cache
def sweep_once(folder: Path) -> None:
    """`sweep` a folder the first time that this process asks for it."""
    sweep(folder)


def _lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; False where another process holds it, or the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path | None, values: Any) -> None:
    """Write values as JSON, atomically, where a path is given. A NaN is our own mistake, and an error."""
    if path is not None:
        write_text(path, json.dumps(values, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path, remedy: str) -> Any:
    """The content of a JSON file. NaN, infinite numbers and half a character are not JSON.

    Raises:
        UserError: naming the file, and what to do (`remedy`), where it cannot be read.
    """
    path = Path(path)
    if not path.is_file():  # a folder, or a pipe, which would be waited for
        raise UserError(f"{path} is not there, or is no file: {remedy}")
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON ({_first_line(error)}): {remedy}") from None


def check_kind(value: Any, kind: type[Kind], path: str | Path, expected: str, remedy: str) -> Kind:
    """The value itself, fields and all, where it is what a type says; fields that the type does not know are let be.

    Args:
        path, expected: which file it is from, and what that was meant to be; for the message.

    Raises:
        UserError: naming the field that is missing or of another kind.
    """
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        wrong, _, field = _first_line(error).replace("`", "").partition(" - at ")
        wrong = wrong.replace("Object missing required field", "there is no").replace("Expected", "expected")
        where = field.removeprefix("$").removeprefix(".")
        raise UserError(f"{path} is not {expected} ({where and f'{where}: '}{wrong}): {remedy}") from None
    return cast(Kind, value)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def check_writable(option: str, path: str | None) -> None:
    """Refuse a path that cannot be written, before the time for measuring is spent.

    Args:
        option: what the user called it by, such as `--json`; for the message.
    """
    if path is None:
        return
    if Path(path).is_dir():
        raise UserError(f"{option} {path!r} is a folder: name a file")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=Path(path).parent).close()
    except OSError as error:
        raise UserError(f"{option} {path!r} cannot be written ({error.strerror})") from None


def check_folder(folder: str | Path) -> None:
    """Refuse a folder for results that cannot be written to, before the time for them is spent; it is not made yet.

    Raises:
        UserError: naming it, and the option for another one.
    """
    try:
        there = next(place for place in (Path(folder), *Path(folder).parents) if place.exists())
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise UserError(f"{str(folder)!r} cannot be written to ({error.strerror}): name a folder with --out") from None


def check_file(path: str | Path, what: str, expected: str) -> None:
    """Refuse what is no file, by one line.

    Raises:
        UserError: such as "checkpoint 'x.pth' does not exist: expected a .pth file".
    """
    if not Path(path).is_file():
        raise UserError(f"{what} {str(path)!r} does not exist: expected {expected}")


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # a buffer would cost small files half of the time
        while block := file.read(1 << 16):
            digest.update(block)
    return digest.hexdigest()


def list_folder(folder: str | Path) -> list[Path]:
    """The files and folders in a folder, in natural order, without hidden ones (`.DS_Store`, `._clip.mp4`)."""
    return [Path(entry) for entry in sorted(_visible(folder), key=lambda entry: natural_order(entry.name))]


def list_images(folder: str | Path) -> list[Path]:
    """The images in a folder that are the frames of a video, in natural order.

    Everything that reads, counts or hashes the images of a folder asks here. A link that leads nowhere is listed, so
    that reading it says what is wrong.
    """
    return [Path(entry) for entry in sorted(image_entries(folder), key=lambda entry: natural_order(entry.name))]


def image_entries(folder: str | Path) -> "list[os.DirEntry[str]]":
    """What `list_images` lists, in no order, as the system tells it: for who looks only at sizes and dates."""
    found = _visible(folder)
    return [entry for entry in found if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not entry.is_dir()]


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A key that sorts names by the numbers in them, as people count: `2.jpg` before `10.jpg`."""
    parts: list[str | int] = list(re.split(r"(\d+)", name.casefold()))  # text at even places, digits at odd ones
    for place in range(1, len(parts), 2):
        parts[place] = int(parts[place])
    return parts, name


def list_tree(folder: str | Path, suffix: str) -> list[Path]:
    """The files of a suffix (in lower case) in a folder and all folders below it, without hidden ones.

    Folders that are links are looked into, each real folder once.
    """
    files: list[Path] = []
    seen: set[Path] = set()
    waiting = [Path(folder)]
    while waiting:
        here = waiting.pop()
        if here.resolve() in seen:
            continue
        seen.add(here.resolve())
        for entry in _visible(here):
            path = Path(entry)
            if entry.is_dir():
                waiting.append(path)
            elif path.suffix.lower() == suffix:
                files.append(path)
    return files


def _visible(folder: str | Path) -> "list[os.DirEntry[str]]":
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def checkout() -> Path | None:
    """The checkout that this package is part of; None where the package was installed without it."""
    folder = Path(__file__).parents[1]
    return folder if (folder / "configs").is_dir() and (folder / "pyproject.toml").is_file() else None


def data_home() -> Path:
    """Where relative data roots start: `$CEFL_BENCH_DATA`, else `data/` in the checkout, else `data/` in the current
    folder."""
    if home := os.environ.get("CEFL_BENCH_DATA"):
        return expanded(home)
    return (checkout() or Path.cwd()) / "data"


def corpus_root(root: str | Path) -> Path:
    """Where a corpus lies: `~` is the user's home, a relative path starts at `data_home()`."""
    return data_home() / expanded(root)


def told_home(root: str | Path) -> str:
    """For messages: what decided where a relative data root starts."""
    if not corpus_root(root).is_relative_to(data_home()):
        return ""
    if "CEFL_BENCH_DATA" in os.environ:
        return f" (data_root {root!r} in the folder that CEFL_BENCH_DATA names)"
    return f" (data_root {root!r} in {data_home()}: set CEFL_BENCH_DATA where your data lie elsewhere)"


def expanded(path: str | Path) -> Path:
    """A path as a shell understands it: with the home of a user for `~`, where there is such a user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111, Path's own raises where there is none


def described(path: Path) -> str:
    """A path that is not there, for messages: with the link in it that leads nowhere, where there is one."""
    for part in (*reversed(path.parents), path):
        if part.is_symlink() and not part.exists():
            name = "" if part == path else f"{part} is "
            return f"{path} ({name}a link to {part.readlink()}, where nothing is)"
    return str(path)


def inside(root: str | Path, relative: str) -> Path:
    """Join a path that a data file names to the data root.

    It goes by the names in the path alone: a folder below the data root that its owner made a link to another disk is
    followed, but no name in a list leads out.

    Raises:
        UserError: when the result would lie outside `root` (an absolute path, or too many `..`), or is no path.
    """
    root = Path(root)
    if not relative or "\0" in relative:
        raise UserError(f"path {relative[:100]!r} names no file below the data root {str(root)!r}: correct the list")
    # without `..` before the system sees it: behind a link, `..` is the folder above the link's target
    inner = os.path.normpath(relative)
    if Path(relative).is_absolute() or Path(inner).parts[:1] == ("..",):
        raise UserError(
            f"path {relative[:100]!r} leaves the data root {str(root)!r}: expected a path relative to the data root; "
            "edit the list that names it"
        )
    return root / inner
