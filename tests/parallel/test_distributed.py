"""Which GPU a process of a run takes; without a GPU, as it is arithmetic."""

import pytest

from cefl_bench.errors import UserError
from cefl_bench.parallel.distributed import gpu_of


@pytest.mark.parametrize(
    ("launcher", "local_rank", "num_gpus", "gpu"),
    [("pytorch", 1, 2, 1), ("slurm", 1, 2, 1), ("slurm", 3, 1, 0), ("pytorch", 0, 1, 0)],
)
def test_every_process_has_its_own(launcher, local_rank, num_gpus, gpu):
    assert gpu_of(launcher, local_rank, num_gpus) == gpu


@pytest.mark.parametrize(("launcher", "num_gpus"), [("pytorch", 1), ("pytorch", 2), ("slurm", 2)])
def test_more_processes_than_gpus_are_refused(launcher, num_gpus):
    with pytest.raises(UserError, match=f"process 3 of this machine has no GPU, as there are {num_gpus}: start one"):
        gpu_of(launcher, 2, num_gpus)
