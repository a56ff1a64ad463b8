"""A small simulation with a fixed seed: what the rule claims of equal methods, and what a part of it would claim."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers.run import ROOT, run_tool

from cefl_bench.commands.simulate import make_page
from cefl_bench.commands.simulate_tables import METHODS, SHAPES, Setting, simulate
from cefl_bench.functional.simulation import Shape

TABLES = 20
ONE_FOLD, PEOPLE = Shape("fixed split", 700, 0, folds=1), Shape("people", 480, 8, folds=4)
MANY_CLIPS = Shape("many clips", 3000, 0, folds=5, balanced=False)
PAGE = ROOT / "docs" / "comparisons_simulated.md"
TEXT = ROOT / "docs" / "comparisons.md"


@pytest.fixture(scope="module")
def settings() -> dict[tuple[str, int], Setting]:
    """Trainings vary on the fixed split alone, and people where they are known: one source of luck at a time."""
    made = [Setting(ONE_FOLD, 1, 0.02), Setting(ONE_FOLD, 3, 0.02), Setting(PEOPLE, 1, 0.0), Setting(PEOPLE, 3, 0.0)]
    made.append(Setting(MANY_CLIPS, 3, 0.0))
    simulate(made, TABLES, 0)
    return {(setting.shape.name, setting.seeds): setting for setting in made}


def share(values) -> float:
    return float(np.mean(values))


def test_few_tables_of_equal_methods_have_a_false_claim(settings):
    claims = []
    for setting in settings.values():
        claims += [value for number in METHODS for value in setting.false_claims["all three", number]]
    assert len(claims) == 5 * 3 * TABLES and share(claims) <= 0.05


def test_without_people_or_trainings_tables_are_wrong(settings):
    """What each part of the rule prevents; the exact test over clips has its own case in test_paired_tests."""
    for seeds in (1, 3):
        assert share(settings["people", seeds].false_claims["clips", 12]) > 0.3
        assert share(settings["fixed split", seeds].false_claims["clips and people", 12]) > 0.3
    alone = settings["fixed split", 1]
    assert not any(alone.false_claims["all three", 12]) and not any(alone.found[0.05, 2]), "trained once: not ranked"


def test_intervals_hold_the_truth_about_as_often_as_they_say(settings):
    for setting in settings.values():
        for kind in (("rate", "war"), ("rate", "uar"), ("difference", "war"), ("difference", "uar")):
            assert 0.85 < share(setting.covered[kind]) <= 1, (setting.shape.name, setting.seeds, kind)


def test_a_lead_is_found_the_sooner_the_larger_it_is_and_the_fewer_methods_there_are(settings):
    found = settings["many clips", 3].found
    assert share(found[0.05, 2]) > share(found[0.03, 2]) > share(found[0.01, 2])
    assert share(found[0.05, 2]) > share(found[0.05, 6]) >= share(found[0.05, 12])


def test_the_same_seed_gives_the_same_page_and_the_tool_writes_it(tmp_path):
    run_tool("simulate.py", "--quick", "--tables", "1", "--seed", "3", "--out", tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert page == make_page(1, 3, quick=True) and "python tools/simulate.py --tables 1 --seed 3 --quick" in page
    assert page.count("| RAVDESS | 1,440 | 24 | 6 x 3 | 0.5 |") == 3


def lines_of(page: Path, title: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = page.read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    return rows[2:]


def test_the_page_under_version_control_holds_what_is_promised():
    false_claims = lines_of(PAGE, "False claims, and leads that are found")
    assert len(false_claims) == len(SHAPES) * 6
    for line in false_claims:
        assert max(map(float, line[5].split(" / "))) <= 5, line
    error = float(re.search(r"coverage to ± ([\d.]+)", PAGE.read_text(encoding="utf-8"))[1])
    for line in lines_of(PAGE, "Coverage of 95 % intervals"):
        people = line[2]
        if people == "unknown" or int(people) >= 12:
            assert all(93 - error <= float(cell) <= 97 + error for cell in line[5:]), line
    assert re.search(r"python tools/simulate.py --tables \d+ --seed \d+", PAGE.read_text(encoding="utf-8"))


def test_what_the_docs_say_of_the_simulation_is_on_its_page():
    text, page = TEXT.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")
    copied = [line for line in text.splitlines() if re.search(r"\| \d x \d \|", line)]
    assert len(copied) == len(SHAPES) * 2 and set(copied) <= set(page.splitlines())
    (called,) = set(re.findall(r"python tools/simulate.py --tables \d+ --seed \d+", text))
    assert f"`{called}`" in page
    claims = lines_of(PAGE, "False claims, and leads that are found")
    highest = max(max(map(float, line[5].split(" / "))) for line in claims)
    assert f"At most {highest} % of the tables of equal methods" in text
    alone = max(max(map(float, line[5].split(" / "))) for line in lines_of(PAGE, "False claims by a part of the rule"))
    assert f"By McNemar's test alone, up to {alone} % would." in " ".join(text.split())
    shares: list[float] = []
    for line in lines_of(PAGE, "Coverage of 95 % intervals"):
        if line[2] == "unknown" or int(line[2]) >= 12:
            shares += map(float, line[5:])
    assert f"the truth in {min(shares)} to {max(shares)} % of" in text


def test_what_the_readme_says_of_power_is_on_the_page():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found: dict[int, list[float]] = {1: [], 3: []}
    for line in lines_of(PAGE, "False claims, and leads that are found"):
        if line[0] == "DFEW" and line[3] == "5 x 3":
            for lead, cell in zip(found, line[6:], strict=False):
                found[lead].append(float(cell.split(" / ")[0]))
    for lead, words in ((3, "a lead of 3 points is found in"), (1, "1 point in")):
        assert f"{words} {min(found[lead]):.0f} to {max(found[lead]):.0f} %" in readme
