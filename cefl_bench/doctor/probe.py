"""Reads every video once, each in a worker process that is given up when the video hangs or kills it."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as TookTooLong  # another class than the builtin one before Python 3.11
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from pebble import ProcessExpired, ProcessPool

from cefl_bench.errors import UserError
from cefl_bench.files import list_images, sha256_of
from cefl_bench.functional.likeness import SIDE, SMALL, small_pictures
from cefl_bench.media.survey import survey
from cefl_bench.transforms.read import Frames, ImageFrames, VideoFrames

NUM_LOOKS = 8
"""Frames of a video that are compared with those of others, midway in equal segments."""
AT_ONCE = 64
Source = tuple[str, tuple[str, ...] | None]
"""The path of a video, and which images of it where it is a folder with more than one video."""


@dataclass(frozen=True)
class Probe:
    """What one video is found to be."""

    fault: str = ""
    """Empty; `missing`, `unreadable`; `hangs`, when time was up; `kills`, when the worker died."""
    reason: str = ""
    is_folder: bool = False
    num_frames: int = -1
    stated_frames: int = -1
    """What the container says, -1 where it says nothing."""
    digest: str = ""
    """SHA-256 of the content, whatever the names."""
    pictures: np.ndarray = field(default_factory=lambda: np.zeros((NUM_LOOKS, SMALL, SMALL), np.uint8), repr=False)
    hashes: np.ndarray = field(default_factory=lambda: np.zeros(NUM_LOOKS, np.uint64), repr=False)


def probe_video(source: Source, every_frame: bool = True) -> Probe:
    """Open a video as training would, read its frames (or `NUM_LOOKS` of them), and hash its content."""
    path, images = Path(source[0]), source[1]
    if not path.exists():
        return Probe("missing", f"{path} does not exist")
    is_folder = path.is_dir()
    try:
        frames = ImageFrames(str(path), SIDE, images=images) if is_folder else VideoFrames(str(path), SIDE)
        looks = _look(frames, every_frame)
    except UserError as error:
        return Probe("unreadable", str(error), is_folder)
    pictures, hashes = small_pictures(looks)
    stated = len(frames) if is_folder else _stated_frames(path, len(frames))
    digest = _folder_digest(path, images) if is_folder else sha256_of(path)
    return Probe("", "", is_folder, len(frames), stated, digest, pictures, hashes)


def probe_all(
    sources: Sequence[Source],
    num_workers: int,
    timeout: float,
    every_frame: bool = True,
    probe: Callable[[Source, bool], Probe] = probe_video,
) -> Iterator[Probe]:
    """Probe each of the sources, in their order, as they get done.

    Args:
        timeout: seconds for one video, after which its worker is killed and another takes its place.
    """
    if not sources:
        return
    # A fork server imports once and has no threads: a worker that was killed is replaced at once, and safely.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcessPool(num_workers, initializer=_start_worker, context=context)
    try:
        found = pool.map(probe, sources, [every_frame] * len(sources), timeout=timeout).result()
        for source in sources:
            try:
                yield next(found)
            except TookTooLong:
                yield Probe("hangs", f"{source[0]} was not read within {timeout:g} s")
            except ProcessExpired as error:
                yield Probe("kills", f"{source[0]} killed the process that read it (exit code {error.exitcode})")
            except Exception as error:  # a file can go wrong in every way, and the others still want to be looked at
                yield Probe("unreadable", f"{source[0]} cannot be read ({type(error).__name__}: {error})")
    finally:
        pool.stop()
        pool.join()


def _look(frames: Frames, every_frame: bool) -> np.ndarray:
    """The frames to compare; with `every_frame` all others are read as well.

    Raises:
        UserError: when one cannot be read.
    """
    chosen = ((np.arange(NUM_LOOKS) + 0.5) * len(frames) / NUM_LOOKS).astype(np.int64)
    if not every_frame:
        return frames.fetch(np.append(chosen, len(frames) - 1))[:-1]
    looks = np.empty((NUM_LOOKS, SIDE, SIDE, 3), dtype=np.uint8)
    for start in range(0, len(frames), AT_ONCE):
        part = frames.fetch(np.arange(start, min(start + AT_ONCE, len(frames))))
        here = (chosen >= start) & (chosen < start + AT_ONCE)
        looks[here] = part[chosen[here] - start]
    return looks


def _stated_frames(path: Path, num_frames: int) -> int:
    """How many frames the header of a video file promises, -1 where it promises none.

    A file that has all its packets keeps its promise: an edit list may hide frames, an encoder may leave some out. A
    duration (FLV) is no exact number, and counts where a tenth of it is missing.
    """
    found = survey(path)
    promised = found.stated_places
    if not promised and found.num_places < 0.9 * found.about - 1:
        promised = found.about
    if not promised:
        return -1
    return num_frames if found.num_places >= promised else promised


def _folder_digest(path: Path, images: tuple[str, ...] | None) -> str:
    files = list_images(path) if images is None else [path / name for name in images]
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()


def _start_worker() -> None:
    cv2.setNumThreads(0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # stderr: decoders complain there, in their own words
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A worker that hangs would outlive a killed parent for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
