"""A training too short for the running averages that tests take is told of."""

import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.registry import MODELS
from torch import nn

from cefl_bench.commands.train import _late_averages
from cefl_bench.models.backbones.torchvision_video import TorchvisionVideo
from cefl_bench.models.late_averages import late_statistics, late_weights


@pytest.mark.parametrize(("momentum", "num_batches"), [(0.001, 640), (0.01, 100), (0.1, 5)])
def test_what_is_left_of_the_start_is_what_batch_norm_leaves(momentum, num_batches):
    layer = nn.BatchNorm1d(1, momentum=momentum)
    for _ in range(num_batches):
        layer(torch.full((4, 1), 5.0))
    left = 1 - layer.running_mean.item() / 5  # a start of 0 moves towards 5
    line = late_statistics(nn.Sequential(nn.Linear(1, 1), layer), num_batches)
    assert re.search(r"batches of this training they still hold (\d+)%", line).group(1) == f"{left:.0%}"[:-1]
    assert f"BatchNorm 1 moves its running statistics by {momentum:g} " in line


def test_the_slowest_layer_is_the_one_that_is_named():
    network = nn.Sequential(nn.BatchNorm1d(1, momentum=0.1), nn.BatchNorm1d(1, momentum=0.01))
    assert "BatchNorm 1 " in late_statistics(network, 100)


@pytest.mark.parametrize(
    "network",
    [
        nn.Linear(1, 1),
        nn.BatchNorm1d(1, momentum=0.01),
        nn.BatchNorm1d(1, momentum=None),
        nn.BatchNorm1d(1, momentum=0.0001, track_running_stats=False),
    ],
)
def test_nothing_is_said_where_statistics_follow(network):
    assert late_statistics(network, 230) is None


def test_s3d_follows_a_short_training():
    """In torchvision it moves by 0.001 a batch: of 640 batches it keeps half of the start."""
    with torch.device("meta"):
        assert late_statistics(TorchvisionVideo("s3d"), 640) is None


@pytest.mark.parametrize(("momentum", "num_batches"), [(0.001, 640), (0.05, 30)])
def test_what_is_left_in_averaged_weights_is_what_mmengine_leaves(momentum, num_batches):
    layer = nn.Linear(1, 1)
    average = MODELS.build(EMAHook(momentum=momentum).ema_cfg, default_args=dict(model=layer))
    for batch in range(num_batches):
        nn.init.constant_(layer.weight, 0.0 if batch == 0 else 5.0)
        average.update_parameters(layer)
    left = 1 - average.module.weight.item() / 5
    line = late_weights(EMAHook(momentum=momentum).ema_cfg, num_batches)
    assert re.search(r"batches of this training they still hold (\d+)%", line).group(1) == f"{left:.0%}"[:-1]


def test_averages_that_follow_are_not_told_of():
    assert late_weights(EMAHook(momentum=0.01).ema_cfg, 240) is None
    assert late_weights(EMAHook("StochasticWeightAverage").ema_cfg, 2) is None
    assert "by 0.0002 a batch" in late_weights(EMAHook().ema_cfg, 240)


def test_averaged_weights_that_begin_late_have_the_batches_that_are_left():
    runner = SimpleNamespace(model=nn.Linear(1, 1), hooks=[EMAHook(momentum=0.03, begin_epoch=9)], max_iters=100)
    runner.train_dataloader = range(10)
    (line,) = _late_averages(runner, untrained=True)
    assert "EMAHook moves the averaged weights by 0.03 a batch" in line and "after the 9 batches" in line
    runner.hooks[0].begin_epoch = 0
    assert not list(_late_averages(runner, untrained=True)), "5 % of the start is left"
