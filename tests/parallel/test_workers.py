"""Workers: results in order, one video named when a process dies or an error is raised, nobody left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from cefl_bench.errors import UserError
from cefl_bench.parallel.workers import Workers, children_in_order

NAMES = [f"clip {number}.mp4" for number in range(12)]


def square(number: int) -> int:
    time.sleep(0.001 * (12 - number))
    return number * number


def refuse(number: int) -> int:
    if number == 7:
        raise UserError(f"{NAMES[number]} is no video")
    return number


def lacks_a_package() -> None:
    raise UserError("the package is not installed")


@pytest.fixture(autouse=True)
def children() -> Callable[[], set]:
    """The processes that were started since the test began; those of other tests may still be ending."""
    before = set(multiprocessing.active_children())
    return lambda: set(multiprocessing.active_children()) - before


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_results_come_in_the_order_of_the_jobs(start, children):
    done = []
    with Workers(3, start) as workers:
        results = workers.spread(
            square, [(number,) for number in range(12)], NAMES, "squaring", lambda *of: done.append(of)
        )
        again = workers.spread(square, [(number,) for number in range(3)], NAMES, "again")
    assert results == [number * number for number in range(12)] and again == [0, 1, 4]
    assert sorted(done) == list(enumerate(results)) and not children()


DYING = """
import multiprocessing, os, signal, sys
from cefl_bench.errors import UserError
from cefl_bench.parallel.workers import Workers

def die(number):
    if number == 7:
        if sys.argv[1] == "signal":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(3)

try:
    with Workers(2) as workers:
        names = [f"clip {number}.mp4" for number in range(12)]
        workers.spread(die, [(number,) for number in range(12)], names, "dying")
except UserError as error:
    print(error)
print(multiprocessing.active_children())
"""


@pytest.mark.parametrize(("how", "words"), [("signal", "killed by signal 9"), ("exit", "exit status 3")])
def test_a_death_names_the_video_and_how_it_came(how, words):
    """In a process of its own: what else a process has started and waits for must not matter here."""
    done = subprocess.run([sys.executable, "-c", DYING, how], capture_output=True, text=True, timeout=60, check=True)
    message, left = done.stdout.splitlines()
    assert f"died at clip 7.mp4 ({words}): run the same" in message and left == "[]"


def test_what_a_job_raises_goes_through(children):
    with pytest.raises(UserError, match=r"^clip 7\.mp4 is no video$"), Workers(2) as workers:
        workers.spread(refuse, [(number,) for number in range(12)], NAMES, "refusing")
    assert not children()


def test_what_a_worker_lacks_is_told_like_an_error_of_a_job(capfd):
    with (
        pytest.raises(UserError, match=r"^the package is not installed$"),
        Workers(2, "fork", lacks_a_package) as workers,
    ):
        workers.spread(square, [(1,), (2,)], NAMES, "squaring")
    assert "Traceback" not in capfd.readouterr().err


def test_ctrl_c_waits_until_processes_are_started_whichever_thread_hears_it():
    """A second thread, such as that of a progress bar, has not blocked the signal, and Python tells the main thread."""
    begun, end = threading.Event(), threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            with children_in_order():
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)
                begun.set()
            time.sleep(5)
    finally:
        end.set()
        other.join()
    assert begun.is_set()
