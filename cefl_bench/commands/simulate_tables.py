"""How often tables of simulated methods say what is not so, and how often they see what is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from cefl_bench.functional.outcomes import Ends, Metric, difference_interval, rate_interval
from cefl_bench.functional.paired_tests import SIGNIFICANCE, evidence, told_apart
from cefl_bench.functional.simulation import Shape, SimulatedTable
from cefl_bench.functional.statistics import holm_of_known
from cefl_bench.report.board import METRICS

Rule = Literal["clips", "clips and people", "all three"]
Kind = Literal["rate", "difference"]

SHAPES = (
    Shape("RAVDESS, one fold", 240, 4, folds=1),
    Shape("12 people", 672, 12, folds=4),
    Shape("RAVDESS", 1440, 24, folds=6),
    Shape("CREMA-D", 7442, 91, folds=5),
    Shape("DFEW, one fold", 2341, 0, folds=1, balanced=False),
    Shape("DFEW", 11697, 0, folds=5, balanced=False),
)
METHODS = (2, 6, 12)
"""Numbers of methods in a table; the smaller tables are the first methods of the larger ones."""
SEEDS = (1, 3)
TRAINING_NOISE = (0.0, 0.005, 0.01)
LEADS = (0.01, 0.03, 0.05)
PARTS: tuple[Rule, ...] = ("clips", "clips and people")
"""Of the rule of all tables, which is `all three`."""
QUICK_SHAPES = (SHAPES[0], SHAPES[2])


@dataclass
class Setting:
    """Test sets and trainings, and what simulated tables of them said."""

    shape: Shape
    seeds: int
    training_noise: float
    false_claims: dict[tuple[Rule, int], list[bool]] = field(default_factory=dict)
    """By rule and number of equal methods: whether each table tells any two of them apart."""
    covered: dict[tuple[Kind, Metric], list[float]] = field(default_factory=dict)
    """How many intervals of each table have the truth in them, as a share."""
    found: dict[tuple[float, int], list[float]] = field(default_factory=dict)
    """By lead and number of methods: from which share of the others a table tells the best method apart."""


class Pair(NamedTuple):
    """What the product says of two methods of a table."""

    ahead: bool
    """Whether the first has the higher WAR."""
    p: dict[Rule, float | None]
    """P values, not corrected."""
    low: float
    high: float
    """Ends of the interval of the difference in WAR; 0 where its p value is too large for a claim anyway."""


Pairs = dict[tuple[int, int], Pair]
"""By the places of two methods in their table."""


def make_settings(shapes: Sequence[Shape] = SHAPES) -> list[Setting]:
    """Every shape with every number of seeds and training noise."""
    return [Setting(*parts) for parts in product(shapes, SEEDS, TRAINING_NOISE)]


def simulate(settings: Sequence[Setting], tables: int, seed: int) -> None:
    """Add to each setting what so many tables said."""
    for place, setting in enumerate(tqdm(settings, desc="settings", leave=False, disable=None)):
        rng = np.random.default_rng([seed, place])
        for _ in range(tables):
            _add_table(setting, rng)


def _add_table(setting: Setting, rng: np.random.Generator) -> None:
    """Simulate a table of equal methods, then give the first of them a lead."""
    table = SimulatedTable(setting.shape, METHODS[-1], setting.seeds, setting.training_noise, rng)
    hits = table.hits()
    _add_covered(setting, table, hits)
    equal: Pairs = {}
    for place in range(METHODS[-1] - 1):
        equal |= _with_later(place, hits[place], hits, table)
    for number, rule in product(METHODS, (*PARTS, "all three")):
        claims = _told_apart(equal, number, rule)
        setting.false_claims.setdefault((rule, number), []).append(any(claims.values()))
    for lead in LEADS:
        led = equal | _with_later(0, table.hits_of_leader(lead), hits, table)
        for number in METHODS:
            claims = _told_apart(led, number, "all three")
            right = [claims[0, other] and led[0, other].ahead for other in range(1, number)]
            setting.found.setdefault((lead, number), []).append(float(np.mean(right)))


def _with_later(place: int, own: np.ndarray, hits: np.ndarray, table: SimulatedTable) -> Pairs:
    """A method of which each run has (S, N) hits, beside all methods (M, S, N) that come after it in the table."""
    values = own - hits[place + 1 :]
    difference = table.outcomes(values)
    found = evidence(difference, table.shape.folds)
    of_people = found.clips if found.subjects is None else np.maximum(found.clips, found.subjects)
    largest, ends = found.largest(), np.zeros((2, len(values)))
    if largest is not None and (largest < SIGNIFICANCE).any():
        likely = largest < SIGNIFICANCE
        interval = difference_interval(table.outcomes(values[likely]), "war")
        assert interval is not None  # a simulated test set has more than one person
        ends[:, likely] = interval
    pairs: Pairs = {}
    for at, ahead in enumerate((difference.value("war") > 0).tolist()):
        p: dict[Rule, float | None] = {
            "clips": found.clips[at],
            "clips and people": of_people[at],
            "all three": None if largest is None else largest[at],
        }
        pairs[place, place + 1 + at] = Pair(ahead, p, ends[0, at], ends[1, at])
    return pairs


def _told_apart(pairs: Pairs, number: int, rule: Rule) -> dict[tuple[int, int], bool]:
    """Of each pair among the first so many methods, by the rule of all tables or by a part of it."""
    among = {places: pair for places, pair in pairs.items() if places[1] < number}
    corrected = holm_of_known([pair.p[rule] for pair in among.values()])
    claims = {}
    for (places, pair), p in zip(among.items(), corrected, strict=True):
        if rule == "all three":
            claims[places] = told_apart(p, pair.low, pair.high)
        else:
            claims[places] = p is not None and p < SIGNIFICANCE
    return claims


def _add_covered(setting: Setting, table: SimulatedTable, hits: np.ndarray) -> None:
    """Rates of all methods, and differences of pairs that have no method in common."""
    differences = table.outcomes(hits[::2] - hits[1::2])
    for metric in METRICS:
        truth = table.truth(metric)
        _add_holding(setting, "rate", metric, rate_interval(table.outcomes(hits), metric), truth)
        ends = difference_interval(differences, metric)
        _add_holding(setting, "difference", metric, ends, truth[::2] - truth[1::2])


def _add_holding(setting: Setting, kind: Kind, metric: Metric, ends: Ends | None, truth: np.ndarray) -> None:
    assert ends is not None  # a simulated test set has more than one person
    holds = (ends.low <= truth) & (truth <= ends.high)
    setting.covered.setdefault((kind, metric), []).append(float(holds.mean()))
