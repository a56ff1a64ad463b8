"""Losses stay where they are until they are needed, and what is read late is what would have been read at once."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cefl_bench.errors import UserError
from cefl_bench.hooks import losses
from cefl_bench.hooks.losses import EpochLosses
from cefl_bench.hooks.progress import Progress


def outputs(count):
    generator = torch.Generator().manual_seed(0)
    return [
        {"loss": value.sum(), "loss_class": value[0], "loss_ial": value[1], "accuracy": value[0]}
        for value in torch.rand(count, 2, generator=generator)
    ]


@pytest.mark.parametrize("every", [1, 7, 50])
def test_how_late_they_are_read_changes_nothing(every):
    kept, sums = EpochLosses(), []
    batches = outputs(45)
    for number, batch in enumerate(batches, start=1):
        kept.add(batch)
        if number % every == 0:
            sums += kept.read()
    sums += kept.read()
    assert [batch for batch, _ in sums] == list(range(1, 46))
    assert [loss for _, loss in sums] == [batch["loss"].item() for batch in batches]
    for name in ("loss", "loss_class", "loss_ial"):
        assert kept.means()[name] == float(np.mean([batch[name].item() for batch in batches]))
    assert next(iter(kept.means())) == "loss" and "accuracy" not in kept.means() and kept.read() == []


def test_no_graph_is_kept():
    kept, weight = EpochLosses(), torch.ones(1, requires_grad=True)
    kept.add({"loss": (weight * 2).sum()})
    assert not kept._waiting[0]["loss"].requires_grad


@pytest.mark.parametrize("read_late", [False, True])
def test_a_loss_that_is_not_finite_is_found_and_its_batch_named(monkeypatch, read_late):
    """On a GPU up to twenty batches later, or at the end of the epoch."""
    if read_late:
        monkeypatch.setattr(losses.EpochLosses, "should_read", property(lambda kept: len(kept._waiting) >= 20))
    hook, runner = Progress(), SimpleNamespace(epoch=1)
    runner.optim_wrapper = None
    with pytest.raises(UserError, match="the loss became nan in epoch 2, batch 5: lower the learning rate") as _:
        for step in range(10):
            hook.after_train_iter(runner, step, None, {"loss": torch.tensor(float("nan") if step >= 4 else 1.0)})
        assert read_late, "where reading is free, it is found at once"
        hook.after_train_epoch(runner)
