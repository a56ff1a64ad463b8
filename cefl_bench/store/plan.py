"""Which frames go where. This is decided, and the disk space reserved, before the first video is decoded."""

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path, write_text
from cefl_bench.store.index import VERSION, Index, shard_path

PLAN, JOURNAL = "plan.json", "packed.jsonl"
MAX_SHARD_BYTES = 2**30
"""Only a single video that is larger makes a larger shard."""


@dataclass
class Plan:
    """The places of the videos that are to be packed, in new shards."""

    version: int
    decoder: dict[str, str]
    missing: dict[str, str]
    """Every video that is to be packed -> its source identity; a plan holds for exactly these."""
    shards: dict[int, int]
    """Number of a new shard -> frames in it."""
    places: dict[str, tuple[int, int, int]]
    """Video -> (shard, first frame there, number of frames)."""
    unreadable: dict[str, str]


def lay_out(index: Index, missing: dict[str, str], counts: Sequence[int | str]) -> Plan:
    """Give every video a place; `counts` holds the frames of each, or why they cannot be counted."""
    most = MAX_SHARD_BYTES // (index.size**2 * 3)
    shards: dict[int, int] = {}
    places: dict[str, tuple[int, int, int]] = {}
    unreadable: dict[str, str] = {}
    number = max(index.shards, default=-1)
    for name, count in zip(missing, counts, strict=True):
        if isinstance(count, str):
            unreadable[name] = count
            continue
        if not shards or shards[number] + count > most:
            number += 1
            shards[number] = 0
        places[name] = (number, shards[number], count)
        shards[number] += count
    return Plan(VERSION, index.decoder, missing, shards, places, unreadable)


def write_plan(folder: Path, plan: Plan) -> None:
    write_text(folder / PLAN, json.dumps(dataclasses.asdict(plan)))


def read_plan(folder: Path, index: Index, missing: dict[str, str]) -> Plan | None:
    """The plan of the run that was stopped here; None where it does not fit any more."""
    try:
        plan = Plan(**json.loads((folder / PLAN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    plan.shards = {int(number): frames for number, frames in plan.shards.items()}
    fits = (plan.version, plan.decoder, plan.missing) == (VERSION, index.decoder, missing)
    return plan if fits and not set(plan.shards) & set(index.shards) else None


def journal_of(folder: Path) -> dict[str, int]:
    """The videos that the run which was stopped here had packed -> their checksums."""
    done = {}
    try:
        lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            name, crc32 = json.loads(line)
        except ValueError:  # the line that the kill cut
            continue
        done[name] = crc32
    return done


def allocate(folder: Path, plan: Plan, size: int) -> None:
    """Make the shards that are not there yet, zeros in their full size: a disk that is too small says so here.

    Raises:
        UserError: when the free space is too small.
        OSError: when the disk refuses nevertheless; the new shards are removed then.
    """
    new = {
        shard_path(folder, number): (frames, size, size, 3)
        for number, frames in plan.shards.items()
        if not shard_path(folder, number).exists()
    }
    need, free = sum(int(np.prod(shape)) for shape in new.values()), shutil.disk_usage(folder).free
    print(
        f"{len(plan.places)} videos, {sum(plan.shards.values())} frames at {size} x {size} into {folder}: needs "
        f"{gigabytes(need)} of {gigabytes(free)} free",
        flush=True,
    )
    if need > free:
        raise UserError(f"{folder} needs {gigabytes(need)} and its disk has {gigabytes(free)} free: make room")
    try:
        for path, shape in new.items():
            with atomic_path(path) as temporary:
                np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
                with open(temporary, "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
    except OSError as error:
        for path in new:
            path.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(folder)) from None


def gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.3g} GB"
