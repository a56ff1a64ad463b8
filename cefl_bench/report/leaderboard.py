"""The leaderboard: every table of a folder of runs, as the plain dict that all its pages are made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import difference
from cefl_bench.functional.recall import chance_limit
from cefl_bench.functional.statistics import mean_and_std
from cefl_bench.report.comparison import Answers, Clips, compare
from cefl_bench.report.external import read_external
from cefl_bench.report.runs import Run, honest, read_json, read_runs

SCHEMA = 1
NAMES = ("uar", "war")


def make_leaderboard(folder: str | Path) -> dict[str, Any]:
    """Read every run and every external prediction below `folder`.

    Results share a table only where corpus, track and protocol id are the same. External predictions enter every table
    of their corpus, marked, because nobody knows their protocol. What a row calls `last` are the metrics that the
    table's `honest` names: of the last epoch, or of the one that a held-out part of the training fold picked.

    Raises:
        UserError: naming the file with which something is wrong.
    """
    folder = Path(folder)
    runs, left_out = read_runs(folder)
    if not runs:
        raise UserError(f"{folder} holds no finished run: expected {folder}/CONFIG/foldK_seedS/result.json")
    groups: dict[tuple, list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(run.result[name] for name in ("dataset", "track", "protocol_id")), []).append(run)
    external = read_external(folder / "external", list(groups.values()), left_out)
    latency = _latencies(folder / "speed")
    tables = [_table(groups[key], external[place], folder, latency) for place, key in enumerate(groups)]
    titles = Counter(table["title"] for table in tables)
    for table in tables:
        if titles[table["title"]] > 1:
            table["title"] += f", protocol {table['protocol_id']}"
        _name_differences(table, tables)
    tables.sort(key=lambda table: (table["dataset"], table["track"], -len(table["rows"]), table["protocol_id"]))
    made = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"schema": SCHEMA, "made": made, "left_out": left_out, "tables": tables}


def _table(runs: Sequence[Run], external: Sequence[Run], folder: Path, latency: Mapping[str, dict]) -> dict[str, Any]:
    first = runs[0].result
    clips = Clips(runs, len(first["classes"]))
    methods: dict[tuple[bool, str], list[Run]] = {}
    for run in [*runs, *external]:
        methods.setdefault((run.external, run.method), []).append(run)
    answers = {key: Answers(of_method, clips) for key, of_method in methods.items()}
    num_folds = max(first.get("num_folds") or 0, len(clips.label))
    rows = [_row(of_method, answers[key], folder, latency, num_folds) for key, of_method in methods.items()]
    # rows over fewer folds are not in the same race, so they come after it
    order = sorted(rows, key=lambda row: (-len(row["folds"]), -row["last"]["war_pooled"], row["method"]))
    pairs, ranks = compare([row["method"] for row in order], [answers[row["external"], row["method"]] for row in order])
    for row, rank in zip(order, ranks, strict=True):
        row["rank"] = list(rank)
    return {
        "title": f"{first['dataset']}, {first['track']} track",
        "dataset": first["dataset"],
        "track": first["track"],
        "protocol_id": first["protocol_id"],
        "protocol": first["protocol"],
        "classes": first["classes"],
        "num_folds": num_folds,
        "honest": honest(first),
        "differs_from_others": [],
        "rows": order,
        "pairs": pairs,
    }


def _row(
    runs: Sequence[Run], answers: Answers, folder: Path, latency: Mapping[str, dict], num_folds: int
) -> dict[str, Any]:
    runs = sorted(runs, key=lambda run: (run.fold, run.seed or 0))
    first = runs[0].result
    shown = [_run(run, answers.clips, folder) for run in runs]
    scores = answers.scores()
    last = _summary(shown, "") | {f"{name}_pooled": scores["pooled"][name] for name in NAMES}
    best = _summary(shown, "best_") | _best_pooled(runs)
    folds = sorted({run.fold for run in runs})
    seconds = [run.result["time"]["train_seconds"] for run in runs if "last" in run.result.get("metrics", ())]
    cost = first.get("cost", {})
    return {
        "method": runs[0].method,
        "external": runs[0].external,
        "rank": None,
        **{name: cost.get(name) for name in ("params", "macs", "flops")},
        "train_seconds": float(np.mean(seconds)) if seconds else None,
        "latency_ms": latency.get(runs[0].method, {}).get("ms"),
        "latency_on": latency.get(runs[0].method, {}).get("on"),
        "folds": folds,
        "folds_missing": num_folds - len(folds),
        "seeds": sorted({run.seed for run in runs if run.seed is not None}),
        "runs_uneven": len({tuple(sorted(run.seed for run in runs if run.fold == fold)) for fold in folds}) > 1
        if not runs[0].external
        else False,
        "models_differ": sorted({line for run in runs for line in difference(_model(runs[0]), _model(run))}),
        "source": runs[0].source,
        "clips": scores["clips"],
        "missing": sorted({name for run in shown for name in run["missing_names"]}),
        "runs": shown,
        "last": last | {f"{name}_interval": scores["interval"][name] for name in NAMES},
        "resampled_by": scores["resampled_by"],
        "best_test": best,
        "gap": {
            name: None if best[f"{name}_mean"] is None else best[f"{name}_mean"] - last[f"{name}_mean"]
            for name in NAMES
        },
        "recall": scores["recall"],
        "confusion": answers.confusion(),
    }


def _model(run: Run) -> dict[str, Any]:
    """What all runs of a row have in common, and no protocol tells of."""
    config = run.result.get("config") or {}
    return {name: config.get(name) for name in ("model", "custom_hooks")}


def _run(run: Run, clips: Clips, folder: Path) -> dict[str, Any]:
    """What a table tells of a run; numbers of external predictions are computed here, over all official clips."""
    result, given = run.result, set(run.predictions.name)
    known = {name: result.get(name) for name in ("command", "environment", "data_fingerprint", "history")}
    known |= {"official": (result.get("clips") or {}).get("official")}
    known |= {"git": (result.get("environment") or {}).get("git"), "work_dir": str(run.folder.relative_to(folder))}
    absent = [name for name in clips.label[run.fold] if name not in given] if not run.external else []
    unanswered = [name for name, pred in zip(run.predictions.name, run.predictions.pred, strict=True) if pred < 0]
    missing = {"missing": len(absent + unanswered), "missing_names": sorted(absent + unanswered)}
    common = {"fold": run.fold, "seed": run.seed, "clips": len(run.predictions.name)} | missing | known
    limit = chance_limit(np.bincount(run.predictions.label, minlength=clips.num_classes))
    if run.external:
        pooled = Answers([run], clips).scores()["pooled"]
        return (
            common
            | pooled
            | {"at_chance": pooled["uar"] < limit, "best_uar": None, "best_war": None, "best_epoch": None}
        )
    last, best = result["metrics"][honest(result)], result["metrics"].get("best_test") or {}
    return common | {
        "at_chance": last["uar"] < limit,
        **{name: last[name] for name in NAMES},
        **{f"best_{name}": best.get(name) for name in NAMES},
        "best_epoch": best.get("epoch"),
        "last_epoch": last.get("epoch"),
    }


def _summary(runs: Sequence[Mapping[str, Any]], prefix: str) -> dict[str, float | None]:
    """Mean over the folds of the mean over a fold's seeds, and the standard deviation of all runs."""
    summary: dict[str, float | None] = {}
    for name in NAMES:
        of_fold: dict[int, list[float]] = {}
        for run in runs:
            of_fold.setdefault(run["fold"], []).append(run[prefix + name])
        values = [value for of_seeds in of_fold.values() for value in of_seeds]
        if None in values:
            summary |= {f"{name}_mean": None, f"{name}_std": None}
            continue
        mean = float(np.mean([np.mean(of_seeds) for of_seeds in of_fold.values()]))
        summary |= {f"{name}_mean": mean, f"{name}_std": mean_and_std(values)[1]}
    return summary


def _best_pooled(runs: Sequence[Run]) -> dict[str, float | None]:
    """All clips of all folds together at the best test epochs, from the confusion matrices: a fold's seeds averaged."""
    right, support = {}, {}
    for run in runs:
        best = run.result.get("metrics", {}).get("best_test")
        if not best:
            return {f"{name}_pooled": None for name in NAMES}
        right.setdefault(run.fold, []).append(np.diag(best["confusion_matrix"]))
        support.setdefault(run.fold, []).append(best["support"])
    hits, of_class = (sum(np.mean(seeds, axis=0) for seeds in part.values()) for part in (right, support))
    occurs = of_class > 0
    uar = (hits[occurs] / of_class[occurs]).mean()
    return {"uar_pooled": float(uar), "war_pooled": float(hits.sum() / of_class.sum())}


def _name_differences(table: dict[str, Any], tables: Sequence[Mapping[str, Any]]) -> None:
    for other in tables:
        if other is not table and other["dataset"] == table["dataset"]:
            lines = difference(table["protocol"], other["protocol"]) or ["protocols of equal fields and other ids"]
            table["differs_from_others"] += [f"{other['track']} track {other['protocol_id']}: {line}" for line in lines]


def _latencies(folder: Path) -> dict[str, dict[str, Any]]:
    """Latency at batch 1 of each config, from what `tools/speed.py --json` wrote."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            for speed in read_json(path):
                if "latency" in dict(speed):  # loaders are measured into such files too, and have none
                    on = f"{speed['device_name']}, {speed['precision']}"
                    found[Path(speed["config"]).stem] = {"ms": float(speed["latency"]["median_ms"]), "on": on}
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{path} is not what tools/speed.py --json writes: take it away") from None
    return found
