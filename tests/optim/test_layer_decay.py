"""Learning rates that fall with depth: the groups of the released fine-tuning code, and who cannot have them."""

import pytest
import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import nn
from torch.optim import AdamW

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.models.backbones.r3d18 import R3D18
from cefl_bench.models.backbones.timm_frames import TimmFrames
from cefl_bench.models.backbones.tpsbt import TPSBT
from cefl_bench.models.backbones.video_mae import VideoMAE
from cefl_bench.optim.layer_decay import LayerDecay
from cefl_bench.registry import MODELS, registered


class Network(nn.Module):
    """A backbone and a head."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(backbone.feat_dim, 7)


def settings(model, **paramwise):
    """Name of each parameter that learns -> its learning rate and its weight decay."""
    wrapper = dict(type=OptimWrapper, optimizer=dict(type=AdamW, lr=1.0, weight_decay=0.05))
    optimizer = build_optim_wrapper(model, wrapper | dict(constructor=LayerDecay, paramwise_cfg=paramwise)).optimizer
    found = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            found[id(parameter)] = group["lr"], group["weight_decay"]
    return {name: found[id(value)] for name, value in model.named_parameters() if value.requires_grad}


def test_the_groups_are_those_of_mae_dfer():
    # its paper's depth: 18 groups, the patch embedding 0, block i i + 1, all else with the head, at the whole rate
    with torch.device("meta"):
        found = settings(Network(LGIFormer(dim=24, num_heads=2, depth=16)), layer_decay=0.75)
    rates = {name: rate for name, (rate, _) in found.items()}
    for name, depth in (
        ("patch_embed.proj.weight", 0),
        ("blocks.0.first_attn.q.weight", 1),
        ("blocks.15.mlp.fc2.bias", 16),
        ("lg_region_tokens", 17),
        ("fc_norm.weight", 17),
    ):
        assert rates[f"backbone.trunk.{name}"] == pytest.approx(0.75 ** (17 - depth)), name
    assert rates["head.weight"] == 1 and len(set(rates.values())) == 18
    undecayed = {name.rpartition(".")[2] for name, (_, decay) in found.items() if decay == 0}
    assert undecayed == {"bias", "q_bias", "v_bias", "weight", "lg_region_tokens"}
    assert all("norm" in name for name, (_, decay) in found.items() if decay == 0 and name.endswith("weight"))
    assert {decay for _, decay in found.values()} == {0, 0.05} and found["head.weight"] == (1, 0.05)


def test_what_leads_to_a_stage_learns_with_the_block_that_follows():
    with torch.device("meta"):
        found = settings(Network(TPSBT(**TPSBT.tiny)), layer_decay=0.5)
    for stage, block in ((0, 2), (1, 4)):
        rate = found[f"backbone.trunk.blocks.{block}.norm1.weight"][0]
        for part in ("temporal_downsamples.{}.weight", "spatial_downsamples.{}.mlp.fc1.weight"):
            assert found[f"backbone.trunk.{part.format(stage)}"][0] == rate


def test_a_network_of_timm_is_cut_by_its_own_groups():
    found = settings(Network(TimmFrames("test_vit")), layer_decay=0.5)
    assert found["backbone.trunk.patch_embed.proj.weight"] == (0.5**7, 0.05), "six blocks lie between it and the head"
    assert found["backbone.trunk.pos_embed"] == found["backbone.trunk.cls_token"] == (0.5**7, 0)
    assert found["backbone.trunk.blocks.5.attn.qkv.weight"] == (0.5, 0.05)


def knows_depths():
    for name, cls in registered(MODELS, Backbone).items():
        if cls.depth_of is not Backbone.depth_of:
            yield pytest.param(cls, id=name)


@pytest.mark.parametrize("cls", list(knows_depths()))
def test_depths_have_no_gap(cls):
    backbone = cls(**cls.tiny)
    depths = {backbone.depth_of(name) for name, _ in backbone.named_parameters()} - {None}
    assert depths == set(range(len(depths))) and len(depths) > 2


@pytest.mark.parametrize(
    ("paramwise", "message"),
    [
        (dict(layer_decay=0.75), "R3D18 does not say how deep its parameters lie"),
        (dict(layer_decay=1.5), "above 0 and up to 1"),
        (dict(layer_decay="much"), "above 0 and up to 1"),
        (dict(layer_decay=True), "above 0 and up to 1"),
        (dict(layer_decay=0.5, custom_keys={}), "and nothing else"),
        ({}, r"expected dict\(layer_decay=0.75\)"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(paramwise, message):
    with torch.device("meta"), pytest.raises(UserError, match=message):
        settings(Network(R3D18(**R3D18.tiny)), **paramwise)


def test_without_decay_any_backbone_learns_at_one_rate():
    with torch.device("meta"):
        found = settings(Network(R3D18(**R3D18.tiny)), layer_decay=1)
    assert {rate for rate, _ in found.values()} == {1} and {decay for _, decay in found.values()} == {0, 0.05}


def test_videomae_and_the_head_cover_every_parameter():
    with torch.device("meta"):
        model = Network(VideoMAE(**VideoMAE.tiny))
    assert len(settings(model, layer_decay=0.9)) == len(list(model.parameters()))
