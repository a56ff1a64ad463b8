"""Released weights of the video transformers: files made to the letter, and the networks written out in plain torch.

The plain networks read the tensors by the names of the files and compute every attention by its formula.
"""

import argparse

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.lgi_former import LGIFormer
from cefl_bench.models.backbones.tpsbt import TPSBT
from cefl_bench.models.backbones.video_mae import VideoMAE

DIM, HEADS = 16, 2
Weights = dict[str, Tensor]


def norm(weights: Weights, name: str, token: Tensor) -> Tensor:
    return F.layer_norm(token, token.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], eps=1e-6)


def linear(weights: Weights, name: str, token: Tensor) -> Tensor:
    return token @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def feed_forward(weights: Weights, name: str, token: Tensor) -> Tensor:
    hidden = linear(weights, f"{name}.fc1", token)
    return linear(weights, f"{name}.fc2", hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5)))


def attention(weights: Weights, name: str, token: Tensor, context: Tensor) -> Tensor:
    """Tokens (L, D) ask a context (M, D), head by head; keys have no bias."""
    if f"{name}.qkv.weight" in weights:
        wq, wk, wv = weights[f"{name}.qkv.weight"].split(DIM)
    else:
        wq, (wk, wv) = weights[f"{name}.q.weight"], weights[f"{name}.kv.weight"].split(DIM)
    q = token @ wq.T + weights[f"{name}.q_bias"]
    k, v = context @ wk.T, context @ wv.T + weights[f"{name}.v_bias"]
    heads = []
    for part in range(HEADS):
        columns = slice(part * DIM // HEADS, (part + 1) * DIM // HEADS)
        share = (q[:, columns] @ k[:, columns].T / (DIM // HEADS) ** 0.5).softmax(dim=-1)
        heads.append(share @ v[:, columns])
    return linear(weights, f"{name}.proj", torch.cat(heads, dim=1))


def joint_block(weights: Weights, name: str, token: Tensor) -> Tensor:
    normed = norm(weights, f"{name}.norm1", token)
    token = token + attention(weights, f"{name}.attn", normed, normed)
    return token + feed_forward(weights, f"{name}.mlp", norm(weights, f"{name}.norm2", token))


def embedded(weights: Weights, clip: Tensor) -> Tensor:
    """A clip (3, T, H, W) -> tokens (T', H', W', D) with positions."""
    token = F.conv3d(clip[None], weights["patch_embed.proj.weight"], weights["patch_embed.proj.bias"], (2, 16, 16))[0]
    token = token.permute(1, 2, 3, 0)
    flat = token.reshape(-1, DIM).clone()
    for place in range(len(flat)):
        for column in range(DIM):
            angle = np.float64(place) / 10000 ** (2 * (column // 2) / DIM)
            flat[place, column] += float(np.cos(angle) if column % 2 else np.sin(angle))
    return flat.reshape(token.shape)


def plain_video_mae(weights: Weights, clip: Tensor) -> Tensor:
    token = embedded(weights, clip).reshape(-1, DIM)
    for number in range(2):
        token = joint_block(weights, f"blocks.{number}", token)
    return norm(weights, "fc_norm", token.mean(dim=0))


def plain_lgi_former(weights: Weights, clip: Tensor) -> Tensor:
    """Regions of 2 x 2 x 4 cubes, of 4 x 4 x 4."""
    cubes = embedded(weights, clip)
    regions = []
    for t in (0, 2):
        for h in (0, 2):
            regions.append(cubes[t : t + 2, h : h + 2].reshape(-1, DIM))
    tokens = list(weights["lg_region_tokens"])
    for number in range(2):
        name = f"blocks.{number}"
        for index, region in enumerate(regions):
            both = torch.cat([tokens[index][None], region])
            normed = norm(weights, f"{name}.first_attn_norm0", both)
            both = both + attention(weights, f"{name}.first_attn", normed, normed)
            tokens[index], regions[index] = both[0], both[1:]
        among = torch.stack(tokens)
        normed = norm(weights, f"{name}.second_attn_norm0", among)
        among = among + attention(weights, f"{name}.second_attn", normed, normed)
        context = norm(weights, f"{name}.third_attn_norm1", among)
        for index, region in enumerate(regions):
            asking = norm(weights, f"{name}.third_attn_norm0", region)
            region = region + attention(weights, f"{name}.third_attn", asking, context)
            regions[index] = region + feed_forward(weights, f"{name}.mlp", norm(weights, f"{name}.norm2", region))
        tokens = list(among + feed_forward(weights, f"{name}.mlp", norm(weights, f"{name}.norm2", among)))
    return norm(weights, "fc_norm", torch.stack(tokens).mean(dim=0))


def plain_tpsbt(weights: Weights, clip: Tensor) -> Tensor:
    """Two blocks in each of three stages, three bottleneck tokens."""
    cubes = embedded(weights, clip)
    token = cubes.reshape(-1, DIM)
    for number in range(2):
        token = joint_block(weights, f"blocks.{number}", token)
    moments = token.reshape(len(cubes), -1, DIM)
    for stage in range(2):
        kernel = weights[f"temporal_downsamples.{stage}.weight"]
        pairs = zip(moments[0::2], moments[1::2], strict=True)
        halves = [first @ kernel[:, :, 0].T + second @ kernel[:, :, 1].T for first, second in pairs]
        moments = torch.stack(halves) + weights[f"temporal_downsamples.{stage}.bias"]
        few = []
        for places in moments:
            name = f"spatial_downsamples.{stage}"
            share = feed_forward(weights, f"{name}.mlp", norm(weights, f"{name}.norm", places)).softmax(dim=0)
            few.append(share.T @ places)
        everywhere, bottleneck = moments.reshape(-1, DIM), torch.cat(few)
        bottleneck = asking_block(weights, f"blocks.{2 + 2 * stage}", bottleneck, everywhere)
        everywhere = asking_block(weights, f"blocks.{3 + 2 * stage}", everywhere, bottleneck)
        moments = everywhere.reshape(moments.shape)
    return norm(weights, "fc_norm", moments.reshape(-1, DIM).mean(dim=0))


def asking_block(weights: Weights, name: str, token: Tensor, context: Tensor) -> Tensor:
    asking, asked = norm(weights, f"{name}.cross_norm1", token), norm(weights, f"{name}.cross_norm2", context)
    token = token + attention(weights, f"{name}.cross_attn", asking, asked)
    return joint_block(weights, name, token)


def shapes_of(spec: str) -> dict[str, tuple[int, ...]]:
    """Lines of `name: sizes`, in multiples of the width where a size ends with D; `{a,b}` stands for several names."""
    found = {}
    for line in spec.split("\n"):
        if line.strip():
            names, sizes = line.split(":")
            shape = tuple(int(size[:-1] or 1) * DIM if size[-1] == "D" else int(size) for size in sizes.split())
            head, _, rest = names.strip().partition("{")
            options, _, tail = rest.partition("}")
            for option in options.split(","):
                found[f"{head}{option}{tail}"] = shape
    return found


NORM = "{weight,bias}: D"
MLP = "mlp.fc1.weight: 4D D\nmlp.fc1.bias: 4D\nmlp.fc2.weight: D 4D\nmlp.fc2.bias: D"
PATCH = "patch_embed.proj.weight: D 3 2 16 16\npatch_embed.proj.bias: D"
SELF = "qkv.weight: 3D D\nq_bias: D\nv_bias: D\nproj.weight: D D\nproj.bias: D"
CROSS = "q.weight: D D\nkv.weight: 2D D\nq_bias: D\nv_bias: D\nproj.weight: D D\nproj.bias: D"


def under(name: str, spec: str) -> str:
    return "\n".join(f"{name}.{line}" for line in spec.split("\n"))


JOINT = "\n".join([under("norm1", NORM), under("attn", SELF), under("norm2", NORM), MLP])
LOCAL_GLOBAL = "\n".join(
    [under(f"{which}_attn", CROSS) for which in ("first", "second", "third")]
    + [under(f"{which}_attn_norm0", NORM) for which in ("first", "second", "third")]
    + [under("third_attn_norm1", NORM), under("norm2", NORM), MLP]
)
ASKING = "\n".join([under("cross_attn", CROSS), under("cross_norm1", NORM), under("cross_norm2", NORM), JOINT])
SUMMARY = "norm.{weight,bias}: D\nmlp.fc1.weight: 128 D\nmlp.fc1.bias: 128\nmlp.fc2.weight: 3 128\nmlp.fc2.bias: 3"
HALVE = "weight: D D 2\nbias: D"
SPECS = {
    VideoMAE: [PATCH, under("blocks.0", JOINT), under("blocks.1", JOINT)],
    LGIFormer: [PATCH, "lg_region_tokens: 4 D", under("blocks.0", LOCAL_GLOBAL), under("blocks.1", LOCAL_GLOBAL)],
    TPSBT: [
        PATCH,
        *(under(f"blocks.{number}", JOINT if number < 2 else ASKING) for number in range(6)),
        *(under(f"temporal_downsamples.{number}", HALVE) for number in range(2)),
        *(under(f"spatial_downsamples.{number}", SUMMARY) for number in range(2)),
    ],
}
ARGUMENTS = {
    VideoMAE: dict(dim=DIM, num_heads=HEADS, depth=2),
    LGIFormer: dict(dim=DIM, num_heads=HEADS, depth=2, num_frames=8, size=64, region=(2, 2, 4)),
    TPSBT: dict(dim=DIM, num_heads=HEADS, depths=(2, 2, 2), num_bottleneck_tokens=3),
}
PLAIN = {VideoMAE: plain_video_mae, LGIFormer: plain_lgi_former, TPSBT: plain_tpsbt}
METHODS = pytest.mark.parametrize("cls", [VideoMAE, LGIFormer, TPSBT])


def released(cls: type) -> Weights:
    """The tensors of a fine-tuned network by the authors' names, with its classifier."""
    generator = torch.Generator().manual_seed(0)
    shapes = shapes_of("\n".join([*SPECS[cls], under("fc_norm", NORM), "head.weight: 7 D\nhead.bias: 7"]))
    return {name: torch.randn(shape, generator=generator) * 0.3 for name, shape in shapes.items()}


def pretraining(weights: Weights) -> dict[str, object]:
    """What a pretraining leaves: an encoder and a decoder, the optimiser, and the options of the command line."""
    encoder = {f"encoder.{name}": x for name, x in weights.items() if not name.startswith(("head.", "fc_norm."))}
    decoder = {"decoder.blocks.0.attn.q_bias": torch.ones(DIM), "decoder.head.weight": torch.ones(4, DIM)}
    others = {"mask_token": torch.ones(1, 1, DIM), "encoder_to_decoder.weight": torch.ones(DIM, DIM)}
    model = encoder | {"encoder.norm.weight": torch.ones(DIM), "encoder.norm.bias": torch.zeros(DIM)} | decoder | others
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.rand(2)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
    args = argparse.Namespace(model="pretrain", lr=np.float64(1e-3), batch_size=64)
    return {"model": model, "optimizer": optimizer, "epoch": 99, "scaler": {"scale": 65536.0}, "args": args}


LAYOUTS = {
    "pretraining": pretraining,
    "fine-tuning": lambda weights: {"model": weights, "epoch": 99, "args": argparse.Namespace(nb_classes=7)},
    "deepspeed": lambda weights: {"module": weights, "dp_world_size": 8, "best_wa": np.float64(74.4)},
    "model_state_dict": lambda weights: {"model_state_dict": {f"module.{name}": x for name, x in weights.items()}},
    "state_dict": lambda weights: {"state_dict": {f"module.backbone.{name}": x for name, x in weights.items()}},
}


@METHODS
@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_a_released_file_gives_the_scores_of_the_plain_network(cls, layout, tmp_path):
    weights = released(cls)
    torch.save(LAYOUTS[layout](weights), tmp_path / "released.pth")
    backbone = cls(**ARGUMENTS[cls], init_cfg=dict(checkpoint=str(tmp_path / "released.pth"), start="VoxCeleb2"))
    backbone.init_weights()
    if layout == "pretraining":  # has none: it starts as a norm does
        weights |= {"fc_norm.weight": torch.ones(DIM), "fc_norm.bias": torch.zeros(DIM)}
    clip = torch.rand(2, 3, 8, 64, 64)
    expected = torch.stack([linear(weights, "head", PLAIN[cls](weights, one)) for one in clip])
    scores = linear(weights, "head", backbone.eval()(clip))
    torch.testing.assert_close(scores, expected, atol=1e-4, rtol=1e-3)
    assert backbone.init_source.start == "VoxCeleb2"


@METHODS
def test_half_a_file_is_refused_with_what_is_missing(cls, tmp_path):
    weights = {name: x for name, x in released(cls).items() if not name.startswith(("blocks.1.", "blocks.5."))}
    torch.save(pretraining(weights), tmp_path / "half.pth")
    backbone = cls(**ARGUMENTS[cls], init_cfg=dict(checkpoint=str(tmp_path / "half.pth")))
    before = backbone.trunk.patch_embed.proj.weight.clone()
    with pytest.raises(UserError, match=r"missing: trunk\.blocks\.1\..* and \d+ more.* at least 90%") as error:
        backbone.init_weights()
    assert "\n" not in str(error.value)
    assert torch.equal(backbone.trunk.patch_embed.proj.weight, before)


def test_weights_of_another_of_the_three_are_refused(tmp_path):
    torch.save(pretraining(released(VideoMAE)), tmp_path / "other.pth")
    with pytest.raises(UserError, match="expected at least 90% of the trunk"):
        TPSBT(**ARGUMENTS[TPSBT], init_cfg=dict(checkpoint=str(tmp_path / "other.pth"))).init_weights()


@pytest.mark.parametrize(
    ("size", "region", "shares"),
    [
        (64, (2, 4, 4), [[0, 1], [2, 3], [4, 5], [6, 7]]),  # regions of the whole height: the mean of two
        (64, (2, 2, 4), [[0], [1], [2], [3], [4], [5], [6], [7]]),  # as released
        (64, (2, 2, 2), [[number // 2] for number in range(16)]),  # two side by side for one
    ],
)
def test_region_tokens_of_the_released_files_are_brought_to_other_regions(size, region, shares, tmp_path):
    """Theirs are 4 x 2 x 1, in time, height and width."""
    weights = released(LGIFormer) | {"lg_region_tokens": torch.rand(8, DIM)}
    torch.save(pretraining(weights), tmp_path / "released.pth")
    arguments = dict(ARGUMENTS[LGIFormer], num_frames=16, size=size, region=region)
    backbone = LGIFormer(**arguments, init_cfg=dict(checkpoint=str(tmp_path / "released.pth")))
    backbone.init_weights()
    expected = torch.stack([weights["lg_region_tokens"][share].mean(dim=0) for share in shares])
    torch.testing.assert_close(backbone.trunk.lg_region_tokens.data, expected)
