"""The videos that a page was given: each waits for its turn, is judged, and goes when it is deleted."""

import re
import secrets
import shutil
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from cefl_bench.errors import UserError
from cefl_bench.functional.duration import duration
from cefl_bench.media.videos import stated_seconds
from cefl_bench.page.view import write_view
from cefl_bench.predict.predictor import Choices, Predictor
from cefl_bench.predict.saving import save

ARRIVING, WAITING, RUNNING, DONE, FAILED = "arriving", "waiting", "running", "done", "failed"
"""The states of a job."""
LOOKING, DRAWING = "looking", "drawing"
"""The steps of a running one."""
MAX_NAME_LETTERS = 60
STOP_SECONDS = 0.8
"""How long the end waits for what is being judged; a network in the middle of a batch cannot be stopped."""


@dataclass(frozen=True)
class Limits:
    """What a page takes."""

    max_bytes: int = 200 * 2**20
    max_seconds: float = 300.0
    max_jobs: int = 30
    """Videos, whatever their state."""


class JobView(TypedDict):
    """What the page shows of a job."""

    id: str
    name: str
    state: str
    step: str
    done: float
    """Seconds of the video that this step has done."""
    total: float | None
    """Seconds of the video, where they are known."""
    error: str
    """One line."""


@dataclass
class Job:
    """A video, from its arrival on."""

    name: str
    folder: Path
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: str = ARRIVING
    step: str = LOOKING
    done: float = 0.0
    total: float | None = None
    error: str = ""
    is_deleted: bool = False
    files: dict[str, Path] = field(default_factory=dict)
    """Results, by their names."""

    @property
    def upload(self) -> Path:
        """Where the video itself lies."""
        return self.folder / "upload" / self.name

    def view(self) -> JobView:
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "step": self.step,
            "done": round(self.done, 2),
            "total": self.total,
            "error": self.error,
        }


class _Deleted(Exception):
    """The job that is being judged is wanted no more."""


class Jobs:
    """Judges one video at a time, in a thread of its own; `close` and `join` end it.

    Args:
        folder: where videos and results lie meanwhile.
    """

    def __init__(self, predictor: Predictor, folder: Path, limits: Limits, choices: Choices | None = None) -> None:
        self.limits, self.is_closed = limits, False
        self._predictor, self._folder, self._choices = predictor, folder, choices or Choices()
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def begin(self, name: str) -> Job | None:
        """A job whose video is on its way; None where there are too many."""
        job = Job(safe_name(name), self._folder)
        job.folder = self._folder / job.id
        with self._changed:
            if len(self._jobs) >= self.limits.max_jobs or self.is_closed:
                return None
            self._jobs[job.id] = job
        job.folder.mkdir()
        job.upload.parent.mkdir()
        return job

    def enqueue(self, job: Job) -> None:
        """The video of a job has arrived."""
        with self._changed:
            job.state = WAITING
            self._changed.notify_all()
        if job.is_deleted:  # while it arrived
            self._remove_files(job)

    def get(self, name: str) -> Job | None:
        with self._changed:
            return self._jobs.get(name)

    def views(self) -> list[JobView]:
        """All jobs, the oldest first: those that wait have their turn in this order."""
        with self._changed:
            return [job.view() for job in self._jobs.values()]

    def delete(self, name: str) -> bool:
        """Stop a job, whatever its state, and remove all of it: whether there was one.

        What is being judged or still arrives goes when whoever works on it notices.
        """
        with self._changed:
            job = self._jobs.pop(name, None)
            if job is None:
                return False
            job.is_deleted = True
            in_work = job.state in (ARRIVING, RUNNING)
        if not in_work:
            self._remove_files(job)
        return True

    def abandon(self, job: Job) -> None:
        """Remove a job whose video did not arrive."""
        with self._changed:
            self._jobs.pop(job.id, None)
        self._remove_files(job)

    def close(self) -> None:
        """Take no more, and stop what is being judged."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def join(self) -> None:
        """After `close`: wait a little for what is being judged."""
        self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.is_closed or self._next() is not None)
                job = self._next()
                if self.is_closed or job is None:
                    return
                job.state = RUNNING
            self._finish(job, *self._outcome(job))

    def _next(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state == WAITING), None)

    def _outcome(self, job: Job) -> tuple[str, str]:
        """Judge a video: the state in which its job ends, and the error, if any."""
        try:
            self._judge(job)
        except _Deleted:
            return FAILED, "deleted"
        except UserError as error:
            return FAILED, _without_folder(str(error), job)
        except Exception:
            if self.is_closed:  # and the folder is gone
                return FAILED, "deleted"
            traceback.print_exc()
            return FAILED, f"{job.name} could not be judged, by a mistake of this tool: the terminal tells which"
        return DONE, ""

    def _finish(self, job: Job, state: str, error: str) -> None:
        shutil.rmtree(job.upload.parent, ignore_errors=True)
        with self._changed:
            job.state, job.error = state, error
        if job.is_deleted or state == FAILED:
            self._remove_files(job)

    def _judge(self, job: Job) -> None:
        job.total = stated_seconds(job.upload)
        self._check_length(job, job.total or 0.0)

        def progress(seconds: float) -> None:
            if job.is_deleted or self.is_closed:
                raise _Deleted
            self._check_length(job, seconds)
            job.done = seconds

        prediction = self._predictor(job.upload, self._choices, progress)
        job.step, job.total = DRAWING, prediction.seconds
        progress(0.0)  # nothing is written any more when the folder is on its way out
        written = [*write_view(prediction, job.folder), *save(prediction, job.folder, True, progress)]
        job.files = {path.name: path for path in written}

    def _check_length(self, job: Job, seconds: float) -> None:
        most = self.limits.max_seconds
        if seconds > most + 0.5:
            length = "" if job.total is None else f" ({duration(job.total)})"
            raise UserError(f"{job.name} is too long{length}: at most {duration(most)} are taken; cut it")

    def _remove_files(self, job: Job) -> None:
        shutil.rmtree(job.folder, ignore_errors=True)


def safe_name(name: str) -> str:
    """The name of a file as somebody else gave it -> one that is safe on this disk, and leads into no other folder."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = re.sub(r"[^\w .()=&+-]", "_", last).rpartition(".")
    return f"{stem[:MAX_NAME_LETTERS]}{dot}{suffix[:8]}".strip(" .") or "video"


def _without_folder(text: str, job: Job) -> str:
    """A message in one line that names the video as the user does."""
    return " ".join(text.replace(str(job.upload), job.name).split())
