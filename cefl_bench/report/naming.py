"""How numbers and names are written in the page and the figures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = "–"


def percent(rate: float | None, digits: int = 1) -> str:
    """A rate of 0..1 in per cent, without the sign."""
    return NOTHING if rate is None or math.isnan(rate) else f"{100 * rate:.{digits}f}"


def points(difference: float | None, digits: int = 1) -> str:
    """A difference of rates in percentage points, with its sign."""
    if difference is None or math.isnan(difference):
        return NOTHING
    shown = f"{100 * difference:+.{digits}f}".replace("-", "−")
    return shown[1:] if not shown.strip("+−0.") else shown


def si(count: float | None) -> str:
    """A count with three digits and k, M, G, T: 13.2 M."""
    if count is None:
        return NOTHING
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= 0.9995 * factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.3g}"


def duration(seconds: float | None) -> str:
    """Seconds as 45 s, 3.5 min, 12 h or 3 d."""
    if seconds is None:
        return NOTHING
    for factor, unit in ((86400 * 2, "d"), (3600, "h"), (60, "min")):
        if seconds >= 0.9995 * factor:
            return f"{seconds / (86400 if unit == 'd' else factor):.3g} {unit}"
    return f"{seconds:.3g} s"


def milliseconds(value: float | None) -> str:
    """Milliseconds with three digits."""
    return NOTHING if value is None else f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"


def clips(count: float | None) -> str:
    """A number of clips; a mean over seeds may have a fraction."""
    if count is None:
        return NOTHING
    return f"{count:,.0f}" if abs(count - round(count)) < 0.05 else f"{count:,.1f}"


def probability(p: float | None) -> str:
    """A p-value, not smaller than it makes sense to tell."""
    return NOTHING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def brief(name: str, length: int = 12) -> str:
    """The first characters of a hash."""
    return str(name)[:length]


def is_synthetic(table: Mapping[str, Any]) -> bool:
    """Whether the faces of a table are rendered."""
    return "synthetic" in str(table["dataset"]).lower()


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names for charts: without the ending that most names of a table share, such as `_dfew`."""
    endings = [name.partition("_")[2].split("_") for name in names]
    tails = ["_" + "_".join(parts[-n:]) for parts in endings for n in (1, 2) if len(parts) >= n and parts[0]]
    common = max(set(tails), key=lambda tail: (tails.count(tail), len(tail)), default="")
    if tails.count(common) <= len(names) / 2:
        return {name: name for name in names}
    short = {name: name.removesuffix(common) for name in names}
    return short if len(set(short.values())) == len(short) else {name: name for name in names}
