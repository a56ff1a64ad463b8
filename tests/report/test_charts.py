"""Where the marks of accuracy over cost stand, from rows whose places can be told by hand."""

import copy

import pytest
from helpers.boards import SIX, table

from cefl_bench.report.charts import scatter
from cefl_bench.report.scales import cost_scale, rate_scale


@pytest.fixture
def rows():
    """Four rows of which only cost and accuracy count."""
    template = table(SIX[:1])["rows"][0]

    def row(title, macs, war, uar, seconds=None):
        made = copy.deepcopy(template) | dict(title=title, macs=macs, train_seconds=seconds)
        made["headline"]["war"] |= dict(pooled=war, mean=0.1, interval=[war - 0.03, war + 0.02])
        made["headline"]["uar"] |= dict(pooled=uar, interval=None)
        return made

    return [
        row("dear", 90_000_000_000, 0.65, 0.40, 3000),
        row("beaten", 20_000_000_000, 0.50, 0.45, 1500),
        row("cheap", 1_000_000_000, 0.60, 0.35, 300),
        row("unknown", None, 0.70, 0.60),
    ]


def test_points_front_and_whiskers_of_war(rows):
    plot = scatter(rows, "war", "macs")
    assert plot.missing == ["unknown"] and plot.points[0].row["title"] == "beaten"
    points = {point.row["title"]: point for point in plot.points}
    assert [name for name in points if points[name].front] == ["cheap", "dear"], "drawn last, above the others"
    for point in points.values():
        war = point.row["headline"]["war"]
        assert point.x == plot.x(point.row["macs"]) and point.y == pytest.approx(100 - plot.y(war["pooled"]))
        top, bottom = point.whisker
        assert (top, bottom) == tuple(pytest.approx(100 - plot.y(end)) for end in reversed(war["interval"]))
        assert 0 < top < point.y < bottom < 100, "the plot holds the interval"
    cheap, dear = points["cheap"], points["dear"]
    assert plot.front == [
        (cheap.x, cheap.y, dear.x, cheap.y),
        (dear.x, cheap.y, dear.x, dear.y),
        (dear.x, dear.y, 100.0, dear.y),
    ], "flat until the next method, then up"


def test_uar_has_points_and_a_front_of_its_own(rows):
    plot = scatter(rows, "uar", "macs")
    assert [point.row["title"] for point in plot.points if point.front] == ["cheap", "beaten"]
    for point in plot.points:
        assert point.y == pytest.approx(100 - plot.y(point.row["headline"]["uar"]["pooled"])) and point.whisker is None


def test_times_have_ticks_of_minutes_and_unknown_costs_no_plot(rows):
    assert scatter(rows, "war", "train_seconds").x.ticks == (600, 1800, 3600)
    assert scatter(rows[3:], "war", "macs") is None


def test_scales_hold_all_values_and_have_round_ticks():
    for values in ([1e9, 4e10], [5.0], [4.1e9, 4.2e9], [2.1, 4.3], [10, 3e5], [1e3, 1e15]):
        scale = cost_scale(values)
        assert all(0 < scale(value) < 100 for value in values) and 1 < len(scale.ticks) < 7, values
    assert cost_scale([120, 20_000], in_seconds=True).ticks == (180, 600, 1800, 3600, 10800)
    assert cost_scale([190, 475], in_seconds=True).ticks == (120, 240, 360, 480), "whole minutes"
    assert rate_scale([0.0, 1.0]).ticks[0] == 0 and rate_scale([0.5]).ticks == (0.48, 0.49, 0.5, 0.51, 0.52)
    assert (rate_scale([0.0, 1.0]).low, rate_scale([0.0, 1.0]).high) == (-0.005, 1.005)


@pytest.mark.parametrize("values", [[1e-320, 1e12], [1e-12, 1e12], [1e12], [1e12, 1.1e12], [1, 1e18]])
def test_scales_of_costs_that_nobody_has_are_drawn_too(values):
    for in_seconds in (True, False):
        scale = cost_scale(values, in_seconds)
        assert len(scale.ticks) < 9 and all(0 <= scale(value) <= 100 for value in values)
