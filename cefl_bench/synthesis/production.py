"""Rendering a corpus with all cores: resumable, one run per folder, and nobody left behind when it is killed."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.synthesis.corpus import Corpus
from cefl_bench.synthesis.plan import VideoPlan

# One thread per worker: the workers are the parallelism, and the order of a sum must not depend on the machine. No GPU:
# warp would open a context on each for every worker.
SURROUNDINGS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SURROUNDINGS["CUDA_VISIBLE_DEVICES"] = ""


def produce(corpus: Corpus, num_workers: int) -> None:
    """Render what is missing, then write the tables. A finished video is never rendered twice.

    Raises:
        UserError: when the folder is another corpus's or another run's, cannot be written, or a worker was killed.
    """
    try:
        corpus.claim()
        with _alone_in(corpus.root):
            _sweep(corpus.root)
            missing = [plan for plan in corpus.videos() if not corpus.path_of(plan).exists()]
            if missing:
                print(
                    f"{len(missing)} of {len(corpus.videos())} videos to render; building the face model ...",
                    flush=True,
                )
                _render(corpus, missing, min(num_workers, len(missing)))
            corpus.write_tables()
    except BrokenProcessPool:
        raise UserError(
            "a worker process died (killed, or out of memory): run the same command again, it goes on where it "
            "stopped; fewer --workers need less memory"
        ) from None
    except OSError as error:
        raise UserError(f"cannot write to {str(error.filename or corpus.root)!r}: {error.strerror or error}") from None


def _render(corpus: Corpus, plans: list[VideoPlan], num_workers: int) -> None:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(num_workers, mp_context=context, initializer=_start_worker)
    try:
        with _children_in_order():
            jobs: list[Future] = [pool.submit(_render_one, plan, corpus.path_of(plan)) for plan in plans]
        for job in tqdm(as_completed(jobs), total=len(jobs), unit="video", desc="rendering", smoothing=0.1):
            job.result()
    finally:  # not the pool's own `with`, which would render all the rest before it lets an error through
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from cefl_bench.synthesis.anatomy import load_head

    load_head()


def _die_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself: it would outlive a killed parent for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _render_one(plan: VideoPlan, path: Path) -> None:
    from cefl_bench.synthesis.video import encode, render_video

    video = encode(render_video(plan))
    with atomic_path(path) as temporary:
        temporary.write_bytes(video)


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


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for one run; the lock falls with the process, however it ends."""
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another run is rendering into {str(folder)!r}: wait for it, or choose another --out"
            ) from None
        yield


def _sweep(folder: Path) -> None:
    """Remove the temporary files that a killed run left."""
    for leftover in [*folder.glob(".*.tmp*"), *folder.glob("videos/.*.tmp*")]:
        leftover.unlink()
