"""Every config keeps its contract."""

from pathlib import Path

import pytest
from checks import axis_overlaps, check_config

from cefl_bench.config import load_config, plain, track_of
from cefl_bench.functional.protocol import difference, protocol_of

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
    protocols = {}
    for path in LEAVES:
        config = load_config(path)
        if track_of(path.stem) == "fair":
            protocol = protocol_of(plain(config.to_dict()) | {"track": "fair"})
            first, reference = protocols.setdefault(config.train_dataloader.dataset.type, (path.stem, protocol))
            assert not difference(reference, protocol), f"{path.stem} differs from {first}"
