"""`tools/speed.py --data`: how fast clips are read, packed and decoded."""

import itertools
import json

import pytest
from helpers.run import ROOT, TINY

from cefl_bench.commands.speed_data import measure_loaders, speed_data_table
from cefl_bench.config import load_config
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError

CONFIG = str(ROOT / "configs" / "ceflnet_synthetic.py")


def test_loaders_are_measured(with_data, tmp_path):
    json_path = str(tmp_path / "data.json")
    dfew = str(ROOT / "configs" / "ceflnet_dfew.py")
    options = parse_options([option for option in TINY if option.startswith("train_dataloader")])
    results = measure_loaders(
        [load_config(path, options) for path in (CONFIG, dfew)], num_clips=20, repeats=2, json_path=json_path
    )
    assert json.loads((tmp_path / "data.json").read_text()) == results and len(results) == 2
    videos, folders = results
    assert videos["reader"] == "ReadVideo" and videos["clip_shape"] == [1, 16, 56, 56, 3] and videos["clips"] == 20
    assert folders["reader"] == "ReadAny" and folders["clip_shape"] == [1, 16, 128, 128, 3] and folders["clips"] == 7
    for result in results:
        assert (result["repeats"], result["workers"], result["batch"]) == (2, 1, 14)
        assert result["clips_per_s"] * result["ms_per_clip"] == pytest.approx(1000)
    table = speed_data_table(results)
    assert "ReadVideo   decoded  20 -> 1 x 16 of 56 x 56" in table and "ReadAny     decoded  ? -> 1 x 16" in table


def test_packed_frames_are_measured_beside_decoded_ones(home):
    options = parse_options([option for option in TINY if option.startswith("train_dataloader")])
    both = measure_loaders([load_config(CONFIG, options)], num_clips=7, repeats=2)
    assert [result["packed"] for result in both] == [True, False]
    options |= {"train_dataloader.num_workers": 0}
    (decoded,) = measure_loaders([load_config(CONFIG, options)], num_clips=7, repeats=1, no_pack=True)
    assert (decoded["packed"], decoded["workers"]) == (False, 0)


def test_clips_that_drop_last_leaves_out_are_not_counted(with_data, monkeypatch):
    """By a clock of its own: every pass takes a second."""
    ticks = itertools.count()
    monkeypatch.setattr("cefl_bench.commands.speed_data.time.perf_counter", lambda: next(ticks))
    options = parse_options([option for option in TINY if option.startswith("train_dataloader")])
    config = load_config(CONFIG, options | {"train_dataloader.batch_size": 8, "train_dataloader.drop_last": True})
    (result,) = measure_loaders([config], num_clips=20, repeats=2, no_pack=True)
    assert (result["clips"], result["clips_per_s"]) == (16, 16)
    with pytest.raises(UserError, match=r"--clips is 7, and drop_last leaves out .* expected 8 or more"):
        measure_loaders([config], num_clips=7, repeats=2, no_pack=True)


def test_no_clips_is_a_user_error():
    with pytest.raises(UserError, match="--clips is 0: expected 1 or more"):
        measure_loaders([load_config(CONFIG)], num_clips=0)
