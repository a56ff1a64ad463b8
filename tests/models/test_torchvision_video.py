"""Video networks of torchvision by their name."""

import pytest
import torch
import torchvision
from torch import nn

from cefl_bench.config import load_config
from cefl_bench.cost.flops import cost_or_reason
from cefl_bench.cost.ledger import count_on_meta
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.torchvision_video import TorchvisionVideo
from cefl_bench.models.start import init_source


@pytest.mark.parametrize(
    ("name", "size", "params", "gigamacs"),
    [
        ("swin3d_t", 224, 27_855_853, 43.88),
        ("mvit_v2_s", 224, 34_235_527, 64.22),
        ("s3d", 224, 7_917_223, 17.98),
    ],
)
def test_counts_are_those_of_the_networks(name, size, params, gigamacs):
    with torch.device("meta"):
        backbone = TorchvisionVideo(name).eval()
        network = nn.Sequential(backbone, nn.Linear(backbone.feat_dim, 7))
        macs = sum(count_on_meta(network, torch.empty(1, 3, 16, size, size)).values())
    assert sum(parameter.numel() for parameter in network.parameters()) == params
    assert macs / 1e9 == pytest.approx(gigamacs, rel=0.0005)


@torch.no_grad()
def test_the_feature_is_what_torchvisions_classifier_takes():
    """Its classifier on our feature gives its own scores."""
    theirs = torchvision.models.video.swin3d_t(weights=None).eval()
    with torch.device("meta"):
        ours = TorchvisionVideo("swin3d_t").eval()
    weights = {name: tensor for name, tensor in theirs.state_dict().items() if not name.startswith("head.")}
    ours.trunk.load_state_dict(weights, assign=True)
    clip = torch.rand(2, 3, 4, 32, 32)
    torch.testing.assert_close(theirs.head(ours(clip)), theirs(clip), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_s3d_averages_its_last_map_as_torchvision_does_for_the_size_it_is_made_for():
    with torch.device("meta"):
        theirs, ours = torchvision.models.video.s3d(weights=None), TorchvisionVideo("s3d")
        assert ours.trunk.features(torch.empty(1, 3, 16, 224, 224)).shape == (1, 1024, 2, 7, 7)
    map_BCTHW = torch.rand(1, 1024, 2, 7, 7)
    torch.testing.assert_close(ours.trunk.avgpool(map_BCTHW), theirs.avgpool(map_BCTHW))


def test_torchvisions_weights_fill_it(tmp_path):
    weights = torchvision.models.video.s3d(weights=None).state_dict()
    torch.save(weights, tmp_path / "s3d.pth")
    backbone = TorchvisionVideo("s3d", init_cfg=dict(checkpoint=str(tmp_path / "s3d.pth")))
    backbone.init_weights()
    assert backbone.init_source.source.endswith("100.0% of the trunk")
    name = "features.5.branch1.0.0.weight"
    torch.testing.assert_close(backbone.trunk.state_dict()[name], weights[name])
    named = TorchvisionVideo("s3d", init_cfg=dict(torchvision="s3d")).weights
    assert init_source(named)[:2] == ("Kinetics-400", "torchvision s3d KINETICS400_V1 (s3d-d76dad2f.pth)")


def refusal(*options: str, size: int = 112, num_frames: int = 16) -> str:
    """What a training of a config says before it begins."""
    config = load_config("s3d_dfew", dict(option.split("=") for option in options))
    model = config.model | {"data_preprocessor": config.data_preprocessor}
    with pytest.raises(UserError) as error:
        cost_or_reason(model, (1, 3, num_frames, size, size))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["mvit_v1_b", "mvit_v2_s"])
def test_mvit_says_which_size_it_takes(name):
    told = refusal(f"model.backbone.name={name}")
    assert f"{name} takes clips (T, H, W) of (16, 224, 224) alone and got (16, 112, 112)" in told
    assert "set data_preprocessor.size=224, and 16 frames a clip" in told


@pytest.mark.parametrize(("num_frames", "size"), [(4, 112), (16, 16)])
def test_s3d_says_what_is_too_small(num_frames, size):
    told = refusal(num_frames=num_frames, size=size)
    assert f"at least (5, 17, 17) and got ({num_frames}, {size}, {size}): set data_preprocessor.size" in told


def test_the_smallest_clip_of_s3d_fits_and_torchs_own_limit_is_just_below():
    with torch.device("meta"):
        backbone = TorchvisionVideo("s3d").eval()
        assert backbone(torch.empty(1, 3, 5, 17, 17)).shape == (1, 1024)
        for shape in ((4, 17, 17), (5, 16, 17), (5, 17, 16)):
            with pytest.raises(RuntimeError, match="too small"):
                backbone.trunk(torch.empty(1, 3, *shape))


@pytest.mark.parametrize(
    ("name", "trunk_args", "message"),
    [
        ("resnet18", None, "no video network 'resnet18': expected one of mc3_18, mvit_v1_b"),
        ("swin3d_t", dict(dropuot=0.1), "cannot build 'swin3d_t' with trunk_args {'dropuot': 0.1}"),
    ],
)
def test_a_network_that_torchvision_does_not_have_is_refused_in_one_line(name, trunk_args, message):
    with pytest.raises(UserError) as error:
        TorchvisionVideo(name, trunk_args)
    assert message in str(error.value) and "\n" not in str(error.value)
