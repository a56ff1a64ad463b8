"""Audits beside runs, as `tools/audit.py` leaves them: nothing is computed but what the report computes."""

from pathlib import Path

from cefl_bench.files import write_json
from cefl_bench.functional.time_changes import AS_SAMPLED
from cefl_bench.report.time_costs import with_costs
from cefl_bench.runs.audit import Audit
from cefl_bench.runs.folder import AUDIT, PREDICTIONS, RESULT
from cefl_bench.runs.predictions import read_predictions
from cefl_bench.runs.read_result import read_result


def add_audit(folder: Path, epoch: int | None = None, **wrong_of: int) -> Path:
    """Write the audit of a run; with each change, the first so many videos that were right get another class.

    Args:
        epoch: of the checkpoint; None for that of the result.
    """
    result, tested = read_result(folder / RESULT), read_predictions(folder / PREDICTIONS, "logits")
    as_sampled, right = tested.pred.tolist(), (tested.pred == tested.label).nonzero()[0]
    predictions = {AS_SAMPLED: as_sampled}
    for change, count in wrong_of.items():
        now = list(as_sampled)
        for place in right[:count]:
            now[place] = (now[place] + 1) % tested.num_classes
        predictions[change] = now
    audit: Audit = {
        "schema_version": 1,
        "config_name": result["config_name"],
        "method": result["method"],
        "title": result.get("title", result["method"]),
        "dataset": result["dataset"],
        "classes": result["classes"],
        "fold": result["fold"],
        "seed": result["seed"],
        "shuffle_seed": 0,
        "checkpoint": {"file": "last.pth", "sha256": "0" * 64, "epoch": epoch or result["metrics"]["last"]["epoch"]},
        "sampled": (1, 16),
        "clips": 4,
        "apex_frames": {"known": 0, "middle": len(tested.name)},
        "war": 0.0,
        "uar": 0.0,
        "war_interval": None,
        "uar_interval": None,
        "clustered_by": "clip",
        "costs": [],
        "score_movement": dict.fromkeys(wrong_of, 0.0),
        "names": tested.name,
        "labels": tested.label.tolist(),
        "subjects": tested.subject or [""] * len(tested.name),
        "predictions": predictions,
        "environment": result["environment"],
    }
    write_json(folder / AUDIT, with_costs(audit, num_folds=5))
    return folder / AUDIT
