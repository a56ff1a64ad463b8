"""Rendering survives what happens to it: other worker counts, kills, Ctrl-C, full disks, wrong folders."""

import json
import shutil
import signal
import time
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from helpers.kills import children_of, hold_workers, limit_file_size, stop
from helpers.run import run_tool

from cefl_bench.parallel.workers import hold
from cefl_bench.sources import CACHE
from cefl_bench.synthesis.corpus import Corpus


def words(folder: Path, *more: str | Path, preset: str = "tiny") -> tuple[str | Path, ...]:
    return ("prepare/synthetic.py", "--preset", preset, "--out", folder, *more)


def run(folder: Path, *more: str | Path, preset: str = "tiny") -> CompletedProcess:
    return run_tool(*words(folder, *more, preset=preset), check=False)


def one_line(done: CompletedProcess) -> str:
    """The run's error, which must be one line and status 1."""
    assert done.returncode == 1 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def content(folder: Path) -> dict[str, bytes]:
    """All files but the cache that a reader leaves, and the lock, which names the process that held it last."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (CACHE, ".lock")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def finished(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("videos/[!.]*.mp4")}


def test_a_killed_run_goes_on_where_it_stopped_and_the_number_of_workers_changes_no_byte(
    tiny_corpus, start_tool, tmp_path
):
    """The corpus that it is compared with was rendered by one worker; six videos are left to render, three by two."""
    folder, marker = tmp_path / "killed", tmp_path / "held"
    shutil.copytree(tiny_corpus, folder, ignore=shutil.ignore_patterns("*.csv", CACHE))
    for rendered in sorted(folder.glob("videos/[!.]*.mp4"))[::2]:
        if len(finished(folder)) > 8:
            rendered.unlink()
    running = start_tool(*words(folder, "--workers", "2"), prepare=partial(hold_workers, 3, marker))
    stop(running, marker.exists, signal.SIGKILL)
    before = finished(folder)
    assert 8 + 3 <= len(before) < 14 and not (folder / "labels.csv").exists()
    (folder / "videos" / ".s000_happy_00.1.tmp.mp4").write_bytes(b"half")
    assert run(folder, "--workers", "1").returncode == 0
    after = finished(folder)
    assert {name: after[name] for name in before} == before
    assert content(folder) == content(tiny_corpus)


@pytest.mark.parametrize("noted", (0, 2))
def test_ctrl_c_stops_at_once_and_leaves_only_whole_videos(noted, tiny_corpus, start_tool, tmp_path):
    """While the workers start, and while they render."""
    folder, marker = tmp_path / "interrupted", tmp_path / "held"
    running = start_tool(*words(folder, "--workers", "2"), prepare=partial(hold_workers, noted or 99, marker))
    stop(running, marker.exists if noted else lambda: len(children_of(running.pid)) >= 2, signal.SIGINT)
    done = running.finish(130)
    assert "Traceback" not in done.stderr and done.stderr.endswith("interrupted\n")
    assert noted <= len(finished(folder)) < 14 and not list(folder.rglob(".*.tmp*"))
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


def test_a_full_disk_is_told_in_one_line(start_tool, tmp_path):
    """A limit on the size of files stands for the full disk: writes fail in the same place."""
    folder = tmp_path / "full"
    rendering = start_tool(*words(folder, "--workers", "1"), prepare=partial(limit_file_size, 2000))
    assert "cannot write" in one_line(rendering.finish(1))
    assert not list(folder.rglob(".*.tmp*"))


def test_two_runs_in_one_folder_are_refused(tmp_path):
    folder = tmp_path / "shared"
    Corpus("tiny", 0, folder).claim()
    with hold(folder):
        assert "another run is rendering into" in one_line(run(folder))
    assert not (folder / "videos").exists()


def test_a_sheet_is_drawn_from_a_corpus_and_only_from_one(tiny_corpus, tmp_path):
    assert run(tiny_corpus, "--sheet", tmp_path / "sheet.png").returncode == 0
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert ".png" in one_line(run(tiny_corpus, "--sheet", tmp_path / "sheet.bmp"))
    assert "render it first" in one_line(run(tmp_path / "none", "--sheet", tmp_path / "sheet.png"))


def test_the_plan_tells_what_was_asked_for(tiny_corpus):
    assert json.loads((tiny_corpus / "plan.json").read_text())["preset"] == "tiny"
