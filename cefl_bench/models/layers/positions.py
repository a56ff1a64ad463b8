"""Learned tables of positions, brought from the clip size of a file to another."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def resized_square(table_1LD: torch.Tensor, num_places: int, num_prefix: int = 0) -> torch.Tensor:
    """Positions of a square map (1, L, D) -> those of one of `num_places` places, bicubic; else as they are.

    Args:
        num_prefix: how many stand before the map's, such as a class token's; they are kept.
    """
    before, after = (math.isqrt(max(number, 0)) for number in (table_1LD.shape[1] - num_prefix, num_places))
    if before**2 != table_1LD.shape[1] - num_prefix or after**2 != num_places:
        return table_1LD
    return resampled(table_1LD, (before, before), (after, after), num_prefix)


def resampled(
    table_1LD: torch.Tensor, before: Sequence[int], after: Sequence[int], num_prefix: int = 0
) -> torch.Tensor:
    """Positions of a map of `before` (height, width) places -> of `after`, those of prefix tokens kept."""
    if tuple(before) == tuple(after):
        return table_1LD
    from timm.layers.pos_embed import resample_abs_pos_embed  # as in `models/start.py`

    return resample_abs_pos_embed(table_1LD, list(after), list(before), num_prefix_tokens=num_prefix)


def resized_for_timm(trunk: Any, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights by our names, with the positions of one of timm's vision transformers made to fit `trunk`."""
    ours, theirs = getattr(trunk, "pos_embed", None), weights.get("trunk.pos_embed")
    grid = getattr(getattr(trunk, "patch_embed", None), "grid_size", None)
    if not isinstance(ours, nn.Parameter) or grid is None or theirs is None or {ours.dim(), theirs.dim()} != {3}:
        return weights
    num_places = grid[0] * grid[1]
    return weights | {"trunk.pos_embed": resized_square(theirs, num_places, ours.shape[1] - num_places)}
