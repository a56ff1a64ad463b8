"""What a person sees of a benchmark: a line when a job starts or ends, and how far all of them are."""

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from cefl_bench.benchmark.job import Job
from cefl_bench.benchmark.process import last_words
from cefl_bench.functional.duration import duration
from cefl_bench.runs.result import headline

EVERY = 60.0
"""Seconds between two lines on how far it is, in a log file; on a terminal there is a bar."""


class Progress:
    """Tells of jobs on stdout: a bar on a terminal, else lines, which read well in a file.

    Args:
        jobs: all.
        waiting: those that are not finished yet.
    """

    def __init__(self, jobs: Sequence[Job], waiting: Sequence[Job]) -> None:
        self._jobs, self._open = jobs, list(waiting)
        self._epochs = {job: job.epochs_done() if job in waiting else job.num_epochs for job in jobs}
        self._failed: dict[Job, str] = {}
        self._pace = Pace()
        self._said, self._said_at = "", -EVERY
        total = sum(job.num_epochs for job in jobs)
        form = "{percentage:3.0f} %|{bar}| {elapsed}{postfix}"
        live = sys.stdout.isatty()
        self._bar = tqdm(total=total, file=sys.stdout, disable=not live, bar_format=form, dynamic_ncols=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, line: str) -> None:
        """A line above the bar."""
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    def ended(self, job: Job, reason: str, log: Path) -> None:
        """A job ended: with its result, or for a reason."""
        self._open.remove(job)
        if reason:
            self._failed[job] = reason
            self.say(f"failed   {job}: {reason}, see {log}")
            for line in last_words(log):
                self.say(f"         | {line}")
            return
        self._epochs[job] = job.num_epochs
        result = job.result()
        assert result is not None, "a job without a reason has a result"
        scores = result["metrics"][headline(result)]
        self.say(f"done     {job}: UAR {scores['uar']:.3f}  WAR {scores['war']:.3f}")

    def show(self, running: Sequence[Job], slots: int) -> None:
        """Say how far it is: the bar always, a line once in a while."""
        now = time.monotonic()
        for job in running:
            self._epochs[job] = job.epochs_done()
            self._pace.note(job, self._epochs[job], now)
        counts = {
            "running": len(running),
            "waiting": len(self._open) - len(running),
            "done": len(self._jobs) - len(self._open) - len(self._failed),
            "failed": len(self._failed),
        }
        left = self._pace.left({job: job.num_epochs - self._epochs[job] for job in self._open}, slots)
        words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        words = f"about {duration(left)} left: {words}" if left else words
        done = sum(self._epochs.values())
        if not self._bar.disable:
            self._bar.n = done
            self._bar.set_postfix_str(words)
        elif now - self._said_at >= EVERY and words != self._said and self._open:
            self.say(f"         {words}; {done} of {self._bar.total} epochs")
            self._said, self._said_at = words, now

    def summary(self, out: str) -> bool:
        """Say how it ended; True when every job is done."""
        self._bar.close()
        print(f"{len(self._jobs) - len(self._failed)} of {len(self._jobs)} jobs are done, in {out}", flush=True)
        for job, reason in self._failed.items():
            print(f"failed: {job}: {reason}", flush=True)
        if self._failed:
            print("the same command runs those that failed again", flush=True)
        return not self._failed


class Pace:
    """How long an epoch takes: of each config, from what its jobs have done by now, their start included."""

    def __init__(self) -> None:
        self._first: dict[Job, tuple[int, float]] = {}
        self._latest: dict[Job, tuple[int, float]] = {}

    def note(self, job: Job, epochs: int, now: float) -> None:
        """A running job has done so many epochs."""
        self._first.setdefault(job, (epochs, now))
        if epochs > self._latest.get(job, self._first[job])[0]:
            self._latest[job] = (epochs, now)

    def left(self, epochs_left: dict[Job, int], slots: int) -> float | None:
        """Seconds until so many epochs of each job are done; None until one was seen.

        Jobs of a config that has not run yet are taken to be like the others.
        """
        spans: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for job, (epochs, when) in self._latest.items():
            spans[job.name].append((epochs - self._first[job][0], when - self._first[job][1]))
        if not spans:
            return None
        typical = _mean(chain.from_iterable(spans.values()))
        pace = {name: _mean(of_config) for name, of_config in spans.items()}
        seconds = [count * pace.get(job.name, typical) for job, count in epochs_left.items()]
        return max(*seconds, sum(seconds) / slots, 0.0, 0.0)


def _mean(spans: Iterable[tuple[int, float]]) -> float:
    """Seconds per epoch of (epochs, seconds)."""
    epochs, seconds = map(sum, zip(*spans, strict=True))
    return seconds / epochs
