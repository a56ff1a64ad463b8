"""The 3D networks of the benchmarks' tables: published counts, other implementations, closed facts."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.video.resnet import BasicBlock, Conv3DSimple, VideoResNet

from cefl_bench.cost.ledger import count_on_meta
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.mc3_18 import MC318
from cefl_bench.models.backbones.r2plus1d_18 import R2Plus1D18
from cefl_bench.models.backbones.resnet3d18 import ResNet3D18

NUM_CLASSES = 7


def parameters_and_gigamacs(build, size: int) -> tuple[int, float]:
    """Of a backbone and a linear classifier of seven classes, for 16 frames."""
    with torch.device("meta"):
        backbone = build().eval()
        network = nn.Sequential(backbone, nn.Linear(backbone.feat_dim, NUM_CLASSES))
        macs = sum(count_on_meta(network, torch.empty(1, 3, 16, size, size)).values())
    return sum(parameter.numel() for parameter in network.parameters()), macs / 1e9


def shake(network: nn.Module) -> nn.Module:
    """A network in eval mode whose batch statistics are no longer 0 and 1, so that a lost norm shows."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(std=0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
    return network.eval()


@pytest.mark.parametrize(
    ("build", "size", "params", "gigamacs"),
    [
        (ResNet3D18, 112, 33_207_495, 8.3078),
        (lambda: ResNet3D18(shortcut="A"), 112, 33_033_671, 8.2961),
        (MC318, 112, 11_493_831, 43.3424),
        (R2Plus1D18, 112, 31_303_716, 40.5189),
    ],
)
def test_counts_are_those_of_the_authors_networks(build, size, params, gigamacs):
    counted = parameters_and_gigamacs(build, size)
    assert counted == (params, pytest.approx(gigamacs, rel=0.0005))


@pytest.mark.parametrize(
    ("build", "name"), [(MC318, "mc3_18"), (R2Plus1D18, "r2plus1d_18")], ids=["mc3_18", "r2plus1d_18"]
)
@torch.no_grad()
def test_residual_networks_are_torchvisions(build, name):
    theirs = shake(torchvision.models.get_model(name, weights=None))
    theirs.fc = nn.Identity()
    ours = build().eval()
    ours.trunk.load_state_dict(theirs.state_dict())
    clip = torch.rand(2, 3, 4, 32, 32)
    torch.testing.assert_close(ours(clip), theirs(clip))


@torch.no_grad()
def test_3d_resnet18_is_the_residual_stages_behind_another_stem():
    """Against torchvision's stages, behind the first convolution and max-pooling that the authors describe."""
    stem = nn.Sequential(
        nn.Conv3d(3, 64, 7, stride=(1, 2, 2), padding=3, bias=False),
        nn.BatchNorm3d(64),
        nn.ReLU(),
        nn.MaxPool3d(3, stride=2, padding=1),
    )
    theirs = shake(VideoResNet(BasicBlock, [Conv3DSimple] * 4, [2, 2, 2, 2], lambda: stem))
    theirs.fc = nn.Identity()
    weights = {}
    for name, tensor in theirs.state_dict().items():
        for before, after in {
            "stem.0.": "conv1.",
            "stem.1.": "bn1.",
            "conv1.0.": "conv1.",
            "conv1.1.": "bn1.",
            "conv2.0.": "conv2.",
            "conv2.1.": "bn2.",
        }.items():
            name = name.replace(before, after)
        weights[name] = tensor
    ours = ResNet3D18().eval()
    ours.trunk.load_state_dict(weights)
    clip = torch.rand(2, 3, 8, 32, 32)
    torch.testing.assert_close(ours(clip), theirs(clip))


@torch.no_grad()
def test_a_shortcut_of_type_a_takes_every_second_voxel_and_adds_zeros():
    block = ResNet3D18(width=4, shortcut="A").trunk.layer2[0].eval()
    for parameter in block.parameters():
        parameter.zero_()
    map_BCTHW = torch.rand(1, 4, 5, 6, 7)
    out = block(map_BCTHW)
    assert out.shape == (1, 8, 3, 3, 4)
    assert torch.equal(out[:, :4], map_BCTHW[:, :, ::2, ::2, ::2]) and not out[:, 4:].any()


def test_a_shortcut_of_type_a_hands_the_gradient_on():
    """The authors' early code cut it off there."""
    block = ResNet3D18(width=4, shortcut="A").trunk.layer2[0].eval()
    nn.init.zeros_(block.conv1.weight)
    map_BCTHW = torch.rand(1, 4, 2, 2, 2, requires_grad=True)
    block(map_BCTHW).sum().backward()
    assert map_BCTHW.grad.abs().sum() > 0


def test_3d_resnet18_knows_two_shortcuts():
    with pytest.raises(UserError, match="shortcut is 'C': expected 'A' or 'B'"):
        ResNet3D18(shortcut="C")


def test_published_weights_of_3d_resnet18_fill_it(tmp_path):
    """The authors' files name every tensor as below, wrapped for several GPUs, with a classifier of their own."""
    weights = {"module.conv1.weight": torch.rand(4, 3, 7, 7, 7), "module.fc.weight": torch.rand(700, 32)}
    for name, tensor in ResNet3D18(width=4).trunk.state_dict().items():
        weights.setdefault(f"module.{name}", torch.rand_like(tensor, dtype=torch.float))
    names = {"module.layer2.0.downsample.0.weight", "module.layer4.1.bn2.running_var", "module.bn1.weight"}
    assert names < weights.keys()
    torch.save({"state_dict": weights, "arch": "resnet-18"}, tmp_path / "r3d18_K_200ep.pth")
    init_cfg = dict(checkpoint=str(tmp_path / "r3d18_K_200ep.pth"), start="Kinetics-700")
    backbone = ResNet3D18(width=4, init_cfg=init_cfg)
    backbone.init_weights()
    torch.testing.assert_close(backbone.trunk.conv1.weight, weights["module.conv1.weight"])
    assert backbone.init_source.source.endswith("100.0% of the trunk") and backbone.init_source.start == "Kinetics-700"


@pytest.mark.parametrize("build", [ResNet3D18, MC318, R2Plus1D18])
@pytest.mark.parametrize(("num_frames", "size"), [(16, 112), (16, 224), (1, 48), (5, 160)])
def test_any_number_of_frames_and_any_size_fit(build, num_frames, size):
    with torch.device("meta"):
        backbone = build()
        assert backbone(torch.empty(2, 3, num_frames, size, size)).shape == (2, backbone.feat_dim)
