"""The transformer block of Former-DFER and of the networks after it."""

import torch
import torch.nn.functional as F
from torch import nn

NUM_HEADS = 8


class Block(nn.Module):
    """(B, L, D) -> (B, L, D): a pre-norm transformer block, no qkv bias, tanh GELU, no dropout.

    Args:
        dim: D.
        mlp_dim: hidden width of the MLP.
        head_dim: width of each head; None shares D among the heads.
    """

    def __init__(self, dim: int, mlp_dim: int, num_heads: int = NUM_HEADS, head_dim: int | None = None) -> None:
        super().__init__()
        inner_dim = dim if head_dim is None else num_heads * head_dim
        self.num_heads = num_heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * inner_dim, bias=False)
        self.project = nn.Linear(inner_dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_dim), nn.GELU(approximate="tanh"), nn.Linear(mlp_dim, dim))

    def forward(self, token_BLD: torch.Tensor) -> torch.Tensor:
        qkv = self.qkv(self.attention_norm(token_BLD))
        q, k, v = qkv.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        token_BLD = token_BLD + self.project(attended)
        return token_BLD + self.mlp(self.mlp_norm(token_BLD))
