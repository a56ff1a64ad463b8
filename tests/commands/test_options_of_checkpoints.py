"""`--cfg-options` where a checkpoint, or the config in a run's folder, is all there is: as with a config of ours."""

import pytest
from helpers.run import TINY
from helpers.untrained import untrained
from mmengine.config import Config

from cefl_bench.commands.setup import RunOptions, of_checkpoint
from cefl_bench.config import load_config, select_by_val
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError
from cefl_bench.plain import plain

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


@pytest.fixture
def checkpoint(tmp_path) -> str:
    return str(untrained(tmp_path / "last.pth", options=TINY, select=True))


def test_the_corpus_of_a_checkpoint_is_changed_for_all_loaders(checkpoint, capsys):
    options = ("corpus.data_root=elsewhere", "corpus.on_error=skip", "data_preprocessor.size=40")
    _, config = of_checkpoint(RunOptions(cfg_options=options), checkpoint)
    datasets = [config[name].dataset for name in (*LOADERS, "held_out_dataloader")]
    assert [(one.data_root, one.on_error) for one in datasets] == [("elsewhere", "skip")] * 4
    assert config.data_preprocessor.size == 40 and "corpus" not in config
    told = capsys.readouterr().out
    assert "other than in training: test_dataloader.dataset.data_root: 'synthetic_demo' != 'elsewhere'" in told


@pytest.mark.parametrize(
    "option", ["corpse.data_root=x", "data_preprocesor.size=96", "nonsense.key=3", "test_corpus.a=1"]
)
def test_a_path_that_is_not_in_it_is_refused(option, checkpoint):
    with pytest.raises(UserError, match=rf"--cfg-options {option.partition('=')[0]}: the config has no"):
        of_checkpoint(RunOptions(cfg_options=(option,)), checkpoint)


def test_the_config_in_a_runs_folder_takes_the_options_of_its_leaf(tmp_path):
    built = load_config("ceflnet_synthetic", parse_options(TINY))
    select_by_val(built)
    (tmp_path / "config.py").write_text(Config(plain(built.to_dict()), format_python_code=False).dump())
    config = load_config(tmp_path / "config.py", parse_options(["corpus.data_root=elsewhere"]))
    assert [config[name].dataset.data_root for name in LOADERS] == ["elsewhere"] * 3


def test_of_two_corpora_each_is_changed_by_its_own_name(tmp_path):
    built = load_config("ceflnet_cremad_on_ravdess")
    (tmp_path / "config.py").write_text(Config(plain(built.to_dict()), format_python_code=False).dump())
    options = parse_options(["corpus.data_root=one", "test_corpus.data_root=other"])
    config = load_config(tmp_path / "config.py", options)
    roots = [config[name].dataset.data_root for name in LOADERS]
    assert roots == [load_config("ceflnet_cremad_on_ravdess", options)[name].dataset.data_root for name in LOADERS]
    assert roots[0] == "one" and roots[2] == "other"
