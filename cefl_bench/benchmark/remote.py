"""What a cluster's node calls. It only waits for a training, so it imports nothing that takes seconds or memory."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cefl_bench.benchmark import process
from cefl_bench.parallel.workers import hold
from cefl_bench.runs.folder import JOB_LOG


@dataclass
class RemoteJob:
    """What a cluster's node calls: waits for the folder, then trains there.

    A scheduler that takes the node away calls `checkpoint` and starts what it gives anew: the run goes on after its
    last epoch.
    """

    command: list[str]
    folder: Path
    directory: str = field(default_factory=os.getcwd)

    def __call__(self) -> None:
        os.chdir(self.directory)
        held = hold(self.folder, wait=True)
        assert held is not None, "waiting ends only with the folder"
        with held:
            status = process.start(self.command, self.folder, held).wait()
        if status:
            raise RuntimeError(f"{' '.join(self.command)}: {process.ending(status)}, see {self.folder / JOB_LOG}")

    def checkpoint(self) -> Any:
        from submitit.helpers import DelayedSubmission  # an extra: only where SLURM is

        return DelayedSubmission(self)
