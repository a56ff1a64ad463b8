"""What the jobs of a benchmark will cost, before they start: from finished jobs, or from a rate that is given."""

from collections.abc import Mapping, Sequence
from statistics import median

from cefl_bench.benchmark.job import Job
from cefl_bench.commands.setup import build_dataset, configured
from cefl_bench.errors import UserError
from cefl_bench.functional.projection import of_jobs
from cefl_bench.runs.result import Result


def projected(
    waiting: Sequence[Job],
    results: Mapping[Job, Result | None],
    places: int,
    device: str,
    clips_per_s: float | None = None,
    price: float | None = None,
) -> str:
    """A line: the hours and the price of the waiting jobs; which configs are not in it, and what to give for them.

    Args:
        results: of all jobs; the finished ones tell how long an epoch of their config takes.
        places: how many jobs run at once.
        device: what an hour is of, `GPU` or `machine`.
        clips_per_s: in training, of every config where there is no finished job.
        price: of an hour of one device.

    Raises:
        UserError: when a rate or a price is not above 0.
    """
    for option, value in (("--clips-per-s", clips_per_s), ("--price", price)):
        if value is not None and not 0 < value < float("inf"):
            raise UserError(f"{option} is {value:g}: expected a number above 0")
    measured = _epoch_seconds(results)
    given = {} if clips_per_s is None else _given_seconds(waiting, measured, clips_per_s)
    seconds = given | measured
    hours = [seconds[job.name] * (job.num_epochs - job.epochs_done()) / 3600 for job in waiting if job.name in seconds]
    unknown = sorted({job.name for job in waiting} - set(seconds))
    lines = []
    if hours:
        source = "from finished jobs" if measured else f"at {clips_per_s:g} clips/s"
        words = of_jobs(hours, places, price).in_words(device)
        lines.append(f"projected for {len(hours)} jobs, tests left out: {words} ({source})")
    if unknown:
        lines.append(
            f"not projected: {', '.join(unknown)}; give --clips-per-s, which tools/speed.py CONFIG --train measures"
        )
    return "; ".join(lines)


def _epoch_seconds(results: Mapping[Job, Result | None]) -> dict[str, float]:
    """Seconds of a training epoch by config, median over what its finished jobs tell."""
    known: dict[str, list[float]] = {}
    for job, result in results.items():
        if result is not None and job.num_epochs:
            known.setdefault(job.name, []).append(result["time"]["train_seconds"] / job.num_epochs)
    return {name: median(seconds) for name, seconds in known.items()}


def _given_seconds(waiting: Sequence[Job], measured: Mapping[str, float], clips_per_s: float) -> dict[str, float]:
    """Seconds of a training epoch by config, at a rate; where this machine sees no videos there are none."""
    seconds: dict[str, float] = {}
    for job in waiting:
        if job.name in measured or job.name in seconds:
            continue
        try:
            config = configured(job.options)
            videos = len(build_dataset(config, "train_dataloader"))
        except UserError:
            continue
        if config.train_dataloader.get("drop_last"):
            videos -= videos % config.train_dataloader.batch_size
        seconds[job.name] = videos / clips_per_s
    return seconds
