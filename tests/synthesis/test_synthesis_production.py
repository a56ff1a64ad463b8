"""Rendering survives what happens to it: other worker counts, kills, Ctrl-C, full disks, wrong folders."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cefl_bench.sources import CACHE

ROOT = Path(__file__).resolve().parents[2]


def command(folder: Path, *more: str, preset: str = "tiny") -> list[str]:
    return [sys.executable, str(ROOT / "tools/prepare/synthetic.py"), "--preset", preset, "--out", str(folder), *more]


def run(folder: Path, *more: str, preset: str = "tiny", **options) -> subprocess.CompletedProcess:
    return subprocess.run(command(folder, *more, preset=preset), capture_output=True, text=True, timeout=100, **options)


def one_line(done: subprocess.CompletedProcess) -> str:
    """The run's error, which must be one line and status 1 (a progress bar's line ends with a carriage return)."""
    lines = done.stderr.replace("\r", "\n").splitlines()
    errors = [line for line in lines if line and not line.startswith(("rendering:", "checking:"))]
    assert done.returncode == 1 and len(errors) == 1 and errors[0].startswith("error: "), done.stderr
    return errors[0]


def content(folder: Path) -> dict[str, bytes]:
    """All files but the cache that a reader leaves, and the lock, which names the process that held it last."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (CACHE, ".lock")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def finished(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("videos/[!.]*.mp4")}


def start(folder: Path, enough: int) -> tuple[subprocess.Popen, list[int]]:
    """Start a run in a process group of its own and wait for `enough` videos: the process and its workers' ids."""
    process = subprocess.Popen(
        command(folder, "--workers", "2"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: len(children.read_text().split()) > 2 and len(finished(folder)) >= enough)
    return process, [int(child) for child in children.read_text().split()]


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_number_of_workers_changes_no_byte(tiny_corpus, tmp_path):
    assert run(tmp_path / "alone", "--workers", "1").returncode == 0
    assert content(tmp_path / "alone") == content(tiny_corpus)


def test_a_killed_run_goes_on_where_it_stopped(tiny_corpus, tmp_path):
    folder = tmp_path / "killed"
    process, workers = start(folder, enough=3)
    process.kill()
    process.wait()
    process.stderr.close()
    assert workers
    wait_until(lambda: not any(map(is_running, workers)), 10)
    before = finished(folder)
    assert 3 <= len(before) < 14 and not (folder / "labels.csv").exists()
    (folder / "videos" / ".s000_happy_00.1.tmp.mp4").write_bytes(b"half")
    assert run(folder).returncode == 0
    after = finished(folder)
    assert {name: after[name] for name in before} == before
    assert content(folder) == content(tiny_corpus)


@pytest.mark.parametrize("enough", (0, 2))
def test_ctrl_c_stops_at_once_and_leaves_only_whole_videos(tiny_corpus, tmp_path, enough):
    """While the workers start, and while they render."""
    folder = tmp_path / "interrupted"
    process, workers = start(folder, enough)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=10)[1]
    assert process.returncode == 130 and "Traceback" not in errors and "interrupted" in errors
    wait_until(lambda: not any(map(is_running, workers)), 5)
    assert len(finished(folder)) < 14 and not list(folder.rglob(".*.tmp*"))
    for name in finished(folder):
        assert (folder / "videos" / name).read_bytes() == (tiny_corpus / "videos" / name).read_bytes()


def test_a_complete_corpus_is_left_alone(tiny_corpus):
    before = finished(tiny_corpus)
    begun = time.monotonic()
    done = run(tiny_corpus)
    assert done.returncode == 0 and "complete" in done.stdout and time.monotonic() - begun < 5
    assert finished(tiny_corpus) == before


def test_another_seed_in_the_same_folder_is_refused(tiny_corpus):
    before = content(tiny_corpus)
    assert "another --out" in one_line(run(tiny_corpus, "--seed", "1"))
    assert content(tiny_corpus) == before


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "new folder" in one_line(run(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_plan_is_told_in_one_line(tmp_path):
    (tmp_path / "plan.json").write_text("{")
    assert "plan.json" in one_line(run(tmp_path))


@pytest.mark.parametrize("arguments", (["--workers", "0"], ["--seed", "-1"]))
def test_senseless_numbers_are_told_in_one_line(arguments, tmp_path):
    assert arguments[0] in one_line(run(tmp_path / "new", *arguments))


def test_an_unknown_preset_is_told_in_one_line(tmp_path):
    assert "demo" in one_line(run(tmp_path / "new", preset="dmeo"))


def test_an_unwritable_folder_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "cannot write" in one_line(run(tmp_path / "file" / "corpus"))


def test_a_full_disk_is_told_in_one_line(tiny_corpus, tmp_path):
    """A limit on the size of files stands for the full disk: writes fail in the same place."""
    limit = (2000, 2000)
    done = run(tmp_path / "full", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert "cannot write" in one_line(done)
    assert not list((tmp_path / "full").rglob(".*.tmp*"))


def test_two_runs_in_one_folder_are_refused(tmp_path):
    process, _ = start(tmp_path / "shared", enough=1)
    try:
        assert "another run" in one_line(run(tmp_path / "shared"))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=10)


def test_a_sheet_is_drawn_from_a_corpus_and_only_from_one(tiny_corpus, tmp_path):
    assert run(tiny_corpus, "--sheet", str(tmp_path / "sheet.png")).returncode == 0
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert ".png" in one_line(run(tiny_corpus, "--sheet", str(tmp_path / "sheet.bmp")))
    assert "render it first" in one_line(run(tmp_path / "none", "--sheet", str(tmp_path / "sheet.png")))


def test_the_plan_tells_what_was_asked_for(tiny_corpus):
    assert json.loads((tiny_corpus / "plan.json").read_text())["preset"] == "tiny"
