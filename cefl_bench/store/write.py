"""Packing: every video decoded once, with all cores, into its place in a shard. A stopped run goes on where it was."""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import sweep, write_text
from cefl_bench.parallel.workers import Workers, alone_in
from cefl_bench.records import Frames
from cefl_bench.store.index import INDEX, Index, PackedVideo, crc32_of, open_shard, shard_path, write_index
from cefl_bench.store.plan import JOURNAL, PLAN, Plan, allocate, journal_of, lay_out, read_plan, write_plan
from cefl_bench.store.read import Store

NUM_FRAMES_AT_ONCE = 64
"""Decoded and written together; a long video as a whole would fill the memory."""


@dataclass
class Corpus:
    """The videos that are to be packed."""

    entries: Mapping[str, Mapping[str, Any]]
    """`video_name` -> what a reader needs of the entry: `path`, `num_frames`, and `images` where it has them."""
    identities: Mapping[str, str]
    """`video_name` -> the identity of the video before it is decoded; one that changes meanwhile is packed again."""
    decode: Callable[[Mapping[str, Any]], Frames]
    """Entry -> its frames; travels to other processes."""


def pack_videos(folder: Path, corpus: Corpus, blank: Index, num_workers: int) -> Index:
    """Bring the store in `folder` up to date: pack the videos that are new in it, or changed, or were unreadable.

    What it holds of other videos stays. The bytes do not depend on the number of workers, nor on kills in between.

    Args:
        blank: an index without videos.

    Raises:
        UserError: when the disk is full or cannot be written, another run is packing, or the store there is damaged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder, "packing into", "end it"):
            index = _packed_so_far(folder, blank)
            missing = {
                name: identity
                for name, identity in sorted(corpus.identities.items())
                if name not in index.videos or index.videos[name].source != identity
            }
            if missing:
                with Workers(num_workers) as workers:
                    index = _pack(folder, index, missing, corpus, workers)
            return index
    except OSError as error:
        raise UserError(
            f"cannot write {str(error.filename or folder)!r}: {error.strerror or error}; packed frames stand beside "
            "the data: to have them elsewhere, copy the data and set CEFL_BENCH_DATA"
        ) from None


def _packed_so_far(folder: Path, blank: Index) -> Index:
    sweep(folder)
    if not (folder / INDEX).exists():
        return blank
    index = Store(folder).index
    if index.decoder == blank.decoder:
        return index
    print("the decoder is another version: packing all again", flush=True)
    (folder / INDEX).unlink()
    return blank


def _pack(folder: Path, index: Index, missing: dict[str, str], corpus: Corpus, workers: Workers) -> Index:
    """Pack the videos in `missing`, which holds their identities, and write the index that has them."""
    plan = read_plan(folder, index, missing)
    if plan is None:
        _tidy(folder, index)
        jobs = [(corpus.decode, corpus.entries[name]) for name in missing]
        plan = lay_out(index, missing, workers.spread(_count, jobs, list(missing), "counting frames"))
        write_plan(folder, plan)
    allocate(folder, plan, index.size)
    checksums, unreadable = _fill(folder, plan, index.size, corpus, workers)
    videos = {name: video for name, video in index.videos.items() if name not in missing}
    for name, crc32 in checksums.items():
        videos[name] = PackedVideo(*plan.places[name], crc32, missing[name])
    used = {video.shard for video in videos.values()}
    for number in sorted(used & set(plan.shards)):
        with open(shard_path(folder, number), "rb") as shard:
            os.fsync(shard)  # an index never names frames that a power cut can take back
    shards = {number: frames for number, frames in (index.shards | plan.shards).items() if number in used}
    others = {name: reason for name, reason in index.unreadable.items() if name not in corpus.entries}
    index = replace(index, shards=shards, videos=dict(sorted(videos.items())), unreadable=others | unreadable)
    write_index(folder, index)
    _tidy(folder, index)
    return index


def _fill(
    folder: Path, plan: Plan, size: int, corpus: Corpus, workers: Workers
) -> tuple[dict[str, int], dict[str, str]]:
    """Write the planned shards: the checksum of every video, and why some have none."""
    known = journal_of(folder)
    if known:
        print(f"{len(known)} videos were packed before", flush=True)
    header = {
        number: open_shard(shard_path(folder, number), plan.shards[number], size).offset for number in plan.shards
    }
    jobs, names = [], list(plan.places)
    for name in names:
        number, start, num_frames = plan.places[name]
        place = (shard_path(folder, number), header[number] + start * size**2 * 3, num_frames, size)
        jobs.append((corpus.decode, corpus.entries[name], *place, known.get(name)))
    checksums, unreadable = {}, dict(plan.unreadable)
    # written anew, because a kill may have left half a line
    write_text(folder / JOURNAL, "".join(json.dumps([name, crc32]) + "\n" for name, crc32 in known.items()))
    with open(folder / JOURNAL, "a", encoding="utf-8") as journal:

        def note(job: int, result: int | str) -> None:
            name = names[job]
            if isinstance(result, str):
                unreadable[name] = result
                return
            checksums[name] = result
            if known.get(name) != result:
                journal.write(json.dumps([name, result]) + "\n")
                journal.flush()

        workers.spread(_pack_one, jobs, names, "packing", done=note)
    return checksums, unreadable


def _count(decode: Callable[[Mapping[str, Any]], Frames], entry: Mapping[str, Any]) -> int | str:
    """The frames of a video, or why it cannot be read."""
    try:
        return len(decode(entry))
    except UserError as error:
        return str(error)


def _pack_one(
    decode: Callable[[Mapping[str, Any]], Frames],
    entry: Mapping[str, Any],
    shard: Path,
    offset: int,
    num_frames: int,
    size: int,
    known: int | None,
) -> int | str:
    """Write the frames of a video to its place: their checksum, or why it cannot be read."""
    # not taken on trust: after a power cut the journal may be there and the frames not
    if known is not None and crc32_of(shard, offset, num_frames * size**2 * 3) == known:
        return known
    crc32 = 0
    try:
        frames = decode(entry)
        if len(frames) != num_frames:
            return f"video {entry['path']} has {len(frames)} frames and had {num_frames} a moment ago: leave it alone"
        with open(shard, "r+b") as file:
            file.seek(offset)
            for begin in range(0, num_frames, NUM_FRAMES_AT_ONCE):
                chunk = frames.fetch(np.arange(begin, min(begin + NUM_FRAMES_AT_ONCE, num_frames)))
                assert chunk.shape[1:] == (size, size, 3) and chunk.dtype == np.uint8
                file.write(chunk.data)
                crc32 = zlib.crc32(chunk.data, crc32)
    except UserError as error:
        return str(error)
    return crc32


def _tidy(folder: Path, index: Index) -> None:
    """Remove what no index names: what an abandoned run left, and shards whose videos have all changed."""
    for name in (PLAN, JOURNAL):
        (folder / name).unlink(missing_ok=True)
    for path in folder.glob("shard_*.npy"):
        if path not in {shard_path(folder, number) for number in index.shards}:
            path.unlink()
