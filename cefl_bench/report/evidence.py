"""What a table's numbers rest on: machines, versions, data, and pictures of what a model saw."""

import base64
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from cefl_bench.errors import UserError
from cefl_bench.files import inside

MAX_PICTURES, MAX_PER_METHOD, PICTURE_WIDTH = 12, 3, 1400
"""Embedded pictures per table and per method, so that the page stays light, and their width in pixels."""

Table = Mapping[str, Any]


def environments(table: Table) -> list[dict[str, Any]]:
    """The different environments that the runs of a table were made in, each with its methods."""
    found: dict[str, dict[str, Any]] = {}
    for row, run in _runs(table):
        environment = run.get("environment") or {}
        if not environment:
            continue
        git = run.get("git") or environment.get("git") or {}
        facts = {
            "device": environment.get("device"),
            "driver": environment.get("driver"),
            "cuda": environment.get("cuda"),
            "python": environment.get("python"),
            "platform": environment.get("platform"),
            "packages": environment.get("packages") or {},
            "commit": git.get("commit") if isinstance(git, Mapping) else git,
            "dirty": isinstance(git, Mapping) and bool(git.get("dirty")),
        }
        entry = found.setdefault(repr(facts), facts | {"methods": [], "runs": 0})
        entry["runs"] += 1
        if row["method"] not in entry["methods"]:
            entry["methods"].append(row["method"])
    return list(found.values())


def fingerprints(table: Table) -> list[dict[str, Any]]:
    """A row per fold and split: its hashes, each with the methods that used it. More than one is a warning."""
    found: dict[tuple[int, str], dict[str, list[str]]] = {}
    for row, run in _runs(table):
        for split, digest in (run.get("data_fingerprint") or {}).items():
            methods = found.setdefault((run["fold"], split), {}).setdefault(digest, [])
            if row["method"] not in methods:
                methods.append(row["method"])
    return [
        {"fold": fold, "split": split, "hashes": hashes, "agree": len(hashes) == 1}
        for (fold, split), hashes in sorted(found.items(), key=lambda item: item[0])
    ]


def pictures(table: Table, root: Path) -> list[dict[str, str]]:
    """What `tools/explain.py` left in the folders of the runs, as data URIs; `root` is where runs may lie."""
    shown: list[dict[str, str]] = []
    for row in table["rows"]:
        files = [file for run in row["runs"] for file in _explained(run.get("work_dir"), root)]
        for file in files[:MAX_PER_METHOD]:
            if len(shown) == MAX_PICTURES:
                return shown
            video = file.stem.removeprefix("activation_")
            shown.append({"method": row["method"], "video": video, "uri": _data_uri(file)})
    return shown


def _runs(table: Table) -> Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return ((row, run) for row in table["rows"] for run in row["runs"])


def _explained(work_dir: str | None, root: Path) -> list[Path]:
    if not work_dir:
        return []
    path = Path(work_dir).resolve() if Path(work_dir).is_absolute() else root / work_dir
    try:
        folder = inside(root, str(path.relative_to(root)) if path.is_relative_to(root) else work_dir)
    except UserError:
        return []  # a run that lies elsewhere shows its numbers, and no picture
    if not folder.resolve().is_relative_to(root.resolve()):
        return []  # nor does one whose folder is a link to elsewhere: the page is passed on
    return sorted((folder / "explain").glob("activation_*.png"))


def _data_uri(file: Path) -> str:
    with Image.open(file) as image:
        picture = image.convert("RGB")
    picture.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
