"""Crops of many videos survive what happens to them: kills, Ctrl-C, bad videos, other rules."""

import csv
import errno
import shutil
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from helpers.face_clips import numbers, read
from helpers.kills import hold_workers, stop
from helpers.media import write_csv, write_video
from helpers.run import run_tool

from cefl_bench.datasets.csv_videos import CSVVideos
from cefl_bench.errors import UserError
from cefl_bench.faces import production
from cefl_bench.faces.crop import CropRule
from cefl_bench.faces.production import crop_videos
from cefl_bench.tables import read_table
from cefl_bench.transforms.read import ReadFrames

FAST = ("--size", "64", "--detect-size", "192")


def words(root: Path, *more: str) -> tuple[str | Path, ...]:
    return ("prepare/own.py", "--root", root, *FAST, *more)


def run(root: Path, *more: str) -> CompletedProcess:
    return run_tool(*words(root, *more), check=False)


def content(folder: Path) -> dict[str, bytes]:
    """All files but the lock, which names the process that held it last."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def finished(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*") if path.is_dir()}


class AtOnce:
    """In the place of `Workers`, whose start takes longer than a short video: does all jobs here."""

    def __init__(self, num_workers: int, start: str, prepare: Callable[[], object]) -> None:
        prepare()

    def __enter__(self) -> "AtOnce":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def spread(self, function: Callable, jobs: Sequence[tuple], names: Sequence[str], title: str) -> list:
        return [function(*job) for job in jobs]


@pytest.fixture
def without_workers(monkeypatch):
    monkeypatch.setattr(production, "Workers", AtOnce)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Six videos of one person's smile, one without a face, and their list."""
    root = tmp_path_factory.mktemp("own")
    smile = read("smile", step=2, stop=40)
    rows = [[f"Zoë, {take}", f"videos/{take}.mp4", "happy", "train"] for take in range(6)]
    write_video(root / "videos" / "0.mp4", smile)
    for _, path, *_ in rows[1:]:
        shutil.copy(root / "videos" / "0.mp4", root / path)
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


def test_a_killed_run_leaves_whole_folders_and_goes_on_where_it_stopped(prepared, corpus, start_tool, tmp_path):
    root, marker = tmp_path / "own", tmp_path / "held"
    shutil.copytree(corpus, root)
    out = root / "faces_64"
    running = start_tool(*words(root, "--workers", "1"), prepare=partial(hold_workers, 2, marker))
    stop(running, lambda: marker.exists() and list(out.glob(".unfinished/*")), signal.SIGKILL)
    before = finished(out)
    assert 2 <= len(before) < 7 and not (out / "faces.csv").exists()
    assert all(numbers(out / name) == list(range(1, 21)) for name in before)
    done = run(root, "--workers", "1")
    assert done.returncode == 0, done.stderr
    after = finished(out)
    assert {name: after[name] for name in before} == before
    assert content(out) == content(prepared[0] / "faces_64")


def test_ctrl_c_stops_in_the_midst_of_a_video_and_leaves_only_whole_folders(corpus, start_tool, tmp_path):
    root = tmp_path / "own"
    (root / "videos").mkdir(parents=True)
    shutil.copy(corpus / "videos" / "0.mp4", root / "videos" / "short.mp4")
    write_video(root / "videos" / "long.mp4", np.tile(read("smile", step=2, stop=40), (10, 1, 1, 1)))
    rows = [[name, f"videos/{name}.mp4", "happy", "train"] for name in ("short", "long")]
    write_csv(root / "videos.csv", "name,path,label,split", rows)
    out = root / "faces_64"
    running = start_tool(*words(root, "--workers", "1"))
    stop(running, lambda: finished(out) and list(out.glob(".unfinished/*")), signal.SIGINT)
    errors = running.finish(130).stderr
    assert "Traceback" not in errors and "interrupted" in errors
    assert list(finished(out)) == ["short"] and numbers(out / "short") == list(range(1, 21))
    assert not (out / ".unfinished").exists()


def test_a_video_that_cannot_be_decoded_is_named_when_the_others_are_done(without_workers, corpus, tmp_path):
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


def test_crops_of_a_video_that_changed_are_made_anew(without_workers, corpus, tmp_path):
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


def test_a_folder_that_was_half_removed_is_made_anew(without_workers, corpus, tmp_path):
    (tmp_path / "videos").mkdir()
    shutil.copy(corpus / "videos" / "0.mp4", tmp_path / "videos" / "a.mp4")
    crop_all(tmp_path, "a")
    folder = tmp_path / "faces_64" / "a"
    (folder / "crop.json").unlink()
    (folder / "000007.jpg").unlink()
    crop_all(tmp_path, "a")
    assert numbers(folder) == list(range(1, 21)) and (folder / "crop.json").exists()


def test_no_name_is_a_formula_to_a_spreadsheet(without_workers, corpus, tmp_path):
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
