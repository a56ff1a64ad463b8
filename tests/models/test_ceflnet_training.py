"""CEFLNet's training step against a plain one, written from the description of the released network."""

import pytest
import torch
import torchvision
from torch import nn

from cefl_bench.models.aggregators.eian import EIAN
from cefl_bench.models.backbones.clip_feature_encoder import ClipFeatureEncoder
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.models.recognizer import Recognizer

B, N, T, SIZE, D, HEADS = 3, 3, 2, 48, 512, 4


def ceflnet(frame_batches: str) -> Recognizer:
    """In float64, with a trunk whose batch statistics matter, and without dropout."""
    torch.manual_seed(0)
    model = Recognizer(
        backbone=dict(type=ClipFeatureEncoder, frame_batches=frame_batches, trunk_args=dict(zero_init_last=False)),
        aggregator=dict(type=EIAN),
        head=dict(type=MLPHead, num_classes=7),
        data_preprocessor=dict(type=VideoPreprocessor, size=SIZE),
    )
    model.init_weights()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return model.double().train()


def linear(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def plain_loss(weights, trunk, video, label):
    """The loss of the released network: `video` (B, N, C, T, H, W), `weights` by our names.

    The trunk sees the B frames of one position of one clip at a time. Every other layer is written out.
    """
    clip_features = []
    for n in range(N):
        f = torch.stack([trunk(video[:, n, :, t]) for t in range(T)], dim=1)  # (B, T, D)
        q, k, v = linear_in_projection(f, weights)
        heads = []
        for head in range(HEADS):
            part = slice(head * D // HEADS, (head + 1) * D // HEADS)
            logits = q[..., part] @ k[..., part].transpose(1, 2) / (D // HEADS) ** 0.5
            exponentials = logits.exp()
            heads.append(exponentials / exponentials.sum(dim=2, keepdim=True) @ v[..., part])
        attended = f + linear(torch.cat(heads, dim=2), weights, "backbone.self_attention.attention.out_proj")
        centred = attended - attended.mean(dim=2, keepdim=True)
        normal = centred / (centred.square().mean(dim=2, keepdim=True) + 1e-5).sqrt()
        f_prime = normal * weights["backbone.self_attention.norm.weight"] + weights["backbone.self_attention.norm.bias"]
        g = f_prime.max(dim=1).values
        related, weight_sum = 0, 0
        for t in range(T):
            h = torch.cat([f[:, t], g], dim=1)
            w = 1 / (1 + torch.exp(-linear(h, weights, "backbone.relation.weigh.1")))
            related, weight_sum = related + w * h, weight_sum + w
        clip_features.append(linear(related / weight_sum, weights, "backbone.relation.project"))
    r = torch.stack(clip_features, dim=1)  # (B, N, D)
    exponentials = (r @ weights["aggregator.score.weight"][0, :, 0]).exp()
    a = exponentials / exponentials.sum(dim=1, keepdim=True)
    x = (a[:, :, None] * r).max(dim=1).values
    x = linear(x, weights, "head.layers.0").clamp(min=0)
    x = linear(x, weights, "head.layers.2").clamp(min=0)
    scores = linear(x, weights, "head.layers.5")
    return -(scores[torch.arange(B), label] - scores.exp().sum(dim=1).log()).mean()


def linear_in_projection(f, weights):
    name = "backbone.self_attention.attention.in_proj"
    return (f @ weights[f"{name}_weight"].T + weights[f"{name}_bias"]).chunk(3, dim=2)


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(1)
    video = torch.rand(B, N, 3, T, SIZE, SIZE, generator=generator, dtype=torch.float64)
    return video, torch.arange(B)


@pytest.fixture(scope="module")
def plain(batch):
    """Of the plain network with the weights of `ceflnet`: the loss, gradients by our names, and the trunk after it."""
    model = ceflnet("per_position")
    trunk = torchvision.models.resnet18(weights=None)
    trunk.fc = nn.Identity()
    trunk.load_state_dict(model.backbone.trunk.state_dict())
    trunk = trunk.double().train()
    weights = {name: tensor.detach().clone().requires_grad_() for name, tensor in model.named_parameters()}
    loss = plain_loss(weights, trunk, *batch)
    loss.backward()
    gradients = {f"backbone.trunk.{name}": tensor.grad for name, tensor in trunk.named_parameters()}
    gradients |= {name: tensor.grad for name, tensor in weights.items() if name not in gradients}
    return loss.item(), gradients, trunk


def test_per_position_batches_are_the_released_training_step(plain, batch):
    expected, gradients, trunk = plain
    model = ceflnet("per_position")
    loss = model(batch[0], mode="loss", label=batch[1])["loss_class"]
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    for name, parameter in model.named_parameters():
        scale = gradients[name].abs().max().item()
        assert (parameter.grad - gradients[name]).abs().max() <= 1e-10 * max(scale, 1e-12), name
    theirs = trunk.state_dict()
    for name, tensor in model.backbone.trunk.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-12, atol=1e-12, msg=name)
    assert theirs["bn1.num_batches_tracked"] == N * T


def test_joint_batches_take_other_statistics(plain, batch):
    model = ceflnet("joint")
    loss = model(batch[0], mode="loss", label=batch[1])["loss_class"]
    assert abs(loss.item() - plain[0]) > 1e-4
    assert model.backbone.trunk.bn1.num_batches_tracked == 1


@torch.no_grad()
def test_in_eval_mode_both_ways_are_the_plain_network(batch):
    models = [ceflnet(frame_batches) for frame_batches in ("joint", "per_position")]
    trunk = torchvision.models.resnet18(weights=None)
    trunk.fc = nn.Identity()
    trunk.load_state_dict(models[0].backbone.trunk.state_dict())
    expected = plain_loss(dict(models[0].named_parameters()), trunk.double().eval(), *batch)
    for model in models:
        loss = model.eval()(batch[0], mode="loss", label=batch[1])["loss_class"]
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)


def test_dropout_is_where_the_released_network_has_it():
    """Of the attention weights and of what they give .1, before the frame weights .5, before the last layer .4."""
    torch.manual_seed(0)
    backbone, head = ClipFeatureEncoder(**ClipFeatureEncoder.tiny), MLPHead(8, 7)
    assert backbone.self_attention.attention.dropout == backbone.self_attention.dropout.p == 0.1
    assert backbone.relation.weigh[0].p == 0.5 and head.layers[-2].p == 0.4
