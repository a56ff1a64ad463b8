"""How a server ends, in real processes too: what a kill leaves is swept, and Ctrl-C leaves nothing."""

import functools
import os
import signal
import tempfile
import threading

import pytest
from helpers.children import wait_until
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg
from helpers.media import write_video
from helpers.run import run_tool
from helpers.served import Served, pages_in, served, temporary_in
from helpers.stub_model import StubModel
from helpers.untrained import untrained

from cefl_bench.page import jobs
from cefl_bench.page.folder import own_folder


def address_of(child):
    wait_until(lambda: "Ctrl-C" in child.printed().stdout or child.poll() is not None, 60)
    lines = child.printed().stdout.splitlines()
    assert lines, str(child)
    return lines[0].removeprefix("open ")


def test_nothing_is_left_after_a_kill_and_a_new_start_nor_after_an_end(tmp_path, start_tool):
    checkpoint = untrained(tmp_path / "last.pth")
    place = tmp_path / "temporary"
    place.mkdir()
    write_video(tmp_path / "smile.mp4", read("smile", stop=26))
    ffmpeg("-stream_loop", "100", "-i", tmp_path / "smile.mp4", "-c", "copy", tmp_path / "long.mp4")
    video = (tmp_path / "long.mp4").read_bytes()

    def start(is_busy=True):
        """A server, in the middle of a video or idle."""
        child = start_tool("demo.py", checkpoint, "--port", "0", prepare=functools.partial(temporary_in, str(place)))
        page = Served(address_of(child))
        if is_busy:
            job = page.give(video).json()["id"]
            wait_until(lambda: page.job(job)["done"] > 0 or page.job(job)["error"], 60)
            assert page.job(job)["state"] == "running", page.job(job)
        return child

    killed = start()
    (left,) = pages_in(place)
    killed.kill()
    assert list(left.rglob("me.mp4")), "the test must be one of what is left"
    first = start(is_busy=False)
    (kept,) = pages_in(place)
    assert kept != left
    second = start()
    assert kept in pages_in(place) and len(pages_in(place)) == 2, "a live server's folder is let be"
    assert "trained on synthetic faces" in first.printed().stderr
    for child, number in ((second, signal.SIGINT), (first, signal.SIGTERM)):
        os.kill(child.pid, number)
        assert child.wait(30) == 130
        assert child.printed().stderr.endswith("\ninterrupted\n") and "Traceback" not in child.printed().stderr
    assert pages_in(place) == []


class Endless(StubModel):
    """In the middle of its first batch for as long as there is a folder of a server, then done with it."""

    def __init__(self, place):
        super().__init__(rendered=True)
        self.place, self.begun = place, threading.Event()

    def classify(self, video):
        self.begun.set()
        wait_until(lambda: pages_in(self.place) == [], 20)
        return super().classify(video)


def test_the_folder_goes_before_what_cannot_be_stopped_is_waited_for(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(jobs, "STOP_SECONDS", 40)
    write_video(tmp_path / "smile.mp4", read("smile", stop=26))
    model = Endless(tmp_path)
    with served(model) as page:
        page.give((tmp_path / "smile.mp4").read_bytes())
        assert model.begun.wait(20)
    assert pages_in(tmp_path) == [] and capfd.readouterr().err == ""


def test_the_folder_goes_while_a_thread_writes_into_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def write(folder):
        for number in range(20_000):
            try:
                (folder / f"{number}.jpg").touch()
            except FileNotFoundError:
                return

    for _ in range(20):
        with own_folder() as folder:
            thread = threading.Thread(target=write, args=(folder,))
            thread.start()
            wait_until(lambda folder=folder: list(folder.iterdir()))
        thread.join()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--max-mb", "0"), "--max-mb is 0.0: expected a number above 0"),
        (("--max-seconds", "nan"), "--max-seconds is nan: expected a number above 0"),
        (("--host", "0.0.0.0"), "name the address of this machine that the page is opened under, not all"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(options, told, tmp_path):
    checkpoint = untrained(tmp_path / "last.pth")
    done = run_tool("demo.py", checkpoint, *options, check=False)
    assert done.returncode == 1 and told in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
