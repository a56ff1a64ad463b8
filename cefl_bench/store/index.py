"""The packed-frame store on disk: shards of frames, plain .npy files, and the index that says whose frames they are.

A folder without `index.json` is not a store: the index is written last, so a half-finished store is never read.
"""

import json
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import write_text

FORMAT, VERSION = "cefl_bench packed frames", 2
"""The version rises when the layout changes, or when a reader makes other pixels of the same video."""
INDEX = "index.json"


class PackedVideo(NamedTuple):
    """Where the frames of a video are: `num_frames` from frame `start` of a shard on."""

    shard: int
    start: int
    num_frames: int
    crc32: int
    """Of the bytes of its frames."""
    source: str
    """The identity of the video when it was decoded (`sources.identities`)."""


@dataclass
class Index:
    """What is in a store. Videos are named by `sources.video_name`."""

    key: str
    """The name of the store's folder: who made the frames, and their size."""
    size: int
    """Height and width of a frame in pixels."""
    decoder: dict[str, str]
    """Versions of the libraries that decoded and scaled."""
    shards: dict[int, int] = field(default_factory=dict)
    """Number of a shard -> frames in it."""
    videos: dict[str, PackedVideo] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    """The videos that could not be decoded, and why: reading one decodes it, so that the error is the same."""


@lru_cache(maxsize=64)
def store_folder(data_root: str | Path, key: str) -> Path:
    """Where the store of a reader stands: beside the data."""
    return Path(data_root) / "packed" / key


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard_{number:04d}.npy"


def write_index(folder: Path, index: Index) -> None:
    """Write `index.json`: a line that tells format, version and checksum, and a line with the rest."""
    body = json.dumps(vars(index))
    header = {"format": FORMAT, "version": VERSION, "bytes": len(body), "crc32": zlib.crc32(body.encode())}
    write_text(folder / INDEX, f"{json.dumps(header)}\n{body}")


def read_index(folder: Path) -> Index:
    """Read `index.json`.

    Raises:
        UserError: naming the file, when it is damaged, of another version, or not of this folder.
    """
    path = folder / INDEX
    first, _, body = path.read_bytes().partition(b"\n")
    try:
        header = json.loads(first)
        form, version, length, crc32 = (header[name] for name in ("format", "version", "bytes", "crc32"))
    except (ValueError, TypeError, KeyError):
        raise refused(path, "its first line is damaged") from None
    if (form, version) != (FORMAT, VERSION):
        raise refused(path, f"it is {form!r} version {version!r}, this is version {VERSION}")
    if len(body) != length:
        raise refused(path, f"its second line has {len(body)} bytes instead of {length}")
    if zlib.crc32(body) != crc32:
        raise refused(path, "its checksum is wrong")
    index = Index(**json.loads(body))
    index.shards = {int(number): frames for number, frames in index.shards.items()}
    index.videos = {name: PackedVideo(*video) for name, video in index.videos.items()}
    if index.key != folder.name:
        raise refused(path, f"it is the index of {index.key!r}, so the folder was renamed")
    return index


def open_shard(path: Path, num_frames: int, size: int) -> np.memmap:
    """Map a shard: uint8 (F, H, W, C). Its header and its size are checked, its frames are not read.

    Raises:
        UserError: naming the file and what is wrong with it.
    """
    try:
        shard = np.lib.format.open_memmap(path, mode="r")
        expected, actual = shard.offset + shard.nbytes, path.stat().st_size
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise refused(path, reason) from None
    shape = (num_frames, size, size, 3)
    if shard.dtype != np.uint8 or shard.shape != shape:
        raise refused(path, f"it holds {shard.dtype} {shard.shape} instead of uint8 {shape}")
    if actual != expected:
        raise refused(path, f"it has {actual} bytes instead of {expected}")
    return shard


def crc32_of(path: Path, offset: int, num_bytes: int) -> int:
    """The CRC-32 of a part of a file; of a shorter part where the file ends before."""
    value = 0
    with open(path, "rb") as file:
        file.seek(offset)
        while num_bytes and (block := file.read(min(num_bytes, 1 << 20))):
            value, num_bytes = zlib.crc32(block, value), num_bytes - len(block)
    return value


def refused(path: Path, reason: str) -> UserError:
    """What is said of a store that is damaged: which file, what is wrong, what to do."""
    return UserError(
        f"packed frames {path} cannot be used ({reason}): delete the folder {path.parent} and run tools/pack.py again, "
        "or give --no-pack"
    )
