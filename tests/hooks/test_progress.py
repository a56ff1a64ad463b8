"""The line of an epoch says how long is left, by the pace of the epochs after the first."""

from types import SimpleNamespace

import torch

from cefl_bench.hooks.progress import Progress


def test_time_left_is_told_by_the_epochs_after_the_first(monkeypatch, capsys, tmp_path):
    """The first epoch, of 60 seconds, starts workers and tunes; each later one takes 3."""
    now = [0.0]
    monkeypatch.setattr("cefl_bench.hooks.progress.time.monotonic", lambda: now[0])
    optimiser = SimpleNamespace(get_lr=lambda: {"lr": [0.1]})
    runner = SimpleNamespace(
        epoch=0,
        max_epochs=11,
        val_loop=None,
        train_dataloader=range(1),
        optim_wrapper=optimiser,
        work_dir=str(tmp_path),
    )
    hook = Progress()
    hook.before_train(runner)
    for seconds in (60, 3, 3):
        hook.before_train_epoch(runner)
        now[0] += seconds
        hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(1.0)})
        hook.after_train_epoch(runner)
        runner.epoch += 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["10 min left", "27 s left", "24 s left"]


def test_an_epoch_that_is_tested_out_of_turn_has_two_lines(capsys, tmp_path):
    """The last one, whichever epochs are tested."""
    optimiser = SimpleNamespace(get_lr=lambda: {"lr": [0.1]})
    runner = SimpleNamespace(
        epoch=0, max_epochs=1, val_loop=object(), val_interval=3, train_dataloader=range(1), val_dataloader=range(1)
    )
    runner.optim_wrapper, runner.work_dir = optimiser, str(tmp_path)
    hook = Progress()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    hook.after_train_iter(runner, 0, outputs={"loss": torch.tensor(1.0)})
    hook.after_train_epoch(runner)
    runner.epoch = 1
    hook.before_val_epoch(runner)
    hook.after_val_epoch(runner, {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith("epoch 1/1") and "left" not in line for line in lines] == [True, True]
