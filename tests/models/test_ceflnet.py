"""Every golden fact of CEFLNet: its size, its cost, its symmetries, its learning rates."""

from pathlib import Path

import pytest
import torch

from cefl_bench.config import load_config
from cefl_bench.cost.flops import model_cost
from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.eian import EIAN
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder, LocalGlobalRelation
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer

PAPER = Path(__file__).parents[2] / "configs" / "ceflnet_dfew_paper.py"


def ceflnet(trunk: str = "test_resnet", num_clips: int | None = None, **encoder) -> Recognizer:
    torch.manual_seed(0)
    model = Recognizer(
        backbone=dict(type=ClipFeatureEncoder, trunk=trunk, **encoder),
        aggregator=dict(type=EIAN),
        head=dict(type=MLPHead, num_classes=7),
        data_preprocessor=dict(type=VideoPreprocessor, size=32),
        num_clips=num_clips,
    )
    return model.eval()


@pytest.fixture
def video():
    return torch.rand(2, 7, 3, 5, 32, 32, generator=torch.Generator().manual_seed(1))


def test_parameters_and_macs_are_the_published_ones():
    config = load_config(PAPER)
    cost = model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, (7, 3, 5, 224, 224))
    assert cost["params"] == cost["trainable_params"] == 12_919_624
    assert cost["macs"] / 1e9 == pytest.approx(63.52, rel=1e-3)
    assert cost["flops"] == 2 * cost["macs"]
    small = model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, (7, 3, 5, 112, 112))
    assert small["macs"] / 1e9 == pytest.approx(17.0, rel=0.01)


@torch.no_grad()
def test_the_order_of_frames_in_a_clip_does_not_matter(video):
    model = ceflnet()
    order = torch.randperm(5, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(model(video[:, :, :, order]), model(video), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(model(video.flip(0)), model(video), atol=1e-4), "the video does not matter either"


@torch.no_grad()
def test_the_order_of_clips_does_not_matter_and_weights_move_along(video):
    model = ceflnet()
    order = torch.randperm(7, generator=torch.Generator().manual_seed(3))
    feature, weights = model.extract(video)
    moved_feature, moved_weights = model.extract(video[:, order])
    torch.testing.assert_close(moved_feature, feature)
    torch.testing.assert_close(moved_weights, weights[:, order])
    assert weights.std() > 0


@torch.no_grad()
def test_equal_clips_weigh_the_same(video):
    equal = video[:, :1].expand(-1, 7, -1, -1, -1, -1)
    _, weights = ceflnet().extract(equal)
    torch.testing.assert_close(weights, torch.full((2, 7), 1 / 7))


@torch.no_grad()
def test_released_encoder_by_the_formula(video):
    """The encoder against the published formulas, written out for one clip."""
    encoder = ceflnet().backbone
    clip = video[0, :1]
    f = encoder.trunk(clip[0].transpose(0, 1))
    f_prime = encoder.self_attention(f[None])[0]
    g = f_prime.max(dim=0).values
    h = torch.cat([f, g.expand(5, -1)], dim=1)
    w = torch.sigmoid(h @ encoder.relation.weigh[1].weight.T + encoder.relation.weigh[1].bias)
    expected = encoder.relation.project((w * h).sum(dim=0) / w.sum())
    torch.testing.assert_close(encoder(clip)[0], expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_relation_weighs_frames_by_a_sigmoid():
    """On features that differ, as those of an untrained trunk hardly do."""
    relation = LocalGlobalRelation(6).eval()
    f, f_prime = torch.randn(2, 5, 6), torch.randn(2, 5, 6)
    h = torch.cat([f, f_prime.max(dim=1, keepdim=True).values.expand(-1, 5, -1)], dim=2)
    w = 1 / (1 + torch.exp(-(h @ relation.weigh[1].weight.T + relation.weigh[1].bias)))
    assert w.std() > 0.05
    torch.testing.assert_close(relation(f, f_prime), relation.project((w * h).sum(dim=1) / w.sum(dim=1)))


@torch.no_grad()
def test_figure_encoder_by_the_formula(video):
    encoder = ceflnet(variant="figure").backbone
    clip = video[0, :1]
    f_prime = encoder.self_attention(encoder.trunk(clip[0].transpose(0, 1))[None])[0]
    h = torch.cat([f_prime, f_prime.max(dim=0).values.expand(5, -1)], dim=1)
    w = h @ encoder.relation.weigh[1].weight.T + encoder.relation.weigh[1].bias
    torch.testing.assert_close(encoder(clip)[0], (w * f_prime).sum(dim=0), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_eian_takes_the_maximum_of_the_weighted_clips():
    eian = EIAN(in_dim=6)
    feature = torch.randn(2, 4, 6)
    out, weights = eian(feature)
    score = feature @ eian.score.weight.squeeze()
    torch.testing.assert_close(weights, score.softmax(dim=1))
    torch.testing.assert_close(out, (weights[..., None] * feature).max(dim=1).values)


@torch.no_grad()
def test_eian_computes_in_float32_under_autocast():
    eian, feature = EIAN(in_dim=64), 3 * torch.randn(4, 7, 64).bfloat16()
    eian.init_weights()
    expected = eian(feature.float())
    with torch.autocast("cpu", torch.bfloat16):
        found = eian(feature)
    for mixed, single in zip(found, expected, strict=True):
        torch.testing.assert_close(mixed, single)


def test_eian_figure_has_one_more_layer_and_needs_the_clip_count():
    extra = sum(p.numel() for p in EIAN(6, variant="figure", num_clips=4).parameters()) - 6
    assert extra == 4 * 4 + 4
    with pytest.raises(UserError, match="num_clips"):
        EIAN(6, variant="figure")


@torch.no_grad()
def test_sixteen_frames_regrouped_are_four_clips_in_order():
    video = torch.rand(1, 1, 3, 16, 32, 32)
    clips = torch.stack([video[0, 0, :, 4 * n : 4 * n + 4] for n in range(4)])[None]
    torch.testing.assert_close(ceflnet(num_clips=4)(video), ceflnet()(clips))
    with pytest.raises(UserError, match="num_clips is 5"):
        ceflnet(num_clips=5)(video)


def test_any_timm_network_serves_as_trunk():
    # its pooled features are 288 wide before and 1024 wide after the layer that timm counts to the head
    assert ClipFeatureEncoder(trunk="mobilenetv3_small_050").feat_dim == 1024
    with pytest.raises(UserError, match="no network 'resnet17'"):
        ClipFeatureEncoder(trunk="resnet17")


def test_learning_rates_of_the_paper_recipe():
    config = load_config(PAPER)
    arguments = dict(config.optim_wrapper.optimizer)
    optimizer = arguments.pop("type")([torch.nn.Parameter(torch.zeros(1))], **arguments)
    schedulers = []
    for scheduler in config.param_scheduler:
        kind = dict(scheduler)
        schedulers.append(kind.pop("type")(optimizer, **kind))
    rates = []
    for _ in range(config.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    epochs = torch.arange(120)
    expected = 1e-4 * (1 + torch.cos(torch.pi * epochs / 160)) / 2 * torch.clamp((epochs + 1) / 10, max=1)
    torch.testing.assert_close(torch.tensor(rates), expected, rtol=1e-4, atol=1e-9)
    assert rates[0] == pytest.approx(1e-5) and rates[119] == pytest.approx(1.5e-5, rel=0.03)
