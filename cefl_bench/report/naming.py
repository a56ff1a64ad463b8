"""How numbers and names are written in the pages and the figures."""

import math
from collections.abc import Sequence

from cefl_bench.functional.duration import duration
from cefl_bench.report.board import Numbers, Row, Spread, Table

NOTHING = "–"
EPOCH = {
    "last": "last epoch",
    "selected_by_val": "the epoch that is best on a held-out part of the training fold",
    "checkpoint": "checkpoints as they were given",
    "external": "predictions of other code, as they were given",
}
"""Which epoch the headline of a table is of, in words."""


def percent(rate: float | None, digits: int = 1) -> str:
    """A rate of 0..1 in per cent, without the sign."""
    return NOTHING if rate is None or math.isnan(rate) else f"{100 * rate:.{digits}f}"


def points(difference: float | None, digits: int = 1) -> str:
    """A difference of rates in percentage points, with its sign."""
    if difference is None or math.isnan(difference):
        return NOTHING
    shown = f"{100 * difference:+.{digits}f}".replace("-", "−")
    return shown[1:] if not shown.strip("+−0.") else shown


def interval(ends: Sequence[float] | None, form: str = ".1f") -> str:
    """`[41.2, 45.0]`, in percent; nothing where there is none."""
    return "" if ends is None else f"[{100 * ends[0]:{form}}, {100 * ends[1]:{form}}]"


def difference_text(value: float, ends: Sequence[float] | None) -> str:
    """`−4.2 [−7.0, −1.4]`, in percentage points; without the interval where there is none."""
    return points(value) + ("" if ends is None else f" [{points(ends[0])}, {points(ends[1])}]")


def mean_and_spread(numbers: Numbers | Spread) -> str:
    """`65.1 ± 1.2`, in percent: the mean, and the standard deviation where there are several runs."""
    std = numbers["std"]
    return percent(numbers["mean"]) + ("" if std is None else f" ± {percent(std)}")


def significant(value: float, digits: int = 4) -> str:
    """Any number with so many digits."""
    return f"{value:.{digits}g}"


def si(count: float | None) -> str:
    """A count with three digits and k, M, G, T: 13.2 M."""
    if count is None:
        return NOTHING
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= 0.9995 * factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.3g}"


def time_span(seconds: float | None) -> str:
    """Seconds as 45 s, 3.5 min, 12 h or 3 d."""
    return NOTHING if seconds is None else duration(seconds)


def milliseconds(value: float | None) -> str:
    """Milliseconds with three digits."""
    if value is None:
        return NOTHING
    return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"


def clips(count: float | None) -> str:
    """A number of clips; a mean over seeds may have a fraction."""
    if count is None:
        return NOTHING
    return f"{count:,.0f}" if abs(count - round(count)) < 0.05 else f"{count:,.1f}"


def probability(p: float | None) -> str:
    """A p-value, not smaller than it makes sense to tell."""
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def brief(name: str, length: int = 12) -> str:
    """The first characters of a hash."""
    return str(name)[:length]


def rank_text(rank: Sequence[int] | None) -> str:
    """`2`, or `1-3` where a method cannot be told apart from others; a dash where it is not ranked."""
    if rank is None:
        return NOTHING
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}-{rank[1]}"


def amount(row: Row, table: Table) -> str:
    """How much a row rests on: folds x seeds."""
    folds = f"{len(row['folds'])} of {table['num_folds']}" if row["folds_missing"] else str(len(row["folds"]))
    return folds if row["external"] else f"{folds} x {len(row['seeds'])}"


def start_text(row: Row) -> str:
    """Where the initial weights of a row came from; a dash where nobody knows."""
    return row["start"] or NOTHING


def is_synthetic(table: Table) -> bool:
    """Whether the faces of a table are rendered."""
    return "synthetic" in table["dataset"].lower()
