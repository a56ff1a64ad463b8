"""Reading packed frames: a copy out of a memory-mapped file, with nothing to decode."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.sources import video_name
from cefl_bench.store.index import INDEX, PackedVideo, crc32_of, open_shard, read_index, shard_path


class PackedFrames:
    """The frames of one video, as a part of a shard.

    Args:
        first: the row of the first one, where the frames of all shards lie one after the other.
    """

    def __init__(self, frames: np.ndarray, first: int = 0) -> None:
        self._frames, self.first = frames, first

    def __len__(self) -> int:
        return len(self._frames)

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """(n,) frame indices, any order, repeats allowed -> uint8 (n, H, W, C), RGB."""
        return self._frames.take(indices, axis=0)

    def fetch_into(self, place: np.ndarray, indices: np.ndarray) -> None:
        """The same, written to a place (n, H, W, C)."""
        self.rows(indices)  # `take` in a mode that does not check takes no detour
        self._frames.take(indices, axis=0, out=place, mode="clip")

    def rows(self, indices: np.ndarray) -> np.ndarray:
        """(n,) frame indices -> int64 (n,), the rows of these frames among those of all shards."""
        listed = indices.tolist()  # a few numbers: NumPy's own minimum takes longer to call than to find
        if min(listed) < 0 or max(listed) >= len(self._frames):
            raise IndexError(f"frames {min(listed)}..{max(listed)} of a video of {len(self._frames)}")
        return indices + self.first


class Store:
    """The packed frames of a corpus, for one reader and one size.

    Raises:
        UserError: when the index or a shard is damaged or of another version, naming the file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder.parents[1]
        self.index = read_index(folder)
        self._shards: dict[int, np.memmap] = {
            number: open_shard(shard_path(folder, number), frames, self.index.size)
            for number, frames in self.index.shards.items()
        }
        # a plain array indexes faster than a memmap
        self._frames = {number: shard.view(np.ndarray) for number, shard in self._shards.items()}
        self._first: dict[int, int] = {}
        """Number of a shard -> the row of its first frame, where the frames of all shards lie one after the other."""
        self.num_frames = 0
        for number in sorted(self._frames):
            self._first[number] = self.num_frames
            self.num_frames += len(self._frames[number])

    def frames(self, entry: Mapping[str, Any]) -> PackedFrames | None:
        """The frames of the video of an entry; None where they must be decoded."""
        video = self.index.videos.get(video_name(self.root, entry))
        if video is None:
            return None
        frames = self._frames[video.shard][video.start : video.start + video.num_frames]
        return PackedFrames(frames, self._first[video.shard] + video.start)

    def num_bytes(self) -> int:
        """Of all frames."""
        return self.num_frames * self.index.size**2 * 3

    def parts(self, num_frames: int) -> Iterator[np.ndarray]:
        """All frames in the order of their rows, at most so many at a time: uint8 (n, H, W, C)."""
        for number in sorted(self._frames):
            shard = self._frames[number]
            for start in range(0, len(shard), num_frames):
                yield shard[start : start + num_frames]

    def check_sources(
        self, entries: Sequence[Mapping[str, Any]], identities: Sequence[str], decoder: Mapping[str, str]
    ) -> None:
        """Compare the store with the videos it was made of.

        Args:
            identities: of the video of every entry, as it is now (`sources.identities`).
            decoder: the versions that would decode now.

        Raises:
            UserError: when it does not give the frames that decoding would.
        """
        if self.index.decoder != dict(decoder):
            raise self._stale(f"it was made with {_versions(self.index.decoder)}, here are {_versions(decoder)}")
        changed = [
            entry["path"]
            for entry, identity in zip(entries, identities, strict=True)
            if not self._is_fresh(entry, identity)
        ]
        if changed:
            raise self._stale(f"{len(changed)} videos are new or have changed since, such as {changed[0]}")

    def place(self, video: PackedVideo) -> tuple[Path, int, int]:
        """The file of a video's frames, and their offset and number of bytes in it."""
        shard = self._shards[video.shard]
        frame = self.index.size**2 * 3
        path = shard_path(self.folder, video.shard)
        return path, shard.offset + video.start * frame, video.num_frames * frame

    def _is_fresh(self, entry: Mapping[str, Any], identity: str) -> bool:
        name = video_name(self.root, entry)
        video = self.index.videos.get(name)
        if video is None:  # it is decoded, and shows then whether it can be read by now
            return name in self.index.unreadable
        return video.source == identity

    def _stale(self, reason: str) -> UserError:
        return UserError(
            f"packed frames {self.folder} are out of date ({reason}): run tools/pack.py again, or give --no-pack"
        )


def open_store(folder: Path) -> Store | None:
    """The store in a folder, opened once per process; None where there is none."""
    try:
        state = os.stat(f"{folder}/{INDEX}")  # noqa: PTH116, Path's own takes five times as long, for every clip
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _opened(folder, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=4)
def _opened(folder: Path, *_: int) -> Store:
    return Store(folder)


def is_intact(path: Path, offset: int, num_bytes: int, crc32: int) -> bool:
    return crc32_of(path, offset, num_bytes) == crc32


def _versions(decoder: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in decoder.items())
