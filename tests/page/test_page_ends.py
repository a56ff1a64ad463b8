"""Real processes of `tools/demo.py`: what a kill leaves is swept, and Ctrl-C leaves nothing."""

import functools
import os
import signal

import pytest
from helpers.children import wait_until
from helpers.face_clips import read
from helpers.ffmpeg import ffmpeg
from helpers.media import write_video
from helpers.run import run_tool
from helpers.served import Served, pages_in, temporary_in
from helpers.untrained import untrained


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
