"""Optimiser wrappers that do not make a GPU wait."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict


def quiet(wrapper: OptimWrapper | OptimWrapperDict) -> OptimWrapper | OptimWrapperDict:
    """Let a wrapper do nothing that makes a GPU wait and that nobody needs.

    Gradients are clipped without a look at their norm; bfloat16, which reaches as far as float32, gets no loss scaling.
    """
    clip = getattr(wrapper, "clip_func", None)
    if clip is not None:
        wrapper.clip_func = _without_norm(clip)
    if isinstance(wrapper, AmpOptimWrapper) and wrapper.cast_dtype is torch.bfloat16:
        wrapper.loss_scaler = torch.amp.GradScaler(enabled=False)
    return wrapper


def _without_norm(clip: Callable[..., Any]) -> Callable[..., None]:
    def clip_only(*arguments: Any, **options: Any) -> None:
        clip(*arguments, **options)

    return clip_only
