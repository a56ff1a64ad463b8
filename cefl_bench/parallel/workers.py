"""Work spread over processes: one run per folder, stopped at once by Ctrl-C, and nobody left behind after a kill."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from cefl_bench.errors import UserError

# One thread per worker: the workers are the parallelism, and the order of a sum must not depend on the machine. No GPU:
# a library may open a context on each for every worker.
SURROUNDINGS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SURROUNDINGS["CUDA_VISIBLE_DEVICES"] = ""
LOCK = ".lock"
"""The file in a folder that whoever holds the folder has locked."""
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
        context = multiprocessing.get_context(start)
        self._pool = ProcessPoolExecutor(num_workers, context, initializer=_start_worker, initargs=(prepare,))

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
        title: str,
        done: Callable[[int, Any], None] | None = None,
    ) -> list[Any]:
        """Call `function(*job)` for every job, with a bar called `title`; the results in the order of the jobs.

        Args:
            done: called here with the index of a job and its result, as soon as there is one.

        Raises:
            UserError: when a worker was killed. What `function` raises goes through.
        """
        try:
            with _children_in_order():
                futures: dict[Future, int] = {self._pool.submit(function, *job): at for at, job in enumerate(jobs)}
            for future in tqdm(as_completed(futures), total=len(jobs), unit="video", desc=title, smoothing=0.1):
                result = future.result()
                if done:
                    done(futures[future], result)
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise UserError(
                "a worker process died (killed, or out of memory): run the same command again, it goes on where it "
                "stopped; fewer --workers need less memory"
            ) from None


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
    return file


def _start_worker(prepare: Callable[[], Any] | None) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if prepare:
        prepare()


def _die_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself: it would outlive a killed parent for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


@contextmanager
def _children_in_order() -> Iterator[None]:
    """Processes started here have one thread each and are deaf to Ctrl-C, which is the parent's to answer."""
    before = {name: os.environ.get(name) for name in SURROUNDINGS}
    os.environ.update(SURROUNDINGS)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
