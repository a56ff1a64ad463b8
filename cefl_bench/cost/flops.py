"""Parameters and multiply-accumulates of a model, counted without weights and without a device."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from cefl_bench.registry import MODELS


def model_cost(model: Mapping[str, Any], video_shape: tuple[int, int, int, int, int]) -> dict[str, Any]:
    """Count one video through a model, in eval mode.

    On the meta device `FlopCounterMode` sees attention, LSTM and fused layers that it misses on a real one.

    Args:
        model: its config, with the `data_preprocessor` in it.
        video_shape: (N, C, T, H, W) of one video.

    Returns:
        `params`, `trainable_params`, `macs`, `flops` (twice the MACs), `input_shape`, `counter`.
    """
    with torch.device("meta"):
        network = MODELS.build(dict(model)).eval()
        video_BNCTHW = torch.empty(1, *video_shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(video_BNCTHW)
    parameters = list(network.parameters())
    flops = counter.get_total_flops()
    return {
        "params": sum(p.numel() for p in parameters),
        "trainable_params": sum(p.numel() for p in parameters if p.requires_grad),
        "macs": flops // 2,
        "flops": flops,
        "input_shape": list(video_shape),
        "counter": f"torch {torch.__version__} FlopCounterMode, meta device",
    }
