"""Reads every video once, each in a worker process that is given up when the video hangs or kills it."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import TimeoutError as TookTooLong  # another class than the builtin one before Python 3.11
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from pebble import ProcessExpired, ProcessPool

from cefl_bench.errors import UserError
from cefl_bench.files import described, list_images, sha256_of
from cefl_bench.functional.likeness import LOOK_SIDE, PICTURE_SIDE, small_pictures
from cefl_bench.media.survey import Survey, survey
from cefl_bench.parallel.workers import children_in_order
from cefl_bench.records import Entry, Frames
from cefl_bench.transforms.read import ReadAny, Reader

NUM_LOOKS = 8
"""Frames of a video that are compared with those of others, midway in equal segments."""
FRAMES_AT_ONCE = 64
Source = tuple[str, tuple[str, ...] | None]
"""The path of a video, and which images of it where it is a folder with more than one video."""
LOOKING: Sequence[Reader] = (ReadAny(size=LOOK_SIDE),)
"""Readers where a config has none."""
Fault = Literal["", "missing", "unreadable", "hangs", "kills"]
"""`hangs`: time was up; `kills`: the worker died."""


@dataclass(frozen=True)
class Probe:
    """What one video is found to be."""

    fault: Fault = ""
    reason: str = ""
    num_frames: int = -1
    stated_frames: int = -1
    """What the container says, -1 where it says nothing."""
    num_joints: int = 0
    """Where a stream goes on that was put together from pieces, or has gaps."""
    suffixes: tuple[str, ...] = ()
    """The formats of the images, where it is a folder."""
    digest: str = ""
    """SHA-256 of the content; names do not count."""
    pictures: np.ndarray = field(
        default_factory=lambda: np.zeros((NUM_LOOKS, PICTURE_SIDE, PICTURE_SIDE), np.uint8), repr=False
    )
    hashes: np.ndarray = field(default_factory=lambda: np.zeros(NUM_LOOKS, np.uint64), repr=False)


def probe_video(source: Source, every_frame: bool = True, readers: Sequence[Reader] = LOOKING) -> Probe:
    """Read a video exactly as training would, and hash its content.

    Args:
        every_frame: read all frames, instead of those that are compared and the last.
        readers: what reads it in training and in test; one where they are the same.
    """
    path, images = Path(source[0]), source[1]
    if not path.exists():
        return Probe("missing", f"{described(path)} does not exist")
    entry = Entry(name=path.name, label=0, path=str(path), num_frames=-1)
    if images is not None:
        entry["images"] = list(images)
    try:
        looks, num_frames = [], -1
        for reader in readers:
            frames = reader.decode(entry)
            looks, num_frames = _look(frames, every_frame), len(frames)
    except UserError as error:
        return Probe("unreadable", str(error))
    pictures, hashes = small_pictures(np.stack(looks))
    if path.is_dir():
        files = list_images(path) if images is None else [path / name for name in images]
        suffixes = {file.suffix.lower().replace(".jpeg", ".jpg") for file in files}
        digest = hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()
        return Probe("", "", num_frames, num_frames, 0, tuple(sorted(suffixes)), digest, pictures, hashes)
    found = survey(path)
    stated = _stated_frames(found, num_frames)
    return Probe("", "", num_frames, stated, found.num_joints, (), sha256_of(path), pictures, hashes)


def probe_all(
    readers_of: Mapping[Source, Sequence[Reader]],
    num_workers: int,
    timeout: float,
    every_frame: bool = True,
    probe: Callable[[Source, bool, Sequence[Reader]], Probe] = probe_video,
) -> Generator[Probe, None, None]:
    """Probe each of the videos by its readers, in their order, as they get done.

    Args:
        timeout: seconds for one video, after which its worker is killed and another takes its place.
    """
    if not readers_of:
        return
    # A fork server imports once and has no threads: a worker that was killed is replaced at once, and safely.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with children_in_order():
        forkserver.ensure_running()
    ready = context.Process(
        target=os.getpid
    )  # Ctrl-C while it imports ends the wait for this, and no pool is there yet
    ready.start()
    ready.join()
    pool = ProcessPool(num_workers, initializer=_start_worker, context=context)
    try:
        sources = list(readers_of)
        ways = [every_frame] * len(sources), list(readers_of.values())
        found = pool.map(probe, sources, *ways, timeout=timeout).result()
        for path, _ in sources:
            try:
                yield next(found)
            except TookTooLong:
                yield Probe("hangs", f"{path} was not read within {timeout:g} s")
            except ProcessExpired as error:
                yield Probe("kills", f"{path} killed the process that read it (exit code {error.exitcode})")
            except Exception as error:  # a file can go wrong in every way, and the others still want to be looked at
                yield Probe("unreadable", f"{path} cannot be read ({type(error).__name__}: {error})")
    finally:
        pool.stop()
        pool.join()


def _look(frames: Frames, every_frame: bool) -> list[np.ndarray]:
    """The frames to compare, `LOOK_SIDE` pixels wide and high; with `every_frame` all others are read as well.

    Raises:
        UserError: when one cannot be read.
    """
    chosen = ((np.arange(NUM_LOOKS) + 0.5) * len(frames) / NUM_LOOKS).astype(np.int64)
    wanted = np.arange(len(frames)) if every_frame else np.unique(np.append(chosen, len(frames) - 1))
    looks: dict[int, np.ndarray] = {}
    for start in range(0, len(wanted), FRAMES_AT_ONCE):
        part = wanted[start : start + FRAMES_AT_ONCE]
        for index, frame in zip(part, frames.fetch(part), strict=True):
            if index in chosen:
                looks[index] = cv2.resize(frame, (LOOK_SIDE, LOOK_SIDE), interpolation=cv2.INTER_AREA)
    return [looks[index] for index in chosen]


def _stated_frames(found: Survey, num_frames: int) -> int:
    """How many frames the header of a video file promises, -1 where it promises none.

    A file that has all its packets keeps its promise: an edit list may hide frames, an encoder may leave some out. A
    duration (FLV) is no exact number, and counts where a tenth of it is missing.
    """
    promised = found.stated_places
    if not promised and found.num_places < 0.9 * found.about - 1:
        promised = found.about
    if not promised:
        return -1
    return num_frames if found.num_places >= promised else promised


def _start_worker() -> None:
    cv2.setNumThreads(0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # stderr: decoders complain there, in their own words
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A worker that hangs would outlive a killed parent."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is a worker"
    parent.join()
    os._exit(1)
