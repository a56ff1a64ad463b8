"""What a table's numbers rest on: machines, versions, data, and pictures of what a model saw."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.report.board import Row, RunLine, Table
from cefl_bench.runs.folder import EXPLAIN, EXPLANATION
from cefl_bench.runs.result import Environment, Git

MAX_PICTURES, MAX_PICTURES_PER_METHOD = 12, 3
"""Embedded pictures per table and per method, so that the page stays light."""
PICTURE_WIDTH = 1400
"""Pixels."""


@dataclass
class Environments:
    """An environment that runs of a table were made in, with the titles of their methods."""

    environment: Environment
    git: Git | None
    methods: list[str] = field(default_factory=list)
    runs: int = 0


class Fingerprint(NamedTuple):
    """The hashes of the videos of a fold and split, each with the titles of the methods that used it."""

    fold: int
    split: str
    hashes: dict[str, list[str]]

    @property
    def agree(self) -> bool:
        return len(self.hashes) == 1


class Picture(NamedTuple):
    """A picture that `tools/explain.py` left, as a data URI."""

    title: str
    video: str
    uri: str


def environments(table: Table) -> list[Environments]:
    """The different environments that the runs of a table were made in."""
    found: dict[str, Environments] = {}
    for row, run in _runs(table):
        environment = run["environment"]
        if environment is None:
            continue
        entry = found.setdefault(repr(environment), Environments(environment, run["git"]))
        entry.runs += 1
        if row["title"] not in entry.methods:
            entry.methods.append(row["title"])
    return list(found.values())


def fingerprints(table: Table) -> list[Fingerprint]:
    """One for each fold and split. More than one hash in it is a warning."""
    found: dict[tuple[int, str], dict[str, list[str]]] = {}
    for row, run in _runs(table):
        for split, digest in run["data_fingerprint"].items():
            methods = found.setdefault((run["fold"], split), {}).setdefault(digest, [])
            if row["title"] not in methods:
                methods.append(row["title"])
    return [Fingerprint(fold, split, hashes) for (fold, split), hashes in sorted(found.items(), key=lambda one: one[0])]


def pictures(table: Table, root: Path) -> list[Picture]:
    """What `tools/explain.py` left in the folders of the runs; `root` is where runs may lie."""
    shown: list[Picture] = []
    for row in table["rows"]:
        files: list[Path] = []
        for run in row["runs"]:
            files += _explained(run["work_dir"], root)
        for file in files[:MAX_PICTURES_PER_METHOD]:
            uri = _data_uri(file)
            if uri and len(shown) < MAX_PICTURES:
                shown.append(Picture(row["title"], file.stem.removeprefix(EXPLANATION), uri))
    return shown


def _runs(table: Table) -> Iterator[tuple[Row, RunLine]]:
    for row in table["rows"]:
        for run in row["runs"]:
            yield row, run


def _explained(work_dir: str, root: Path) -> list[Path]:
    try:
        folder = inside(root, work_dir)
    except UserError:
        return []  # a run that lies elsewhere shows its numbers, and no picture
    if not folder.resolve().is_relative_to(root.resolve()):
        return []  # nor does one whose folder is a link to elsewhere: the page is passed on
    return sorted((folder / EXPLAIN).glob(f"{EXPLANATION}*.png"))


def _data_uri(file: Path) -> str:
    """The picture as a data URI; empty where it is none."""
    try:
        with Image.open(file) as image:
            picture = image.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return ""
    picture.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
