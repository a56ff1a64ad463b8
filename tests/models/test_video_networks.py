"""The 3D networks of the benchmarks' tables: published counts, other implementations, closed facts."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.video.resnet import BasicBlock, Conv3DSimple, VideoResNet

from cefl_bench.cost.ledger import count_on_meta
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.i3d import I3D, SameMaxPool, Unit
from cefl_bench.models.backbones.mc3_18 import MC318
from cefl_bench.models.backbones.p3d63 import P3D63, Bottleneck
from cefl_bench.models.backbones.r2plus1d_18 import R2Plus1D18
from cefl_bench.models.backbones.resnet3d18 import ResNet3D18
from cefl_bench.models.backbones.resnet_lstm import ResNetLSTM

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
        (I3D, 224, 12_294_439, 27.7876),
        (P3D63, 160, 24_939_975, 8.4411),
        (lambda: ResNetLSTM("vgg11_bn", dict(pooled=True)), 112, 11_095_815, 29.9712),
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


@pytest.mark.parametrize("build", [ResNet3D18, MC318, R2Plus1D18, I3D, P3D63])
@pytest.mark.parametrize(("num_frames", "size"), [(16, 224), (1, 48)])
def test_any_number_of_frames_and_any_size_fit(build, num_frames, size):
    with torch.device("meta"):
        backbone = build()
        assert backbone(torch.empty(2, 3, num_frames, size, size)).shape == (2, backbone.feat_dim)


def maps(network: nn.Module, layers: dict[str, nn.Module], size: int) -> dict[str, tuple[int, ...]]:
    """The maps (C, T, H, W) that layers give for 16 frames, on the meta device."""
    found: dict[str, tuple[int, ...]] = {}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, __, out, name=name: found.update({name: tuple(out.shape[1:])}))
    network(torch.empty(1, 3, 16, size, size, device="meta"))
    return found


def test_maps_of_i3d():
    with torch.device("meta"):
        backbone = I3D().eval()
    names = ("MaxPool3d_2a_3x3", "MaxPool3d_3a_3x3", "MaxPool3d_4a_3x3", "MaxPool3d_5a_2x2", "Mixed_5c")
    assert list(maps(backbone, {name: backbone.trunk.get_submodule(name) for name in names}, 224).values()) == [
        (64, 8, 56, 56),
        (192, 8, 28, 28),
        (480, 4, 14, 14),
        (832, 2, 7, 7),
        (1024, 2, 7, 7),
    ]


@pytest.mark.parametrize(
    ("values", "first", "middle", "last"),
    [
        ([1, 2, 3, 4], [1, 3], [2, 4], [3, 0]),  # one zero, at the end
        ([1, 2, 3, 4, 5], [0, 2, 4], [1, 3, 5], [2, 4, 0]),  # one on each side
    ],
    ids=["even", "odd"],
)
@torch.no_grad()
def test_a_convolution_of_i3d_pads_as_tensorflow_does(values, first, middle, last):
    """Windows of three, two apart, read off by kernels with a single one in them."""
    unit = Unit(1, 1, (3, 1, 1), stride=(2, 1, 1)).eval()
    unit.bn.eps = 0.0
    for tap, expected in enumerate((first, middle, last)):
        unit.conv3d.weight.zero_()
        unit.conv3d.weight[0, 0, tap] = 1
        assert unit(torch.tensor(values).float().reshape(1, 1, -1, 1, 1)).flatten().tolist() == expected


def test_a_pooling_of_i3d_pads_with_zeros():
    """And not with minus infinity, as torch does: a negative map is zero at its border."""
    pooled = SameMaxPool((3, 1, 1), (1, 1, 1))(torch.tensor([-3.0, -2.0, -1.0]).reshape(1, 1, 3, 1, 1))
    assert pooled.flatten().tolist() == [0, -1, 0]


@torch.no_grad()
def test_branches_of_i3d_stand_in_the_published_order():
    block = I3D(width=4).trunk.get_submodule("Mixed_3b").eval()
    map_BCTHW = torch.rand(1, 12, 2, 4, 4)
    out = block(map_BCTHW)
    assert out.shape[1] == 4 + 8 + 2 + 2
    torch.testing.assert_close(out[:, :4], block.b0(map_BCTHW))
    torch.testing.assert_close(out[:, 4:12], block.b1b(block.b1a(map_BCTHW)))
    torch.testing.assert_close(out[:, 14:], block.b3b(block.b3a(map_BCTHW)))


def test_published_weights_of_i3d_fill_it(tmp_path):
    weights = {
        name: torch.rand_like(tensor, dtype=torch.float) for name, tensor in I3D(width=4).trunk.state_dict().items()
    }
    names = {"Conv3d_1a_7x7.conv3d.weight", "Mixed_3b.b1b.conv3d.weight", "Mixed_5c.b3b.bn.running_mean"}
    assert names < weights.keys()
    torch.save(weights | {"logits.conv3d.weight": torch.rand(400, 64, 1, 1, 1)}, tmp_path / "rgb_imagenet.pt")
    backbone = I3D(width=4, init_cfg=dict(checkpoint=str(tmp_path / "rgb_imagenet.pt"), start="Kinetics-400"))
    backbone.init_weights()
    assert backbone.init_source.source.endswith("100.0% of the trunk")
    name = "Mixed_3b.b1b.conv3d"
    torch.testing.assert_close(backbone.trunk.get_submodule(name).weight, weights[f"{name}.weight"])


def test_maps_of_p3d63():
    with torch.device("meta"):
        backbone = P3D63().eval()
    stages = {str(number): stage for number, stage in enumerate(backbone.stages)}
    assert list(maps(backbone, stages, 160).values()) == [
        (256, 8, 40, 40),
        (512, 4, 20, 20),
        (1024, 2, 10, 10),
        (2048, 1, 5, 5),
    ]


def test_types_of_p3d63_take_turns_over_three_stages():
    blocks = [block for stage in P3D63(width=4).stages for block in stage]
    assert [block.kind for block in blocks] == [*"ABCABCABCABCA", "2D", "2D", "2D"]
    assert [block.time is None for block in blocks] == 13 * [False] + 3 * [True]


class Times(nn.Module):
    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


@pytest.mark.parametrize(("kind", "factor"), [("A", 2 * 3), ("B", 2 + 3), ("C", 2 + 2 * 3), ("2D", 2)])
def test_a_block_of_p3d63_relates_space_and_time_as_its_type_says(kind, factor):
    """With two times x in the place of the convolution in space, and three times x of the one in time."""
    block = Bottleneck(16, 4, stride=1, kind=kind)
    block.reduce, block.expand, block.shortcut, block.space = Times(1), Times(1), Times(0), Times(2)
    if kind != "2D":
        block.time = Times(3)
    map_BCTHW = torch.rand(1, 16, 2, 2, 2)
    torch.testing.assert_close(block(map_BCTHW), factor * map_BCTHW)


@torch.no_grad()
def test_the_last_stage_of_p3d63_sees_each_frame_alone():
    stage = shake(P3D63(width=4).stages[3])
    map_BCTHW = torch.rand(1, 64, 3, 4, 4)
    torch.testing.assert_close(stage(map_BCTHW)[:, :, 1:2], stage(map_BCTHW[:, :, 1:2]))


@torch.no_grad()
def test_vgg_without_its_linear_layers_gives_its_last_map_averaged():
    with torch.device("meta"):  # the linear layers of both are large, and not asked for
        trunk = ResNetLSTM("vgg11_bn", dict(pooled=True), hidden_dim=8).trunk.eval()
        theirs = torchvision.models.vgg11_bn(weights=None).features.eval()
    theirs.to_empty(device="cpu")
    for module in theirs:
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    trunk.features.load_state_dict(theirs.state_dict(), assign=True)
    frame_BCHW = torch.rand(2, 3, 112, 112)
    torch.testing.assert_close(trunk(frame_BCHW), theirs(frame_BCHW).mean(dim=(2, 3)), atol=1e-5, rtol=1e-4)


def test_a_network_without_linear_layers_has_none_to_leave_out():
    with pytest.raises(UserError, match="'resnet18' has no layers before its classifier"):
        ResNetLSTM("resnet18", dict(pooled=True))
