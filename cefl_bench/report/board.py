"""The types of a leaderboard: what leaderboard.json holds, and all that its pages are made from."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from cefl_bench.functional.outcomes import Metric
from cefl_bench.runs.audit import TimeCost
from cefl_bench.runs.result import Environment, Git, Which

METRICS: tuple[Metric, ...] = ("war", "uar")


class Spread(TypedDict):
    """A rate in 0..1 over the runs of a row."""

    mean: float
    """Over the folds, of the mean over a fold's seeds."""
    std: float | None
    """Standard deviation of all runs, None of a single one."""
    pooled: float
    """Over all clips of all folds together, a fold's seeds averaged."""


class Numbers(Spread):
    """A rate with what other test clips, people and trainings would make of it."""

    interval: list[float] | None
    """Ends of the 95 % interval of `pooled`; None where nothing can be said."""


class Headline(TypedDict):
    """The metrics of a row that were not picked on the test set."""

    war: Numbers
    uar: Numbers


class BestTest(TypedDict):
    """Those of the epoch that is best on the test set."""

    war: Spread
    uar: Spread


class Gap(TypedDict):
    """What picking the epoch on the test set adds to the mean."""

    war: float
    uar: float


class BestEpoch(TypedDict):
    """The epoch of a run that is best on the test set."""

    epoch: int | None
    war: float
    uar: float


class Extra(TypedDict):
    """A metric that a contributor added, over the runs of a row that have it."""

    mean: float
    """Over the folds, of the mean over a fold's seeds."""
    std: float | None
    runs: int


class RowAudit(TypedDict):
    """What changes of the frames cost a method, over those of its runs that `tools/audit.py` was run on."""

    runs: int
    war: float
    uar: float
    """Pooled over the clips of these runs, with the frames as sampled."""
    costs: list[TimeCost]


class GroupScores(TypedDict):
    """What a method recognises of one group of people, over all folds; seeds averaged."""

    group: str
    clips: int
    people: int | None
    """None where it is not known who is in a clip."""
    war: float
    """The share of its clips that are recognised."""
    war_interval: list[float] | None
    uar: float
    """The mean recall of the classes that it shows."""
    uar_interval: list[float] | None
    """Ends of 95 % intervals; None where one clip or one person is all."""


class RunLine(TypedDict):
    """What a table tells of a run. What only a training knows is None for predictions of other code."""

    fold: int
    seed: int | None
    war: float
    uar: float
    epoch: int | None
    best_test: BestEpoch | None
    extra: Mapping[str, float | None]
    at_chance: bool
    """Whether its UAR is one that guessing reaches."""
    clips: int
    official: int | None
    """Test clips in the official lists."""
    official_counts: bool | None
    """Whether the corpus that was trained on has as many clips as officially; None where that is unknown."""
    missing: int
    missing_names: list[str]
    command: str | None
    work_dir: str
    start: str | None
    """Where the initial weights came from."""
    environment: Environment | None
    git: Git | None
    data_fingerprint: Mapping[str, str]
    history: list[dict[str, float | None]]


class Row(TypedDict):
    """A method in a table."""

    method: str
    """The name of its config; that of a row of other code was given with it."""
    title: str
    """Its name for people, no other row of the table has the same."""
    external: bool
    """Predictions of other code, whose protocol is unknown."""
    rank: list[int] | None
    """Best and worst; None of a method that was trained once, which is described and not ranked."""
    start: str | None
    """Where the initial weights came from; None where that is unknown."""
    params: int | None
    macs: int | None
    flops: int | None
    train_seconds: float | None
    latency_ms: float | None
    latency_on: str | None
    folds: list[int]
    folds_missing: int
    seeds: list[int]
    runs_uneven: bool
    """Whether not every fold was run with every seed."""
    models_differ: list[str]
    losses: list[str]
    """What it is trained on beside or in the place of the cross-entropy, in words."""
    source: str
    """Where predictions of other code come from."""
    clips: int
    missing: list[str]
    """Clips without a prediction."""
    runs_at_chance: int
    official_counts: bool | None
    """Whether all its runs saw a corpus with the official number of clips."""
    runs: list[RunLine]
    headline: Headline
    clustered_by: str
    """What its intervals take a test set to be drawn of: `subject`, or `clip` where subjects are unknown."""
    subjects: int | None
    """People in its test clips, where they are known."""
    best_test: BestTest | None
    """None where not every run has it."""
    gap: Gap | None
    extra: dict[str, Extra]
    audit: RowAudit | None
    """None where no run has one."""
    recall: list[float | None]
    """(K,) pooled recalls, None for a class without test clips."""
    support: list[int]
    """(K,) test clips of each class."""
    confusion: list[list[int]]
    """(K, K) predictions over all folds and seeds: a clip has one of each run."""
    groups: list[GroupScores]
    """Empty where no predictions of the table say who is of which group."""


class Pair(TypedDict):
    """Two methods on the clips that both have; None where they share none."""

    a: str
    b: str
    war_difference: float | None
    uar_difference: float | None
    interval: list[float] | None
    uar_interval: list[float] | None
    clip_p: float | None
    """P value of other clips."""
    subject_p: float | None
    """Of other people, None where it is unknown who is in a clip."""
    training_p: float | None
    """Of other trainings, None of a single one."""
    p_holm: float | None
    """The largest of them, corrected for the number of pairs; None where a pair is not judged."""
    different: bool
    """Whether one method is certainly better."""
    clips: int
    folds: list[int]
    runs: int


class Table(TypedDict):
    """Results of one corpus, track and protocol, the best first."""

    title: str
    dataset: str
    track: str
    protocol_id: str
    protocol: dict[str, Any]
    classes: list[str]
    num_folds: int
    headline: Which | Literal["external"]
    """Which metrics the rows call their headline."""
    lower_is_better: list[str]
    """Names of extra metrics of which a low value is good."""
    differs_from_others: list[str]
    rows: list[Row]
    pairs: list[Pair]


class Leaderboard(TypedDict):
    """All tables of a folder of runs."""

    schema: int
    made: str
    left_out: list[str]
    """A line on everything that lies in the folder and is in no table."""
    tables: list[Table]
