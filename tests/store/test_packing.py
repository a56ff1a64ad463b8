"""Packing survives what happens to it: kills, Ctrl-C, two at once, full disks; training does not change with it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.run import ROOT, TINY, run_tool
from helpers.trees import synthetic_tree

CONFIG = ROOT / "configs" / "ceflnet_synthetic.py"
PACK = [sys.executable, str(ROOT / "tools" / "pack.py"), str(CONFIG), "--workers", "2"]
OPTIONS = ["--cfg-options", *TINY, "train_cfg.max_epochs=1"]
STORE = Path("synthetic_demo") / "packed" / "ReadVideo_56"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A data home with videos long enough that packing them takes a moment. Read only."""
    home = tmp_path_factory.mktemp("original")
    synthetic_tree(home / "synthetic_demo", num_frames=120)
    return home


@pytest.fixture(scope="module")
def undisturbed(original, tmp_path_factory):
    """What packing leaves when nothing happens, by name."""
    home = tmp_path_factory.mktemp("undisturbed")
    out = pack(copy_of(original, home)).stdout
    assert f"56 videos, 6720 frames at 56 x 56 into {home / STORE}: needs 0.0632 GB of" in out
    assert out.splitlines()[-1] == f"{home / STORE}: 56 videos, 6720 frames, 0.0632 GB"
    return content(home)


@pytest.fixture
def home(original, tmp_path):
    return copy_of(original, tmp_path / "data")


def copy_of(original, home):
    shutil.copytree(original, home, dirs_exist_ok=True)
    return home


def content(home):
    return {path.name: path.read_bytes() for path in (home / STORE).iterdir()}


def pack(home, *more, **options):
    """Run tools/pack.py as a person would."""
    environment = os.environ | {"CEFL_BENCH_DATA": str(home)}
    return subprocess.run([*PACK, *more], env=environment, capture_output=True, text=True, timeout=200, **options)


def one_line(done):
    """The error, which must be one line and status 1 (a bar's line ends with a carriage return)."""
    lines = [line for line in done.stderr.replace("\r", "\n").splitlines() if line and "video/s]" not in line]
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def interrupt(home, sent, enough):
    """Start packing, and send a signal when `enough` videos are packed: what it printed, its status, its workers."""
    process = subprocess.Popen(
        PACK,
        env=os.environ | {"CEFL_BENCH_DATA": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = home / STORE / "packed.jsonl"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: journal.exists() and journal.read_text().count("\n") >= enough)
    workers = children.read_text().split()
    (os.kill if sent == signal.SIGKILL else os.killpg)(process.pid, sent)
    errors = process.communicate(timeout=30)[1]
    wait_until(lambda: not any(map(is_running, workers)))
    assert workers and not (home / STORE / "index.json").exists(), "it was over before it could be stopped"
    return errors, process.returncode


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(home, undisturbed):
    interrupt(home, signal.SIGKILL, enough=5)
    journal = home / STORE / "packed.jsonl"
    packed = [json.loads(line)[0] for line in journal.read_text().splitlines()]
    assert 5 <= len(packed) < 56
    with open(journal, "a") as file:
        file.write('["videos/s1_fea')  # what a kill within a line leaves
    for name in packed[1:]:  # decoded again, these would fail
        video = home / "synthetic_demo" / name
        video.write_bytes(bytes(video.stat().st_size))
    shard = home / STORE / "shard_0000.npy"
    lost = json.loads((home / STORE / "plan.json").read_text())["places"][packed[0]][1]
    with open(shard, "r+b") as file:  # what a power cut may take back
        file.seek(128 + lost * 56 * 56 * 3)
        file.write(bytes(1000))
    done = pack(home)
    assert done.returncode == 0 and f"{len(packed)} videos were packed before" in done.stdout
    assert content(home) == undisturbed


@pytest.mark.slow
def test_ctrl_c_stops_at_once_and_leaves_nothing_broken(home, undisturbed):
    errors, status = interrupt(home, signal.SIGINT, enough=1)
    assert status == 130 and "Traceback" not in errors and errors.endswith("interrupted\n")
    assert pack(home, "--workers", "1").returncode == 0
    assert content(home) == undisturbed


@pytest.mark.slow
def test_two_at_once_do_not_meet(home, undisturbed):
    environment = os.environ | {"CEFL_BENCH_DATA": str(home)}
    both = [
        subprocess.Popen(PACK, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=200)[1] for process in both]
    states = [process.returncode for process in both]
    assert 0 in states
    for status, error in zip(states, errors, strict=True):
        assert status == 0 or "another run is packing into" in error, error
    assert content(home) == undisturbed


@pytest.mark.slow
def test_what_is_packed_is_left_alone(home, undisturbed):
    pack(home)
    before = {path.name: path.stat().st_mtime_ns for path in (home / STORE).iterdir() if path.name != ".lock"}
    assert pack(home).returncode == 0
    assert before == {path.name: path.stat().st_mtime_ns for path in (home / STORE).iterdir() if path.name != ".lock"}
    assert "56 videos are intact" in pack(home, "--verify").stdout


def test_a_write_that_fails_is_told_in_one_line(home):
    """A limit on the size of files stands for the full disk: the shard cannot be made."""
    limit = (100_000, 100_000)
    done = pack(home, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert f"cannot write '{home / STORE}': File too large" in one_line(done)
    assert not {"index.json", "shard_0000.npy"} & {path.name for path in (home / STORE).iterdir()}
    assert not list((home / STORE).glob(".*tmp*"))


@pytest.mark.parametrize(("kilobytes", "reason"), [(5_000, "needs 0.0632 GB and its disk has"), (2, "No space left")])
def test_a_full_disk_is_told_in_one_line(home, kilobytes, reason):
    """A real one, in a mount namespace of its own; what is on it is listed before it goes."""
    mount = f"mount -t tmpfs -o size={kilobytes}k none {home / 'synthetic_demo' / 'packed'}"
    (home / "synthetic_demo" / "packed").mkdir()
    alone = ["unshare", "-m", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*alone, mount], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    script = f'{mount}; "$@"; status=$?; find {home / STORE} -type f; exit $status'
    environment = os.environ | {"CEFL_BENCH_DATA": str(home)}
    done = subprocess.run([*alone, script, "sh", *PACK], env=environment, capture_output=True, text=True, timeout=200)
    assert reason in one_line(done)
    assert "index.json" not in done.stdout and "shard_" not in done.stdout


def test_an_unwritable_data_root_is_told_in_one_line(home):
    (home / "synthetic_demo" / "packed").write_text("in the way")
    assert "packed frames stand beside the data" in one_line(pack(home))


def test_senseless_arguments_are_told_in_one_line(home):
    assert "--workers is 0" in one_line(pack(home, "--workers", "0"))
    option = "train_dataloader.dataset.pipeline=[]"
    assert "has 0 readers" in one_line(pack(home, "--cfg-options", option))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the runs `packed` and `decoded` of one config, and the environment that they had."""
    folder = tmp_path_factory.mktemp("trained")
    synthetic_tree(folder / "data" / "synthetic_demo", per_class=1)
    assert pack(folder / "data").returncode == 0
    environment = os.environ | {"CEFL_BENCH_DATA": str(folder / "data")}
    for name, flags in (("packed", ()), ("decoded", ("--no-pack",))):
        out = run_tool("train.py", CONFIG, "--work-dir", folder / name, *flags, *OPTIONS, env=environment).stdout
        assert ("test videos, packed" in out) == (name == "packed")
    return folder, environment


def result_of(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.mark.slow
def test_training_with_packed_frames_is_the_same_training(trained):
    packed, decoded = trained[0] / "packed", trained[0] / "decoded"
    one, other = result_of(packed), result_of(decoded)
    assert (one["data"], other["data"]) == ({"packed": True}, {"packed": False})
    for name in ("metrics", "protocol_id", "config", "data_fingerprint", "init"):
        assert one[name] == other[name], name
    losses = [[(row["loss"], row["uar"]) for row in result["history"]] for result in (one, other)]
    assert losses[0] == losses[1]
    assert (packed / "predictions.csv").read_bytes() == (decoded / "predictions.csv").read_bytes()


@pytest.mark.slow
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
