"""audit.json: what a model scores when the frames of its test videos are reordered or left out."""

from pathlib import Path
from typing import TypedDict

from cefl_bench.errors import UserError
from cefl_bench.files import check_kind, read_json
from cefl_bench.functional.time_changes import AS_SAMPLED
from cefl_bench.runs.result import Count, Environment, Fold, Name, Rate, Text

SCHEMA_VERSION = 1
"""Version of `Audit`. Raised when a field changes its meaning or goes; a new field does not raise it."""
EXPECTED, REMEDY = "the audit.json that tools/audit.py leaves", "take it away, or run tools/audit.py again"


class TimeCost(TypedDict):
    """What one change of the frames costs. Differences are of the changed frames less those as sampled."""

    change: Name
    """Its name, one of `functional/time_changes.py`."""
    war: Rate
    uar: Rate
    war_difference: float
    uar_difference: float
    war_interval: list[float] | None
    """Ends of the 95 % interval of the difference; None where one clip or one person is all."""
    uar_interval: list[float] | None
    p_holm: Rate | None
    """The largest p value of the sources of luck that are known, corrected for the number of changes."""
    different: bool
    """Whether WAR certainly changes."""
    predictions_changed: Count
    predictions: Count
    """Of all runs and videos together."""


class ApexFrames(TypedDict):
    """How many videos show which frame for the most emotional one."""

    known: Count
    middle: Count
    """The middle frame, because nothing tells which is the most emotional, or none is."""


class Checkpoint(TypedDict):
    """The weights that were asked."""

    file: Text
    sha256: Text
    epoch: Count | None
    """None where the checkpoint does not say it."""


class Audit(TypedDict):
    """What `tools/audit.py` leaves, of one checkpoint."""

    schema_version: int
    config_name: Name
    method: Name
    title: Name
    dataset: Name
    classes: list[Name]
    fold: Fold
    seed: Count
    """Of the training."""
    shuffle_seed: Count
    checkpoint: Checkpoint
    sampled: tuple[int, int]
    """Clips that the sampler chose, and frames of each."""
    clips: Count
    """Clips that the model sees."""
    apex_frames: ApexFrames
    war: Rate
    uar: Rate
    """With the frames as sampled."""
    war_interval: list[float] | None
    uar_interval: list[float] | None
    clustered_by: Name
    """What a test set is drawn of: `subject`, or `clip` where subjects are unknown."""
    costs: list[TimeCost]
    score_movement: dict[Name, float]
    """How far the scores of any video moved with each change, as a share of the largest; below 0.0001 is rounding."""
    names: list[Name]
    labels: list[Count]
    subjects: list[Text]
    """Who is in each clip; empty where that is unknown."""
    predictions: dict[Name, list[int]]
    """The predicted class of each clip, -1 without an answer: `as sampled`, and with each change."""
    environment: Environment


def read_audit(path: str | Path) -> Audit:
    """Read the audit.json of a run. Raises: UserError: naming the field that is not what an audit leaves."""
    content = read_json(path, REMEDY)
    version = content.get("schema_version", SCHEMA_VERSION) if isinstance(content, dict) else SCHEMA_VERSION
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path}: schema_version is {str(version)[:40]!r}: expected {SCHEMA_VERSION}, which this version of "
            "cefl_bench reads"
        )
    audit = check_kind(content, Audit, path, EXPECTED, REMEDY)
    if not _is_whole(audit):
        raise UserError(f"{path} is not {EXPECTED}: expected a prediction of every clip for every change; {REMEDY}")
    return audit


def _is_whole(audit: Audit) -> bool:
    """Whether every clip, named once, has a label, and a prediction with every change that has a cost."""
    clips, columns = len(audit["names"]), [audit["labels"], *audit["predictions"].values()]
    if clips == 0 or len({*audit["names"]}) != clips or len(audit["subjects"]) != clips:
        return False
    for column in columns:
        if len(column) != clips or not -1 <= min(column) <= max(column) < len(audit["classes"]):
            return False
    return {*audit["predictions"]} == {AS_SAMPLED, *(cost["change"] for cost in audit["costs"])}
