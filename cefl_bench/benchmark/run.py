"""Runs a benchmark: its jobs, one after the other or many at once, until all have ended."""

import json
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cefl_bench.benchmark.job import Job
from cefl_bench.benchmark.local import LocalExecutor, places_of, visible_gpus
from cefl_bench.benchmark.matrix import BenchmarkOptions, jobs_of
from cefl_bench.benchmark.progress import Progress
from cefl_bench.benchmark.projection import projected
from cefl_bench.benchmark.slurm import SlurmExecutor
from cefl_bench.commands.facts import other_data
from cefl_bench.commands.setup import build_dataset, configured
from cefl_bench.errors import UserError
from cefl_bench.runs.result import Result

Executor = LocalExecutor | SlurmExecutor


def benchmark(options: BenchmarkOptions) -> bool:
    """Run all jobs that are not finished yet; True when all are in the end.

    Raises:
        UserError: when something is wrong before a job has started.
    """
    jobs = jobs_of(options)
    results = {job: job.result() for job in jobs}
    waiting = [job for job in jobs if results[job] is None]
    _check_data(results, options.out)
    _check_numbers(options)
    if options.dry_run:
        lines = _plan(jobs, waiting)
        if waiting:
            lines.insert(-1, projected(waiting, results, _num_places(options, len(waiting)), *_device(options)))
        print("\n".join(lines))
        return True
    executor = _executor(options)
    if options.executor == "local":  # of a cluster, this machine need not see the data
        for job in {job.name: job for job in waiting}.values():
            build_dataset(configured(job.options), "test_dataloader")
    print(
        f"{len(jobs)} jobs into {options.out}: {len({job.name for job in jobs})} configs, folds "
        f"{_numbers(job.fold for job in jobs)}, seeds {_numbers(job.seed for job in jobs)}; "
        f"{len(jobs) - len(waiting)} finished before\n{executor.words}",
        flush=True,
    )
    if waiting:
        print(projected(waiting, results, _num_places(options, len(waiting)), *_device(options)), flush=True)
    with Progress(jobs, waiting) as progress:
        try:
            work_off(waiting, executor, progress)
        except BaseException:
            progress.say(executor.stop())
            raise
    return progress.summary(options.out)


def work_off(jobs: Sequence[Job], executor: Executor, progress: Progress) -> None:
    """Start jobs as the executor has room for them, and tell how each ended, until all have."""
    waiting = list(jobs)
    while waiting or executor.busy:
        for job in executor.start(waiting, progress.say):
            waiting.remove(job)
        for job, reason, log in executor.ended():
            progress.ended(job, reason, log)
        progress.show(executor.running, executor.slots)
        if waiting or executor.busy:
            time.sleep(executor.pause)


def _check_data(results: Mapping[Job, Result | None], out: str) -> None:
    """Refuse finished jobs whose videos or labels have changed since: their results stand for other data.

    Where this machine does not see the data, as on a cluster, there is nothing to compare with.
    """
    known: dict[str, dict[str, str]] = {}
    changed = []
    for job, result in results.items():
        if result is None:
            continue
        corpora = json.dumps(job.corpora, sort_keys=True)  # most jobs share one
        try:
            if corpora not in known:
                known[corpora] = job.data_fingerprint()
        except UserError as error:
            print(f"finished jobs are not compared with the data: {error}", flush=True)
            return
        if other_data(result.get("data_fingerprint", {}), known[corpora]):
            changed.append(job)
    if changed:
        raise UserError(
            f"{len(changed)} finished jobs in {out} saw other data (videos or labels have changed since), such as "
            f"{changed[0]}: give another --out, or remove their folders, and the same command trains them again"
        )


def _check_numbers(options: BenchmarkOptions) -> None:
    for name in ("gpus", "jobs"):
        value = getattr(options, name)
        if value is not None and value < (name == "jobs"):
            raise UserError(f"--{name} is {value}: expected {'1' if name == 'jobs' else '0'} or more")


def _executor(options: BenchmarkOptions) -> Executor:
    if options.executor == "slurm":
        if options.gpus is not None:
            raise UserError("--gpus is for this machine: ask SLURM with --slurm gres=gpu:1, and limit jobs with --jobs")
        return SlurmExecutor(Path(options.out), options.slurm, options.jobs)
    if options.slurm:
        raise UserError("--slurm without --executor slurm: give both, or neither")
    return LocalExecutor(places_of(visible_gpus(), options.gpus, options.jobs))


def _num_places(options: BenchmarkOptions, num_waiting: int) -> int:
    """How many jobs run at once; on a cluster all of them, where no number is given."""
    if options.executor == "slurm":
        return options.jobs or num_waiting
    return len(places_of(visible_gpus(), options.gpus, options.jobs))


def _device(options: BenchmarkOptions) -> tuple[str, float | None, float | None]:
    """What hours are counted of, and what is known of the rate and the price."""
    gpus = options.executor == "slurm" or (options.gpus != 0 and visible_gpus())
    return "GPU" if gpus else "machine", options.clips_per_s, options.price


def _plan(jobs: Sequence[Job], waiting: Sequence[Job]) -> list[str]:
    lines = []
    for job in jobs:
        done = job.epochs_done()
        state = "finished" if job not in waiting else f"goes on after epoch {done}" if done else "to do"
        lines.append(f"{job}: {state}")
        lines += [f"    {shlex.join(job.command())}"] if job in waiting else []
    return [*lines, f"{len(jobs)} jobs, {len(jobs) - len(waiting)} finished, {len(waiting)} to run"]


def _numbers(values: Iterable[int]) -> str:
    return ",".join(map(str, sorted(set(values))))
