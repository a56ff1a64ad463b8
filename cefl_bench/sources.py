"""Source identity: what a video's file or folder holds, told by its content and not by its name, size or date.

Packed frames, crops, fingerprints, resumed runs and finished jobs are compared by it. The whole content is hashed, not
samples of it: the clips of the corpora are small, training reads every byte anyway, and a damaged middle counts. The
hashes are kept in a small cache beside the data, so that only the first use reads everything.
"""

import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from tqdm import tqdm

from cefl_bench.files import image_entries, list_images, sha256_of, write_text

CACHE = ".source_identities.json"
CACHE_VERSION = 1
CROP_RECORD = "crop.json"
"""In a folder of crops: the rule they were made by, and of which video. It is part of the folder's identity."""
CROP_RULE = "rule.json"
"""In the folder of all crops of a corpus: the rule they were made by."""
MISSING = "missing"
MIN_AGE_NS = 2 * 10**9
"""Nanoseconds that a file must have been left alone before its hash is kept: a younger one may change again within
a tick of the clock without a trace. Some file systems count time in steps of two seconds."""
NUM_THREADS = 8
"""Hashing and reading do not hold Python's lock, and over a network most of the time is waiting."""
NUM_AT_ONCE = 16
"""Videos that a thread takes at a time, because handing over one costs more than looking at it."""
SILENT_SECONDS = 5
"""After that, a progress bar says what takes so long."""

Cache = dict[str, list[str]]
"""Name of a video -> its state when it was hashed, and its identity."""


def video_name(root: Path, entry: Mapping[str, Any]) -> str:
    """The path of a video relative to the data root, and which images of it where the entry says so."""
    path, above = str(entry["path"]), f"{root}/"
    # what Path does, but far faster: this is asked of every clip of every epoch
    plain = path.startswith(above) and "//" not in path and "/./" not in path
    name = path[len(above) :] if plain else Path(path).relative_to(root).as_posix()
    return f"{name}: {', '.join(entry['images'])}" if "images" in entry else name


def identities(root: Path, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The identity of the video of every entry (`path`, and `images` where it has them), in their order.

    That of a file is the SHA-256 of its content. That of a folder is a hash over the contents of its images in the
    order they are read; their names do not count. A video that is not there is `missing`; of one that may not be read,
    the reason stands in its place.

    Args:
        root: the data root, where all paths start and the cache stands.
    """
    places = _cache_places(root)
    caches = [_read(place) for place in places]
    hashed: Cache = {}

    def identify(entry: Mapping[str, Any]) -> str:
        name, path, images = video_name(root, entry), Path(entry["path"]), entry.get("images")
        now = time.time_ns()
        try:
            state, written = _state_of(path, images)
            for cache in caches:
                if name in cache and cache[name][0] == state:
                    return cache[name][1]
            identity = _hash(path, images)
        except (FileNotFoundError, NotADirectoryError):  # the latter also where it is a pipe or a device
            return MISSING
        except OSError as error:
            return f"unreadable: {error.strerror}"
        if now - written > MIN_AGE_NS:
            hashed[name] = [state, identity]
        return identity

    stop = Event()

    def identify_part(part: Sequence[Mapping[str, Any]]) -> list[str]:
        return [MISSING if stop.is_set() else identify(entry) for entry in part]

    found: list[str] = []
    with (
        ThreadPoolExecutor(NUM_THREADS) as threads,
        tqdm(total=len(entries), desc="identifying", unit="video", delay=SILENT_SECONDS, disable=None) as bar,
    ):
        parts = [entries[start : start + NUM_AT_ONCE] for start in range(0, len(entries), NUM_AT_ONCE)]
        try:
            for identified in threads.map(identify_part, parts):
                found += identified
                bar.update(len(identified))
        except BaseException:  # such as Ctrl-C, which does not wait for the parts that the threads are at
            stop.set()
            raise
    if hashed:
        _keep(places, hashed)
    return found


def _state_of(path: Path, images: Iterable[str] | None) -> tuple[str, int]:
    """What tells without reading a video that it was not written to: a key, and the last time it was, in nanoseconds.

    Raises:
        FileNotFoundError, NotADirectoryError: when there is nothing that could be read as a video.
        OSError: when looking is not allowed, or an image is a pipe or a device.
    """
    if path.is_file():
        states = {path.name: path.stat()}
    elif images is None:
        states = {image.name: image.stat() for image in image_entries(path)}
    else:
        states = {name: (path / name).stat() for name in images}
    with suppress(FileNotFoundError, NotADirectoryError):
        states[CROP_RECORD] = (path / CROP_RECORD).stat()
    for name, one in states.items():
        if not stat.S_ISREG(one.st_mode):
            raise OSError(errno.EINVAL, f"{name} is no file")  # opening a pipe would wait until somebody writes to it
    # the change time too: a file that takes another's place can have its date, but not that
    lines = [f"{name}\t{one.st_size}\t{one.st_mtime_ns}\t{one.st_ctime_ns}" for name, one in states.items()]
    written = max((max(one.st_mtime_ns, one.st_ctime_ns) for one in states.values()), default=0)
    return hashlib.sha256(os.fsencode("\n".join(sorted(lines)))).hexdigest()[:32], written


def _hash(path: Path, images: Iterable[str] | None) -> str:
    if path.is_file():
        return sha256_of(path)
    files = list_images(path) if images is None else [path / name for name in images]
    if (path / CROP_RECORD).is_file():
        files.append(path / CROP_RECORD)
    return hashlib.sha256("".join(map(sha256_of, files)).encode()).hexdigest()


def _cache_places(root: Path) -> list[Path]:
    """Where the cache may stand: beside the data, else in the user's own cache folder."""
    places = [root / CACHE]
    with suppress(RuntimeError):  # there is no home folder
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        places.append(caches / "cefl_bench" / f"{name}.json")
    return places


def _read(place: Path) -> Cache:
    """The cache in a file; an empty one where there is none, or none that makes sense."""
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        known = content["videos"] if content["version"] == CACHE_VERSION else {}
        return {name: [state, identity] for name, (state, identity) in known.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _keep(places: Sequence[Path], hashed: Cache) -> None:
    """Add to the cache in the first place that can be written; where none can, the next start hashes again.

    Another process may do the same at this moment: the file is whole at any time, and what of one is lost is hashed
    again.
    """
    for place in places:
        known = _read(place) | hashed  # read again, because others may have added to it meanwhile
        with suppress(OSError):
            write_text(place, json.dumps({"version": CACHE_VERSION, "videos": known}))
            return
