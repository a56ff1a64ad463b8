"""The memory that a result tells: of the process that took most, and not of the first steps."""

from types import SimpleNamespace

import torch

from cefl_bench.hooks import write_result
from cefl_bench.hooks.write_result import WARM_UP_BATCHES, WriteResult


def test_it_is_that_of_the_process_which_took_most(monkeypatch):
    others = [{"process": 5, "gpu_allocated": 1}, {"process": 3, "gpu_allocated": 7}]
    monkeypatch.setattr(write_result, "all_gather_object", lambda own: others)
    monkeypatch.setattr(write_result, "collect_results", lambda outputs, size, device: [])
    hook = WriteResult({})
    hook._gather(0)
    assert hook._memory == {"process": 5, "gpu_allocated": 7}


def test_the_first_steps_are_forgotten_once(monkeypatch):
    forgotten = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: forgotten.append(step))
    hook, runner = WriteResult({}), SimpleNamespace()
    monkeypatch.setattr(hook._losses, "add", lambda outputs: 0.0)
    for epoch in range(2):
        for step in range(WARM_UP_BATCHES + 2):
            hook.after_train_iter(runner, step, {"unreadable": [""]}, {"loss": torch.tensor(1.0)})
        assert forgotten == [WARM_UP_BATCHES - 1], epoch
