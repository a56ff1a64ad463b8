"""A training too short for BatchNorm's running statistics is told of."""

import re

import pytest
import torch
from torch import nn

from cefl_bench.models.backbones.torchvision_video import TorchvisionVideo
from cefl_bench.models.batch_statistics import late_statistics


@pytest.mark.parametrize(("momentum", "num_steps"), [(0.001, 640), (0.01, 100), (0.1, 5)])
def test_what_is_left_of_the_start_is_what_batch_norm_leaves(momentum, num_steps):
    layer = nn.BatchNorm1d(1, momentum=momentum)
    for _ in range(num_steps):
        layer(torch.full((4, 1), 5.0))
    left = 1 - layer.running_mean.item() / 5  # a start of 0 moves towards 5
    line = late_statistics(nn.Sequential(nn.Linear(1, 1), layer), num_steps)
    assert re.search(r"batches of this training (\d+)%", line).group(1) == f"{left:.0%}"[:-1]
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
