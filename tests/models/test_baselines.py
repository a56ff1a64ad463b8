"""The baselines against published counts and against implementations by others."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision

from cefl_bench.config import load_config
from cefl_bench.cost.flops import model_cost
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.c3d import C3D
from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.backbones.r3d18 import R3D18
from cefl_bench.models.backbones.resnet_lstm import ResNetLSTM
from cefl_bench.models.backbones.timm_frames import TimmFrames

CONFIGS = Path(__file__).parents[2] / "configs"
FAIR = (1, 3, 16, 112, 112)


def cost(leaf: str, **backbone) -> dict:
    config = load_config(CONFIGS / f"{leaf}.py")
    config.model.backbone.update(backbone)
    return model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, FAIR)


def test_former_dfer_has_the_published_parameters():
    counted = cost("former_dfer_dfew")
    assert counted["params"] == counted["trainable_params"] == 18_031_943
    assert counted["macs"] / 1e9 == pytest.approx(8.30, rel=0.005)


@pytest.mark.parametrize(("leaf", "params", "macs"), [("c3d_dfew", 78.03, 38.55), ("r3d18_dfew", 33.17, 40.7)])
def test_counts_of_3d_networks(leaf, params, macs):
    counted = cost(leaf)
    assert counted["params"] / 1e6 == pytest.approx(params, abs=0.005)
    assert counted["macs"] / 1e9 == pytest.approx(macs, rel=0.005)


def test_four_instances_of_four_frames_cost_43_gigamacs():
    """M3DFEL's trunk, which its paper gives as 1.66."""
    config = load_config(CONFIGS / "r3d18_eian_dfew.py")
    assert config.model.num_clips == 4
    counted = model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, FAIR)
    assert counted["macs"] / 1e9 == pytest.approx(43.15, rel=0.005)


def test_an_lstm_costs_what_its_gates_cost():
    frames, both = cost("resnet18_frames_dfew")["macs"], cost("resnet18_lstm_last_dfew")["macs"]
    assert frames / 1e9 == pytest.approx(7.758, rel=0.005)
    assert (both - frames) / 1e9 == pytest.approx(0.021, rel=0.01)


@torch.no_grad()
def test_r3d18_is_torchvisions():
    theirs = torchvision.models.video.r3d_18(weights=None).eval()
    theirs.fc = torch.nn.Identity()
    ours = R3D18().eval()
    ours.trunk.load_state_dict(theirs.state_dict())
    clip = torch.rand(2, 3, 4, 48, 48)
    torch.testing.assert_close(ours(clip), theirs(clip))


@torch.no_grad()
def test_resnet18_on_frames_is_torchvisions():
    theirs = torchvision.models.resnet18(weights=None).eval()
    theirs.fc = torch.nn.Identity()
    ours = TimmFrames("resnet18").eval()
    ours.trunk.load_state_dict(theirs.state_dict())
    clip = torch.rand(2, 3, 4, 48, 48)
    expected = torch.stack([theirs(frame) for frame in clip.unbind(2)]).mean(dim=0)
    torch.testing.assert_close(ours(clip), expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_former_dfer_blocks_are_pre_norm_transformer_layers():
    """Against torch's own encoder layer, given the same weights."""
    block = FormerDFER(**FormerDFER.tiny).temporal[0]
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(
        32, 8, 64, dropout=0, activation=torch.nn.GELU("tanh"), batch_first=True, norm_first=True
    )
    layer.self_attn.in_proj_weight.copy_(block.qkv.weight)
    layer.self_attn.in_proj_bias.zero_()
    for theirs, ours in (
        (layer.self_attn.out_proj, block.project),
        (layer.linear1, block.mlp[0]),
        (layer.linear2, block.mlp[2]),
        (layer.norm1, block.attention_norm),
        (layer.norm2, block.mlp_norm),
    ):
        theirs.load_state_dict(ours.state_dict())
    tokens = torch.rand(2, 17, 32)
    torch.testing.assert_close(block(tokens), layer(tokens), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_former_dfer_knows_the_order_of_frames_and_frames_on_average_do_not():
    clip = torch.rand(1, 3, 16, 112, 112)
    for backbone, ordered in ((FormerDFER(**FormerDFER.tiny), True), (TimmFrames(**TimmFrames.tiny), False)):
        backbone.eval()
        same = torch.allclose(backbone(clip), backbone(clip.flip(2)), atol=1e-5)
        assert same != ordered


@torch.no_grad()
def test_former_dfer_answers_with_its_class_token():
    backbone = FormerDFER(**FormerDFER.tiny).eval()
    clip = torch.rand(1, 3, 16, 112, 112)
    frames = backbone._encode_frames(clip[0].transpose(0, 1))
    tokens = torch.cat([backbone.class_token[0], frames]) + backbone.temporal_position[0]
    for block in backbone.temporal:
        tokens = block(tokens[None])[0]
    torch.testing.assert_close(backbone(clip)[0], tokens[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_c3d_layer_by_layer():
    """Against the paper's table, written out: convolutions with ReLU, poolings, two linear layers with ReLU."""
    backbone = C3D(width=2).eval()
    convolutions = [m for m in backbone.convolutions if isinstance(m, torch.nn.Conv3d)]
    norms = [m for m in backbone.convolutions if isinstance(m, torch.nn.BatchNorm3d)]
    for norm in norms:
        torch.nn.init.normal_(norm.running_mean)
        torch.nn.init.normal_(norm.bias)
    clip = torch.randn(1, 3, 16, 112, 112)
    x, layers = clip, iter(zip(convolutions, norms, strict=True))
    for pool, (depth, padding) in zip(
        [(1, 2, 2)] + 4 * [(2, 2, 2)], [(1, 0), (1, 0), (2, 0), (2, 0), (2, (0, 1, 1))], strict=True
    ):
        for _ in range(depth):
            convolution, norm = next(layers)
            x = F.conv3d(x, convolution.weight, convolution.bias, padding=1)
            x = F.relu(F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias))
        x = F.max_pool3d(x, pool, padding=padding)
    assert x.shape == (1, 16, 1, 4, 4)
    for linear in (m for m in backbone.linears if isinstance(m, torch.nn.Linear)):
        x = F.relu(linear(x.flatten(1)))
    torch.testing.assert_close(backbone(clip), x, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_linear_layers_of_c3d_start_as_large_as_their_input():
    """He et al.: the mean square of what goes through a layer with ReLU stays. PyTorch's defaults would give 1/36."""
    backbone = C3D(width=16).eval()
    maps = torch.randn(64, 8 * 16, 1, 4, 4).relu()
    ratio = backbone.linears(maps).square().mean() / maps.square().mean()
    assert 0.7 < ratio < 1.4


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@torch.no_grad()
def test_readouts_of_resnet_lstm(cell):
    clip = torch.rand(2, 3, 16, 48, 48)
    for readout in ("last", "all"):
        backbone = ResNetLSTM(**ResNetLSTM.tiny, cell=cell, readout=readout).eval()
        frames = torch.stack([backbone.trunk(frame) for frame in clip.unbind(2)], dim=1)
        states, final = backbone.recurrent(frames)
        final = (final[0] if cell == "lstm" else final)[-1]
        expected = final if readout == "last" else torch.cat(states.unbind(1), dim=1)
        torch.testing.assert_close(backbone(clip), expected, atol=1e-5, rtol=1e-4)


def test_both_readings_of_resnet_lstm():
    both = {readout: ResNetLSTM(**ResNetLSTM.tiny, readout=readout) for readout in ("all", "last")}
    assert (both["all"].recurrent.num_layers, both["all"].feat_dim) == (3, 16 * 8)
    assert (both["last"].recurrent.num_layers, both["last"].feat_dim) == (2, 8)
    assert isinstance(ResNetLSTM(**ResNetLSTM.tiny, cell="gru").recurrent, torch.nn.GRU)
    with pytest.raises(UserError, match="readout is 'mean': expected 'all' or 'last'"):
        ResNetLSTM(readout="mean")


@pytest.mark.parametrize("backbone", [C3D(width=4), FormerDFER(**FormerDFER.tiny), ResNetLSTM(**ResNetLSTM.tiny)])
def test_a_clip_of_another_length_is_refused_by_name(backbone):
    with pytest.raises(UserError, match=r"model\.backbone\.num_frames"):
        backbone(torch.rand(1, 3, 4, 112, 112))


@pytest.mark.parametrize("size", [1, 15])
def test_c3d_says_how_small_is_too_small(size):
    with pytest.raises(UserError, match="at least 16 pixels"):
        C3D(size=size)


def test_former_dfer_needs_a_resnet():
    with pytest.raises(UserError, match="trunk is 'vit_tiny_patch16_224': expected a ResNet"):
        FormerDFER(trunk="vit_tiny_patch16_224")


@pytest.mark.parametrize("num_frames", [1, 3, 4, 8, 16])
def test_c3d_takes_short_clips(num_frames):
    backbone = C3D(num_frames=num_frames, size=48, width=4)
    assert backbone(torch.rand(2, 3, num_frames, 48, 48)).shape == (2, backbone.feat_dim)
