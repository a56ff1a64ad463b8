"""What the templates of report.html need of a table, beside the table itself."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from cefl_bench.functional.outcomes import Metric
from cefl_bench.report.board import METRICS, Pair, Row, Table
from cefl_bench.report.charts import CostKey, Scatter, scatter
from cefl_bench.report.courses import Course, courses
from cefl_bench.report.evidence import Environments, Fingerprint, Picture, environments, fingerprints, pictures
from cefl_bench.report.extra_metrics import ExtraMetric, extra_metrics
from cefl_bench.report.naming import EPOCH, is_synthetic, milliseconds, si, time_span
from cefl_bench.report.notes import Badge, badges, notes
from cefl_bench.report.scales import Scale, rate_scale

MEASURE = "measure it: tools/speed.py CONFIG --json D/speed/CONFIG.json, D being the folder of the runs"


class CostChart(NamedTuple):
    """Accuracy against a cost, for each metric."""

    key: CostKey
    title: str
    shown: Callable[[float | None], str]
    """How a cost is written."""
    none: str
    """What to do where no cost is known."""
    plots: dict[Metric, Scatter | None]


class Difference(NamedTuple):
    """A pair as seen from the row of one of its methods."""

    pair: Pair
    war: float
    """Of the row minus that of the column."""
    low: float
    high: float


class View(NamedTuple):
    """A table and all that its part of the page shows."""

    table: Table
    id: str
    epoch: str
    synthetic: bool
    title: dict[str, str]
    """Of each method."""
    badges: dict[str, list[Badge]]
    notes: list[str]
    clustered_by: list[str]
    latency_on: list[str]
    costs: list[CostChart]
    intervals: dict[Metric, Scale | None]
    spread: dict[Metric, Scale | None]
    gaps: dict[Metric, Scale | None]
    courses: list[Course]
    support: list[int] | None
    extra: list[ExtraMetric]
    differences: dict[tuple[str, str], Difference]
    changes: list[str]
    """Of the frames, which any method was audited with."""
    environments: list[Environments]
    fingerprints: list[Fingerprint]
    pictures: list[Picture]


def view_of(table: Table, number: int, root: Path) -> View:
    """Args: number: counts the tables of the page. root: where runs may lie."""
    rows = table["rows"]
    return View(
        table=table,
        id=f"t{number}",
        epoch=EPOCH[table["headline"]],
        synthetic=is_synthetic(table),
        title={row["method"]: row["title"] for row in rows},
        badges={row["method"]: badges(row, table) for row in rows},
        notes=notes(table),
        clustered_by=sorted({row["clustered_by"] for row in rows}),
        latency_on=sorted({row["latency_on"] for row in rows if row["latency_on"]}),
        costs=[
            _cost_chart(rows, "macs", "MACs of a test video", si, "cost was counted in none of these runs"),
            _cost_chart(rows, "latency_ms", "latency of a test video", milliseconds, MEASURE),
            _cost_chart(rows, "train_seconds", "training time of a run", time_span, "no run says how long it took"),
        ],
        intervals={metric: _interval_scale(rows, metric) for metric in METRICS},
        spread={metric: _spread_scale(rows, metric) for metric in METRICS},
        gaps={metric: _gap_scale(rows, metric) for metric in METRICS},
        courses=courses(rows),
        support=_support(rows),
        extra=extra_metrics(table),
        differences=_differences(table["pairs"]),
        changes=_changes(rows),
        environments=environments(table),
        fingerprints=fingerprints(table),
        pictures=pictures(table, root),
    )


def _cost_chart(
    rows: Sequence[Row], key: CostKey, title: str, shown: Callable[[float | None], str], none: str
) -> CostChart:
    return CostChart(key, title, shown, none, {metric: scatter(rows, metric, key) for metric in METRICS})


def _interval_scale(rows: Sequence[Row], metric: Metric) -> Scale | None:
    values: list[float] = []
    for row in rows:
        numbers = row["headline"][metric]
        values += [numbers["pooled"], *(numbers["interval"] or ())]
    return _scale(values, 3)


def _spread_scale(rows: Sequence[Row], metric: Metric) -> Scale | None:
    """None where no method has two runs."""
    values: list[float] = []
    for row in rows:
        values += [run[metric] for run in row["runs"]]
    return _scale(values) if any(len(row["runs"]) > 1 for row in rows) else None


def _gap_scale(rows: Sequence[Row], metric: Metric) -> Scale | None:
    """None where no row knows both numbers."""
    values: list[float] = []
    for row in rows:
        if row["best_test"] is not None:
            values += [row["headline"][metric]["mean"], row["best_test"][metric]["mean"]]
    return _scale(values)


def _scale(values: Sequence[float], num_ticks: int = 5) -> Scale | None:
    return rate_scale(values, num_ticks) if values else None


def _support(rows: Sequence[Row]) -> list[int] | None:
    """Test clips per class, where all rows of the table were tested on as many."""
    counts = {tuple(row["support"]) for row in rows}
    return list(counts.pop()) if len(counts) == 1 else None


def _changes(rows: Sequence[Row]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found |= dict.fromkeys(cost["change"] for cost in (row["audit"]["costs"] if row["audit"] else ()))
    return list(found)


def _differences(pairs: Iterable[Pair]) -> dict[tuple[str, str], Difference]:
    """Of (row, column) by name, every pair from both sides; those that share no clip are left out."""
    cells = {}
    for pair in pairs:
        value = pair["war_difference"]
        if value is None:
            continue
        low, high = pair["interval"] or (math.nan, math.nan)
        cells[pair["a"], pair["b"]] = Difference(pair, value, low, high)
        cells[pair["b"], pair["a"]] = Difference(pair, -value, -high, -low)
    return cells
