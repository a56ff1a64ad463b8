"""DLIAM of M3DFEL, and the encoder and transformer of EST: the authors' counts, formulas, the loss of orders."""

from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from helpers.run import ROOT
from torch import nn

from cefl_bench.commands.facts import config_cost
from cefl_bench.config import load_config
from cefl_bench.cost.flops import model_cost
from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.dliam import DLIAM, DMIN
from cefl_bench.models.aggregators.snippet_transformer import SnippetTransformer, known_orders
from cefl_bench.models.backbones.clip_feature_encoder import CosineRelation
from cefl_bench.models.layers.video_tokens import sinusoid_table

CONFIGS = ROOT / "configs"


def test_counts_of_m3dfel_are_those_of_the_authors_network():
    cost = config_cost(load_config(CONFIGS / "m3dfel_dfew.py"))
    assert (cost["params"], cost["macs"]) == (46_823_384, pytest.approx(43.19e9, rel=0.005))


@pytest.mark.parametrize(
    ("size", "order_weight", "params", "macs"),
    [(224, 0.1428, 42_775_761, 63.6082e9), (112, 0.0, 34_377_927 - 7 * 512, 17.1033e9)],
)
def test_counts_of_est_are_those_of_the_authors_network(size, order_weight, params, macs):
    """But for its 7 x 512 positions, which are parameters there, though fixed."""
    config = load_config(CONFIGS / "est_dfew_paper.py")
    config.model.aggregator.order_weight = order_weight
    model = config.model | {"data_preprocessor": config.data_preprocessor | {"size": size}}
    cost = model_cost(model, (7, 3, 5, size, size), 1)
    assert (cost["params"], cost["macs"]) == (params, pytest.approx(macs, rel=0.005))


# M3DFEL


@torch.no_grad()
def test_dliam_by_its_formula():
    torch.manual_seed(0)
    part, feature = DLIAM(in_dim=12, num_clips=3).eval(), torch.randn(2, 3, 12)
    part.norm.weight.uniform_(0.5, 2)
    joined, weights = part(feature)
    assert joined.shape == (2, 24) and weights is None
    for video, ours in zip(feature, joined, strict=True):
        state = part.recurrent(video)[0]  # (3, 24)
        q, k, v = (state @ matrix.T for matrix in part.qkv.weight.split(24))
        heads = []
        for head in range(8):
            own = slice(3 * head, 3 * head + 3)
            heads.append((q[:, own] @ k[:, own].T / 3**0.5).softmax(dim=1) @ v[:, own])
        gated = state * part.norm(torch.cat(heads, dim=1)[None])[0].sigmoid()
        padded = F.pad(gated, (1, 1))
        expected = sum((part.join.weight[0, :, tap, None] * padded[:, tap : tap + 24]).sum(dim=0) for tap in range(3))
        torch.testing.assert_close(ours, expected + part.join.bias, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(part(feature[:1])[0], joined[:1])


@torch.no_grad()
def test_dmin_mixes_the_statistics_of_a_feature_with_those_of_the_video():
    feature = torch.randn(2, 4, 50) * torch.arange(1, 51) + 3
    norm = DMIN(50)
    norm.mean_mix.copy_(torch.tensor([100.0, 0.0]))
    norm.var_mix.copy_(torch.tensor([100.0, 0.0]))
    var, mean = torch.var_mean(norm(feature), dim=1)
    torch.testing.assert_close(mean, torch.zeros(2, 50), atol=1e-5, rtol=0)
    torch.testing.assert_close(var, torch.ones(2, 50), atol=1e-4, rtol=0)
    norm.mean_mix.copy_(torch.tensor([0.0, 100.0]))
    norm.var_mix.copy_(torch.tensor([0.0, 100.0]))
    whole = norm(feature)
    torch.testing.assert_close(whole.mean(dim=(1, 2)), torch.zeros(2), atol=1e-5, rtol=0)
    # unbiased variances of 4 clips: a third too large within a feature, right between features
    between = feature.mean(dim=1).var(dim=1, correction=0)
    within = feature.var(dim=1).mean(dim=1)
    expected = (feature - feature.mean(dim=(1, 2), keepdim=True)) / (within + between + 1e-5).sqrt()[:, None, None]
    torch.testing.assert_close(whole, expected)


def test_dliam_says_what_it_needs():
    with pytest.raises(UserError, match="num_clips is 1: expected at least 2"):
        DLIAM(in_dim=8, num_clips=1)
    with pytest.raises(UserError, match="feature has 6 values: expected a multiple of 4"):
        DLIAM(in_dim=6)
    with pytest.raises(UserError, match=r"built for 4 clips and got 3: set model\.aggregator\.num_clips"):
        DLIAM(in_dim=8)(torch.zeros(1, 3, 8))


# EST


@torch.no_grad()
def test_a_frame_of_est_weighs_by_its_cosine_to_the_clip():
    attended = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [-5.0, -1.0]]])  # their maximum is (3, 4)
    weights = [3 / 5, 4 / 5, 1e-8]  # the third looks away: -19 / (5 * sqrt(26))
    expected = sum(w * f for w, f in zip(weights, attended[0], strict=True)) / sum(weights)
    torch.testing.assert_close(CosineRelation(2)(torch.zeros(1, 3, 2), attended)[0], expected)


def transformer(num_clips: int = 7, **arguments) -> SnippetTransformer:
    torch.manual_seed(0)
    arguments = dict(num_layers=2, mlp_dim=32, dropout=0.0) | arguments
    return SnippetTransformer(in_dim=16, num_clips=num_clips, **arguments)


@torch.no_grad()
def test_the_answer_is_the_same_in_any_order_if_positions_move_along():
    """So that to shuffle the clips for the order loss alone is what the released code does."""
    part, feature = transformer(), torch.randn(2, 7, 16)
    placed = feature + sinusoid_table(7, 16, torch.device("cpu"))
    answer, weights = part(feature)
    assert weights is None
    for order in known_orders(7):
        shuffled = part.decoder(part.query.expand(2, -1, -1), part.encoder(placed[:, order]))[:, 0]
        torch.testing.assert_close(shuffled, answer, atol=1e-5, rtol=1e-4)
        assert not torch.allclose(part(feature[:, order])[0], answer, atol=1e-3), "it knows places"


@torch.no_grad()
def test_the_transformer_of_est_is_post_norm_with_a_last_norm():
    """Against its own layers, put together by hand."""
    part, feature = transformer(num_layers=1).eval(), torch.randn(2, 7, 16)
    placed = feature + sinusoid_table(7, 16, torch.device("cpu"))
    encoder, decoder = part.encoder.layers[0], part.decoder.layers[0]
    seen = encoder.norm1(placed + encoder.self_attn(placed, placed, placed)[0])
    seen = part.encoder.norm(encoder.norm2(seen + encoder.linear2(encoder.linear1(seen).relu())))
    query = part.query.expand(2, -1, -1)
    query = decoder.norm1(query + decoder.self_attn(query, query, query)[0])
    query = decoder.norm2(query + decoder.multihead_attn(query, seen, seen)[0])
    query = part.decoder.norm(decoder.norm3(query + decoder.linear2(decoder.linear1(query).relu())))
    torch.testing.assert_close(part(feature)[0], query[:, 0], atol=1e-5, rtol=1e-4)


class Sorts(nn.Module):
    """In the place of the order head: knows the features, and so which order they are in."""

    def __init__(self, feature_BND: torch.Tensor, part: SnippetTransformer, sure: float) -> None:
        super().__init__()
        self.feature_BND, self.part, self.sure = feature_BND, [part], sure

    def forward(self, joined_BD: torch.Tensor) -> torch.Tensor:
        shuffled_BND = joined_BD.unflatten(1, (7, -1)) - self.part[0].answer.unsqueeze(1)
        distance = [(shuffled_BND - self.feature_BND[:, order]).square().sum(dim=(1, 2)) for order in known_orders(7)]
        return -self.sure * torch.stack(distance, dim=1)


def test_the_order_loss_asks_for_the_order_that_each_video_is_in():
    part, feature = transformer(), torch.randn(64, 7, 16)
    part(feature)
    label = torch.zeros(64, dtype=torch.int64)
    part.order_head = Sorts(feature, part, sure=100)
    assert part.auxiliary_losses(label)["loss_order"].item() < 1e-6
    part.order_head = Sorts(feature, part, sure=0)
    assert part.auxiliary_losses(label)["loss_order"].item() == pytest.approx(0.1428 * 2.302585)


def test_the_order_loss_reaches_the_clips_through_the_answer_alone():
    part, feature = transformer(), torch.randn(4, 7, 16, requires_grad=True)
    part(feature)
    part.answer = part.answer.detach().requires_grad_()
    part.auxiliary_losses(torch.zeros(4, dtype=torch.int64))["loss_order"].backward()
    assert part.answer.grad.any() and feature.grad is None


def test_a_batch_of_one_video_trains_and_moves_no_statistics():
    part = transformer()
    for batch in (4, 1, 4):
        before = part.order_head[1].running_mean.clone()
        part(torch.randn(batch, 7, 16))
        part.auxiliary_losses(torch.zeros(batch, dtype=torch.int64))["loss_order"].backward()
        assert torch.equal(part.order_head[1].running_mean, before) == (batch == 1)


@pytest.mark.parametrize(("num_clips", "count", "distance"), [(7, 10, 3), (4, 4, 4), (16, 10, 16), (2, 2, 2)])
def test_orders_are_far_apart(num_clips, count, distance):
    orders = known_orders(num_clips)
    assert len(set(orders)) == count and all(sorted(order) == list(range(num_clips)) for order in orders)
    differ = [sum(a != b for a, b in zip(*pair, strict=True)) for pair in combinations(orders, 2)]
    assert min(differ) == distance


def test_est_without_an_order_loss_has_no_order_head():
    part = transformer(order_weight=0.0)
    part(torch.randn(2, 7, 16))
    assert part.auxiliary_losses(torch.zeros(2, dtype=torch.int64)) == {} and part.order_head is None


def test_the_transformer_of_est_says_what_it_needs():
    with pytest.raises(UserError, match="num_clips is 1: expected at least 2"):
        transformer(num_clips=1)
    with pytest.raises(UserError, match="num_heads is 3, and the backbone's feature has 16 values"):
        transformer(num_heads=3)
    with pytest.raises(UserError, match=r"built for 7 clips and got 4: set model\.aggregator\.num_clips"):
        transformer()(torch.zeros(1, 4, 16))
