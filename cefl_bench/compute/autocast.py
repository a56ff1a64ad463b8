"""Mixed precision in bfloat16, on a CPU as on a GPU. Mmengine's own wrapper needs a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn


class AutocastOptimWrapper(OptimWrapper):
    """Computes the loss in bfloat16 by autocast. Gradients need no scaling, as bfloat16 reaches as far as float32."""

    def __init__(self, device_type: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device_type = device_type

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast(self.device_type, torch.bfloat16):
            yield
