"""NR-DFERNet and the network of IAL: counts of the authors' networks, what a token sees, GCA, losses of stages."""

import pytest
import torch
import torch.nn.functional as F
from helpers.run import ROOT
from torch import nn

from cefl_bench.commands.facts import config_cost
from cefl_bench.commands.zoo import Costs
from cefl_bench.config import load_config
from cefl_bench.cost.flops import model_cost
from cefl_bench.errors import UserError
from cefl_bench.functional.losses import intensity_aware_loss
from cefl_bench.models.backbones.gca_network import GCANetwork, GlobalAttention
from cefl_bench.models.backbones.nr_dfernet import NRDFERNet
from cefl_bench.models.layers.dynamic_static import DynamicStatic
from cefl_bench.registry import MODELS

CONFIGS = ROOT / "configs"


def test_counts_of_nr_dfernet_are_those_of_the_authors_network():
    cost = config_cost(load_config(CONFIGS / "nr_dfernet_dfew.py"))
    assert (cost["params"], cost["macs"]) == (18_719_687, pytest.approx(5.6357e9, rel=0.0001))


@pytest.mark.parametrize(
    ("stage_weights", "params"), [((0.05, 0.01), 18_936_775), ((0.0, 0.0), 18_767_559)], ids=["training", "inference"]
)
def test_counts_of_ial_are_those_of_the_authors_network(stage_weights, params):
    config = load_config(CONFIGS / "ial_dfew.py")
    config.model.backbone.stage_weights = stage_weights
    cost = model_cost(config.model | {"data_preprocessor": config.data_preprocessor}, (1, 3, 16, 112, 112), 1)
    assert (cost["params"], cost["macs"]) == (params, pytest.approx(5.6241e9, rel=0.0001))


def tokens() -> DynamicStatic:
    torch.manual_seed(0)
    return DynamicStatic(width=2, num_frames=5, size=40).eval()


@torch.no_grad()
def test_a_token_sees_a_frame_and_the_next_one():
    part, clip = tokens(), torch.rand(1, 3, 5, 40, 40)
    before = part(clip)
    assert before.shape == (1, 4, 2 * 2 * 8) and part.token_dim == 32
    for frame in range(5):
        changed = clip.clone()
        changed[:, :, frame] = 0
        moved = (part(changed) - before).abs().amax(dim=(0, 2)) > 1e-5
        assert moved.nonzero().flatten().tolist() == [token for token in (frame - 1, frame) if 0 <= token < 4]


@torch.no_grad()
def test_the_dynamic_branch_sees_what_changed_and_the_static_one_what_was_there():
    part, clip = tokens(), torch.rand(1, 3, 5, 40, 40)
    seen = {}
    for name, module in (("map", part.stage3), ("change", part.dynamic), ("before", part.halve)):
        keep = {"map": lambda inputs, output: output}.get(name, lambda inputs, output: inputs[0])
        module.register_forward_hook(
            lambda _, inputs, out, name=name, keep=keep: seen.update({name: keep(inputs, out)})
        )
    part(clip)
    torch.testing.assert_close(seen["change"], seen["map"][1:] - seen["map"][:-1])
    torch.testing.assert_close(seen["before"], seen["map"][:-1])


@torch.no_grad()
def test_what_the_two_networks_make_of_tokens():
    """Without transformer blocks: the class token is the mean, and so is what IAL's network gives."""
    for build, row in ((NRDFERNet, slice(0, 1)), (GCANetwork, slice(0, 4))):
        backbone = build(width=2, num_frames=5, size=40).eval()
        backbone.temporal = nn.Identity()
        clip = torch.rand(2, 3, 5, 40, 40)
        expected = backbone.tokens(clip).mean(dim=1) + backbone.position[:, row].mean(dim=1)
        torch.testing.assert_close(backbone(clip), expected)


@torch.no_grad()
def test_global_attention_by_its_formula():
    part, map_BCHW = GlobalAttention(dim=32, num_frames=3, side=4).eval(), torch.randn(6, 32, 4, 4)
    whole = (map_BCHW * part.whole.weight.squeeze(1)).sum(dim=(2, 3))
    hidden = (whole @ part.weigh[0].weight.flatten(1).T).relu()
    weight = 2 * torch.sigmoid(hidden @ part.weigh[2].weight.flatten(1).T)
    assert hidden.shape == (6, 2)
    mean = torch.stack([weight[:3].mean(dim=0), weight[3:].mean(dim=0)]).repeat_interleave(3, dim=0)
    scale = (weight * mean + 1e-5).sqrt()
    torch.testing.assert_close(part(map_BCHW), map_BCHW * scale[:, :, None, None])


@torch.no_grad()
def test_attention_scales_what_a_block_adds_and_not_its_shortcut():
    backbone = GCANetwork(width=2, num_frames=5, size=40).eval()
    block, map_BCHW = backbone.tokens.stage2, torch.randn(5, 2, 10, 10)
    norm, attention = block.bn2
    added = norm(block.conv2(block.bn1(block.conv1(map_BCHW)).relu()))
    torch.testing.assert_close(block(map_BCHW), (attention(added) + block.downsample(map_BCHW)).relu())


def recognizer(**backbone):
    config = load_config(CONFIGS / "ial_dfew.py", dataset="mafw")
    config.model.backbone.update(width=2, num_frames=4, size=32, **backbone)
    torch.manual_seed(0)
    return MODELS.build(config.model | {"data_preprocessor": config.data_preprocessor})


def test_stages_classify_the_classes_of_the_corpus_in_training():
    model = recognizer(stage_weights=(0.5, 0.25)).train()
    video, label = torch.rand(2, 1, 3, 4, 32, 32), torch.tensor([10, 3])
    losses = model(video, mode="loss", label=label)
    assert list(losses) == ["loss_class", "loss_ial", "loss_stage2", "loss_stage3"]
    for name, weight in (("stage2", 0.5), ("stage3", 0.25)):
        whole_BTC = getattr(model.backbone.tokens, name).bn2[1].whole_BTC
        score = whole_BTC.mean(dim=1)
        for layer in model.backbone.classifiers[name]:
            assert layer.bias is None
            score = score @ layer.weight.T
        assert score.shape == (2, 11)
        torch.testing.assert_close(losses[f"loss_{name}"], weight * F.cross_entropy(score, label))
    sum(losses.values()).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_stages_classify_mixed_videos_too():
    model = recognizer()
    video, share = torch.rand(2, 1, 3, 4, 32, 32), torch.zeros(2, 11)
    share[0, [1, 4]], share[1, 7] = torch.tensor([0.25, 0.75]), 1.0
    model.train().extract(video)
    mixed = model.backbone.auxiliary_losses(share)["loss_stage2"]
    alone = []
    for label in ([1, 7], [4, 7]):
        alone.append(model.backbone.auxiliary_losses(torch.tensor(label))["loss_stage2"])
    torch.testing.assert_close(mixed, 0.25 * alone[0] + 0.75 * alone[1])


def test_ial_adds_its_loss_by_the_released_factors():
    model = recognizer()
    video, label = torch.rand(2, 1, 3, 4, 32, 32), torch.tensor([10, 3])
    losses = model(video, mode="loss", label=label)
    assert list(losses) == ["loss_class", "loss_ial", "loss_stage2"] and list(model.backbone.classifiers) == ["stage2"]
    assert model.backbone.stage_weights == {"stage2": 0.05, "stage3": 0.0}
    scores = model.head(model.extract(video)[0])
    torch.testing.assert_close(losses["loss_ial"], 0.1 * intensity_aware_loss(scores, label))


def test_a_method_whose_backbone_classifies_is_counted_for_each_number_of_classes():
    """The four classes more of MAFW are columns of the head and of the classifier of the second stage."""
    counted, costs = Costs(), []
    for corpus in (None, "mafw"):
        config = load_config(CONFIGS / "ial_dfew.py", dataset=corpus)
        config.model.backbone.update(width=2, size=32)
        config.data_preprocessor.size = 32
        costs.append(counted.of(config))
    assert costs[1]["params"] - costs[0]["params"] == 4 * (8 + 1) + 4 * (2 * 4)


@pytest.mark.parametrize("build", [NRDFERNet, GCANetwork])
def test_they_say_what_they_are_built_for(build):
    with torch.device("meta"):
        backbone = build(width=2, num_frames=5, size=40)
        message = r"clips \(C, T, H, W\) of \(3, 5, 40, 40\) and got \(3, 4, 40, 40\): set model\.backbone\.num_frames"
        with pytest.raises(UserError, match=message):
            backbone(torch.empty(1, 3, 4, 40, 40))
        with pytest.raises(UserError, match="num_frames is 1: expected at least 2"):
            build(width=2, num_frames=1)


@pytest.mark.parametrize("weights", [(0.1,), (0.1, -1.0)])
def test_gca_network_takes_two_weights(weights):
    with pytest.raises(UserError, match=r"stage_weights are .*: expected two numbers from 0"):
        GCANetwork(width=2, stage_weights=weights)
