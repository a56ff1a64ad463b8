"""Scores the held-out part of the training fold, beside the test set."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class Validate(Hook):
    """After every test of an epoch: adds `val/uar` and `val/war` of the held-out videos to its metrics.

    Mmengine has one validation loop, which is the test's. The hooks that follow find both in the same metrics.

    Args:
        dataloader: config of the loader of the held-out videos.
        evaluator: config of the metrics, `Recall` among them.
    """

    # Above Progress and WriteResult, which read what this adds.
    priority = "NORMAL"
    stateless = True

    def __init__(self, dataloader: dict[str, Any], evaluator: list[dict[str, Any]]) -> None:
        self.dataloader, self.evaluator = dataloader, evaluator
        self._unreadable: set[str] = set()

    def before_train(self, runner: Runner) -> None:
        self._loader = runner.build_dataloader(self.dataloader, seed=runner.seed)
        self._evaluator = runner.build_evaluator(self.evaluator)

    @torch.no_grad()
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        for batch in self._loader:
            self._say_unreadable(batch["unreadable"])
            self._evaluator.process(data_samples=runner.model.val_step(batch), data_batch=batch)
        scores = self._evaluator.evaluate(len(self._loader.dataset))
        if metrics is not None:  # mmengine calls it without any for a loop of its own
            metrics |= {f"val/{name}": scores[f"recall/{name}"] for name in ("uar", "war")}

    def _say_unreadable(self, notes: list[str]) -> None:
        for note in set(filter(None, notes)) - self._unreadable:
            self._unreadable.add(note)
            tqdm.write(f"skipped in validation: {note}")
