"""Every config keeps its contract."""

from pathlib import Path

import pytest
from checks import axis_overlaps, check_config, protocol_differences

from cefl_bench.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"
LEAVES = sorted(CONFIGS.glob("*.py"))


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_leaf(path):
    check_config(path)


def test_axes_do_not_overlap():
    assert not list(axis_overlaps(CONFIGS / "_base_"))


def test_overlapping_axes_are_found(tmp_path):
    for axis in ("models", "schedules"):
        (tmp_path / axis).mkdir()
        (tmp_path / axis / "one.py").write_text("train_cfg = dict(max_epochs=1)\n")
    assert list(axis_overlaps(tmp_path)) == ["train_cfg is set by models/one.py, schedules/one.py"]


def test_fair_leaves_of_one_dataset_share_a_protocol():
    configs = {path.stem: load_config(path) for path in LEAVES}
    assert list(protocol_differences(configs)) == []


def test_a_leaf_of_another_protocol_is_found_and_the_field_named():
    configs = {name: load_config(CONFIGS / f"{name}.py") for name in ("c3d_dfew", "ceflnet_dfew", "ceflnet_dfew_paper")}
    configs["ceflnet_dfew"].optim_wrapper.optimizer.lr = 0.1
    (found,) = protocol_differences(configs)
    assert found == "ceflnet_dfew differs from c3d_dfew in schedule.optimizer.optimizer.lr: 0.1 != 0.01"


def test_every_method_has_a_fair_leaf_for_every_dataset():
    names = {path.stem for path in LEAVES}
    keys = {load_config(path).test_dataloader.dataset.type.METAINFO["key"] for path in LEAVES} - {"own"}
    methods = {file.stem for file in (CONFIGS / "_base_" / "models").glob("*.py")}
    assert not {f"{method}_{key}" for method in methods for key in keys} - names
