"""The line on cost after the first epoch: once, of the whole epoch, for all folds."""

from types import SimpleNamespace

from cefl_bench.hooks.project_cost import ProjectCost


def test_the_first_epoch_projects_the_rest(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("cefl_bench.hooks.project_cost.time.monotonic", lambda: now[0])
    loader = SimpleNamespace(dataset=range(7200))
    runner = SimpleNamespace(train_dataloader=loader, max_epochs=100)
    hook = ProjectCost(num_folds=5, price=2.0)
    for training, testing in ((24, 12), (30, 30), (1, 1)):
        hook.before_train_epoch(runner)
        now[0] += training
        hook.after_train_epoch(runner)
        now[0] += testing
    hook.before_train_epoch(runner)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "at 300 clips/s in training, 100 epochs take 1 h, 1 machine-hours, 2.00 to pay; "
        "all 5 folds 5 h, 5 machine-hours, 10.00 to pay"
    )
