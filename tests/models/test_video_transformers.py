"""VideoMAE, LGI-Former and TPSBT: published counts, closed facts. Layer by layer: test_released_transformers.py."""

import math

import pytest
import torch
from torch import nn

from cefl_bench.cost.ledger import count_on_meta
from cefl_bench.errors import UserError
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.models.backbones.tpsbt import TPSBT
from cefl_bench.models.backbones.video_mae import VideoMAE
from cefl_bench.models.layers.video_tokens import drop_path_rates, sinusoid_table

AT_160 = dict(size=160, region=(2, 5, 10))
SMALL = {
    VideoMAE: dict(VideoMAE.tiny),
    LGIFormer: dict(LGIFormer.tiny, num_frames=4, size=64, region=(2, 2, 4)),
    TPSBT: dict(TPSBT.tiny),
}


def parameters_and_gigamacs(build, size: int) -> tuple[int, float]:
    """Of a backbone and a linear classifier of seven classes, for 16 frames."""
    with torch.device("meta"):
        backbone = build().eval()
        network = nn.Sequential(backbone, nn.Linear(backbone.feat_dim, 7))
        macs = sum(count_on_meta(network, torch.empty(1, 3, 16, size, size)).values())
    return sum(parameter.numel() for parameter in network.parameters()), macs / 1e9


@pytest.mark.parametrize(
    ("build", "size", "params", "gigamacs"),
    [
        (VideoMAE, 224, 21_882_631, 56.8779),
        (VideoMAE, 160, 21_882_631, 23.3570),
        (VideoMAE, 112, 21_882_631, 9.9710),
        (lambda: VideoMAE(dim=768, num_heads=12), 160, 86_232_583, 80.6879),
        (lambda: LGIFormer(**AT_160), 160, 84_878_343, 49.6523),
        (LGIFormer, 112, 84_876_295, 24.2969),
        (TPSBT, 160, 77_635_351, 43.5386),
        (lambda: TPSBT(dim=384, num_heads=6, depths=(8, 4, 2)), 160, 29_678_615, 18.0348),
    ],
)
def test_counts_are_those_of_the_authors_networks(build, size, params, gigamacs):
    assert parameters_and_gigamacs(build, size) == (params, pytest.approx(gigamacs, rel=0.0001))


def test_what_the_last_block_of_lgi_former_computes_for_nobody_can_be_left_out():
    """800 local tokens that ask 8 others, and pass the MLP; 512 wide."""
    _, whole = parameters_and_gigamacs(lambda: LGIFormer(**AT_160, depth=1), 160)
    _, read = parameters_and_gigamacs(lambda: LGIFormer(**AT_160, depth=1, skip_unread=True), 160)
    projections, mlp, products = 2 * 800 + 2 * 8, 8 * 800, 2 * 800 * 8 * 512
    assert (whole - read) * 1e9 == pytest.approx((projections + mlp) * 512**2 + products)


@torch.no_grad()
def test_what_nobody_reads_changes_no_feature():
    torch.manual_seed(0)
    whole = LGIFormer(**SMALL[LGIFormer]).eval()
    read = LGIFormer(**SMALL[LGIFormer], skip_unread=True).eval()
    read.load_state_dict(whole.state_dict())
    clip = torch.rand(2, 3, 4, 64, 64)
    torch.testing.assert_close(read(clip), whole(clip))
    nn.init.ones_(whole.trunk.blocks[-1].third_attn.proj.weight)
    torch.testing.assert_close(read(clip), whole(clip))
    nn.init.ones_(whole.trunk.blocks[0].third_attn.proj.weight)
    assert not torch.allclose(read(clip), whole(clip))


@pytest.mark.parametrize("readout", ["regions", "local"])
def test_lgi_former_trains_all_that_its_readout_reads(readout):
    backbone = LGIFormer(**SMALL[LGIFormer], readout=readout).train()
    backbone(torch.rand(2, 3, 4, 64, 64)).square().sum().backward()
    frozen = {name for name, parameter in backbone.named_parameters() if not parameter.requires_grad}
    unread = {name for name, _ in backbone.named_parameters() if name.startswith("trunk.blocks.1.third_attn")}
    assert frozen == (unread if readout == "regions" else set()) and len(unread) == 10
    assert all(parameter.grad is not None for parameter in backbone.parameters() if parameter.requires_grad)


def test_positions_are_sines_and_cosines():
    table = sinusoid_table(1000, 8, torch.device("cpu"))
    for place, column in ((0, 0), (0, 1), (3, 2), (3, 3), (999, 0), (999, 7)):
        wave = math.cos if column % 2 else math.sin
        assert table[place, column].item() == pytest.approx(wave(place / 10000 ** (column // 2 * 2 / 8)), abs=1e-6)


@torch.no_grad()
def test_a_token_sees_its_cube_and_its_place_in_time_height_and_width():
    backbone = VideoMAE(**VideoMAE.tiny).eval()
    embed = backbone.trunk.patch_embed
    clip = torch.zeros(1, 3, 4, 48, 32)
    before = embed(clip)
    torch.testing.assert_close(
        before[0].flatten(0, 2), embed.proj.bias + sinusoid_table(2 * 3 * 2, 24, torch.device("cpu"))
    )
    clip[0, 0, 2, 20, 5] = 1.0  # in the second pair of frames, the second row, the first column
    changed = (embed(clip) != before).any(dim=-1)
    assert changed.nonzero().tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize("cls", [VideoMAE, LGIFormer, TPSBT])
@torch.no_grad()
def test_order_of_frames_matters_and_clips_stand_alone(cls):
    torch.manual_seed(0)
    arguments = dict(SMALL[cls], num_frames=8) if cls is LGIFormer else SMALL[cls]
    backbone = cls(**arguments).eval()
    clip = torch.rand(2, 3, 8, 64, 64)
    feature = backbone(clip)
    assert feature.shape == (2, 24)
    torch.testing.assert_close(backbone(clip[1:]), feature[1:], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(backbone(clip.flip(2)), feature, atol=1e-4)


@pytest.mark.parametrize("cls", [VideoMAE, LGIFormer, TPSBT])
def test_maps_that_are_made_again_give_the_same_gradient(cls):
    """Also where blocks are left out by chance."""
    frames = 8 if cls is TPSBT else 4
    clip, gradients, made = torch.rand(2, 3, frames, 64, 64), [], []
    for recompute in (False, True):
        torch.manual_seed(0)
        backbone = cls(**SMALL[cls], recompute=recompute, drop_path=0.5).train()
        mlp = backbone.trunk.blocks[0].mlp
        calls: list[int] = []
        mlp.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        torch.manual_seed(1)
        backbone(clip).square().sum().backward()
        gradients.append(backbone.trunk.patch_embed.proj.weight.grad)
        made.append(len(calls))
    torch.testing.assert_close(gradients[1], gradients[0])
    assert made == [1, 2], "inner maps were kept"


def test_later_blocks_are_left_out_more_often():
    assert drop_path_rates(0.2, 5) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2]) and drop_path_rates(0.2, 1) == [0]
    rates = [block.drop_path.drop_prob for block in TPSBT(**TPSBT.tiny, drop_path=0.5).trunk.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    backbone = VideoMAE(**VideoMAE.tiny, drop_path=0.5)
    clip = torch.rand(1, 3, 4, 32, 32).expand(8, -1, -1, -1, -1)
    with torch.no_grad():
        torch.manual_seed(0)
        feature = backbone.train()(clip)
        differs = (feature - feature[0]).abs().amax(dim=1) > 1e-3
        assert 0 < differs.sum() < 8, "a block is left out for some clips of a batch"
        torch.testing.assert_close(backbone.eval()(clip)[0], backbone(clip)[7])


@pytest.mark.parametrize(
    ("build", "shape", "message"),
    [
        (lambda: VideoMAE(dim=30, num_heads=4), None, "dim is 30, num_heads 4"),
        (lambda: VideoMAE(**VideoMAE.tiny), (4, 100, 112), r"cubes of \(2, 16, 16\) and got \(4, 100, 112\)"),
        (lambda: VideoMAE(**VideoMAE.tiny), (1, 112, 112), "an even number of frames"),
        (lambda: LGIFormer(size=160), None, r"region is \(2, 7, 7\): .* the \(8, 10, 10\) cubes"),
        (lambda: LGIFormer(readout="org"), None, "readout is 'org': expected one of regions, local"),
        (lambda: LGIFormer(**LGIFormer.tiny), (8, 112, 112), r"model\.backbone\.num_frames"),
        (lambda: TPSBT(**TPSBT.tiny), (12, 32, 32), "got 12 frames: expected a multiple of 8"),
        (lambda: TPSBT(depths=()), None, r"depths are \(\)"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(build, shape, message):
    with torch.device("meta"), pytest.raises(UserError, match=message) as error:
        backbone = build()
        backbone(torch.empty(1, 3, *shape))
    assert "\n" not in str(error.value)
