"""The leaderboard: every table of a folder of runs, which all its pages are made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TypedDict

from typing_extensions import NotRequired

from cefl_bench.errors import UserError
from cefl_bench.files import check_kind, read_json
from cefl_bench.functional.protocol import difference, protocol_id
from cefl_bench.report.board import Leaderboard, Row, Table
from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import EXTERNAL, PLACE, SPEED, Run, read_runs
from cefl_bench.report.comparison import compare
from cefl_bench.report.external import Group, read_external
from cefl_bench.report.rows import Latency, Network, make_row, network_of
from cefl_bench.runs.result import Result, Seconds, Text, headline

SCHEMA = 3
"""Version of leaderboard.json. Raised when a field of `Leaderboard` changes its meaning or goes."""
UNKNOWN = "unknown"


class _Median(TypedDict):
    median_ms: NotRequired[Seconds]
    """Not where memory ran out."""


class _Cost(TypedDict):
    params: int | None
    macs: int | None


class _Speed(TypedDict):
    """What is needed of an entry that `tools/speed.py --json` writes; loaders have no latency."""

    config: NotRequired[Text]
    device_name: NotRequired[Text]
    precision: NotRequired[Text]
    latency: NotRequired[_Median]
    cost: NotRequired[_Cost]


def make_leaderboard(folder: str | Path) -> Leaderboard:
    """Read every run and every external prediction below `folder`.

    Results share a table only where corpus, track and protocol id are the same, and no two that started from other
    weights, whatever they call them. External predictions enter every table
    of their corpus, marked, because their protocol is unknown.

    Raises:
        UserError: naming the file with which something is wrong.
    """
    folder = Path(folder)
    runs, left_out = read_runs(folder)
    groups = _groups(runs)
    groups += read_external(folder / EXTERNAL, groups, left_out)
    if not groups:
        raise UserError(f"{folder} holds no finished run: expected {folder}/{PLACE}")
    latencies = _latencies(folder / SPEED)
    left_out += _of_other_networks(latencies, runs)
    tables = [_table(group, folder, latencies) for group in groups]
    _tell_starts_apart(tables, groups)
    _make_titles_unique(tables)
    for table in tables:
        table["differs_from_others"] = _differences(table, tables)
    tables.sort(key=lambda table: (table["dataset"], table["track"], -len(table["rows"]), table["protocol_id"]))
    made = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"schema": SCHEMA, "made": made, "left_out": left_out, "tables": tables}


def _groups(runs: Sequence[Run]) -> list[Group]:
    """The runs of each corpus, track, protocol and start."""
    groups: dict[tuple[str, str, str, str], Group] = {}
    for run in runs:
        result = run.result
        assert result is not None, "runs of our own have a result"
        key = (result["dataset"], result["track"], result["protocol_id"], _weights(result))
        group = groups.setdefault(key, Group([], result["dataset"], result["classes"], 1))
        if result["classes"] != group.classes:
            raise UserError(
                f"{run.folder}: classes are {', '.join(result['classes'])}, and those of {group.runs[0].folder} are "
                f"{', '.join(group.classes)}: expected the same classes in the same order under one protocol"
            )
        group.runs.append(run)
        group.num_folds = max(group.num_folds, result.get("num_folds", 1))
    for group in groups.values():
        group.num_folds = max(group.num_folds, len({run.fold for run in group.runs}))
    return list(groups.values())


def _table(group: Group, folder: Path, latencies: Mapping[Network, Latency]) -> Table:
    clips = Clips(group.runs or group.external, len(group.classes))
    for run in group.external:
        clips.add_groups(run)
    methods: dict[tuple[bool, str], list[Run]] = {}
    for run in [*group.runs, *group.external]:
        methods.setdefault((run.external, run.method), []).append(run)
    rows = [make_row(of_method, clips, folder, latencies, group.num_folds) for of_method in methods.values()]
    # rows over fewer folds are not in the same race, so they come after it
    rows.sort(key=lambda row: (-len(row["folds"]), -row["headline"]["war"]["pooled"], row["method"]))
    of_rows = [Predicted(methods[row["external"], row["method"]], clips) for row in rows]
    pairs, ranks = compare([row["method"] for row in rows], of_rows, group.num_folds)
    for row, rank in zip(rows, ranks, strict=True):
        row["rank"] = None if rank is None else list(rank)
    _name_rows_apart(rows)
    results = [run.result for run in group.runs if run.result is not None]
    first = results[0] if results else None
    return {
        "title": f"{group.dataset}, {first['track']} track" if first else f"{group.dataset}, predictions of other code",
        "dataset": group.dataset,
        "track": first["track"] if first else UNKNOWN,
        "protocol_id": first["protocol_id"] if first else UNKNOWN,
        "protocol": first["protocol"] if first else {},
        "classes": group.classes,
        "num_folds": group.num_folds,
        "headline": headline(first) if first else "external",
        "lower_is_better": _lower_is_better(results),
        "differs_from_others": [],
        "rows": rows,
        "pairs": pairs,
    }


def _weights(result: Result) -> str:
    """The hash of the initial weights; empty where they are random, or an older result does not say."""
    init = result["init"]
    return init.get("weights_sha256", "") if init else ""


def _tell_starts_apart(tables: Sequence[Table], groups: Sequence[Group]) -> None:
    """Tables of one protocol id, whose runs read other weights under the same name, get ids of their own."""
    counts = Counter(table["protocol_id"] for table in tables)
    for table, group in zip(tables, groups, strict=True):
        if counts[table["protocol_id"]] > 1 and group.runs and group.runs[0].result:
            start = {**table["protocol"].get("start", {}), "weights_sha256": _weights(group.runs[0].result)}
            table["protocol"] = {**table["protocol"], "start": start}
            table["protocol_id"] = protocol_id(table["protocol"])


def _lower_is_better(results: Sequence[Result]) -> list[str]:
    names: set[str] = set()
    for result in results:
        names.update(result.get("lower_is_better", ()))
    return sorted(names)


def _name_rows_apart(rows: Sequence[Row]) -> None:
    """Put the config's name behind a title that several rows have."""
    counts = Counter(row["title"] for row in rows)
    for row in rows:
        if counts[row["title"]] > 1:
            row["title"] = f"{row['title']} ({row['method']})"


def _make_titles_unique(tables: Sequence[Table]) -> None:
    counts = Counter(table["title"] for table in tables)
    for table in tables:
        if counts[table["title"]] > 1:
            table["title"] += f", protocol {table['protocol_id']}"


def _differences(table: Table, tables: Sequence[Table]) -> list[str]:
    """What sets a table apart from the others of its corpus, a line per field of the protocol."""
    found = []
    for other in tables:
        if other is table or other["dataset"] != table["dataset"]:
            continue
        lines = difference(table["protocol"], other["protocol"]) or ["protocols of equal fields and other ids"]
        found += [f"{other['track']} track {other['protocol_id']}: {line}" for line in lines]
    return found


def _latencies(folder: Path) -> dict[Network, Latency]:
    """Latency at batch 1 of each network, from what `tools/speed.py --json` wrote."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = read_json(path, "take it away")
        for speed in check_kind(content, list[_Speed], path, "what tools/speed.py --json writes", "take it away"):
            # loaders are measured into such files too, and have no latency
            if "config" in speed and (median_ms := speed.get("latency", {}).get("median_ms")) is not None:
                on = f"{speed.get('device_name', UNKNOWN)}, {speed.get('precision', UNKNOWN)}"
                cost = speed.get("cost", {"params": None, "macs": None})
                network = Network(Path(speed["config"]).stem, cost["params"], cost["macs"])
                found[network] = Latency(median_ms, on, path.name)
    return found


def _of_other_networks(latencies: Mapping[Network, Latency], runs: Sequence[Run]) -> list[str]:
    """A line on each latency that bears a method's name and was measured on a network that no run of it has."""
    networks = {network_of(run.result) for run in runs if run.result is not None}
    methods = {network.method for network in networks}
    lines = []
    for network, latency in latencies.items():
        if network.method in methods and network not in networks:
            lines.append(
                f"{SPEED}/{latency.file}: {network.method} was measured with {_number(network.params)} parameters and "
                f"{_number(network.macs)} MACs, which no run of it has; measure it with the options of its runs"
            )
    return lines


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"
