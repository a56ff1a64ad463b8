"""How clips lie in memory changes no value."""

import torch

from cefl_bench.models.backbones.resnet3d18 import ResNet3D18
from cefl_bench.models.layers.memory_format import channels_last_on_cpu


def test_clips_are_the_same_with_their_channels_last_on_a_cpu():
    clip = torch.arange(2 * 3 * 4 * 5 * 6.0).reshape(2, 3, 4, 5, 6)
    moved = channels_last_on_cpu(clip)
    assert torch.equal(moved, clip) and moved.is_contiguous(memory_format=torch.channels_last_3d)
    elsewhere = torch.empty(2, 3, 4, 5, 6, device="meta")
    assert channels_last_on_cpu(elsewhere) is elsewhere


def test_a_network_gives_the_same_with_its_channels_last():
    torch.manual_seed(0)
    network, clip = ResNet3D18(width=4).eval(), torch.randn(2, 3, 8, 32, 32)
    network.init_weights()
    with torch.no_grad():
        torch.testing.assert_close(network(clip), network.trunk(clip).mean(dim=(2, 3, 4)))
