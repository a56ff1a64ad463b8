"""Crops of faces that tools/prepare makes of a corpus's videos: a folder of images per video, and a list of them."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cefl_bench.errors import UserError
from cefl_bench.files import inside, list_images
from cefl_bench.records import Entry
from cefl_bench.sources import CROP_RULE
from cefl_bench.tables import read_table

VIDEO = "video"
"""The variant of the frames that was downloaded; any other is the name of a folder of crops below the data root."""
FACES_CSV = "faces.csv"


def report_of(root: str | Path, frames: str) -> Path:
    """The list of the crops `frames`, which is written when all videos are done."""
    return inside(root, f"{frames}/{FACES_CSV}")


def read_crops(report: Path) -> dict[str, Path]:
    """Name of every video that was prepared -> the folder of its crops."""
    root = report.parents[1]
    return {row["name"]: inside(root, row["path"]) for _, row in read_table(report, "name", "path")}


def crop_rule(required: Sequence[Path]) -> dict[str, Any] | None:
    """The rule (margin, size, ..) that crops were made by, empty where it is not known; None where there are no crops.

    Args:
        required: the files and folders that a dataset needs: the folder of all crops is one, or holds their list.
    """
    for path in required:
        folder = path.parent if path.name == FACES_CSV else path
        if path.name == FACES_CSV or (folder / FACES_CSV).is_file():
            try:
                rule = json.loads((folder / CROP_RULE).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return {}
            return rule if isinstance(rule, dict) else {}
    return None


def in_crops(entries: Sequence[Entry], report: Path) -> list[Entry]:
    """The same entries, each with the folder of its crops for a path, and its apex in frames of that folder.

    Raises:
        UserError: when a video was not there when the crops were made.
    """
    crops = read_crops(report)
    if missing := [entry["name"] for entry in entries if entry["name"] not in crops]:
        raise UserError(
            f"{report}: {len(missing)} videos are not in it, such as {missing[0]!r}: expected every video of the "
            "corpus; run its tool in tools/prepare again, which adds them"
        )
    dropped: set[str] = set()
    if any("apex" in entry for entry in entries):
        dropped.update(row["name"] for _, row in read_table(report, "name") if row.get("policy") == "drop")
    found = []
    for entry in entries:
        folder = crops[entry["name"]]
        cropped = entry | {"path": str(folder), "num_frames": -1}
        if "apex" in entry and entry["name"] in dropped:
            kept = _numbers(folder)
            start, end = (bisect_left(kept, frame) for frame in cropped.pop("apex"))
            if start < end:  # else no frame of it shows a face
                cropped["apex"] = (start, end)
        found.append(cropped)
    return found


def _numbers(folder: Path) -> list[int]:
    """Which frames of the video the images of a folder are, counted from 0; none where the folder is gone.

    Raises:
        UserError: naming an image whose name does not say it.
    """
    images = list_images(folder) if folder.is_dir() else []
    for image in images:
        if not image.stem.isdecimal():
            raise UserError(f"{image} is no crop: expected the number of its frame for a name; remove the image")
    return [int(image.stem) - 1 for image in images]
