"""Collects the runs of a folder: `<config>/fold<K>_seed<S>/` with a result and its predictions, checked."""

from dataclasses import dataclass
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.runs.audit import Audit, read_audit
from cefl_bench.runs.folder import AUDIT, RESULT
from cefl_bench.runs.predictions import Predictions, predictions_of
from cefl_bench.runs.read_result import read_result
from cefl_bench.runs.result import Result, headline

EXTERNAL, REPORT, SPEED = "external", "report", "speed"
OTHER_FOLDERS = (EXTERNAL, REPORT, SPEED)
"""Folders beside the runs that hold no runs: predictions of other code, the report itself, measurements of speed."""
ACROSS = " -> "
"""In the name of a dataset: trained on one corpus, tested on another."""
PLACE = f"CONFIG/foldK_seedS/{RESULT}"


@dataclass
class Run:
    """A method's predictions of the test clips of one fold; `result` is None for those of other code."""

    method: str
    fold: int
    seed: int | None
    predictions: Predictions
    result: Result | None
    folder: Path
    source: str = ""
    """Where predictions of other code come from."""
    audit: Audit | None = None
    """What `tools/audit.py` left beside the result, where it did."""

    @property
    def external(self) -> bool:
        return self.result is None


def read_runs(folder: str | Path) -> tuple[list[Run], list[str]]:
    """All finished trainings below `folder`, and a line each on what lies there and was left out.

    Raises:
        UserError: naming the file that is damaged, is of something else, or does not belong to its neighbour.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: expected the one that runs were written to, as --out or --work-dir")
    runs: dict[tuple[str, str, int, int], Run] = {}
    left_out = _misplaced(folder)
    for place in sorted(folder.glob("*/fold*_seed*")):
        if place.parent.name in OTHER_FOLDERS or not place.is_dir():
            continue
        if not (place / RESULT).exists():
            left_out.append(f"{place.relative_to(folder)}: not finished, there is no {RESULT}")
            continue
        result = read_result(place / RESULT)
        reason = _no_training(result)
        if reason:
            left_out.append(f"{place.relative_to(folder)}: {reason}")
            continue
        run = Run(result["config_name"], result["fold"], result["seed"], predictions_of(place, result), result, place)
        run.audit = _audit_of(run, left_out, folder)
        key = (run.method, result["protocol_id"], run.fold, result["seed"])
        if key in runs:
            raise UserError(
                f"{place} and {runs[key].folder} are both {run.method}, fold {run.fold}, seed {run.seed}: expected "
                "one run of each; take one of them away"
            )
        runs[key] = run
    return list(runs.values()), left_out


def _audit_of(run: Run, left_out: list[str], folder: Path) -> Audit | None:
    """The audit beside a result; None where there is none, or it is of other weights than the numbers."""
    path, result = run.folder / AUDIT, run.result
    if result is None or not path.exists():
        return None
    audit = read_audit(path)
    asked = (audit["config_name"], audit["fold"], audit["seed"], audit["checkpoint"]["epoch"])
    scored = (run.method, run.fold, run.seed, result["metrics"][headline(result)]["epoch"])
    if asked == scored and audit["classes"] == result["classes"]:
        return audit
    left_out.append(
        f"{path.relative_to(folder)}: it is of {_in_words(*asked)}, and the result of {_in_words(*scored)}; run "
        "tools/audit.py on the checkpoint of the result"
    )
    return None


def _in_words(config_name: str, fold: int, seed: int | None, epoch: int | None) -> str:
    return f"{config_name}, fold {fold}, seed {seed}, epoch {epoch}"


def _misplaced(folder: Path) -> list[str]:
    """A line on each result that is not where runs are looked for."""
    found: list[Path] = []
    for pattern in (RESULT, f"*/{RESULT}", f"*/*/{RESULT}"):
        found += folder.glob(pattern)
    return [
        f"{path.relative_to(folder)}: expected {PLACE}"
        for path in sorted(found)
        if not path.parent.match("*/fold*_seed*") and path.relative_to(folder).parts[0] not in OTHER_FOLDERS
    ]


def _no_training(result: Result) -> str:
    """Why a result cannot stand for a whole training of its protocol; empty where it can."""
    if headline(result) != "checkpoint":
        return ""
    if ACROSS not in result["dataset"]:
        return "a test of a checkpoint, not a training"
    schedule = result["protocol"].get("schedule")
    epochs = schedule.get("epochs") if isinstance(schedule, dict) else None
    epoch = result["metrics"]["checkpoint"]["epoch"]
    if result["protocol"].get("selection") == "last" and epoch != epochs:
        return f"a test of a checkpoint of epoch {epoch}, and its protocol has {epochs} epochs"
    return ""
