"""The rows of a table: what the runs of a method have in common, add up to, and cost."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cefl_bench.functional.loss_options import losses_in_words
from cefl_bench.functional.outcomes import Metric
from cefl_bench.functional.protocol import difference
from cefl_bench.functional.recall import UNANSWERED, chance_limit
from cefl_bench.functional.statistics import mean_and_std
from cefl_bench.report.board import BestEpoch, BestTest, Extra, Gap, Numbers, Row, RowAudit, RunLine, Spread
from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import MethodScores, method_scores
from cefl_bench.report.groups import group_scores
from cefl_bench.report.time_costs import Audited
from cefl_bench.runs.result import Result, Scores, headline, start_of, title_of


class Network(NamedTuple):
    """What tells one network from another that has its config's name."""

    method: str
    params: int | None
    macs: int | None


class Latency(NamedTuple):
    """Of one test video, what it was measured on, and the file that says so."""

    ms: float
    on: str
    file: str


def make_row(
    runs: Sequence[Run], clips: Clips, folder: Path, latencies: Mapping[Network, Latency], num_folds: int
) -> Row:
    """The row of a method; its rank and a title that no other row has are the table's to say.

    Args:
        clips: the test clips of the table.
        folder: what the folders of the runs are told relative to.
    """
    runs = sorted(runs, key=lambda run: (run.fold, run.seed or 0))
    first, result = runs[0], runs[0].result
    lines = [_run_line(run, clips, folder) for run in runs]
    predicted = Predicted(runs, clips)
    scores = method_scores(predicted)
    best, folds = _best_test(runs), sorted({run.fold for run in runs})
    war, uar = (_numbers(lines, name, scores) for name in ("war", "uar"))
    latency = latencies.get(network_of(result)) if result else None
    return {
        "method": first.method,
        "title": title_of(result) if result else first.method,
        "external": first.external,
        "rank": None,
        "start": _common([line["start"] for line in lines]),
        "params": result["cost"]["params"] if result else None,
        "macs": result["cost"]["macs"] if result else None,
        "flops": result["cost"]["flops"] if result else None,
        "train_seconds": _train_seconds(runs),
        "latency_ms": latency.ms if latency else None,
        "latency_on": latency.on if latency else None,
        "folds": folds,
        "folds_missing": num_folds - len(folds),
        "seeds": sorted({run.seed for run in runs if run.seed is not None}),
        "runs_uneven": not first.external and len({_seeds(runs, fold) for fold in folds}) > 1,
        "models_differ": _model_differences(runs),
        "losses": _losses(first),
        "source": first.source,
        "clips": scores["clips"],
        "missing": sorted(set(chain.from_iterable(line["missing_names"] for line in lines))),
        "runs_at_chance": sum(line["at_chance"] for line in lines),
        "official_counts": _all_official(lines),
        "runs": lines,
        "headline": {"war": war, "uar": uar},
        "clustered_by": scores["clustered_by"],
        "subjects": scores["subjects"],
        "best_test": best,
        "gap": _gap(best, war, uar),
        "extra": _extra(lines),
        "audit": _audit(runs, num_folds),
        "recall": scores["recall"],
        "support": scores["support"],
        "confusion": predicted.confusion(),
        "groups": group_scores(predicted),
    }


def network_of(result: Result) -> Network:
    """The network that a result is of."""
    return Network(result["config_name"], result["cost"]["params"], result["cost"]["macs"])


def _run_line(run: Run, clips: Clips, folder: Path) -> RunLine:
    """What a table tells of a run; numbers of external predictions are computed here, over all clips of the fold."""
    given, result = set(run.predictions.name), run.result
    absent = [] if run.external else [name for name in clips.label[run.fold] if name not in given]
    numbered = zip(run.predictions.name, run.predictions.pred.tolist(), strict=True)
    missing = sorted([*absent, *(name for name, pred in numbered if pred == UNANSWERED)])
    main: Scores | None = None if result is None else result["metrics"][headline(result)]
    war, uar = (main["war"], main["uar"]) if main else _rates(run, clips)
    environment = result["environment"] if result else None
    return {
        "fold": run.fold,
        "seed": run.seed,
        "war": war,
        "uar": uar,
        "epoch": main["epoch"] if main else None,
        "best_test": _best_epoch(result),
        "extra": main.get("extra", {}) if main else {},
        "at_chance": uar < chance_limit(np.bincount(run.predictions.label, minlength=clips.num_classes)),
        "clips": len(run.predictions.name),
        "official": result["clips"]["official"] if result else None,
        "official_counts": result["clips"].get("official_counts") if result else None,
        "missing": len(missing),
        "missing_names": missing,
        "command": result["command"] if result else None,
        "work_dir": str(run.folder.relative_to(folder)),
        "start": start_of(result) if result else None,
        "environment": environment,
        "git": environment["git"] if environment else None,
        "data_fingerprint": result["data_fingerprint"] if result else {},
        "history": result["history"] if result else [],
    }


def _rates(run: Run, clips: Clips) -> tuple[float, float]:
    """WAR and UAR of predictions of other code."""
    outcomes = Predicted([run], clips).outcomes()
    return float(outcomes.value("war")), float(outcomes.value("uar"))


def _best_epoch(result: Result | None) -> BestEpoch | None:
    best = result["metrics"].get("best_test") if result else None
    return {"epoch": best["epoch"], "war": best["war"], "uar": best["uar"]} if best else None


def _numbers(lines: Sequence[RunLine], metric: Metric, scores: MethodScores) -> Numbers:
    mean, std = _over_runs([(line["fold"], line[metric]) for line in lines])
    return {"mean": mean, "std": std, "pooled": scores["pooled"][metric], "interval": scores["interval"][metric]}


def _over_runs(values: Sequence[tuple[int, float]]) -> tuple[float, float | None]:
    """(fold, value) of each run -> mean over the folds of the mean over a fold's seeds, and the std of all runs."""
    of_fold: dict[int, list[float]] = {}
    for fold, value in values:
        of_fold.setdefault(fold, []).append(value)
    mean = float(np.mean([np.mean(of_seeds) for of_seeds in of_fold.values()]))
    return mean, mean_and_std([value for _, value in values])[1]


def _best_test(runs: Sequence[Run]) -> BestTest | None:
    """Numbers at the best test epochs, where every run knows its own.

    Pooled over the clips of all folds, from the confusion matrices: a fold's seeds averaged.
    """
    best = [(run.fold, run.result["metrics"].get("best_test") if run.result else None) for run in runs]
    known = [(fold, scores) for fold, scores in best if scores is not None]
    if len(known) < len(best):
        return None
    hits, support = np.zeros(()), np.zeros(())
    for fold in sorted({fold for fold, _ in known}):
        of_seeds = [scores for of, scores in known if of == fold]
        hits = hits + np.mean([np.diag(scores["confusion_matrix"]) for scores in of_seeds], axis=0)
        support = support + np.mean([scores["support"] for scores in of_seeds], axis=0)
    occurs = support > 0
    return {
        "war": _spread([(fold, scores["war"]) for fold, scores in known], hits.sum() / support.sum()),
        "uar": _spread([(fold, scores["uar"]) for fold, scores in known], (hits[occurs] / support[occurs]).mean()),
    }


def _spread(values: Sequence[tuple[int, float]], pooled: float) -> Spread:
    mean, std = _over_runs(values)
    return {"mean": mean, "std": std, "pooled": float(pooled)}


def _gap(best: BestTest | None, war: Numbers, uar: Numbers) -> Gap | None:
    if best is None:
        return None
    return {"war": best["war"]["mean"] - war["mean"], "uar": best["uar"]["mean"] - uar["mean"]}


def _extra(lines: Sequence[RunLine]) -> dict[str, Extra]:
    """Metrics that a contributor added, over the runs that have a number of it."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line["extra"].items():
            if value is not None:
                found.setdefault(name, []).append((line["fold"], value))
    extra: dict[str, Extra] = {}
    for name, values in sorted(found.items()):
        mean, std = _over_runs(values)
        extra[name] = {"mean": mean, "std": std, "runs": len(values)}
    return extra


def _audit(runs: Sequence[Run], num_folds: int) -> RowAudit | None:
    audits = [run.audit for run in runs if run.audit is not None]
    if not audits:
        return None
    audited = Audited(audits)
    pooled = audited.scores()["pooled"]
    return {"runs": len(audits), "war": pooled["war"], "uar": pooled["uar"], "costs": audited.costs(num_folds)}


def _train_seconds(runs: Sequence[Run]) -> float | None:
    """Mean over the runs that were trained; None where none was."""
    trained = [run.result for run in runs if run.result and "last" in run.result["metrics"]]
    return float(np.mean([result["time"]["train_seconds"] for result in trained])) if trained else None


def _seeds(runs: Sequence[Run], fold: int) -> tuple[int | None, ...]:
    return tuple(run.seed for run in runs if run.fold == fold)


def _model_differences(runs: Sequence[Run]) -> list[str]:
    """What the runs of a row do not have in common of the model, which no protocol tells of."""
    models = [_model(run) for run in runs]
    lines: set[str] = set()
    for model in models[1:]:
        lines |= set(difference(models[0], model))
    return sorted(lines)


def _model(run: Run) -> dict[str, Any]:
    config = run.result["config"] if run.result else {}
    return {name: config.get(name) for name in ("model", "custom_hooks")}


def _losses(run: Run) -> list[str]:
    """What sets its loss apart from the cross-entropy; a config may hold anything."""
    model = _model(run)["model"]
    head = model.get("head") if isinstance(model, Mapping) else None
    return list(losses_in_words(head)) if isinstance(head, Mapping) else []


def _all_official(lines: Sequence[RunLine]) -> bool | None:
    known = [line["official_counts"] for line in lines if line["official_counts"] is not None]
    return all(known) if known else None


def _common(values: Sequence[str | None]) -> str | None:
    """The values that are known, each once."""
    known = dict.fromkeys(value for value in values if value is not None)
    return " / ".join(known) if known else None
