"""Metrics beside recall that a contributor added: which there are in a table, and who is best by each."""

from typing import NamedTuple

from cefl_bench.report.board import Table


class ExtraMetric(NamedTuple):
    """A metric of a table."""

    name: str
    """`<metric>/<name>`."""
    direction: str
    """`higher is better` or `lower is better`."""
    best: float


def extra_metrics(table: Table) -> list[ExtraMetric]:
    """The extra metrics that any row of a table has, in the order of their names."""
    values: dict[str, list[float]] = {}
    for row in table["rows"]:
        for name, extra in row["extra"].items():
            values.setdefault(name, []).append(extra["mean"])
    found = []
    for name, means in sorted(values.items()):
        lower = name in table["lower_is_better"]
        found.append(ExtraMetric(name, f"{'lower' if lower else 'higher'} is better", (min if lower else max)(means)))
    return found
