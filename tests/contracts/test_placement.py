"""Every leaf's model on a GPU that is not there: a step reads no number of it, and a batch goes in and out at once."""

import inspect
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook, RuntimeInfoHook
from mmengine.logging import MessageHub

from cefl_bench.commands.runner import PlainRunner
from cefl_bench.commands.speed import input_shapes
from cefl_bench.config import load_config
from cefl_bench.contracts.placement import on_gpu, sample_batch, sent
from cefl_bench.hooks.progress import Progress
from cefl_bench.hooks.runtime_info import RuntimeInfo
from cefl_bench.hooks.validate import Validate
from cefl_bench.hooks.write_result import WriteResult
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.plain import plain
from cefl_bench.registry import MODELS

CONFIGS = Path(__file__).parents[2] / "configs"


def family(network):
    """What a network of a library is one of, such as `resnet` of `resnet18`, `resnet10t` and `test_resnet`."""
    return re.split(r"\d", network.removeprefix("test_"))[0]


def different_models():
    """Of the leaves, one of each kind of network: of one kind are those that differ in numbers alone, such as widths.

    The schedule and the augmentation of the synthetic corpus, which are more than DFEW's, with one of them; videos that
    are mixed, and scored in views, with another.
    """
    leaves = {"synthetic": "ceflnet_synthetic"}
    mixed = CONFIGS / "mae_dfer_dfew_paper.py"
    for path in (mixed, *sorted(CONFIGS.glob("*.py"))):
        model, names = plain(load_config(path).model.to_dict()), []
        for part in ("backbone", "aggregator", "head"):
            names += [family(value) for key, value in sorted(model[part].items()) if isinstance(value, str)]
        leaves.setdefault(" ".join(names), path.stem)
    return sorted(set(leaves.values()))


def built(config):
    with torch.device("meta"):
        return MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})


def make_small(backbone):
    """Give the backbone of a config the numbers of its tiny copy; a network of a library stays of its family."""
    given = {name: option.default for name, option in inspect.signature(backbone.type).parameters.items()}
    given |= backbone
    for name, value in backbone.type.tiny.items():
        if isinstance(value, dict):
            backbone[name] = (given[name] or {}) | value
        elif not isinstance(value, str) or family(value) == family(given[name]):
            backbone[name] = value


@pytest.mark.parametrize("leaf", different_models())
def test_a_step_and_a_test_batch(leaf):
    config = load_config(CONFIGS / f"{leaf}.py")
    make_small(config.model.backbone)
    with on_gpu(config, built(config)) as (there, transfers):
        batch = sample_batch(*input_shapes(config))
        losses = there.train(sent(batch, training=True))
        assert transfers.waits == 0, "nothing waits for the GPU in a step"
        assert transfers.counts["copies in"] == 1
        assert {loss.device.type for loss in losses.values()} == {"cuda"}
        transfers.counts.clear()
        predictions = there.test(sent(batch, training=False))
        tensors = [value for prediction in predictions for value in prediction.values() if torch.is_tensor(value)]
        assert {tensor.float().cpu().device.type for tensor in tensors} == {"cpu"}, "as metrics and hooks take them"
        assert transfers.counts["copies in"] == transfers.counts["copies out"] == transfers.waits == 1


@pytest.fixture
def small():
    """A small network, and a runner for hooks."""
    config = load_config(CONFIGS / "ceflnet_synthetic.py", {"model.backbone.trunk": "test_resnet"})
    runner = SimpleNamespace(epoch=0, message_hub=MessageHub.get_instance("placement"))
    return config, built(config), runner


def steps(config, model, hooks, runner, count=20):
    """How often the hooks of so many steps, and the end of their epoch, wait for the GPU."""
    with on_gpu(config, model) as (there, transfers):
        losses = there.train(batch := sample_batch(*input_shapes(config)))
        assert transfers.waits == 0
        for step in range(count):
            for hook in hooks:
                hook.after_train_iter(runner, step, batch, losses)
        hooks[0]._read_losses(runner)
        return transfers.waits


def test_twenty_steps_wait_at_most_twice(small):
    config, model, runner = small
    hooks = [Progress(), WriteResult({}), RuntimeInfo()]
    assert 1 <= steps(config, model, hooks, runner) <= 2


def test_the_runner_takes_the_hook_that_does_not_wait(small):
    config, model, runner = small
    assert steps(config, model, [Progress(), RuntimeInfoHook()], runner) > 20, "why it does"
    PlainRunner.register_hook(stand_in := _Hooks(), dict(type=RuntimeInfoHook))
    assert [type(hook) for hook in stand_in._hooks] == [RuntimeInfo]


def test_held_out_videos_are_scored_with_averaged_weights():
    """An averaging hook puts its weights in before a test and takes them out after it, when `Validate` scores."""
    PlainRunner.register_hook(stand_in := _Hooks(), dict(type=EMAHook))  # hooks of a config come before those of a run
    for hook in (WriteResult({}), Validate({}, [])):
        PlainRunner.register_hook(stand_in, hook)
    assert [type(hook) for hook in stand_in._hooks] == [Validate, EMAHook, WriteResult]


class _Hooks(PlainRunner):
    def __init__(self):
        self._hooks = []


def test_a_number_read_in_a_network_is_found(small, monkeypatch):
    config, model, _ = small
    original = MLPHead.forward

    def reads(self, feature):
        return original(self, feature) * feature.sum().item()

    monkeypatch.setattr(MLPHead, "forward", reads)
    with on_gpu(config, model) as (there, transfers):
        there.train(sample_batch(*input_shapes(config)))
        assert transfers.waits == 1


def test_a_tensor_left_on_the_host_is_found(small, monkeypatch):
    config, model, _ = small
    original = MLPHead.forward
    monkeypatch.setattr(MLPHead, "forward", lambda self, x: original(self, x) + torch.ones(2, 7).to(x.device))
    with on_gpu(config, model) as (there, transfers):
        there.train(sample_batch(*input_shapes(config)))
        assert transfers.counts["copies in"] == 3 + 1, "frames, labels and seeds of a batch that no `Feed` has sent"
    monkeypatch.setattr(MLPHead, "forward", lambda self, x: original(self, x) + torch.ones(2, 7))
    with on_gpu(config, model) as (there, _), pytest.raises(RuntimeError, match="device"):
        there.train(sample_batch(*input_shapes(config)))
