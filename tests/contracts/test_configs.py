"""Every config keeps its contract."""

from pathlib import Path

import pytest
from helpers.contracts import assert_kept
from helpers.golden import fingerprint, golden

from cefl_bench.commands.zoo import Costs, check_zoo
from cefl_bench.config import corpora, load_config
from cefl_bench.contracts.configs import axis_overlaps, examine_config, protocol_differences
from cefl_bench.errors import UserError
from cefl_bench.functional.protocol import protocol_id, protocol_of
from cefl_bench.plain import plain

CONFIGS = Path(__file__).parents[2] / "configs"
LEAVES = sorted(CONFIGS.glob("*.py"))


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_leaf(path):
    assert_kept(examine_config(path, load_config(path)))


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


GOLDEN = golden()
COSTS = Costs()
"""Counted once, for the tests below."""


@pytest.mark.parametrize("name", GOLDEN)
def test_a_method_on_a_corpus_is_what_it_was(name):
    expected = GOLDEN[name]
    config = load_config(CONFIGS / f"{expected['leaf']}.py", dataset=expected["dataset"])
    assert config.config_name == name
    resolved = plain(config.to_dict())
    assert fingerprint(resolved) == expected["config"]
    assert protocol_id(protocol_of(resolved)) == expected["protocol_id"]
    cost = COSTS.of(config)
    assert (cost["params"], cost["macs"]) == (expected["params"], expected["macs"])


def test_the_model_zoo_is_what_configs_and_results_make():
    """As tools/zoo.py --check says it."""
    check_zoo(COSTS)


def test_every_method_meets_every_corpus_by_its_name():
    for corpus in corpora():
        config = load_config(CONFIGS / "c3d_dfew.py", dataset=corpus)
        dataset = config.train_dataloader.dataset
        assert dataset.type.METAINFO["key"] == corpus and dataset.split == "train"
        assert config.model.head.num_classes == len(dataset.get("classes", dataset.type.METAINFO["classes"]))
        assert config.config_name == f"c3d_{corpus}" and config.track == "fair"


def test_a_corpus_of_ones_own_is_a_file(tmp_path):
    file = tmp_path / "my_corpus.py"
    text = (CONFIGS / "_base_" / "datasets" / "own.py").read_text()
    file.write_text(
        text.replace('("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")', '("up", "down")')
    )
    config = load_config(CONFIGS / "ceflnet_dfew_paper.py", {"corpus.frames": "video"}, dataset=str(file))
    assert config.config_name == "ceflnet_my_corpus_paper" and config.model.head.num_classes == 2
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        assert config[loader].dataset.classes == ("up", "down") and config[loader].dataset.frames == "video"
        assert config[loader].dataset.pipeline[0].size == 224, "the recipe stays the leaf's"


@pytest.mark.parametrize(
    ("path", "dataset", "message"),
    [
        ("c3d_mafw.py", None, r"did you mean .*c3d_dfew\.py --dataset mafw\?"),
        ("ceflnt_dfew.py", None, r"did you mean .*ceflnet_dfew\.py"),
        ("c3d_dfew.py", "mawf", "did you mean mafw"),
        ("c3d_dfew.py", "nowhere.py", r"there is no nowhere\.py"),
        ("ceflnet_cremad_on_ravdess.py", "mafw", "start from a config of one corpus"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(path, dataset, message):
    with pytest.raises(UserError, match=message):
        load_config(CONFIGS / path, dataset=dataset)
