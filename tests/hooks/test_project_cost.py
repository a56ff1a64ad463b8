"""The line on cost after the first epoch: once, of all folds, without what only a first epoch does."""

from types import SimpleNamespace

from cefl_bench.hooks.project_cost import Pace, ProjectCost


def test_the_first_epoch_projects_the_rest_at_the_pace_of_its_second_half(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("cefl_bench.hooks.project_cost.time.monotonic", lambda: now[0])
    loader = SimpleNamespace(dataset=range(7200))
    runner = SimpleNamespace(train_dataloader=loader, max_epochs=100)
    hook = ProjectCost(num_folds=5, price=2.0)
    for training, testing in (((60, 4, 6, 6), (3, 3)), ((1, 1, 1, 1), (1, 1))):
        hook.before_train_epoch(runner)
        for number, seconds in enumerate(training):
            now[0] += seconds
            hook.after_train_iter(runner, number)
        hook.before_val_epoch(runner)
        for number, seconds in enumerate(testing):
            now[0] += seconds
            hook.after_val_iter(runner, number)
        now[0] += 6  # a checkpoint
    hook.before_train_epoch(runner)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "at 300 clips/s in training, 100 epochs take 1 h, 1 machine-hours, 2.00 to pay; "
        "all 5 folds 5 h, 5 machine-hours, 10.00 to pay"
    )


def test_a_last_batch_of_another_size_does_not_set_the_pace(monkeypatch):
    """504 videos in batches of 32 end with one of 24."""
    now = [0.0]
    monkeypatch.setattr("cefl_bench.hooks.project_cost.time.monotonic", lambda: now[0])
    pace = Pace()
    for seconds in (50, *[3] * 14, 50):
        now[0] += seconds
        pace.step()
    assert pace.seconds() == 16 * 3 and pace.taken() == 2 * 50 + 14 * 3
