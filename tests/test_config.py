"""Which file the name of a config means, and which arguments its parts take."""

from dataclasses import dataclass

import pytest
from helpers.run import ROOT

from cefl_bench import config as configs
from cefl_bench.config import find_config, load_config
from cefl_bench.config_check import check_values
from cefl_bench.config_options import parse_options
from cefl_bench.errors import UserError
from cefl_bench.models.heads.linear_head import LinearHead
from cefl_bench.registry import arguments_of

LEAF = ROOT / "configs" / "ceflnet_dfew.py"


@pytest.mark.parametrize("name", ["ceflnet_dfew", "ceflnet_dfew.py", "configs/ceflnet_dfew.py"])
def test_a_name_means_a_leaf_of_ours_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == LEAF
    assert load_config(name).config_name == "ceflnet_dfew"


def test_a_file_in_the_current_folder_counts_more(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ceflnet_dfew.py").write_text("# mine\n")
    assert find_config("ceflnet_dfew.py").absolute() == tmp_path / "ceflnet_dfew.py"
    assert find_config("ceflnet_dfew") == LEAF, "a name without .py is not a file"


def test_another_folder_is_not_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("other/ceflnet_dfew.py", "_base_/runtime", "../configs/ceflnet_dfew.py"):
        with pytest.raises(UserError, match="does not exist"):
            find_config(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ceflnt_dfew", "did you mean ceflnet_dfew or"),
        ("ceflnt_dfew.py", "did you mean ceflnet_dfew.py or"),
        ("configs/c3d_mafw.py", "did you mean configs/c3d_dfew.py --dataset mafw"),
        ("c3d_mafw", "did you mean c3d_dfew --dataset mafw"),
    ],
)
def test_a_wrong_name_is_answered_with_one_that_works(name, meant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=meant) as caught:
        load_config(name)
    word = str(caught.value).partition("did you mean ")[2].split()[0].rstrip("?")
    assert load_config(word)


def test_a_folder_that_is_called_configs_does_not_make_a_checkout(tmp_path, monkeypatch):
    """Another package may have put a folder `configs` beside an installed toolkit."""
    package = tmp_path / "site" / "cefl_bench"
    (tmp_path / "site" / "configs").mkdir(parents=True)
    monkeypatch.setattr("cefl_bench.files.__file__", str(package / "files.py"))
    monkeypatch.setattr(configs, "__file__", str(package / "config.py"))
    assert configs.bases() == package / "configs"


def test_every_head_of_ours_takes_the_options_of_the_loss():
    for leaf in ("c3d_synthetic", "ceflnet_synthetic"):
        config = load_config(
            leaf, parse_options(["model.head.label_smoothing=0.1", "model.head.class_weights=balanced"])
        )
        check_values(config)
        assert config.model.head.label_smoothing == 0.1 and config.model.head.class_weights == "balanced"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("model.head.label_smothing=0.1", "there is no 'label_smothing': expected one of class_weights, dropout,"),
        ("model.head.label_smoothing=much", "model.head.label_smoothing is 'much': expected a number"),
        ("model.head.class_weights=3", "model.head.class_weights is 3: expected a text or a list or None"),
    ],
)
def test_an_option_of_the_loss_that_is_wrong_is_named(option, message):
    with pytest.raises(UserError) as error:
        check_values(load_config("c3d_synthetic", parse_options([option])))
    assert message in str(error.value)


@dataclass
class Plain:
    """Its constructor names what it takes."""

    width: int = 3


def takes_anything(width: int = 3, **options):
    """Its signature does not say what it takes."""


def test_arguments_are_those_that_a_signature_tells():
    assert arguments_of(Plain) == ({"width": int}, False)
    assert arguments_of(takes_anything) == ({"width": int}, True)
    known = arguments_of(LinearHead)
    assert known.kinds["dropout"] is float and known.kinds["focal_gamma"] is float and not known.any_other


def test_an_option_reaches_into_an_argument_that_the_config_leaves_out():
    config = load_config("resnet18_frames_dfew", {"model.backbone.trunk_args.zero_init_last": False})
    assert config.model.backbone.trunk_args == dict(zero_init_last=False)


@pytest.mark.parametrize("key", ["model.backbone.trunk_argz.img_size", "model.bakbone.width", "optim.lr"])
def test_an_option_of_a_misspelt_path_is_refused(key):
    with pytest.raises(UserError, match=f"--cfg-options {key}: the config has no"):
        load_config("resnet18_frames_dfew", {key: 1})
