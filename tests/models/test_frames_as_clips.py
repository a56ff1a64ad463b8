"""Aggregators that take each frame for a clip: frame attention and the temporal transformer."""

import pytest
import torch
from torch import nn

from cefl_bench.config import load_config
from cefl_bench.cost.ledger import count_on_meta
from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.frame_attention import FrameAttention
from cefl_bench.models.aggregators.temporal_transformer import TemporalTransformer
from cefl_bench.registry import MODELS


def attention(**arguments) -> FrameAttention:
    torch.manual_seed(0)
    return FrameAttention(in_dim=6, **arguments).eval()


@torch.no_grad()
def test_frame_attention_by_its_formula():
    part, feature = attention(), torch.randn(2, 5, 6)
    feature_BD, weight_BN = part(feature)
    for video, ours, weights in zip(feature, feature_BD, weight_BN, strict=True):
        alpha = [torch.sigmoid(part.alpha[1](frame)).item() for frame in video]
        whole = sum(a * frame for a, frame in zip(alpha, video, strict=True)) / sum(alpha)
        pairs = [torch.cat([frame, whole]) for frame in video]
        both = [a * torch.sigmoid(part.beta[1](pair)).item() for a, pair in zip(alpha, pairs, strict=True)]
        expected = sum(share * pair for share, pair in zip(both, pairs, strict=True)) / sum(both)
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(weights, torch.tensor(both) / sum(both), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_self_attention_alone_gives_the_video_of_the_first_level():
    both, alone = attention(), attention(relation=False)
    alone.load_state_dict(both.state_dict(), strict=False)
    feature = torch.randn(2, 5, 6)
    video_BD, _ = alone(feature)
    assert alone.feat_dim == 6 and both.feat_dim == 12
    torch.testing.assert_close(both(feature)[0][:, 6:], video_BD)


@pytest.mark.parametrize("relation", [True, False])
@torch.no_grad()
def test_frame_attention_knows_no_order_and_a_still_video_is_one_frame(relation):
    part, feature = attention(relation=relation), torch.randn(2, 5, 6)
    torch.testing.assert_close(part(feature.flip(1))[0], part(feature)[0])
    torch.testing.assert_close(part(feature.flip(1))[1], part(feature)[1].flip(1))
    still = feature[:, :1].expand(-1, 5, -1)
    joined, weight_BN = part(still)
    torch.testing.assert_close(joined[:, :6], feature[:, 0])
    torch.testing.assert_close(weight_BN, torch.full((2, 5), 0.2))


def test_frame_attention_weighs_in_full_precision():
    part, feature = attention(), torch.randn(2, 5, 6)
    with torch.autocast("cpu", torch.bfloat16):
        feature_BD, weight_BN = part(feature.bfloat16())
    assert feature_BD.dtype == weight_BN.dtype == torch.float32


@pytest.mark.parametrize(("num_blocks", "params", "gigamacs"), [(1, 2_110_464, 0.036), (3, 6_312_960, 0.108)])
def test_counts_of_the_temporal_transformer(num_blocks, params, gigamacs):
    with torch.device("meta"):
        part = TemporalTransformer(512, num_blocks=num_blocks).eval()
        macs = sum(count_on_meta(part, torch.empty(1, 16, 512)).values())
    assert sum(parameter.numel() for parameter in part.parameters()) == params
    assert macs / 1e9 == pytest.approx(gigamacs, abs=0.0005)


@torch.no_grad()
def test_the_temporal_transformer_is_torchs_encoder_read_at_the_class_token():
    torch.manual_seed(0)
    part = TemporalTransformer(32, num_clips=5, num_blocks=2).eval()
    feature = torch.randn(2, 5, 32)
    tokens = torch.cat([part.class_token.expand(2, -1, -1), feature], dim=1) + part.position
    for block in part.blocks:
        layer = nn.TransformerEncoderLayer(
            32, 8, 64, dropout=0, activation=nn.GELU("tanh"), batch_first=True, norm_first=True
        )
        layer.self_attn.in_proj_weight.copy_(block.qkv.weight)
        layer.self_attn.in_proj_bias.zero_()
        layer.self_attn.out_proj.load_state_dict(block.project.state_dict())
        for theirs, ours in (
            (layer.linear1, block.mlp[0]),
            (layer.linear2, block.mlp[2]),
            (layer.norm1, block.attention_norm),
            (layer.norm2, block.mlp_norm),
        ):
            theirs.load_state_dict(ours.state_dict())
        tokens = layer(tokens)
    ours, weights = part(feature)
    torch.testing.assert_close(ours, tokens[:, 0], atol=1e-5, rtol=1e-4)
    assert weights is None


@torch.no_grad()
def test_the_temporal_transformer_knows_the_order_by_its_positions_alone():
    part = TemporalTransformer(32, num_clips=5).eval()
    feature = torch.randn(2, 5, 32)
    assert not torch.allclose(part(feature.flip(1))[0], part(feature)[0], atol=1e-3)
    part.position.zero_()
    torch.testing.assert_close(part(feature.flip(1))[0], part(feature)[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(in_dim=32, num_clips=0), "num_clips is 0, num_blocks 1: expected at least 1"),
        (dict(in_dim=20), "feature has 20 values: expected a multiple of 8"),
    ],
)
def test_a_temporal_transformer_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        TemporalTransformer(**arguments)


def test_a_temporal_transformer_says_how_many_clips_it_is_built_for():
    with pytest.raises(UserError, match=r"built for 16 clips and got 4: set model\.aggregator\.num_clips"):
        TemporalTransformer(32)(torch.rand(1, 4, 32))


@pytest.mark.parametrize("leaf", ["emotion_fan_synthetic", "resnet18_transformer_synthetic"])
@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
@torch.no_grad()
def test_they_stand_behind_any_network_of_single_frames(leaf, name):
    """Sixteen frames are sixteen clips of one, and frame attention tells what each of them is worth."""
    config = load_config(leaf)
    config.model.backbone = dict(type=config.model.backbone.type, name=name)
    model = MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor}).eval()
    size = 160 if name == "test_vit" else 48
    video = torch.rand(2, 1, 3, 16, size, size)
    feature_BD, weight_BN = model.extract(video)
    assert model(video).shape == (2, config.model.head.num_classes)
    assert feature_BD.shape[0] == 2
    if leaf.startswith("emotion_fan"):
        assert weight_BN.shape == (2, 16) and weight_BN.sum(dim=1).tolist() == pytest.approx([1, 1])
