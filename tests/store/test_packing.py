"""Packing survives what happens to it: kills, Ctrl-C, two at once, full disks; training does not change with it."""

import functools
import json
import os
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest
from helpers.children import wait_until
from helpers.kills import can_mount, hold_workers, limit_file_size, mount_small_disk, stop
from helpers.run import ROOT, TINY, run_tool
from helpers.trees import synthetic_tree

from cefl_bench.store import write

CONFIG = ROOT / "configs" / "ceflnet_synthetic.py"
PACK = ("pack.py", CONFIG, "--workers", "2")
OPTIONS = ["--cfg-options", *TINY, "train_cfg.max_epochs=1"]
STORE = Path("synthetic_demo") / "packed" / "ReadVideo_56"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A data home with videos longer than what is decoded at a time. Read only."""
    home = tmp_path_factory.mktemp("original")
    synthetic_tree(home / "synthetic_demo", per_class=1, num_frames=70)
    return home


@pytest.fixture(scope="module")
def undisturbed(original, tmp_path_factory):
    """What packing leaves when nothing happens, by name."""
    home = tmp_path_factory.mktemp("undisturbed")
    out = pack(copy_of(original, home)).stdout
    assert f"28 videos, 1960 frames at 56 x 56 into {home / STORE}: needs 0.0184 GB of" in out
    assert out.splitlines()[-1] == f"{home / STORE}: 28 videos, 1960 frames, 0.0184 GB"
    return content(home)


@pytest.fixture
def home(original, tmp_path):
    return copy_of(original, tmp_path / "data")


def copy_of(original, home):
    shutil.copytree(original, home, dirs_exist_ok=True)
    return home


def content(home):
    return {path.name: path.read_bytes() for path in (home / STORE).iterdir() if path.name != ".lock"}


def pack(home, *more, check=False):
    return run_tool(*PACK, *more, check=check, env=where(home))


def where(home):
    return os.environ | {"CEFL_BENCH_DATA": str(home)}


def one_line(done):
    """The error, which must be one line and status 1 (a bar's line ends with a carriage return)."""
    lines = [line for line in done.stderr.splitlines() if line and "video/s]" not in line]
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


@pytest.fixture
def interrupt(start_tool, home, tmp_path):
    """Starts packing and sends it a signal when it has noted some videos; what it printed, and its status."""

    def call(sent, noted):
        marker = tmp_path / "held"
        packing = start_tool(*PACK, env=where(home), prepare=partial(hold_workers, noted, marker, call=2))
        stop(packing, marker.exists, sent)
        assert not (home / STORE / "index.json").exists(), packing
        return packing.printed()

    return call


@pytest.fixture
def decoded(monkeypatch, tmp_path):
    """Gives the names of the videos that were decoded for packing, in whichever worker."""
    log, usual = tmp_path / "decoded", write._pack_one

    @functools.wraps(usual)
    def noting(decode, entry, *place):
        def decode_and_note(entry):
            with open(log, "a") as file:
                file.write(Path(entry["path"]).name + "\n")
            return decode(entry)

        return usual(decode_and_note, entry, *place)

    monkeypatch.setattr(write, "_pack_one", noting)
    return lambda: sorted(log.read_text().splitlines())


def test_a_killed_run_goes_on_where_it_stopped(interrupt, home, undisturbed, decoded):
    interrupt(signal.SIGKILL, noted=5)
    journal = home / STORE / "packed.jsonl"
    packed = [json.loads(line)[0] for line in journal.read_text().splitlines()]
    assert len(packed) == 5
    with open(journal, "a") as file:
        file.write('["videos/s1_fea')  # what a kill within a line leaves
    shard = home / STORE / "shard_0000.npy"
    lost = json.loads((home / STORE / "plan.json").read_text())["places"][packed[0]][1]
    with open(shard, "r+b") as file:  # what a power cut may take back
        file.seek(128 + lost * 56 * 56 * 3)
        file.write(bytes(1000))
    done = pack(home)
    assert done.returncode == 0 and f"{len(packed)} videos were packed before" in done.stdout
    videos = {path.name for path in (home / "synthetic_demo" / "videos").iterdir()}
    assert decoded() == sorted(videos - {Path(name).name for name in packed[1:]})
    assert content(home) == undisturbed


def test_ctrl_c_stops_at_once_and_leaves_nothing_broken(interrupt, home, undisturbed):
    done = interrupt(signal.SIGINT, noted=1)
    assert done.returncode == 130 and "Traceback" not in done.stderr and done.stderr.endswith("interrupted\n")
    pack(home, "--workers", "1", check=True)
    assert content(home) == undisturbed


def test_two_at_once_do_not_meet(home, undisturbed, start_tool, tmp_path):
    marker = tmp_path / "held"
    first = start_tool(*PACK, env=where(home), prepare=partial(hold_workers, 3, marker, call=2))
    wait_until(lambda: marker.exists() or first.poll() is not None)
    assert "another run is packing into" in one_line(pack(home))
    first.kill()
    both = [start_tool(*PACK, env=where(home)) for _ in range(2)]
    states = [process.wait() for process in both]
    assert 0 in states
    for status, process in zip(states, both, strict=True):
        assert status == 0 or "another run is packing into" in process.printed().stderr
    assert content(home) == undisturbed


def test_what_is_packed_is_left_alone(home, undisturbed):
    pack(home, check=True)
    before = {path.name: path.stat().st_mtime_ns for path in (home / STORE).iterdir() if path.name != ".lock"}
    pack(home, check=True)
    assert before == {path.name: path.stat().st_mtime_ns for path in (home / STORE).iterdir() if path.name != ".lock"}
    assert "28 videos are intact" in pack(home, "--verify").stdout


def test_a_write_that_fails_is_told_in_one_line(home, start_tool):
    """A limit on the size of files stands for the full disk: the shard cannot be made."""
    packing = start_tool(*PACK, env=where(home), prepare=partial(limit_file_size, 100_000))
    assert f"cannot write '{home / STORE}': File too large" in one_line(packing.finish(status=1))
    assert not {"index.json", "shard_0000.npy"} & {path.name for path in (home / STORE).iterdir()}
    assert not list((home / STORE).glob(".*tmp*"))


@pytest.mark.skipif(not can_mount(), reason="mounting is not allowed here")
@pytest.mark.parametrize(
    ("full", "reason"),
    [(False, "needs 0.0184 GB and its disk has"), (True, "No space left")],
    ids=["too small", "full"],
)
def test_a_full_disk_is_told_in_one_line(home, full, reason, start_tool):
    """A real one, which only the tool sees; what is on it is listed before it goes."""
    disk = home / "synthetic_demo" / "packed"
    disk.mkdir()
    packing = start_tool(*PACK, env=where(home), prepare=partial(mount_small_disk, disk, 5_000, full))
    assert reason in one_line(packing.finish(status=1))
    listed = packing.printed().stdout.splitlines()[-1]
    assert listed.startswith("on the disk:") and "index.json" not in listed and "shard_" not in listed


def test_an_unwritable_data_root_is_told_in_one_line(home):
    (home / "synthetic_demo" / "packed").write_text("in the way")
    assert "packed frames stand beside the data" in one_line(pack(home))


def test_senseless_arguments_are_told_in_one_line(home):
    assert "--workers is 0" in one_line(pack(home, "--workers", "0"))
    assert "has 0 readers" in one_line(pack(home, "--cfg-options", "train_dataloader.dataset.pipeline=[]"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the runs `packed` and `decoded` of one config, and the environment that they had."""
    folder = tmp_path_factory.mktemp("trained")
    synthetic_tree(folder / "data" / "synthetic_demo", per_class=1)
    pack(folder / "data", check=True)
    environment = where(folder / "data")
    for name, flags in (("packed", ()), ("decoded", ("--no-pack",))):
        out = run_tool("train.py", CONFIG, "--work-dir", folder / name, *flags, *OPTIONS, env=environment).stdout
        assert ("test videos, packed" in out) == (name == "packed")
    return folder, environment


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


def test_training_with_packed_frames_is_the_same_training(trained):
    packed, decoded = trained[0] / "packed", trained[0] / "decoded"
    one, other = result_of(packed), result_of(decoded)
    assert (one["data"], other["data"]) == ({"packed": True}, {"packed": False})
    for name in ("metrics", "protocol_id", "config", "data_fingerprint", "init"):
        assert one[name] == other[name], name
    losses = [[(row["loss"], row["uar"]) for row in result["history"]] for result in (one, other)]
    assert losses[0] == losses[1]
    assert (packed / "predictions.csv").read_bytes() == (decoded / "predictions.csv").read_bytes()


def test_a_run_goes_on_and_is_tested_with_packed_frames_or_without(trained):
    folder, environment = trained
    shutil.copytree(folder / "packed", folder / "again")
    (folder / "again" / "result.json").unlink()  # as a kill just before the end leaves it
    arguments = [CONFIG, "--work-dir", folder / "again", "--resume", *OPTIONS]
    run_tool("train.py", *arguments, "--no-pack", env=environment)
    assert result_of(folder / "again")["data"] == {"packed": False}
    arguments = [CONFIG, folder / "decoded" / "last.pth", *OPTIONS]
    run_tool("test.py", *arguments, "--out", folder / "tested", env=environment)
    tested, before = result_of(folder / "tested"), result_of(folder / "decoded")
    assert tested["data"] == {"packed": True} and tested["protocol_id"] == before["protocol_id"]
    assert tested["metrics"]["checkpoint"]["confusion_matrix"] == before["metrics"]["last"]["confusion_matrix"]
    assert run_tool("explain.py", *arguments, "--no-pack", "--num", "1", env=environment).stdout
