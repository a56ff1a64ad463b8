"""The figure of a training's curves shows every number of its history where it belongs."""

import pytest
from matplotlib.figure import Figure

from cefl_bench.report import curves
from cefl_bench.report.curves import draw_curves

NUM_EPOCHS = 6


def rows(**values):
    """A row per epoch, with a value of each list; None: the epoch does not have it."""
    history = []
    for epoch in range(NUM_EPOCHS):
        row = {"epoch": epoch + 1, "seconds": 1.0}
        for key, of_epochs in values.items():
            if of_epochs[epoch] is not None:
                row[key] = of_epochs[epoch]
        history.append(row)
    return history


LOSS, RATE = [2.0, 1.5, 1.2, 1.0, 0.9, 0.8], [0.1] * 3 + [0.01] * 2 + [0.001]
TESTED = [None, 0.25, None, 0.5, None, 0.45]


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draws the curves of a history; gives their three axes."""
    figures, close = [], curves.plt.close
    monkeypatch.setattr(curves.plt, "close", figures.append)
    monkeypatch.setattr(curves, "DOTS_PER_INCH", 30)

    def draw(history, **metrics):
        result = dict(
            history=history, classes=list("abcd"), title="Net $1", method="net", config_name="net", fold=2, seed=3
        )
        scores = dict(uar=0.4, war=0.45)
        result["metrics"] = {"last": scores | {"epoch": 6}, "best_test": scores | {"epoch": 4, "war": 0.5}} | metrics
        draw_curves(result, tmp_path / "curves.png")
        assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
        figure: Figure = figures[-1]
        assert figure.get_suptitle() == "Net $1, fold 2, seed 3"
        return figure.axes

    yield draw
    for figure in figures:
        close(figure)


def lines(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}


def test_every_loss_has_a_line_and_the_sum_too(draw):
    parts = {"loss_class": [1.8, 1.3, 1.0, 0.8, 0.7, 0.6], "loss_ial": [0.2] * 6}
    losses, _, _ = draw(rows(loss=LOSS, **parts, lr=RATE))
    every = list(range(1, 7))
    assert lines(losses) == {"sum": (every, LOSS), "class": (every, parts["loss_class"]), "ial": (every, [0.2] * 6)}
    assert losses.get_ylim()[0] == 0


def test_one_loss_is_one_line(draw):
    losses, _, _ = draw(rows(loss=LOSS, loss_class=LOSS, lr=RATE))
    assert list(lines(losses)) == ["loss"] and losses.get_legend() is None


def test_a_loss_below_0_is_in_the_figure(draw):
    parts = {"loss_class": [2.5] * 6, "loss_bonus": [-0.5] * 6}
    losses, _, _ = draw(rows(loss=[2.0] * 6, **parts, lr=RATE))
    assert losses.get_ylim()[0] < -0.5


def test_values_that_hardly_move_and_those_at_0_are_whole(draw):
    still = [2.0, 1.99, 1.99, 1.98, 1.98, 1.97]
    parts = {"loss_class": still, "loss_aux": [0.0] * 6}
    tested = [0.26, 0.25, 0.26, 0.25, 0.26, 0.26]
    for axes in draw(rows(loss=still, **parts, lr=[0.1] * 5 + [0], war=tested, uar=tested)):
        highest = max(max(line.get_ydata()) for line in axes.lines)
        assert axes.get_ylim() == (0, pytest.approx(1.1 * highest))
        assert not any(line.get_clip_on() for line in axes.lines)


def test_scores_are_in_per_cent_at_the_epochs_that_have_them(draw):
    _, scores, _ = draw(rows(loss=LOSS, lr=RATE, war=TESTED, uar=TESTED, val_war=[None] * 5 + [0.75]))
    found = lines(scores)
    assert found["test WAR"] == found["test UAR"] == ([2, 4, 6], [25, 50, 45])
    assert found["held-out WAR"] == ([6], [75]) and "held-out UAR" not in found
    assert found["UAR of a guess"][1] == [25, 25], "one of four classes"
    assert found["best on the test set"] == ([4], [50]) and found["counts: epoch 6"][0] == [6, 6]
    assert scores.get_title() == "UAR 40.0   WAR 45.0, last epoch"


def test_the_epoch_that_counts_is_the_selected_one_where_one_is_selected(draw):
    chosen = dict(uar=0.3, war=0.35, epoch=2)
    _, scores, _ = draw(rows(loss=LOSS, lr=RATE, war=TESTED), selected_by_val=chosen)
    assert lines(scores)["counts: epoch 2"][0] == [2, 2]
    assert scores.get_title().startswith("UAR 30.0   WAR 35.0, the epoch that is best on a held-out part")


@pytest.mark.parametrize(
    ("rates", "scale"),
    [
        (RATE, "log"),
        ([0.1] * 6, "linear"),
        ([0.1, 0.09, 0.06, 0.03, 0.01, 1e-9], "linear"),
        ([0.1] * 5 + [0], "linear"),
    ],
    ids=["steps", "constant", "cosine", "to 0"],
)
def test_the_learning_rate_has_a_scale_that_shows_it(rates, scale, draw):
    _, _, rate = draw(rows(loss=LOSS, lr=rates))
    (line,) = rate.lines
    assert list(line.get_ydata()) == rates and rate.get_yscale() == scale
    assert all("$" not in label.get_text() for label in rate.get_yticklabels())


def test_a_training_of_one_epoch_has_dots(draw):
    for axes in draw(rows(loss=LOSS, lr=RATE, war=TESTED, uar=TESTED)[1:2]):
        curve = axes.lines[0]
        assert curve.get_marker() == "." and len(curve.get_xdata()) == 1
