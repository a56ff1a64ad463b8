"""Work spread over processes: one run per folder, stopped at once by Ctrl-C; a kill leaves no process behind."""

import copy
import fcntl
import multiprocessing
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from cefl_bench.errors import UserError

# One thread per worker: the workers are the parallelism, and the order of a sum must not depend on the machine. No GPU:
# a library may open a context on each for every worker.
SURROUNDINGS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SURROUNDINGS["CUDA_VISIBLE_DEVICES"] = ""
LOCK = ".lock"
"""The file in a folder that whoever holds the folder has locked. It says which process that is."""
LEFT_SECONDS = 10.0
"""How long the workers of a killed process may take to notice and end; those of a DataLoader look every 5 seconds."""
HOLDER = "CEFL_BENCH_FOLDER_HELD"
"""Set for a process whose parent holds the folder that it works in."""


class Workers:
    """Processes that live for a `with` block.

    Args:
        num_workers: how many at most; fewer start where there is less to do.
        start: `fork`, at once; or `spawn`, which imports everything anew, for libraries that do not survive a fork.
        prepare: called once in every worker before its first job.
    """

    def __init__(self, num_workers: int, start: str = "fork", prepare: Callable[[], Any] | None = None) -> None:
        context: Any = multiprocessing.get_context(start)
        self._places = context.Array("q", 2 * num_workers)
        """Of every worker its process id, and after it the number of the job that it is at, counted from 1."""
        self._started: list[BaseProcess] = []
        """All that the pool started, also those that have died: Python's own list is only of those that live."""
        begin, context = context.Process, copy.copy(context)

        def remembered(*arguments: Any, **options: Any) -> BaseProcess:
            self._started.append(begin(*arguments, **options))
            return self._started[-1]

        context.Process = remembered
        arguments = (self._places, prepare)
        self._pool = ProcessPoolExecutor(num_workers, context, initializer=_start_worker, initargs=arguments)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is KeyboardInterrupt:  # in the middle of their jobs; what they had begun is the caller's to sweep
            for child in multiprocessing.active_children():
                child.terminate()
        # not the pool's own exit, which would do all the rest before it lets an error through
        self._pool.shutdown(wait=True, cancel_futures=True)

    def spread(
        self,
        function: Callable[..., Any],
        jobs: Sequence[tuple],
        names: Sequence[str],
        title: str,
        done: Callable[[int, Any], None] | None = None,
    ) -> list[Any]:
        """Call `function(*job)` for every job, with a bar called `title`; the results in the order of the jobs.

        Args:
            names: of the videos that the jobs are about.
            done: called here with the index of a job and its result, as soon as there is one.

        Raises:
            UserError: when a worker was killed, naming the video it was at. What `function` raises goes through.
        """
        try:
            with children_in_order():
                futures: dict[Future, int] = {}
                for at, job in enumerate(jobs):
                    futures[self._pool.submit(_do, at + 1, function, job)] = at
            # no bar where nobody watches it: in a log file it would be a line per video
            bar = tqdm(as_completed(futures), total=len(jobs), unit="video", desc=title, smoothing=0.1, disable=None)
            for future in bar:
                result = future.result()
                if done:
                    done(futures[future], result)
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise UserError(
                f"a worker process died{self._death(names)}: run the same command again, it goes on where it "
                "stopped; fewer --workers need less memory; a video at which it dies again is damaged"
            ) from None

    def _death(self, names: Sequence[str]) -> str:
        """How a worker died and at which video, as far as it can be told; the pool ends the others by SIGTERM."""
        deadline = time.monotonic() + 1
        for child in self._started:
            # the thread of the pool waits for it as well: who comes second learns the status from the first
            while child.exitcode is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if child.exitcode in (None, 0, -signal.SIGTERM):
                continue
            how = f"killed by signal {-child.exitcode}" if child.exitcode < 0 else f"exit status {child.exitcode}"
            for pid, number in zip(self._places[::2], self._places[1::2], strict=True):
                if pid == child.pid and number:
                    return f" at {names[number - 1]} ({how})"
            return f" ({how})"
        return ""


@contextmanager
def alone_in(folder: Path, doing: str, instead: str) -> Iterator[None]:
    """Hold the folder for one run; the lock falls with the process, however it ends.

    Args:
        doing: what runs do there, such as `rendering into`.
        instead: what else the user may do than wait.

    Raises:
        UserError: when another run holds it.
    """
    held = hold(folder)
    deadline = time.monotonic() + LEFT_SECONDS
    while held is None and _is_left(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
        held = hold(folder)
    if held is None:
        raise UserError(f"another run is {doing} {str(folder)!r}: wait for it, or {instead}")
    with held:
        yield


def hold(folder: Path, wait: bool = False) -> IO[bytes] | None:
    """Lock a folder until the file that this gives is closed here, and in every process that it was passed on to.

    Args:
        wait: for whoever holds it; else there is None in that case.
    """
    file = open(folder / LOCK, "ab")  # noqa: SIM115, closing it is the caller's
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        return None
    with suppress(OSError):  # a full disk
        file.truncate(0)
        file.write(f"{os.getpid()} {platform.node()}\n".encode())
        file.flush()
    return file


def _is_left(folder: Path) -> bool:
    """Whether the process that locked a folder was killed, so that only its workers hold the lock until they end."""
    pid, _, node = (folder / LOCK).read_text(encoding="utf-8").strip().partition(" ")
    if node != platform.node() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's
        pass
    return False


class _Worker:
    """What a worker process knows of itself."""

    places: Any = None
    own_place = 0
    prepare: Callable[[], Any] | None = None


def _start_worker(places: Any, prepare: Callable[[], Any] | None) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _Worker.places, _Worker.prepare = places, prepare
    with places.get_lock():
        _Worker.own_place = 2 * places[::2].index(0)
        places[_Worker.own_place] = os.getpid()


def _do(number: int, function: Callable[..., Any], job: tuple) -> Any:
    """Do a job, and let the parent see which while it lasts."""
    _Worker.places[_Worker.own_place + 1] = number
    if _Worker.prepare is not None:  # here, so that what goes wrong in it is told like what goes wrong in a job
        prepare, _Worker.prepare = _Worker.prepare, None
        prepare()
    result = function(*job)
    _Worker.places[_Worker.own_place + 1] = 0
    return result


def _die_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself: it would outlive a killed parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


@contextmanager
def children_in_order() -> Iterator[None]:
    """Processes started here have one thread each and are deaf to Ctrl-C, which is the parent's to answer."""
    before = {name: os.environ.get(name) for name in SURROUNDINGS}
    os.environ.update(SURROUNDINGS)
    resource_tracker.ensure_running()  # before, because its start ends with the signal let through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _interrupted_later():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, also where another thread of this process receives it.

    A process that is being started would otherwise lose its parent in the middle of what it reads from it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler or signal.default_int_handler)
        if came:
            signal.raise_signal(signal.SIGINT)
