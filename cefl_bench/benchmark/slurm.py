"""Runs jobs on a cluster: hands them to SLURM, and asks its queue what became of them."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from cefl_bench.benchmark.job import Job
from cefl_bench.benchmark.remote import RemoteJob
from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.parallel.workers import hold
from cefl_bench.runs.folder import JOB_LOG

NAME = "cefl_bench"
TICKET = ".slurm_job"
MINUTES = 24 * 60


class SlurmExecutor:
    """A SLURM job per job, through submitit. What is in the queue from a run before is followed, not repeated.

    One that SLURM takes off its node, for its time is over or another needs the place, is queued again and goes on
    after its last epoch.

    Args:
        out: submitit keeps its files in `.slurm` below; the nodes must see it under the same path.
        settings: `KEY=VALUE` as sbatch knows them, or a bare `KEY`; `time` is in minutes.
        num_jobs: how many run at once; all that the cluster lets where None.
    """

    pause = 2.0

    def __init__(self, out: Path, settings: Sequence[str], num_jobs: int | None = None) -> None:
        if shutil.which("sbatch") is None:
            raise UserError("--executor slurm: there is no sbatch here: start on a machine that hands jobs to SLURM")
        self._folder = out.absolute() / ".slurm"
        self._executor = _submitit(self._folder, dict(map(_setting, settings)), num_jobs)
        self._submitted: dict[Job, str] = {}
        self._queue: dict[str, str] = {}
        self._missed: dict[Job, int] = {}
        self._num_jobs = num_jobs
        self.words = f"through SLURM, {num_jobs or 'any number'} at a time"

    @property
    def slots(self) -> int:
        return self._num_jobs or max(1, len(self._submitted))

    @property
    def busy(self) -> bool:
        """Whether a job has not ended yet."""
        return bool(self._submitted)

    @property
    def running(self) -> list[Job]:
        """The jobs that have a node."""
        return [job for job, number in self._submitted.items() if self._queue.get(number, "PENDING") != "PENDING"]

    def start(self, waiting: Sequence[Job], say: Callable[[str], None]) -> list[Job]:
        """Hand all jobs to SLURM, as one array."""
        if not waiting:
            return []
        self._folder.mkdir(parents=True, exist_ok=True)
        held = hold(self._folder, wait=True)
        assert held is not None, "waiting ends only with the folder"
        with held:  # of two runs of the benchmark, one submits a job
            queue = _ask_queue()
            if queue is None:
                raise UserError("--executor slurm: squeue does not answer: is SLURM running?")
            numbers = {job: _ticket(job) for job in waiting}
            known = {job: number for job, number in numbers.items() if number in queue}
            new = [job for job in waiting if job not in known]
            self._submitted |= known | (self._submit(new) if new else {})
        for job in waiting:
            say(f"{'followed' if job in known else 'queued  '} {job} (SLURM job {self._submitted[job]})")
        return list(waiting)

    def ended(self) -> list[tuple[Job, str, Path]]:
        """The jobs that ended since the last call, why they failed (empty for those that did not), and their logs."""
        if (queue := _ask_queue()) is None:  # busy, or starting anew: ask again later
            return []
        self._queue = queue
        ended = []
        for job, number in list(self._submitted.items()):
            if number in queue:
                self._missed.pop(job, None)
                continue
            self._missed[job] = self._missed.get(job, 0) + 1
            if (done := job.result()) or self._missed[job] > 3:  # a shared disk may show its files late
                del self._submitted[job]
                reason = "" if done else f"SLURM job {number} ended without a result of this config"
                ended.append((job, reason, self._log(job, number)))
        return ended

    def stop(self) -> str:
        """Leave the jobs to SLURM, and say so."""
        numbers = " ".join(sorted({number.split("_")[0] for number in self._submitted.values()}))
        return (
            f"{len(self._submitted)} jobs go on in SLURM: the same command follows them, scancel {numbers} ends them"
            if numbers
            else "no job is in SLURM's queue"
        )

    def _submit(self, jobs: Sequence[Job]) -> dict[Job, str]:
        from submitit.core.utils import FailedJobError

        for job in jobs:
            job.folder.mkdir(parents=True, exist_ok=True)
        try:
            # the error says it all again, in one line
            with _outside_of_a_job(), redirect_stderr(io.StringIO()), self._executor.batch():
                submitted = [self._executor.submit(RemoteJob(job.command(), job.folder.absolute())) for job in jobs]
        except FailedJobError as error:
            reason = " ".join(str(error).replace("sbatch: ", "").replace("error: ", "").split())
            raise UserError(f"--executor slurm: sbatch refused: {reason}") from None
        numbers = {job: ticket.job_id for job, ticket in zip(jobs, submitted, strict=True)}
        for job, number in numbers.items():
            write_text(job.folder / TICKET, f"{number}\n")
        return numbers

    def _log(self, job: Job, number: str) -> Path:
        """The training's; SLURM's own where it did not come to that."""
        log, ticket = job.folder / JOB_LOG, job.folder / TICKET
        came_to_it = log.exists() and log.stat().st_mtime >= ticket.stat().st_mtime
        return log if came_to_it else self._folder / f"{number}_0_log.err"


def _submitit(folder: Path, settings: dict[str, Any], num_jobs: int | None) -> Any:
    try:
        import submitit
    except ImportError:
        raise UserError("--executor slurm needs the package submitit: pip install 'submitit>=1.5'") from None
    minutes = settings.pop("time", str(MINUTES))
    if not str(minutes).isdecimal() or int(minutes) < 1:
        raise UserError(f"--slurm time={minutes}: expected whole minutes, such as time=480")
    # since SLURM 22.05 srun takes no notice of what sbatch was told
    cores = [f"--cpus-per-task={settings['cpus-per-task']}"] if "cpus-per-task" in settings else None
    executor = submitit.SlurmExecutor(folder, max_num_timeout=1000)
    executor.update_parameters(
        job_name=NAME,
        time=int(minutes),
        signal_delay_s=min(90, int(minutes) * 20),
        srun_args=cores,
        additional_parameters=settings,
        **({"array_parallelism": num_jobs} if num_jobs else {}),
    )
    return executor


def _setting(text: str) -> tuple[str, str | bool]:
    key, equals, value = text.partition("=")
    key = key.strip("-").replace("_", "-")
    if not key or (equals and not value) or any(letter.isspace() for letter in text):
        raise UserError(f"--slurm {text!r}: expected KEY=VALUE as sbatch knows them, such as partition=gpu gres=gpu:1")
    return key, value if equals else True


@contextmanager
def _outside_of_a_job() -> Iterator[None]:
    """Hide what tells sbatch of the SLURM job that this process may be part of; not where SLURM's configuration is."""
    from submitit.helpers import clean_env

    where = {"SLURM_CONF": os.environ["SLURM_CONF"]} if "SLURM_CONF" in os.environ else {}
    with clean_env():
        os.environ.update(where)
        yield


def _ticket(job: Job) -> str | None:
    """The number of the SLURM job that a run before made of a job."""
    try:
        return (job.folder / TICKET).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _ask_queue() -> dict[str, str] | None:
    """The state of all our SLURM jobs that have not ended, by number; None where there is no answer."""
    command = ["squeue", "--me", "--array", "--noheader", f"--name={NAME}", "--format=%i %T"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split() for line in done.stdout.splitlines())
