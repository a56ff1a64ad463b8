"""The trainings on the page: every known value at its place, one line a run, and nothing of what is unknown."""

import pytest
from helpers.boards import board
from helpers.simulated import SMALL, TWO, simulate

from cefl_bench.report.courses import courses
from cefl_bench.report.html import write_html
from cefl_bench.report.leaderboard import make_leaderboard


def rows_with(*histories):
    """A row for each group of histories, with a run for each history of the group."""
    rows = []
    for place, group in enumerate(histories):
        runs = [{"history": history, "fold": 1, "seed": seed} for seed, history in enumerate(group)]
        rows.append({"title": f"method {place}", "runs": runs})
    return rows


def history(*losses, **scores):
    found = [{"epoch": epoch, "loss": loss, "lr": 0.1} for epoch, loss in enumerate(losses, 1)]
    for name, values in scores.items():
        for line, value in zip(found, values, strict=True):
            line[name] = value
    return found


def panel(course, title):
    (found,) = [panel for panel in course.panels if panel.title == title]
    return found


def places(line):
    return [tuple(map(float, point.split(","))) for point in line.points.split()]


def test_values_stand_where_the_ticks_say():
    (course,) = courses(rows_with([history(4.0, 2.0, 1.0, war=(0.2, 0.4, 0.3))]))
    found = panel(course, "loss, training")
    at = {text: place for place, text in found.y}
    (line,) = found.lines
    assert places(line) == [(0, at["4"]), (50, at["2"]), (100, pytest.approx((at["2"] + at["0"]) / 2, abs=0.02))]
    war = panel(course, "WAR, %")
    at = {text: place for place, text in war.y}
    assert [y for _, y in places(war.lines[0])] == pytest.approx(
        [at["20"], at["40"], (at["20"] + at["40"]) / 2], abs=0.02
    )
    assert [text for _, text in war.x] == ["1", "2", "3"] and war.metric == "war" and not war.legend


def test_accuracies_share_their_axis_and_the_rest_has_its_own():
    low, high = courses(rows_with([history(4.0, 2.0, war=(0.2, 0.3))], [history(40.0, 20.0, war=(0.8, 0.9))]))
    assert panel(low, "WAR, %").y == panel(high, "WAR, %").y
    assert panel(low, "loss, training").y != panel(high, "loss, training").y


def test_each_run_has_a_line_and_equal_ones_are_drawn_once():
    (course,) = courses(rows_with([history(3.0, 2.0), history(3.0, 1.0)]))
    assert [line.run for line in panel(course, "loss, training").lines] == ["fold 1, seed 0", "fold 1, seed 1"]
    assert len(panel(course, "learning rate").lines) == 1


def test_a_sum_of_losses_shows_its_parts_and_held_out_scores_stand_beside_the_test():
    one = history(3.0, 2.0, loss_class=(2.0, 1.5), loss_ial=(1.0, 0.5), war=(0.2, 0.3), val_war=(0.1, 0.2))
    (course,) = courses(rows_with([one]))
    assert [key.name for key in panel(course, "loss, training").legend] == ["sum", "class", "ial"]
    assert [key.name for key in panel(course, "WAR, %").legend] == ["test", "held-out"]
    (course,) = courses(rows_with([history(3.0, 2.0, loss_class=(3.0, 2.0))]))
    assert len(panel(course, "loss, training").lines) == 1, "one loss is its own sum"


def test_what_is_unknown_is_left_out():
    assert courses(rows_with([[]])) == [] == courses([])
    (course,) = courses(rows_with([history(2.0, 1.0, war=(None, 0.5))], [[]]))
    (line,) = panel(course, "WAR, %").lines
    assert {x for x, _ in places(line)} == {100}, "the first epoch was not tested"
    assert {panel.title for panel in course.panels} == {"WAR, %", "loss, training", "learning rate"}
    (course,) = courses(rows_with([history(2.0)]))
    assert {x for x, _ in places(panel(course, "loss, training").lines[0])} == {50}, "one epoch stands in the middle"


def test_the_page_shows_the_trainings_of_every_method(tmp_path):
    found = make_leaderboard(simulate(tmp_path, TWO, SMALL))
    for row in found["tables"][0]["rows"]:
        for line in row["runs"][0]["history"]:
            line |= {"loss_<b>evil</b>": 1.0, "loss_class": 0.5}
    text = write_html(found, tmp_path / "report").read_text(encoding="utf-8")
    section = text.partition('aria-label="Trainings"')[2].partition("</section>")[0]
    assert section.count("<figcaption>") == 2 and section.count('<polyline class="test"') == 2 * 2 * 4
    assert "&lt;b&gt;evil&lt;/b&gt;" in section and "<b>evil" not in text
    empty = board(*[table | {"rows": []} for table in found["tables"]])
    assert "Trainings" not in write_html(empty, tmp_path / "empty").read_text(encoding="utf-8")
