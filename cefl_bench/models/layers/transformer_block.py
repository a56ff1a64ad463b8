"""The transformer block of Former-DFER and of the temporal transformers after it."""

import torch
import torch.nn.functional as F
from torch import nn

NUM_HEADS = 8


class Block(nn.Module):
    """(B, L, D) -> (B, L, D): a pre-norm transformer block with 8 heads, no qkv bias, tanh GELU, no dropout."""

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.project = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_dim), nn.GELU(approximate="tanh"), nn.Linear(mlp_dim, dim))

    def forward(self, token_BLD: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.attention_norm(token_BLD)).unflatten(-1, (3, NUM_HEADS, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        token_BLD = token_BLD + self.project(attended)
        return token_BLD + self.mlp(self.mlp_norm(token_BLD))
