"""Ctrl-C: one line, status 130 and a quick end, whatever a tool and its libraries are at."""

import signal
import subprocess
import sys
import time

import pytest
from helpers.run import ROOT

BEGINS = """
import hashlib, multiprocessing, os, subprocess, sys, time
sys.path.insert(0, {root!r})
from cefl_bench import errors
from cefl_bench.parallel.workers import children_in_order
errors.TIDY_SECONDS = {tidy}
"""
ENDS = """
@errors.one_line_errors
def main():
    with open({began!r}, "w"):
        work()
if __name__ == "__main__":
    main()
"""
AT_ONCE = {
    "waiting": "def work():\n    time.sleep(60)",
    "waiting, while the system hands it to another thread": """
import signal, threading
def work():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    threading.Event().wait()
""",
    "a library that Python is slow to take apart": """
class Library:
    def __del__(self):
        time.sleep(60)
library = Library()
def work():
    time.sleep(60)
""",
}
AFTER_TIDYING = {
    "a library that swallows it": """
def work():
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
""",
    "a long calculation": "def work():\n    hashlib.pbkdf2_hmac('sha256', b'a', b'b', 2**31 - 1)",
    "tidying that takes too long": """
def work():
    try:
        time.sleep(60)
    finally:
        time.sleep(60)
""",
    "a worker that hangs": """
def hang():
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
def work():
    child = multiprocessing.get_context("fork").Process(target=hang)
    child.start()
    while True:
        try:
            child.join()
        except KeyboardInterrupt:
            pass
""",
}


def interrupted(tmp_path, work: str, tidy: float) -> float:
    """Seconds from Ctrl-C, which reaches all processes, to the end of all that write to the terminal."""
    began = tmp_path / "began"
    program = tmp_path / "tool.py"
    program.write_text(BEGINS.format(root=str(ROOT), tidy=tidy) + work + ENDS.format(began=str(began)))
    running = subprocess.Popen([sys.executable, program], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not began.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    start = time.monotonic()
    subprocess.run(["kill", "-INT", "--", f"-{running.pid}"], check=True)
    errors = running.communicate(timeout=30)[1]
    assert (running.returncode, errors) == (130, "interrupted\n")
    return time.monotonic() - start


@pytest.mark.parametrize("work", AT_ONCE.values(), ids=AT_ONCE)
def test_a_tool_ends_at_once(work, tmp_path):
    assert interrupted(tmp_path, work, tidy=20) < 10


@pytest.mark.parametrize("work", AFTER_TIDYING.values(), ids=AFTER_TIDYING)
def test_a_tool_ends_when_its_time_to_tidy_up_is_over(work, tmp_path):
    assert 0.3 <= interrupted(tmp_path, work, tidy=0.3) < 10


def test_a_tool_has_less_than_two_seconds():
    from cefl_bench.errors import TIDY_SECONDS

    assert 1 <= TIDY_SECONDS < 2


def test_a_process_that_is_started_for_the_workers_is_deaf_to_it_from_its_first_moment(tmp_path):
    """The fork server imports for seconds: a signal in that time would be a traceback of its own."""
    work = """
from multiprocessing import forkserver
def work():
    with children_in_order():
        forkserver.ensure_running()
    with open(f"/proc/{forkserver._forkserver._forkserver_pid}/status") as status:
        blocked, = (line.split()[1] for line in status if line.startswith("SigBlk"))
    print(int(blocked, 16) >> 1 & 1)
"""
    program = tmp_path / "tool.py"
    program.write_text(BEGINS.format(root=str(ROOT), tidy=1) + work + ENDS.format(began=str(tmp_path / "began")))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", "") and signal.SIGINT == 2
