"""What simulated tables said, as a Markdown page."""

from collections.abc import Callable, Sequence

import numpy as np

from cefl_bench.commands.simulate_tables import (
    LEADS,
    METHODS,
    PARTS,
    QUICK_SHAPES,
    SHAPES,
    Kind,
    Setting,
    make_settings,
    simulate,
)
from cefl_bench.report.board import METRICS

HEAD = """# What tables of simulated methods say

Made by `{command}`; do not edit. [Comparing methods](comparisons.md) says
what is simulated and what follows.

Every line rests on {tables:,} tables, random seed {seed}. All shares are in percent. By its standard error, a share of
5 % is known to ± {error:.1f}, one of 50 % to ± {even_error:.1f}, and coverage to ± {coverage_error:.1f} or better.

- **noise**: standard deviation, in points of WAR, by which trainings come out better or worse.
- **false claims**: tables of equal methods in which any two are told apart, with 2 / 6 / 12 methods.
- **lead of 1**, 3, 5: one method leads all others by so many points of WAR; from which share of them a table with 2 / 6
  / 12 methods tells it apart.
- **coverage**: 95 % intervals that have the truth in them. Of a single training on a fixed split, the truth is what
  that training would reach on all clips and people.
"""


def make_page(tables: int, seed: int, quick: bool = False) -> str:
    """Simulate, and write the page. `quick` takes few kinds of test sets."""
    settings = make_settings(QUICK_SHAPES if quick else SHAPES)
    simulate(settings, tables, seed)
    head = HEAD.format(
        command=f"python tools/simulate.py --tables {tables} --seed {seed}" + (" --quick" if quick else ""),
        tables=tables,
        seed=seed,
        error=_standard_error(0.05, tables),
        even_error=_standard_error(0.5, tables),
        coverage_error=100 * max(map(_coverage_error, settings)),
    )
    parts = [
        head,
        "## False claims, and leads that are found\n",
        *_table(["false claims", *(f"lead of {100 * lead:.0f}" for lead in LEADS)], settings, _claims),
        "\n## Coverage of 95 % intervals\n",
        *_table(["WAR", "UAR", "difference of WAR", "difference of UAR"], settings, _coverage),
        "\n## False claims by a part of the rule\n",
        *_table(list(PARTS), settings, _parts),
    ]
    return "\n".join(parts) + "\n"


def _standard_error(share: float, count: int) -> float:
    """Of a share of so many draws, in percent."""
    return 100 * (share * (1 - share) / count) ** 0.5


def _coverage_error(setting: Setting) -> float:
    """The largest standard error of its coverages."""
    return max(float(np.std(shares)) / len(shares) ** 0.5 for shares in setting.covered.values())


def _table(columns: Sequence[str], settings: Sequence[Setting], cells: Callable[[Setting], list[str]]) -> list[str]:
    head = ["test clips", "clips", "people", "folds x seeds", "noise", *columns]
    lines = [_line(head), _line(["---", "--:", "--:", "--:", "--:", *["--:"] * len(columns)])]
    for setting in settings:
        shape = setting.shape
        known = [shape.name, f"{shape.clips:,}", str(shape.subjects or "unknown"), f"{shape.folds} x {setting.seeds}"]
        lines.append(_line([*known, f"{100 * setting.training_noise:.1f}", *cells(setting)]))
    return lines


def _claims(setting: Setting) -> list[str]:
    claims = _shares([setting.false_claims["all three", number] for number in METHODS])
    return [claims, *(_shares([setting.found[lead, number] for number in METHODS]) for lead in LEADS)]


def _coverage(setting: Setting) -> list[str]:
    kinds: tuple[Kind, ...] = ("rate", "difference")
    cells = []
    for kind in kinds:
        cells += [_shares([setting.covered[kind, metric]]) for metric in METRICS]
    return cells


def _parts(setting: Setting) -> list[str]:
    return [_shares([setting.false_claims[rule, number] for number in METHODS]) for rule in PARTS]


def _shares(values: Sequence[Sequence[float]]) -> str:
    """`1.2 / 0.5`: the mean of each, in percent."""
    return " / ".join(f"{100 * np.mean(of_number):.1f}" for of_number in values)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
