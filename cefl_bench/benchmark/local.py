"""Runs jobs on this machine: one on each GPU, or a few that share the cores."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from cefl_bench.benchmark import process
from cefl_bench.benchmark.job import Job
from cefl_bench.errors import UserError
from cefl_bench.parallel.workers import hold
from cefl_bench.runs.folder import JOB_LOG

THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Place:
    """Where one job at a time runs."""

    words: str
    gpu: bool = False
    environment: dict[str, str] = field(default_factory=dict, compare=False)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; none is opened."""
    count = torch.cuda.device_count()
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [name.strip() for name in listed.split(",")][:count] if listed else list(map(str, range(count)))


def places_of(gpus: Sequence[str], num_gpus: int | None, num_jobs: int | None) -> list[Place]:
    """A place on each GPU, at most `num_gpus`; where there is none, or none is wanted, `num_jobs` that share the cores.

    The threads of PyTorch are divided between places, unless OMP_NUM_THREADS says how many each has.
    """
    if num_gpus and num_gpus > len(gpus):
        raise UserError(f"--gpus is {num_gpus}: this machine offers {len(gpus)}; leave it out to use all there are")
    gpus = gpus[:num_gpus]
    if gpus and num_jobs and num_jobs > len(gpus):
        raise UserError(f"--jobs is {num_jobs}: expected {len(gpus)} at most, one per GPU; --gpus 0 uses cores alone")
    cores = len(os.sched_getaffinity(0))
    num_places = num_jobs or len(gpus) or 1
    threads = {} if num_places == 1 or THREADS in os.environ else {THREADS: str(max(1, cores // num_places))}
    if gpus:
        return [Place(f"GPU {gpu}", True, threads | {"CUDA_VISIBLE_DEVICES": gpu}) for gpu in gpus[:num_places]]
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if num_gpus == 0 else {}
    return [Place("CPU", environment=threads | hidden) for _ in range(num_places)]


class LocalExecutor:
    """A process per place; a folder that another run holds is left to it, until it lets go.

    Args:
        places: where jobs run, one each.
    """

    pause = 1.0
    """Seconds between two looks at the jobs."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._free = list(places)
        self.slots = len(places)
        self._processes: dict[Job, tuple[subprocess.Popen, Place]] = {}
        self._ended: list[tuple[Job, str, Path]] = []
        self._elsewhere: set[Job] = set()
        where = f"{len(places)} at a time, one per GPU" if places[0].gpu else f"{len(places)} at a time on the CPU"
        threads = places[0].environment.get(THREADS, os.environ.get(THREADS))
        self.words = f"{where}, {threads} threads each" if threads else where

    @property
    def busy(self) -> bool:
        """Whether a job has not ended yet, or not been told of."""
        return bool(self._processes or self._ended)

    @property
    def running(self) -> list[Job]:
        return list(self._processes)

    def start(self, waiting: Sequence[Job], say: Callable[[str], None]) -> list[Job]:
        """Start as many jobs as there is room for, and give them; one that was finished elsewhere ends at once."""
        started = []
        for job in waiting:
            if not self._free:
                break
            job.folder.mkdir(parents=True, exist_ok=True)
            held = hold(job.folder)
            if held is None:
                if job not in self._elsewhere:
                    say(f"held     {job}: another run is at it; waiting for what becomes of it")
                    self._elsewhere.add(job)
                continue
            with held:
                started.append(job)
                if job.result():
                    self._ended.append((job, "", job.folder / JOB_LOG))
                    continue
                place = self._free.pop(0)
                say(f"started  {job} ({place.words})")
                self._processes[job] = process.start(job.command(), job.folder, held, place.environment), place
        return started

    def ended(self) -> list[tuple[Job, str, Path]]:
        """The jobs that ended since the last call, why they failed (empty for those that did not), and their logs."""
        for job, (child, place) in list(self._processes.items()):
            if (status := child.poll()) is None:
                continue
            del self._processes[job]
            self._free.append(place)
            reason = process.ending(status) or ("" if job.result() else "no result of this config")
            self._ended.append((job, reason, job.folder / JOB_LOG))
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> str:
        """End all jobs, and say so."""
        process.stop([child for child, _ in self._processes.values()])
        return f"stopped {len(self._processes)} jobs: the same command goes on with them, each after its last epoch"
