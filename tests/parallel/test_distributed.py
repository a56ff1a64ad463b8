"""Which GPU a process of a run takes; there need not be any."""

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import Runner

from cefl_bench.commands.runner import PlainRunner
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.errors import UserError
from cefl_bench.parallel.distributed import take_gpu


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many GPUs in sight: the devices that its process with this local rank takes."""
    taken = []

    def be(local_rank, num_gpus):
        for name in ("LOCAL_RANK", "SLURM_LOCALID"):
            monkeypatch.setenv(name, str(local_rank))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: num_gpus)
        monkeypatch.setattr(torch.cuda, "set_device", taken.append)
        return taken

    return be


@pytest.mark.parametrize(
    ("local_rank", "num_gpus", "launcher", "device"), [(0, 4, "pytorch", 0), (3, 4, "slurm", 3), (3, 1, "slurm", 0)]
)
def test_a_process_takes_the_gpu_of_its_number_or_the_one_it_is_shown(machine, local_rank, num_gpus, launcher, device):
    taken = machine(local_rank, num_gpus)
    take_gpu(launcher)
    assert taken == [device]


@pytest.mark.parametrize(("num_gpus", "launcher"), [(1, "pytorch"), (2, "pytorch"), (2, "slurm")])
def test_two_processes_never_share_a_gpu(machine, num_gpus, launcher):
    with pytest.raises(UserError, match=f"process number 3 on this machine, which has {num_gpus} GPUs: start at most"):
        machine(2, num_gpus)
        train(RunOptions("nothing here", launcher=launcher))  # said before anything else, which may look at a GPU


def test_gradients_are_shared_from_the_gpu_that_was_taken(monkeypatch):
    """Not from the one of its local rank, which the process may not see."""
    runner = object.__new__(PlainRunner)
    runner._distributed, runner.cfg = True, {}
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(Runner, "wrap_model", lambda self, wrapper, model: wrapper)
    wrapper = runner.wrap_model(None, torch.nn.Identity())
    assert wrapper["type"] is MMDistributedDataParallel and wrapper["device_ids"] == [0]
    assert runner.wrap_model({"type": "own"}, torch.nn.Identity()) == {"type": "own"}
