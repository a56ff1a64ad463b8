"""Numbers for TensorBoard and Weights & Biases: real files of real runs, read back by the programs' own readers."""

import importlib.util
import json
import struct

import pytest
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve
from cefl_bench.commands.train import run as run_plan
from cefl_bench.errors import UserError
from cefl_bench.hooks import log_scalars
from cefl_bench.hooks.checkpoint import Checkpoint
from cefl_bench.hooks.log_scalars import TensorBoard, named

FAST = (
    "train_cfg.max_epochs=3",
    "train_cfg.val_interval=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
)


def run(folder, *programs, resume=False):
    options = RunOptions(SYNTHETIC, work_dir=str(folder), resume=resume, log=programs, cfg_options=(*TINY, *FAST))
    run_plan(resolve(options))
    history = json.loads((folder / "result.json").read_text())["history"]
    return {int(row["epoch"]): named(row) for row in history}


def events(folder):
    """Epoch -> values by name, as TensorBoard reads them."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reader.EventAccumulator(str(folder / "tensorboard")).Reload()
    values: dict[int, dict[str, float]] = {}
    for name in found.Tags()["scalars"]:
        for event in found.Scalars(name):
            assert name not in values.setdefault(event.step, {}), "twice"
            values[event.step][name] = event.value
    return values


def records(file):
    """The records of a `.wandb` file: LevelDB's log format after a header of 7 bytes."""
    place, whole = 7, b""
    while place + 7 <= len(file):
        if 32768 - place % 32768 < 7:  # what is left of a block has no room for the head of a record
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", file, place)
        whole += file[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # complete, or the last part
            yield whole
            whole = b""


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for epoch, values in expected.items():
        assert found[epoch] == pytest.approx(values, rel=1e-6), epoch


def test_tensorboard_reads_the_history_also_of_a_run_that_was_killed(with_data, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    save = Checkpoint._save

    def die_before_the_second(hook, runner):
        if runner.epoch == 2:
            raise SystemExit  # its numbers are written, and its weights are not
        save(hook, runner)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Checkpoint, "_save", die_before_the_second)
        run(tmp_path, "tensorboard")
    assert sorted(events(tmp_path)) == [1, 2]
    history = run(tmp_path, "tensorboard", resume=True)
    assert sorted(history) == [1, 2, 3] and {"train/loss", "train/lr"} <= history[1].keys()
    assert "test/war" in history[2] and "test/war" not in history[1]
    assert_same(events(tmp_path), history)


def test_what_a_killed_run_wrote_of_an_epoch_gives_way_to_what_that_epoch_became(tmp_path):
    pytest.importorskip("tensorboard")
    for epoch, values in ((0, {1: 0.5, 2: 0.1, 3: 0.2}), (1, {2: 0.4})):
        writer = TensorBoard(tmp_path, epoch, {})
        for step, value in values.items():
            writer.write(step, {"test/war": value})
        writer.close()
    assert_same(events(tmp_path), {1: {"test/war": 0.5}, 2: {"test/war": 0.4}})


def test_wandb_writes_the_history_offline(with_data, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setenv("WANDB_MODE", "online")
    history = run(tmp_path, "wandb")
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    found: dict[int, dict[str, float]] = {}
    for data in records(file.read_bytes()):
        record = Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            line = {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
            found[line["_step"]] = {name: value for name, value in line.items() if not name.startswith("_")}
    assert_same(found, history)


@pytest.mark.parametrize("program", log_scalars.PACKAGES)
def test_a_program_that_is_not_installed_is_told_before_anything_is_written(program, with_data, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(log_scalars, "find_spec", lambda name: None if name == program else find(name))
    with pytest.raises(
        UserError, match=rf"^--log {program} needs the package {program}: pip install '{program}>=[\d.]+'$"
    ):
        run(tmp_path / "run", program)
    assert not list(tmp_path.iterdir())


def test_values_are_grouped_and_what_is_unknown_is_left_out():
    row = {
        "epoch": 2,
        "loss": 1.5,
        "loss_class": 1.0,
        "lr": 0.1,
        "uar": 0.3,
        "val_war": 0.4,
        "ece/mean": 0.2,
        "war": None,
    }
    assert named(row) == {
        "train/loss": 1.5,
        "train/loss_class": 1.0,
        "train/lr": 0.1,
        "test/uar": 0.3,
        "held_out/war": 0.4,
        "ece/mean": 0.2,
    }
