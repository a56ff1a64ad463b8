"""The parts that CONTRIBUTING.md shows as examples keep their contracts, and do what is said of them."""

import re
import sys
import types

import numpy as np
import pytest
import torch
from helpers.contracts import assert_kept, make_room
from helpers.pages import blocks, text_of
from helpers.run import ROOT, SYNTHETIC, dataset
from mmengine.evaluator import Evaluator

from cefl_bench.commands.setup import build_dataset
from cefl_bench.config import load_config
from cefl_bench.contracts.metrics import examine_metric
from cefl_bench.contracts.parts import examine_aggregator, examine_backbone
from cefl_bench.datasets.balanced_sampler import BalancedSampler
from cefl_bench.errors import UserError
from cefl_bench.hooks.write_result import lower_is_better
from cefl_bench.registry import METRICS, MODELS, TRANSFORMS

FILE = re.compile(r"`cefl_bench/([\w/]+)\.py`:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(monkeypatch):
    """Gives the class of an example's file, as if the file were there."""
    files = dict(FILE.findall(text_of(ROOT / "CONTRIBUTING.md")))
    registries, registered = (MODELS, METRICS, TRANSFORMS), []

    def load(path, name):
        for registry in registries:
            make_room(monkeypatch, registry, name)
        module = types.ModuleType(f"cefl_bench.{path.replace('/', '.')}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        registered.append(name)
        exec(compile(files[path], module.__name__, "exec"), module.__dict__)
        return getattr(module, name)

    yield load
    for registry in registries:
        for name in registered:
            registry.module_dict.pop(name, None)


def test_an_example_may_be_a_file_of_the_checkout_too(example, monkeypatch):
    MODELS.import_from_location()
    theirs = type("AlikeClips", (), {})
    monkeypatch.setitem(MODELS.module_dict, "AlikeClips", theirs)
    cls = example("models/aggregators/alike_clips", "AlikeClips")
    assert cls is not theirs and MODELS.module_dict["AlikeClips"] is cls


def test_a_loss_of_its_own(example):
    cls = example("models/aggregators/alike_clips", "AlikeClips")
    assert_kept(examine_aggregator("AlikeClips", lambda: cls(in_dim=6), num_clips=3, in_dim=6))
    config = load_config("c3d_synthetic")
    config.model.aggregator = dict(type=cls, weight=2.0)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})
    size = config.data_preprocessor.size
    losses = model(torch.randn(2, 1, 3, 16, size, size), mode="loss", label=torch.tensor([0, 1]))
    assert list(losses) == ["loss_class", "loss_alike"] and losses["loss_alike"].item() == 0, "one clip is like itself"
    aggregator = cls(in_dim=2, weight=2.0)
    aggregator(torch.tensor([[[0.0, 1.0], [4.0, 1.0]]]))
    assert aggregator.auxiliary_losses(torch.tensor([0]))["loss_alike"].item() == pytest.approx(2 * (4 + 0) / 2)


def test_a_frozen_trunk_stays_as_it_is(example):
    cls = example("models/backbones/frozen_frames", "FrozenFrames")
    assert_kept(examine_backbone("FrozenFrames", lambda: cls(**cls.tiny), clip_shape=(3, 4, 48, 48)))
    backbone = cls(**cls.tiny).train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        backbone(torch.randn(2, 3, 4, 48, 48)).square().sum().backward()
        optimizer.step()
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith("trunk."), name


def test_a_metric_of_which_a_low_value_is_good(example):
    cls = example("metrics/brier", "Brier")
    assert_kept(examine_metric("Brier", cls, num_classes=7))
    evaluator = Evaluator([cls()])
    for scores, label in (([0.0, 0.0], 0), ([100.0, 0.0], 1), ([100.0, 0.0], 0), ([torch.nan] * 2, 1)):
        evaluator.process([dict(scores=torch.tensor(scores), label=label)])
    found = evaluator.evaluate(4)
    assert found == {"brier/score": pytest.approx((0.5 + 2 + 0 + 1) / 4)}
    assert lower_is_better(evaluator, found) == ["brier/score"]


def test_an_augmentation_reverses_training_videos_alone(example, with_data):
    cls = example("transforms/reverse_time", "ReverseTime")
    config = load_config(SYNTHETIC)
    for loader in ("train_dataloader", "val_dataloader"):
        config[loader].dataset.pipeline.insert(2, dict(type=cls, share=1.0))
    for loader in ("train_dataloader", "val_dataloader"):
        plain, changed = dataset(SYNTHETIC, loader)[0], build_dataset(config, loader)[0]
        same = np.array_equal(plain["frame_indices"], changed["frame_indices"])
        assert same == (loader == "val_dataloader")
        indices = changed["frame_indices"].reshape(-1)
        assert (np.diff(indices) <= 0).all() != same
    with pytest.raises(UserError, match="ReverseTime: share is 2: expected 0 to 1"):
        cls(share=2)


def test_the_sampler_that_the_page_on_training_shows_loads(tmp_path):
    (example,) = [block for block in blocks(ROOT / "docs" / "training.md", "python") if "sampler" in block]
    (tmp_path / "_base_").symlink_to(ROOT / "configs" / "_base_")
    leaf = tmp_path / "leaf_dfew.py"
    leaf.write_text((ROOT / "configs" / "c3d_dfew.py").read_text(encoding="utf-8") + example, encoding="utf-8")
    assert load_config(leaf).train_dataloader.sampler.type is BalancedSampler
