"""tools/speed.py --train: the waiting and the hooks that it tells are those that there are."""

import json
import time

from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.speed_train import TrainSpeedOptions, measure_trainings, train_speed_table
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.hooks.progress import Progress
from cefl_bench.transforms.pack import Pack

READING, IN_HOOKS = 0.03, 0.3
"""Seconds that are planted: for a clip, and after each batch."""


def test_planted_waiting_and_hooks_are_found(with_data, tmp_path, monkeypatch):
    transform, after_train_iter = Pack.transform, Progress.after_train_iter

    def slow_transform(self, results):
        time.sleep(READING)
        return transform(self, results)

    def slow_hook(self, *arguments, **named):
        time.sleep(IN_HOOKS)
        after_train_iter(self, *arguments, **named)

    monkeypatch.setattr(Pack, "transform", slow_transform)
    monkeypatch.setattr(Progress, "after_train_iter", slow_hook)
    monkeypatch.chdir(tmp_path)
    config = load_config(SYNTHETIC, parse_options(TINY) | {"train_dataloader.num_workers": 0})
    options = TrainSpeedOptions(clips=30, rounds=1, profile="profile")
    (result,) = measure_trainings([config], options, "speed.json")
    assert result["clips"] == 28 and result["batch"] == 14, "whole batches"
    seconds = 28 / result["clips_per_s"]
    assert READING * 28 < result["waiting"] * seconds < seconds - 2 * IN_HOOKS
    assert 2 * IN_HOOKS < result["hooks"] * seconds < seconds - READING * 28
    computing = 28 / result["compute_clips_per_s"]
    assert abs(result["efficiency"] - computing / seconds) < 1e-9 and result["efficiency"] < 1
    assert json.loads((tmp_path / "speed.json").read_text()) == [result]
    assert "aten::" in (tmp_path / "profile" / "ceflnet_synthetic.txt").read_text()
    assert json.loads((tmp_path / "profile" / "ceflnet_synthetic.trace.json").read_text())["traceEvents"]
    assert f"{result['efficiency']:.3f}" in train_speed_table([result])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["profile", "speed.json"], "a run was left behind"
