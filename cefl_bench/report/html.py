"""report.html: a leaderboard with its evidence in one file, which opens offline and loads nothing from elsewhere."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from cefl_bench.files import write_text
from cefl_bench.report.board import METRICS, Leaderboard, Row
from cefl_bench.report.groups import GROUPS_NOTE, has_groups
from cefl_bench.report.naming import (
    brief,
    clips,
    difference_text,
    interval,
    mean_and_spread,
    milliseconds,
    percent,
    points,
    probability,
    rank_text,
    si,
    significant,
    start_text,
    time_span,
)
from cefl_bench.report.view import view_of

PAGE = Path(__file__).parent / "page"
HEAT_STEPS = 10


def write_html(leaderboard: Leaderboard, folder: str | Path) -> Path:
    """Write `folder`/report.html; the runs lie beside or in `folder`.

    Everything is inside the file, and its Content-Security-Policy allows no script but its own and no request.
    """
    folder = Path(folder)
    root = folder.resolve().parent
    style, script = (Markup((PAGE / name).read_text(encoding="utf-8")) for name in ("report.css", "report.js"))
    rows: list[Row] = []
    for table in leaderboard["tables"]:
        rows += table["rows"]
    page = _templates().get_template("report.html.jinja")
    text = page.render(
        board=leaderboard,
        views=[view_of(table, number, root) for number, table in enumerate(leaderboard["tables"], 1)],
        num_rows=len(rows),
        num_runs=sum(len(row["runs"]) for row in rows),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    path = folder / "report.html"
    write_text(path, text)
    return path


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = {
        "percent": percent,
        "points": points,
        "difference": difference_text,
        "probability": probability,
        "significant": significant,
        "mean_and_spread": mean_and_spread,
        "si": si,
        "time_span": time_span,
        "ms": milliseconds,
        "clips": clips,
        "interval": interval,
    }
    texts = {
        "brief": brief,
        "rank": rank_text,
        "start": start_text,
        "heat": _heat,
        "wrappable": _wrappable,
        "as_json": _as_json,
    }
    templates.filters.update(numbers | texts)
    templates.globals.update(METRICS=METRICS, GROUPS_NOTE=GROUPS_NOTE)
    templates.tests["grouped"] = has_groups
    return templates


def _heat(share: float | None) -> str:
    """The class of a heat cell for a share of 0..1, in eleven steps."""
    return "none" if share is None else f"h{round(HEAT_STEPS * share)}"


def _as_json(value: Any) -> str:
    """Indented, as text that is then escaped like any other."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _wrappable(name: str) -> Markup:
    """A config name that may break after an underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _hash(text: str) -> str:
    """The source that a Content-Security-Policy allows this inline text by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
