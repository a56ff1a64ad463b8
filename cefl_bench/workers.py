"""Many jobs over all cores: one run per folder, a progress bar, and nobody left behind when it is killed."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cefl_bench.errors import UserError

# One thread per worker: the workers are the parallelism, and the order of a sum must not depend on the machine. No GPU:
# a library might open a context on each for every worker.
SURROUNDINGS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SURROUNDINGS["CUDA_VISIBLE_DEVICES"] = ""


def in_parallel(
    function: Callable, jobs: Iterable[tuple], num_workers: int, warm_up: Callable[[], Any], what: str, unit: str
) -> Iterator[Any]:
    """`function(*job)` of every job, in processes of one thread each, results in the order they come in.

    Ctrl-C ends the workers at once; what they had begun is the caller's to sweep.

    Args:
        warm_up: what a worker calls before its first job.
        what: the title of the progress bar.

    Raises:
        UserError: when a worker was killed.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(num_workers, mp_context=context, initializer=_start_worker, initargs=(warm_up,))
    try:
        with _children_in_order():
            futures: list[Future] = [pool.submit(function, *job) for job in jobs]
        for future in tqdm(as_completed(futures), total=len(futures), unit=unit, desc=what, smoothing=0.1):
            yield future.result()
    except BrokenProcessPool:
        raise UserError(
            "a worker process died (killed, or out of memory): run the same command again, it goes on where it "
            "stopped; fewer --workers need less memory"
        ) from None
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:  # not the pool's own `with`, which would do all the rest before it lets an error through
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for one run; the lock falls with the process, however it ends."""
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another run is writing into {str(folder)!r}: wait for it, or choose another folder"
            ) from None
        yield


def _start_worker(warm_up: Callable[[], Any]) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    warm_up()


def _die_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself: it would outlive a killed parent for ever."""
    multiprocessing.parent_process().join()
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
