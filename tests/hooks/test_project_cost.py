"""The line on cost early in a training: of all folds, with its tests, without what only a first epoch does."""

from types import SimpleNamespace

import pytest
from torch.utils.data import DataLoader

from cefl_bench.functional.duration import duration
from cefl_bench.hooks.project_cost import Pace, ProjectCost


class Clock:
    """Time as a test makes it pass."""

    def __init__(self):
        self.now = 0.0

    def passes(self, seconds, after, runner):
        """Batches of 1,800 videos, one after the other."""
        for number, each in enumerate(seconds):
            self.now += each
            after(runner, number, {"label": [0] * 1800})


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("cefl_bench.hooks.project_cost.time.monotonic", lambda: clock.now)
    return clock


def runner_of(epochs, val_interval=1, val_begin=1, tested=True):
    val_loop = object() if tested else None
    return SimpleNamespace(max_epochs=epochs, val_interval=val_interval, val_begin=val_begin, val_loop=val_loop)


def train(hook, runner, clock, first=1):
    """What mmengine's loop does, with 10 s of training, 4 s of test and 1 s of checkpoint; returns the seconds."""
    for epoch in range(first, runner.max_epochs + 1):
        hook.before_train_epoch(runner)
        clock.passes([2.5] * 4, hook.after_train_iter, runner)
        last = epoch == runner.max_epochs
        if runner.val_loop and epoch >= runner.val_begin and (epoch % runner.val_interval == 0 or last):
            hook.before_val_epoch(runner)
            clock.passes([0.5] * 6, hook.after_val_iter, runner)
            clock.now += 1  # held-out videos
            hook.after_val_epoch(runner)
        clock.now += 1
    return clock.now


def test_the_first_epoch_projects_the_rest_at_the_pace_of_its_second_half(clock, capsys):
    runner = runner_of(epochs=100)
    hook = ProjectCost(num_folds=5, price=2.0)
    for training, testing in (((60, 4, 6, 6), (3, 3)), ((1, 1, 1, 1), (1, 1))):
        hook.before_train_epoch(runner)
        clock.passes(training, hook.after_train_iter, runner)
        hook.before_val_epoch(runner)
        clock.passes(testing, hook.after_val_iter, runner)
        hook.after_val_epoch(runner)
        clock.now += 6  # a checkpoint
    hook.before_train_epoch(runner)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "at 300 clips/s in training, 100 epochs take 1 h, 1 machine-hours, 2.00 to pay; "
        "all 5 folds 5 h, 5 machine-hours, 10.00 to pay"
    )


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        (dict(epochs=720, val_interval=3), 1),
        (dict(epochs=721, val_interval=3), 1),
        (dict(epochs=721, val_interval=3), 2),
        (dict(epochs=721, val_interval=3, val_begin=400), 1),
        (dict(epochs=721), 1),
        (dict(epochs=720, tested=False), 1),
    ],
)
def test_the_line_tells_what_the_clock_will_show_however_few_epochs_are_tested(schedule, first, clock, capsys):
    runner = runner_of(**schedule)
    whole = train(ProjectCost(1), runner, clock)
    capsys.readouterr()
    clock.now = 0.0
    train(ProjectCost(1), runner, clock, first)  # from the middle, it still tells of the whole training
    *before, line = capsys.readouterr().out.splitlines()
    assert f"{runner.max_epochs} epochs take {duration(whole)}, {whole / 3600:.3g} machine-hours" in line
    assert ["tests left out" in other for other in before] == [True] * (schedule.get("val_interval", 1) > 1)


def test_the_only_test_after_the_last_epoch_is_left_out_and_said_to_be(clock, capsys):
    train(ProjectCost(1), runner_of(epochs=360, val_interval=500), clock)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "at 720 clips/s in training, 360 epochs, tests left out, take 1.1 h, 1.1 machine-hours"


def test_clips_that_no_batch_has_are_not_counted(clock, capsys):
    """Of 504 videos in batches of 256, without the rest, one batch is trained on: 256 clips in 10 s."""
    hook, runner = ProjectCost(1), runner_of(epochs=10, tested=False)
    runner.train_dataloader = DataLoader(range(504), batch_size=256, drop_last=True)
    for _ in range(2):
        hook.before_train_epoch(runner)
        for number, batch in enumerate(runner.train_dataloader):
            clock.now += 10
            hook.after_train_iter(runner, number, {"label": batch})
    assert capsys.readouterr().out.startswith("at 26 clips/s in training, 10 epochs take 1.67 min")


def test_a_last_batch_of_another_size_does_not_set_the_pace(clock):
    """504 videos in batches of 32 end with one of 24."""
    pace = Pace()
    for seconds in (50, *[3] * 14, 50):
        clock.now += seconds
        pace.step()
    assert pace.seconds() == 16 * 3 and pace.taken() == 2 * 50 + 14 * 3
