"""Crops of faces that tools/prepare makes of a corpus's videos: a folder of images per video, and a list of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cefl_bench.errors import UserError
from cefl_bench.files import inside
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
    """The same entries, each with the folder of its crops for a path.

    Raises:
        UserError: when a video was not there when the crops were made.
    """
    crops = read_crops(report)
    if missing := [entry["name"] for entry in entries if entry["name"] not in crops]:
        raise UserError(
            f"{report}: {len(missing)} videos are not in it, such as {missing[0]!r}: expected every video of the "
            "corpus; run its tool in tools/prepare again, which adds them"
        )
    return [entry | {"path": str(crops[entry["name"]]), "num_frames": -1} for entry in entries]
