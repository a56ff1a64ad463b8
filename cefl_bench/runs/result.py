"""result.json: what a run leaves."""

from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta
from typing_extensions import NotRequired

SCHEMA_VERSION = 1
"""Version of `Result`. Raised when a field changes its meaning or goes; a new field does not raise it."""

Rate = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=10**18)]
Seconds = Annotated[float, Meta(ge=0, le=10**12)]
Text = Annotated[str, Meta(max_length=100_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Fold = Annotated[int, Meta(ge=1, le=1000)]

Which = Literal["selected_by_val", "last", "checkpoint", "best_test"]
"""Of which epoch metrics are."""
HEADLINE: tuple[Which, ...] = ("selected_by_val", "last", "checkpoint")
"""Metrics that were not picked on the test set, those that count most first."""
BEST_TEST: Which = "best_test"


class Val(TypedDict):
    """Scores on the held-out part of the training fold."""

    uar: Rate
    war: Rate


class Localization(TypedDict):
    """Whether the most activated clip is the emotional one; see `functional/localization.py`."""

    videos: Count
    hit: Rate
    chance: Rate
    rank_correlation: Annotated[float, Meta(ge=-1, le=1)] | None


class ViewScores(TypedDict):
    """Scores of one view of every test clip, without the others."""

    uar: Rate
    war: Rate


class Views(TypedDict):
    """What merging views is worth: scores of each alone, beside those of all, which stand in `Scores` itself."""

    alone: list[ViewScores]
    """In the order that they are sampled in."""
    distinct: Annotated[float, Meta(ge=1)]
    """How many different ones a clip has on average: those of a short clip can be the same frames."""
    most_distinct: Count
    """How many the clip with most has."""


class Scores(TypedDict):
    """All scores on the test clips at one epoch."""

    epoch: Count | None
    """None for a checkpoint that does not say it."""
    uar: Rate
    war: Rate
    f1_macro: Rate
    f1_weighted: Rate
    per_class: list[Rate | None]
    """(K,) recalls, None for a class without test clips."""
    confusion_matrix: list[list[Count]]
    """(K, K) clips, rows true, columns predicted; unanswered clips are in no column."""
    support: list[Count]
    """(K,) test clips of each class."""
    unanswered: Count
    selected_by: NotRequired[Text]
    """What picked the epoch, in words."""
    val: NotRequired[Val]
    localization: NotRequired[Localization]
    views: NotRequired[Views]
    """Where a test takes several views of a clip, and averages their softmax."""
    extra: NotRequired[dict[Name, float | None]]
    """Whatever else `val_evaluator` computes, by `<metric>/<name>`; None where it is not a number."""
    path: NotRequired[Text]
    sha256: NotRequired[Text]
    """The file of a checkpoint that was tested, and its hash."""


class Metrics(TypedDict, total=False):
    """After training `last` and `best_test`; before them `selected_by_val` where a part of the training fold was held
    out: the epoch with the best WAR on that part, the earliest of equal ones. After a test `checkpoint`.
    """

    selected_by_val: Scores
    last: Scores
    checkpoint: Scores
    best_test: Scores


class Unreadable(TypedDict):
    """`name: reason` of the videos that could not be read."""

    train: list[Text]
    test: list[Text]


class ClipCounts(TypedDict):
    """Test clips."""

    official: Count | None
    """How many the official lists have, None where that is unknown."""
    official_counts: NotRequired[bool]
    """Whether no number of videos, or of videos of a class, is another one than officially, training videos too."""
    listed: Count
    scored: Count
    unreadable: Unreadable


class Cost(TypedDict):
    """Of one test video; `cost/flops.py` adds what each part and kind of layer costs."""

    params: Count | None
    macs: Count | None
    """None where they cannot be counted; `uncounted` then says why."""
    flops: Count | None


class Git(TypedDict):
    """The state of the checkout."""

    commit: Text | None
    dirty: bool | None


class Environment(TypedDict):
    """What a run ran on; `runs/environment.py` adds more."""

    python: Text
    packages: dict[Name, Text | None]
    device: Text
    cuda: Text | None
    platform: NotRequired[Text]
    driver: NotRequired[Text | None]
    precision: NotRequired[dict[Name, Text]]
    """The precision asked for, and what the device made of it; absent in results of earlier versions."""
    git: Git | None


class Time(TypedDict):
    """How long a run took."""

    train_seconds: Seconds


class Data(TypedDict):
    """How the videos were read."""

    packed: bool
    """Whether frames came from the packed-frame store. They are the same; the time they take is not."""


class Init(TypedDict):
    """Where the initial weights came from."""

    start: NotRequired[Name]
    """What they were trained on, in a word: `scratch`, `ImageNet`, .."""
    source: Text
    """Which weights exactly."""
    weights_sha256: NotRequired[Text]
    """Of the weights that were read; not there for scratch."""
    sha256: Text
    """Of the whole model as its training began."""


class Calibration(TypedDict):
    """How scores become probabilities: divided by a temperature, then a softmax."""

    temperature: Annotated[float, Meta(gt=0, le=1000)]
    fitted_on: Count
    """Held-out videos of the training fold, never the test videos."""
    ece_before: Rate
    ece_after: Rate
    """Expected calibration error on the test videos, without the temperature and with it."""


class Result(TypedDict):
    """What a run leaves in `result.json`. Every report reads this and nothing else."""

    schema_version: int
    config_name: Name
    config: dict[str, Any]
    """The resolved config: every value, types as dotted names."""
    command: Text
    method: Name
    title: NotRequired[Name]
    """The method's name for people."""
    dataset: Name
    """The corpus; `A -> B` for a model that was trained on A and tested on B."""
    trained_on: NotRequired[Name]
    """The corpus that was trained on."""
    classes: list[Name]
    """The model's, so A's; only those that B has as well can be predicted, and the others have no test clip."""
    track: Name
    """Such as `fair` or `paper`; tracks never share a table."""
    protocol_id: Name
    protocol: dict[str, Any]
    """The fields that `protocol_id` is a hash of."""
    fold: Fold
    """Of the corpus that was trained on."""
    num_folds: NotRequired[Fold]
    """Folds of the corpus, so that a report can say how many are missing."""
    seed: Count
    metrics: Metrics
    lower_is_better: NotRequired[list[Name]]
    """The names in `extra` of which a low value is good."""
    history: list[dict[str, float | None]]
    """A row per epoch: losses, learning rate, test metrics (`val_uar`, `val_war` of a held-out part), seconds."""
    clips: ClipCounts
    cost: Cost
    time: Time
    environment: Environment
    data: Data
    data_fingerprint: dict[Name, Text]
    """A hash of the videos of each split that was used."""
    memory: dict[Name, Count]
    """Peak bytes: of the process, and on the GPU."""
    init: Init | None
    """None after a test alone."""
    calibration: NotRequired[Calibration]
    """After a test with `--calibrate`."""


def headline(result: Result) -> Which:
    """The metrics of a result that were not picked on the test set; predictions.csv holds what they were computed from.

    Those of the epoch that a held-out part of the training fold picked, else of the last one, else of the checkpoint.
    """
    return next(which for which in HEADLINE if which in result["metrics"])


def title_of(result: Result) -> str:
    """The method's name for people, which older files lack."""
    return result.get("title", result["method"])


def start_of(result: Result) -> str | None:
    """What the initial weights were trained on, in a word; None after a test alone."""
    init = result["init"]
    return init.get("start", init["source"]) if init else None
