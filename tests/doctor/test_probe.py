"""A video that hangs or kills its reader is named, and the others are read all the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.media import write_images, write_video
from helpers.scenes import edit_rows, scene, write_corpus

from cefl_bench.doctor.probe import LOOKING, probe_all, probe_video

ROOT = Path(__file__).parents[2]


def probe_and_die(source, every_frame, readers):
    """A probe that one of the videos is deadly to, as one that overruns a decoder is."""
    if "deadly" in source[0]:
        os.kill(os.getpid(), signal.SIGSEGV)
    return probe_video(source, every_frame, readers)


@pytest.fixture
def videos(tmp_path):
    paths = [tmp_path / f"{name}.mp4" for name in ("a", "deadly", "c", "d")]
    for seed, path in enumerate(paths):
        write_video(path, scene(seed))
    return {(str(path), None): LOOKING for path in paths}


def test_a_killed_worker_costs_one_video(videos):
    found = list(probe_all(videos, 2, 60, probe=probe_and_die))
    assert [probe.fault for probe in found] == ["", "kills", "", ""]
    assert "deadly.mp4" in found[1].reason and "-11" in found[1].reason


def test_a_hanging_video_costs_its_time_and_no_more(videos, tmp_path):
    (tmp_path / "stuck").mkdir()
    os.mkfifo(tmp_path / "stuck" / "00001.jpg")
    start = time.monotonic()
    found = list(probe_all({(str(tmp_path / "stuck"), None): LOOKING} | videos, 1, 1.0))
    assert [probe.fault for probe in found] == ["hangs", "", "", "", ""]
    assert time.monotonic() - start < 30


def test_quick_and_thorough_probes_see_the_same_pictures(videos):
    quick, thorough = (probe_video(next(iter(videos)), every_frame) for every_frame in (False, True))
    assert (quick.pictures == thorough.pictures).all() and (quick.hashes == thorough.hashes).all()
    assert quick.pictures.std() > 10 and quick.num_frames == thorough.num_frames == thorough.stated_frames == 20


def test_only_the_listed_images_of_a_folder_are_its_video(tmp_path):
    write_images(tmp_path, scene(1))
    chosen = (("00001.jpg", "00002.jpg"), ("00003.jpg",))
    one, other = (probe_video((str(tmp_path), images)) for images in chosen)
    assert (one.num_frames, other.num_frames) == (2, 1) and one.digest != other.digest


def test_interrupting_ends_in_one_line_and_leaves_nobody(sick, tmp_path):
    """Ctrl-C reaches every process of the terminal's group while a video hangs."""
    (sick / "videos" / "stuck").mkdir()
    os.mkfifo(sick / "videos" / "stuck" / "00001.jpg")
    edit_rows(sick / "labels.csv", lambda row: row.update(path="videos/stuck") if row["name"] == "s1_sad_0" else None)
    corpus = write_corpus(tmp_path / "any.py", sick)
    command = [sys.executable, "tools/doctor.py", "configs/ceflnet_synthetic.py", "--dataset", corpus, "--workers", "1"]
    running = subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE, start_new_session=True)
    writer = wait_for_a_reader(sick / "videos" / "stuck" / "00001.jpg")
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    os.close(writer)
    assert running.returncode == 130 and errors == "interrupted\n"
    deadline = time.monotonic() + 20
    while left := [stat for stat in Path("/proc").glob("[0-9]*/stat") if group_of(stat) == running.pid]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def wait_for_a_reader(fifo):
    """Open a FIFO for writing as soon as somebody reads it, who then waits for what is written."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.05)
    pytest.fail("the doctor never came to the video")


def group_of(stat):
    """The process group of a process that lives, by its /proc/<pid>/stat."""
    try:
        state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:  # it has just ended
        return None
    return int(group) if state != "Z" else None
