"""report.html: a leaderboard with its evidence in one file, which opens offline and asks nobody for anything."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from cefl_bench.files import write_text
from cefl_bench.report import charts
from cefl_bench.report.evidence import environments, fingerprints, pictures
from cefl_bench.report.leaderboard_text import EPOCH, notes
from cefl_bench.report.naming import (
    brief,
    clips,
    duration,
    is_synthetic,
    milliseconds,
    percent,
    points,
    probability,
    short_names,
    si,
)

PAGE = Path(__file__).parent / "page"
METRICS = ("war", "uar")
MEASURE = "measure it: tools/speed.py CONFIG --json D/speed/CONFIG.json, D being the folder of the runs"
COSTS = (
    ("macs", "MACs of a test video", si, "cost was counted in none of these runs"),
    ("latency_ms", "latency of a test video", milliseconds, MEASURE),
    ("train_seconds", "training time of a run", duration, "no run of this table says how long it took"),
)


def write_html(leaderboard: Mapping[str, Any], folder: str | Path) -> Path:
    """Write `folder`/report.html from the dict of leaderboard.json; its runs lie beside or in `folder`.

    Everything is inside the file, and its Content-Security-Policy allows no script but its own and no request.
    """
    folder = Path(folder)
    style, script = (Markup((PAGE / name).read_text(encoding="utf-8")) for name in ("report.css", "report.js"))
    page = _templates().get_template("report.html.jinja")
    text = page.render(
        board=leaderboard,
        tables=[_view(table, number, folder.resolve().parent) for number, table in enumerate(leaderboard["tables"], 1)],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    path = folder / "report.html"
    write_text(path, text)
    return path


def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formats = dict(percent=percent, points=points, si=si, duration=duration, ms=milliseconds, brief=brief, clips=clips)
    templates.filters.update(formats, probability=probability, heat=_heat, wrappable=_wrappable, as_json=_as_json)
    templates.globals.update(METRICS=METRICS)
    return templates


def _view(table: Mapping[str, Any], number: int, root: Path) -> dict[str, Any]:
    """What the templates need of a table, beside the table itself."""
    rows = table["rows"]
    short = short_names([row["method"] for row in rows])
    return {
        "table": table,
        "id": f"t{number}",
        "epoch": EPOCH[table.get("honest") or "last"],
        "synthetic": is_synthetic(table),
        "short": short,
        "notes": list(notes(table)),
        "resampled_by": sorted({row["resampled_by"] for row in rows if row.get("resampled_by")}),
        "latency_on": sorted({row["latency_on"] for row in rows if row.get("latency_on")}),
        "costs": [_cost_chart(rows, short, *cost) for cost in COSTS],
        "intervals": {metric: _interval_scale(rows, metric) for metric in METRICS},
        "spread": {metric: _spread_scale(rows, metric) for metric in METRICS},
        "gaps": {metric: _gap_scale(rows, metric) for metric in METRICS},
        "support": _support(rows),
        "pairs": _pair_matrix(table),
        "environments": environments(table),
        "fingerprints": fingerprints(table),
        "pictures": pictures(table, root),
    }


def _cost_chart(rows: Sequence[Mapping], short: Mapping, key: str, title: str, shown: Any, none: str) -> dict[str, Any]:
    plots = {metric: charts.scatter(rows, metric, key, lambda row: short[row["method"]]) for metric in METRICS}
    return {"key": key, "title": title, "shown": shown, "none": none, "plots": plots}


def _interval_scale(rows: Sequence[Mapping], metric: str) -> charts.Scale | None:
    values = [row["last"].get(f"{metric}_pooled") for row in rows]
    return _scale([*values, *(end for row in rows for end in row["last"].get(f"{metric}_interval") or ())], 3)


def _spread_scale(rows: Sequence[Mapping], metric: str) -> charts.Scale | None:
    """None where no method has two runs."""
    several = any(len(row["runs"]) > 1 for row in rows)
    return _scale(run.get(metric) for row in rows for run in row["runs"]) if several else None


def _gap_scale(rows: Sequence[Mapping], metric: str) -> charts.Scale | None:
    """None where no row knows both numbers."""
    known = [row for row in rows if row.get("best_test") and row["best_test"].get(f"{metric}_mean") is not None]
    return _scale(row[which][f"{metric}_mean"] for row in known for which in ("last", "best_test"))


def _scale(values: Any, num_ticks: int = 5) -> charts.Scale | None:
    known = [value for value in values if value is not None]
    return charts.rate_scale(known, num_ticks) if known else None


def _support(rows: Sequence[Mapping]) -> list[float] | None:
    """Test clips per class, where all rows of the table were tested on the same."""
    counts = {tuple(round(sum(line), 3) for line in row["confusion"]) for row in rows if row.get("confusion")}
    return list(counts.pop()) if len(counts) == 1 else None


def _pair_matrix(table: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Of (row, column) by name: the WAR of row minus that of column, its interval, and whether they differ."""
    cells = {}
    for pair in table.get("pairs") or ():
        if pair["war_difference"] is None:  # no clip in common
            continue
        low, high = pair["interval"] or (math.nan, math.nan)
        cells[pair["a"], pair["b"]] = dict(pair) | {"interval": [low, high]}
        turned = {"war_difference": -pair["war_difference"], "interval": [-high, -low]}
        cells[pair["b"], pair["a"]] = dict(pair) | turned
    return cells


def _heat(share: float | None) -> str:
    """The class of a heat cell for a share of 0..1, in eleven steps."""
    return "none" if share is None else f"h{round(10 * share)}"


def _as_json(value: Any) -> str:
    """Indented, as text that is then escaped like any other."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _wrappable(name: str) -> Markup:
    """A config name that may break after an underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _hash(text: str) -> str:
    """The source that a Content-Security-Policy allows this inline text by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
