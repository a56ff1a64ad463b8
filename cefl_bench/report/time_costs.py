"""What a change of the frames costs a method, over the audits of its runs: differences with paired intervals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cefl_bench.functional.outcomes import Ends, Outcomes, difference_interval
from cefl_bench.functional.paired_tests import evidence, told_apart
from cefl_bench.functional.statistics import holm_of_known
from cefl_bench.functional.time_changes import AS_SAMPLED
from cefl_bench.report.clips import Clips, Predicted
from cefl_bench.report.collect import Run
from cefl_bench.report.comparison import MethodScores, difference_of, method_scores
from cefl_bench.runs.audit import Audit, TimeCost
from cefl_bench.runs.predictions import Predictions


class Audited:
    """The audits of one method, each of another fold or seed: what its runs predicted with each change."""

    def __init__(self, audits: Sequence[Audit]) -> None:
        self._audits = audits
        self._clips = Clips(self._runs(AS_SAMPLED), len(audits[0]["classes"]))
        self._as_sampled = self._predicted(AS_SAMPLED)

    def scores(self) -> MethodScores:
        """With the frames as sampled."""
        return method_scores(self._as_sampled)

    def costs(self, num_folds: int) -> list[TimeCost]:
        """The cost of every change that all audits have.

        WAR certainly changes where other clips, other people (where they are known) and, of several runs, other
        trainings say so: the largest of their p values, corrected for the number of changes, is below 0.05, and the
        interval leaves out 0. Of a single run it is said of that one model.

        Args:
            num_folds: folds of the corpus, 1 for a fixed split.
        """
        costs: list[TimeCost] = []
        p_values: list[float | None] = []
        for change in self._audits[0]["predictions"]:
            if change != AS_SAMPLED and all(change in audit["predictions"] for audit in self._audits):
                after = self._predicted(change)
                found = difference_of(after, self._as_sampled)
                assert found is not None, "both are of the same clips"
                costs.append(self._cost(change, after, found.outcomes))
                p_values.append(_largest_p(found.outcomes, num_folds))
        for cost, p_holm in zip(costs, holm_of_known(p_values), strict=True):
            ends, cost["p_holm"] = cost["war_interval"], p_holm
            cost["different"] = ends is not None and told_apart(p_holm, ends[0], ends[1])
        return costs

    def _cost(self, change: str, after: Predicted, difference: Outcomes) -> TimeCost:
        scores, changed, predictions = method_scores(after)["pooled"], 0, 0
        for audit in self._audits:
            before, now = audit["predictions"][AS_SAMPLED], audit["predictions"][change]
            changed += sum(one != other for one, other in zip(before, now, strict=True))
            predictions += len(now)
        return {
            "change": change,
            "war": scores["war"],
            "uar": scores["uar"],
            "war_difference": float(difference.value("war")),
            "uar_difference": float(difference.value("uar")),
            "war_interval": _listed(difference_interval(difference, "war")),
            "uar_interval": _listed(difference_interval(difference, "uar")),
            "p_holm": None,
            "different": False,
            "predictions_changed": changed,
            "predictions": predictions,
        }

    def _predicted(self, change: str) -> Predicted:
        return Predicted(self._runs(change), self._clips)

    def _runs(self, change: str) -> list[Run]:
        return [_run(audit, change) for audit in self._audits]


def with_costs(audit: Audit, num_folds: int) -> Audit:
    """An audit whose predictions are known, with its scores, their intervals and its costs, in the place of any."""
    audited = Audited([audit])
    scores = audited.scores()
    audit["war"], audit["uar"] = scores["pooled"]["war"], scores["pooled"]["uar"]
    audit["war_interval"], audit["uar_interval"] = scores["interval"]["war"], scores["interval"]["uar"]
    audit["clustered_by"] = scores["clustered_by"]
    audit["costs"] = audited.costs(num_folds)
    return audit


def _run(audit: Audit, change: str) -> Run:
    subjects = audit["subjects"] if all(audit["subjects"]) else None
    predictions = Predictions(
        audit["names"],
        np.array(audit["labels"]),
        np.array(audit["predictions"][change]),
        None,
        len(audit["classes"]),
        subjects,
    )
    return Run(audit["config_name"], audit["fold"], audit["seed"], predictions, None, Path(audit["config_name"]))


def _largest_p(difference: Outcomes, num_folds: int) -> float:
    """Of the sources of luck that are known. Of one run other trainings are not: it is asked about that model alone."""
    found = [values for values in evidence(difference, num_folds) if values is not None]
    return float(np.max(found))


def _listed(ends: Ends | None) -> list[float] | None:
    return None if ends is None else [float(ends.low), float(ends.high)]
