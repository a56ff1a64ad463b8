"""What the video transformers after VideoMAE share: cubes of pixels as tokens, positions, attention, blocks.

Tong et al., VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video Pre-Training, NeurIPS
2022, https://arxiv.org/abs/2203.12602

Layers are named as in the weights that the authors of VideoMAE, MAE-DFER and SVFAP released.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from timm.layers.drop import DropPath
from timm.layers.mlp import Mlp
from timm.layers.weight_init import trunc_normal_
from torch import nn
from torch.utils.checkpoint import checkpoint

from cefl_bench.errors import UserError

CUBE = (2, 16, 16)
"""Frames, height and width in pixels of what becomes one token."""
NORM_EPS = 1e-6


class CubeEmbedding(nn.Module):
    """(B, 3, T, H, W) -> tokens (B, T / 2, H / 16, W / 16, D), each with its fixed position added."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, dim, kernel_size=CUBE, stride=CUBE)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        token_BTHWD = self.proj(clip_BCTHW).movedim(1, -1)
        _, *grid, dim = token_BTHWD.shape
        table_LD = sinusoid_table(grid[0] * grid[1] * grid[2], dim, clip_BCTHW.device)
        return token_BTHWD + table_LD.to(self.proj.weight.dtype).unflatten(0, grid)


def check_clip(name: str, shape_THW: tuple[int, ...]) -> None:
    """Refuse a clip that cannot be cut into whole cubes.

    Raises:
        UserError: naming the backbone and what it takes.
    """
    if any(length < side or length % side for length, side in zip(shape_THW, CUBE, strict=True)):
        raise UserError(
            f"{name} cuts clips (T, H, W) into cubes of {CUBE} and got {tuple(shape_THW)}: set data_preprocessor.size "
            f"to a multiple of {CUBE[1]}, and an even number of frames a clip"
        )


def check_width(name: str, dim: int, num_heads: int) -> None:
    """Refuse a width that heads cannot share, or that has no pairs of sine and cosine.

    Raises:
        UserError: naming the backbone and its arguments.
    """
    if num_heads < 1 or dim < 1 or dim % num_heads or dim % 2:
        raise UserError(f"{name}: dim is {dim}, num_heads {num_heads}: expected an even multiple of num_heads")


def sinusoid_table(length: int, dim: int, device: torch.device) -> torch.Tensor:
    """Positions (length, dim): sines in the even columns 2 j, cosines in the odd ones, of place / 10000^(2 j / dim).

    Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.5. Computed in double precision.
    """
    place_L = torch.arange(length, dtype=torch.float64, device=device)
    pair = torch.arange(0, dim, 2, dtype=torch.float64, device=device)
    angle = place_L[:, None] / 10000 ** (pair / dim)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()


def attend(q_BLD: torch.Tensor, k_BMD: torch.Tensor, v_BMD: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Queries (B, L, D) ask keys and values (B, M, D), by heads -> (B, L, D)."""
    q, k, v = (part.unflatten(-1, (num_heads, -1)).transpose(1, 2) for part in (q_BLD, k_BMD, v_BMD))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """(B, L, D) -> (B, L, D): queries, keys and values in one layer; keys have no bias."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, token_BLD: torch.Tensor) -> torch.Tensor:
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        q, k, v = F.linear(token_BLD, self.qkv.weight, bias).chunk(3, dim=-1)
        return self.proj(attend(q, k, v, self.num_heads))


class CrossAttention(nn.Module):
    """Tokens (B, L, D) that ask the context (B, M, D) -> (B, L, D); keys have no bias."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim, bias=False)
        self.kv = nn.Linear(dim, 2 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, token_BLD: torch.Tensor, context_BMD: torch.Tensor) -> torch.Tensor:
        q = F.linear(token_BLD, self.q.weight, self.q_bias)
        bias = torch.cat([torch.zeros_like(self.v_bias), self.v_bias])
        k, v = F.linear(context_BMD, self.kv.weight, bias).chunk(2, dim=-1)
        return self.proj(attend(q, k, v, self.num_heads))


class Block(nn.Module):
    """(B, L, D) -> (B, L, D): a pre-norm block in which all tokens attend to all."""

    def __init__(self, dim: int, num_heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.norm1 = layer_norm(dim)
        self.attn = SelfAttention(dim, num_heads)
        self.norm2 = layer_norm(dim)
        self.mlp = mlp(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, token_BLD: torch.Tensor) -> torch.Tensor:
        token_BLD = token_BLD + self.drop_path(self.attn(self.norm1(token_BLD)))
        return token_BLD + self.drop_path(self.mlp(self.norm2(token_BLD)))


def layer_norm(dim: int) -> nn.LayerNorm:
    """LayerNorm as all of them have it."""
    return nn.LayerNorm(dim, eps=NORM_EPS)


def mlp(dim: int) -> nn.Module:
    """(.., D) -> (.., D) through four times as many, with the exact GELU."""
    return Mlp(dim, 4 * dim)


def drop_path_rates(highest: float, depth: int) -> list[float]:
    """Stochastic depth: of each block, the chance that it is left out; from 0 for the first, evenly up to `highest`."""
    return [highest * index / max(depth - 1, 1) for index in range(depth)]


def start_linear_layers(network: nn.Module) -> None:
    """Draw the weights of all linear layers from a truncated normal distribution; their biases start at 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def depth_of(name: str) -> int | None:
    """`Backbone.depth_of` of a transformer whose trunk has a `patch_embed` and `blocks`.

    What is neither comes last, tokens that are learned among it: as in the released code of VideoMAE and MAE-DFER.
    """
    part, _, rest = name.removeprefix("trunk.").partition(".")
    if part == "blocks":
        return 1 + int(rest.partition(".")[0])
    return 0 if part == "patch_embed" else None


def run(block: Callable[..., torch.Tensor], *tokens: torch.Tensor, recompute: bool) -> torch.Tensor:
    """A block's output. `recompute`: keep none of its inner maps for the backward pass, make them again there."""
    if recompute and torch.is_grad_enabled():
        return checkpoint(block, *tokens, use_reentrant=False)
    return block(*tokens)
