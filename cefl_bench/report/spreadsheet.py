"""leaderboard.csv: a row per method and table, for a spreadsheet or a script."""

import csv
from io import StringIO
from itertools import chain

from cefl_bench.report.board import METRICS, Leaderboard, Row, Table
from cefl_bench.tables import csv_cell

Cell = str | int | float | bool | None


def csv_text(leaderboard: Leaderboard) -> str:
    """leaderboard.csv: rates in 0..1, an empty cell where something is not known."""
    rows = []
    for table in leaderboard["tables"]:
        rows += [_cells(table, row) for row in table["rows"]]
    columns = list(dict.fromkeys(chain.from_iterable(rows)))
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writerow({column: csv_cell(column) for column in columns})
    for cells in rows:
        writer.writerow({name: csv_cell(value) if isinstance(value, str) else value for name, value in cells.items()})
    return text.getvalue()


def _cells(table: Table, row: Row) -> dict[str, Cell]:
    cells: dict[str, Cell] = {
        "dataset": table["dataset"],
        "track": "unknown" if row["external"] else table["track"],
        "protocol_id": "unknown" if row["external"] else table["protocol_id"],
        "table": f"{table['track']} {table['protocol_id']}",
        "method": row["method"],
        "title": row["title"],
        "external": row["external"],
        "start": row["start"],
        "rank_best": row["rank"][0] if row["rank"] else None,
        "rank_worst": row["rank"][1] if row["rank"] else None,
    }
    for metric in METRICS:
        numbers = row["headline"][metric]
        low, high = numbers["interval"] or (None, None)
        cells |= {f"{metric}_pooled": numbers["pooled"], f"{metric}_low": low, f"{metric}_high": high}
        cells |= {f"{metric}_mean": numbers["mean"], f"{metric}_std": numbers["std"]}
    for metric in METRICS:
        best, gap = row["best_test"], row["gap"]
        cells[f"best_test_{metric}_pooled"] = best[metric]["pooled"] if best else None
        cells[f"best_test_{metric}_mean"] = best[metric]["mean"] if best else None
        cells[f"best_test_{metric}_std"] = best[metric]["std"] if best else None
        cells[f"gap_{metric}"] = gap[metric] if gap else None
    cells |= {
        "folds": " ".join(map(str, row["folds"])),
        "num_folds": table["num_folds"],
        "seeds": " ".join(map(str, row["seeds"])),
        "clips": row["clips"],
        "missing": len(row["missing"]),
        "runs": len(row["runs"]),
        "runs_at_chance": row["runs_at_chance"],
        "official_counts": row["official_counts"],
        "params": row["params"],
        "macs": row["macs"],
        "flops": row["flops"],
        "train_seconds": row["train_seconds"],
        "latency_ms": row["latency_ms"],
    }
    for name, extra in row["extra"].items():
        cells |= {f"{name}_mean": extra["mean"], f"{name}_std": extra["std"]}
    return cells
