"""Learned positions of a file are brought to the clip size at hand, where they were dropped in silence."""

import pytest
import torch

from cefl_bench.models.backbones.former_dfer import FormerDFER
from cefl_bench.models.backbones.timm_frames import TimmFrames

SMALL_VIT = dict(embed_dim=12, depth=1, num_heads=2)


def vit(size: int, **init) -> TimmFrames:
    return TimmFrames("vit_tiny_patch16_224", dict(SMALL_VIT, img_size=size), **init)


def loaded(backbone, path):
    """A backbone of other sizes, filled from a file."""
    backbone.init_weights()
    assert "100.0% of the trunk" in backbone.init_source.source, path
    return backbone


def plane(side: int) -> torch.Tensor:
    """Positions (side * side,) that rise evenly from left to right."""
    return ((torch.arange(side) + 0.5) / side).repeat(side)


@pytest.mark.parametrize("size", [64, 256])
def test_positions_of_a_vision_transformer_of_timm(size, tmp_path, capsys):
    weights = vit(128).trunk.state_dict()
    weights["pos_embed"][0, 0], weights["pos_embed"][0, 1:] = 7.0, plane(8)[:, None]
    torch.save(weights, tmp_path / "vit.pth")
    trunk = loaded(vit(size, init_cfg=dict(checkpoint=str(tmp_path / "vit.pth"))), tmp_path).trunk
    assert torch.equal(trunk.pos_embed[0, 0], torch.full((12,), 7.0)), "the class token's own"
    torch.testing.assert_close(trunk.pos_embed[0, 1:, 3].data, plane(size // 16), atol=0.05, rtol=0)
    assert "missing" not in capsys.readouterr().out


def test_positions_of_former_dfer(tmp_path, capsys):
    first = FormerDFER(**FormerDFER.tiny)
    weights = {f"backbone.{name}": tensor for name, tensor in first.state_dict().items()}
    spatial, temporal = weights["backbone.spatial_position"], weights["backbone.temporal_position"]
    assert spatial.shape[1] == 7 * 7
    spatial[0] = plane(7)[:, None]
    temporal[0, 0], temporal[0, 1:] = 7.0, ((torch.arange(16) + 0.5) / 16)[:, None]
    torch.save({"state_dict": weights}, tmp_path / "former.pth")
    init_cfg = dict(checkpoint=str(tmp_path / "former.pth"))
    other = loaded(FormerDFER(**FormerDFER.tiny, num_frames=8, size=64, init_cfg=init_cfg), tmp_path)
    torch.testing.assert_close(other.spatial_position[0, :, 0].data, plane(4), atol=0.05, rtol=0)
    expected = torch.cat([torch.tensor([7.0]), (torch.arange(8) + 0.5) / 8])
    torch.testing.assert_close(other.temporal_position[0, :, 0].data, expected, atol=0.05, rtol=0)
    assert "missing" not in capsys.readouterr().out
    same = loaded(FormerDFER(**FormerDFER.tiny, init_cfg=init_cfg), tmp_path)
    assert torch.equal(same.spatial_position, spatial) and torch.equal(same.temporal_position, temporal)
