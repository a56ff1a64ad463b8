"""Crops of many videos survive what happens to them: kills, Ctrl-C, bad videos, other rules."""

import csv
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.face_clips import numbers, read
from helpers.media import write_csv, write_video

from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.errors import UserError
from cefl_bench.faces.crop import CropRule
from cefl_bench.faces.production import crop_videos
from cefl_bench.tables import read_table
from cefl_bench.transforms.read import ReadFrames

ROOT = Path(__file__).resolve().parents[2]
FAST = ("--size", "64", "--detect-size", "192")


def command(root: Path, *more: str) -> list[str]:
    return [sys.executable, str(ROOT / "tools/prepare/own.py"), "--root", str(root), *FAST, *more]


def run(root: Path, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(root, *more), capture_output=True, text=True, timeout=100)


def content(folder: Path) -> dict[str, bytes]:
    """All files but the lock, which names the process that held it last."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def finished(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*") if path.is_dir()}


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start(root: Path, enough: int) -> tuple[subprocess.Popen, list[int]]:
    """Start a run in a group of its own and wait for `enough` folders and one begun: the process, and its workers."""
    process = subprocess.Popen(
        command(root, "--workers", "1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out = root / "faces_64"
    wait_until(lambda: len(finished(out)) >= enough and list(out.glob(".unfinished/*")))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return process, [int(child) for child in children.read_text().split()]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Six videos of one person's smile, one without a face, and their list."""
    root = tmp_path_factory.mktemp("own")
    smile = read("smile", step=2, stop=40)
    rows = [[f"Zoë, {take}", f"videos/{take}.mp4", "happy", "train"] for take in range(6)]
    for _, path, *_ in rows:
        write_video(root / path, smile)
    write_video(root / "videos" / "sky.mp4", read("nobody", step=12))
    write_csv(root / "videos.csv", "name,path,label,split", [*rows, ["sky", "videos/sky.mp4", "sad", "test"]])
    return root


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> tuple[Path, str]:
    """A copy of the corpus whose crops were made in one go, and what was printed."""
    root = tmp_path_factory.mktemp("prepared") / "own"
    shutil.copytree(corpus, root)
    done = run(root, "--workers", "2")
    assert done.returncode == 0 and done.stderr == "", "no bar where nobody watches it"
    return root, done.stdout


def test_a_run_reports_what_it_found_and_the_adapter_reads_it(prepared):
    root, printed = prepared
    with open(root / "faces_64" / "faces.csv", newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert list(rows) == [*(f"Zoë, {take}" for take in range(6)), "sky"]
    assert [rows["Zoë, 0"][column] for column in ("path", "num_frames", "num_faces", "policy")] == [
        *("faces_64/Zoë, 0", "20", "20", "keep-last")
    ]
    assert (rows["sky"]["num_faces"], rows["sky"]["policy"]) == ("0", "full-frame")
    assert "no face: sky" in printed and "faces_64" in printed
    arguments = dict(classes=("sad", "happy"), frames="faces_64", pipeline=[dict(type=ReadFrames, size=64)])
    entry = CSVVideos(str(root), "train", **arguments)._read(0)
    assert len(entry["frames"]) == 20 and entry["frames"].fetch([19, 0]).shape == (2, 64, 64, 3)
    test_set = CSVVideos(str(root), "test", **arguments)
    assert test_set.get_data_info(0)["path"] == str(root / "faces_64" / "sky")
    rule = test_set.protocol_facts()["crops"]
    assert (rule["size"], rule["margin"], rule["policy"]) == (64, 0.01, "keep-last")


def test_a_killed_run_leaves_whole_folders_and_goes_on_where_it_stopped(prepared, corpus, tmp_path):
    root = tmp_path / "own"
    shutil.copytree(corpus, root)
    process, workers = start(root, enough=2)
    process.kill()
    process.wait()
    process.stderr.close()
    wait_until(lambda: not any(map(is_running, workers)), 10)
    out = root / "faces_64"
    before = finished(out)
    assert workers and 2 <= len(before) < 7 and not (out / "faces.csv").exists()
    assert all(numbers(out / name) == list(range(1, 21)) for name in before)
    done = run(root)
    assert done.returncode == 0, done.stderr
    after = finished(out)
    assert {name: after[name] for name in before} == before
    assert content(out) == content(prepared[0] / "faces_64")


def test_ctrl_c_stops_in_the_midst_of_a_video_and_leaves_only_whole_folders(corpus, tmp_path):
    root = tmp_path / "own"
    (root / "videos").mkdir(parents=True)
    shutil.copy(corpus / "videos" / "0.mp4", root / "videos" / "short.mp4")
    write_video(root / "videos" / "long.mp4", np.tile(read("smile", step=2, stop=40), (20, 1, 1, 1)))
    rows = [[name, f"videos/{name}.mp4", "happy", "train"] for name in ("short", "long")]
    write_csv(root / "videos.csv", "name,path,label,split", rows)
    process, workers = start(root, enough=1)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=10)[1]
    assert process.returncode == 130 and "Traceback" not in errors and "interrupted" in errors
    wait_until(lambda: not any(map(is_running, workers)), 5)
    out = root / "faces_64"
    assert list(finished(out)) == ["short"] and numbers(out / "short") == list(range(1, 21))
    assert not (out / ".unfinished").exists()


def test_a_video_that_cannot_be_decoded_is_named_when_the_others_are_done(corpus, tmp_path):
    root = tmp_path / "own"
    (root / "videos").mkdir(parents=True)
    shutil.copy(corpus / "videos" / "0.mp4", root / "videos" / "good.mp4")
    (root / "videos" / "bad.mp4").write_bytes((corpus / "videos" / "0.mp4").read_bytes()[:5000])
    rows = [[name, f"videos/{name}.mp4", "happy", "train"] for name in ("bad", "good")]
    write_csv(root / "videos.csv", "name,path,label,split", rows)
    done = run(root, "--workers", "1")
    assert done.returncode == 1 and "error: 1 of 2 videos could not be read" in done.stderr, done.stderr
    assert "bad.mp4 cannot be decoded" in done.stderr and "Traceback" not in done.stderr
    assert list(finished(root / "faces_64")) == ["good"]
    assert "bad,faces_64/bad,0,0,unreadable" in (root / "faces_64" / "faces.csv").read_text()
    assert run(root, "--margin", "0.4").stderr.count('"margin": 0.4') == 1
    shutil.copy(root / "videos" / "good.mp4", root / "videos" / "bad.mp4")
    assert run(root).returncode == 0 and len(finished(root / "faces_64")) == 2


def crop_all(root: Path, *names: str, policy: str = "keep-last") -> dict:
    rule = CropRule(size=64, detect_size=192, policy=policy)
    return crop_videos({name: root / "videos" / f"{name}.mp4" for name in names}, root / "faces_64", rule, 1)


def test_crops_of_a_video_that_changed_are_made_anew(corpus, tmp_path):
    (tmp_path / "videos").mkdir()
    for name in ("a", "b"):
        shutil.copy(corpus / "videos" / "0.mp4", tmp_path / "videos" / f"{name}.mp4")
    crop_all(tmp_path, "a", "b")
    before = finished(tmp_path / "faces_64")
    shutil.copy(corpus / "videos" / "sky.mp4", tmp_path / "videos" / "a.mp4")
    results = crop_all(tmp_path, "a", "b")
    after = finished(tmp_path / "faces_64")
    assert results["a"].num_faces == 0 and after["b"] == before["b"] and after["a"] != before["a"]
    assert len(numbers(tmp_path / "faces_64" / "a")) == results["a"].num_frames
    (tmp_path / "videos" / "a.mp4").unlink()  # to save room: its crops are what there is
    assert crop_all(tmp_path, "a", "b") == results and finished(tmp_path / "faces_64") == after


def test_a_folder_that_was_half_removed_is_made_anew(corpus, tmp_path):
    (tmp_path / "videos").mkdir()
    shutil.copy(corpus / "videos" / "0.mp4", tmp_path / "videos" / "a.mp4")
    crop_all(tmp_path, "a")
    folder = tmp_path / "faces_64" / "a"
    (folder / "crop.json").unlink()
    (folder / "000007.jpg").unlink()
    crop_all(tmp_path, "a")
    assert numbers(folder) == list(range(1, 21)) and (folder / "crop.json").exists()


def test_no_name_is_a_formula_to_a_spreadsheet(corpus, tmp_path):
    (tmp_path / "videos").mkdir()
    shutil.copy(corpus / "videos" / "sky.mp4", tmp_path / "videos" / "=1+1.mp4")
    crop_all(tmp_path, "=1+1")
    assert (tmp_path / "faces_64" / "faces.csv").read_text().splitlines()[1].startswith("'=1+1,faces_64/=1+1,")
    ((_, row),) = read_table(tmp_path / "faces_64" / "faces.csv", "name", "path", "video")
    assert (row["name"], row["path"], row["video"]) == ("=1+1", "faces_64/=1+1", "videos/=1+1.mp4")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a/b", "a"), "videos 'a' and 'a/b': the crops of one would lie among those of the other"),
        (("b", "a/../b"), r"videos 'b' and 'a/../b': the crops of both would lie in \S*faces_64/b;"),
        (("b/", "./b"), "videos 'b/' and './b': the crops of both would lie in"),
        ((".",), "video '.': its crops cannot lie in"),
        ((".unfinished",), "video '.unfinished': its crops cannot lie in .* which is hidden"),
        (("a/.b",), "video 'a/.b': its crops cannot lie in"),
        (("faces.csv",), "video 'faces.csv': its crops cannot lie in .* holds something else: rename the video"),
        (("rule.json/c",), "video 'rule.json/c': its crops cannot lie in"),
    ],
)
def test_names_whose_crops_would_be_lost_are_refused(names, reason, tmp_path):
    with pytest.raises(UserError, match=reason):
        crop_all(tmp_path, *names)
    assert not (tmp_path / "faces_64").exists()


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cefl_bench.faces.production._write_report", full)
    with pytest.raises(UserError, match=r"cannot write crops into .*faces_64 \(No space left on device\)"):
        crop_all(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--policy", "guess"), "policy is 'guess': expected one of keep-last, full-frame, drop"),
        (("--workers", "0"), "--workers is 0"),
        (("--name", "../x"), "--name is '../x'"),
        (("--name", "videos"), "holds something else"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, reason, corpus):
    before = sorted(corpus.rglob("*"))
    done = run(corpus, *arguments)
    assert done.returncode == 1 and done.stderr.startswith("error: ") and reason in done.stderr
    assert done.stderr.count("\n") == 1 and [path for path in before if not path.exists()] == []
